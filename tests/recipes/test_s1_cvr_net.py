"""The recipes of S1: Hasan et al., CVR-Net."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import handy
import pytest
import recipe_runs
import torch
from handy import Row
from recipe_runs import RecipeRun

from cxrtool.compare import published_figures
from cxrtool.core import registry
from cxrtool.learn import inference
from cxrtool.recipes import library

PROTOCOL = {
    "--optimizer": "adam:beta1=0.9,beta2=0.999,eps=1e-7",
    "--lr": "0.0001",
    "--loss": "ce",
    "--class-weights": "max",
    # As Keras counts: after 12 epochs, its patience, without a loss lower by its 0.0001.
    "--schedule": "plateau:factor=0.9,patience=11,delta=0.0001",
    "--patience": "25",
    "--epochs": "200",
    "--batch": "8",
    "--size": "224",
    "--normalize": "imagenet",
    "--augment": "rotate=10@0.45,shift=0.1@0.2,hflip=0.5,vflip=0.5",
}
# Table 1, and the totals of Tables 3 and 4.
TASKS = {
    "CXR-Single-CL2": {"other": 5856, "covid": 500},
    "CXR-Multiple-CL2": {"other": 7864, "covid": 4015},
    "CXR-Single-CL3": {"normal": 1583, "pneumonia": 4273, "covid": 500},
    "CXR-Multiple-CL3": {"normal": 3591, "pneumonia": 4595, "covid": 4015},
    "CXR-Multiple-CL4": {"normal": 3591, "bacteria": 2780, "virus": 1493, "covid": 4015},
}


def full_v1(run: RecipeRun) -> None:
    for task, classes in TASKS.items():
        assert run.counts(task, "label") == classes
        for key, number in run.counts(task, "fold", "label").items():
            assert abs(number - classes[key.split()[1]] / 5) < 1, "a fifth in every fold"
        # What is not COVID-19 is of other collections than what is.
        of_covid = {"cohen"} if "Single" in task else {"cohen", "ccxri", "bimcv"}
        sources = {tuple(key.split()) for key in run.counts(task, "label", "source")}
        assert {source for label, source in sources if label == "covid"} == of_covid
        others = {source for label, source in sources if label != "covid"}
        assert others == ({"kermany"} if "Single" in task else {"kermany", "nih"})
    trains = run.options("train")
    assert len(trains) == 25
    assert all(PROTOCOL.items() <= train.items() for train in trains)
    assert {t["--arch"] for t in trains} == {"cvr-net"}
    assert Counter(t["--fold"] for t in trains) == dict.fromkeys("12345", 5)
    assert Counter(t["--classes"] for t in trains) == {
        "other,covid": 10,
        "normal,pneumonia,covid": 10,
        "normal,bacteria,virus,covid": 5,
    }
    compared = run.options("compare")
    assert [c["--published"].partition("task=")[2] for c in compared] == list(TASKS)
    assert ["--averages" in c for c in compared] == ["CL2" in task for task in TASKS]
    assert ["--confusion" in c for c in compared] == ["CL2" not in task for task in TASKS]
    sizes = [sum(run.counts(task, "fold").values()) * 3 / 5 for task in TASKS]
    assert f"up to {max(sizes):,.0f} images" in library.chosen("v1").cost


def independent(run: RecipeRun) -> None:
    counts = run.counts("images")
    wanted = {
        "train other": 5567,
        "train covid": 2812,
        "val other": 1391,
        "val covid": 703,
        "test other": 1227,
        "test covid": 500,
    }
    assert counts.keys() == wanted.keys()
    # Patients stay together, so that a part may be an image off.
    assert all(abs(counts[key] - number) <= 1 for key, number in wanted.items())
    sources = {key for key in run.counts("images", "split", "source") if key[:4] == "test"}
    assert sources == {"test nih", "test cohen"}
    # The paper's NCV are the healthy and other pneumonia; laterals are left out.
    findings = run.counts("images", "source", "finding", "view")
    of_others = {key for key in findings if key.startswith(("nih", "chexpert"))}
    assert all("No Finding" in key or "Pneumonia" in key for key in of_others)
    assert any("Pneumonia" in key for key in of_others)
    assert not any(key.endswith(" L") for key in findings)


def full_v2(run: RecipeRun) -> None:
    independent(run)
    [train] = run.options("train")
    assert (PROTOCOL | {"--arch": "cvr-net", "--weights": "imagenet"}).items() <= train.items()
    assert run.counts("test", "label") == {"other": 1227, "covid": 500}
    [compared] = run.options("compare")
    assert "--averages" in compared, "the paper's figures are weighted means of both classes"


def full_v3(run: RecipeRun) -> None:
    assert run.counts("CT-Single-CL2", "label") == {"other": 1227, "covid": 1252}
    assert run.counts("CT-Multiple-CL2", "label") == {"other": 7864, "covid": 4015}
    sources = {"scov": 1227 + 1252, "mgc": 397 + 349, "ccii": 6240 + 2414}
    assert run.counts("CT-Multiple-CL2", "source") == sources
    counts = run.counts("CT-Independent-CL2")
    wanted = {
        "train other": 13293,
        "train covid": 5178,
        "val other": 3323,
        "val covid": 1294,
        "test other": 1227,
        "test covid": 1252,
    }
    assert counts.keys() == wanted.keys()
    # Patients stay together, so that a part may be an image off.
    assert all(abs(counts[key] - number) <= 1 for key, number in wanted.items())
    parts = run.counts("CT-Independent-CL2", "split", "source")
    assert {key for key in parts if key[:4] == "test"} == {"test scov"}
    trains = run.options("train")
    assert len(trains) == 11
    assert all((PROTOCOL | {"--arch": "cvr-net"}).items() <= train.items() for train in trains)
    assert {t["--classes"] for t in trains} == {"other,covid"}
    assert f"up to {counts['train other'] + counts['train covid']:,}" in library.chosen("v3").cost
    compared = run.options("compare")
    tasks = [c["--published"].partition("task=")[2] for c in compared]
    assert tasks == ["CT-Single-CL2", "CT-Multiple-CL2", "CT-Independent-CL2"]
    assert all("--averages" in c for c in compared)
    three = handy.rows_of(run.out / "three.csv")
    assert [(r["label"], r["source"]) for r in three] == [("covid", "scov")] * 3
    cams = run.options("cam")
    assert [c.get("--branch") for c in cams] == [None, "resnet", "xception"]
    assert {(c["--method"], c["--class"], c["--outline"]) for c in cams} == {
        ("gradcam", "covid", "0.6")
    }


def full_v4(run: RecipeRun) -> None:
    independent(run)
    trains = run.options("train")
    assert all(PROTOCOL.items() <= train.items() for train in trains)
    networks = {t["--arch"].partition(":")[0]: t for t in trains}
    assert len(networks) == len(trains) == 9
    assert set(networks) <= set(registry.names("architectures"))
    assert [n for n, t in networks.items() if t["--weights"] == "none"] == ["darkcovidnet"]
    heads = {t["--arch"].partition(":head=")[0]: t["--arch"].partition("=")[2] for t in trains}
    assert {name for name, head in heads.items() if head == "flatten1024"} == {
        "vgg19",
        "xception",
        "densenet169",
        "inception-v3",
    }
    assert heads["resnet152"] == "flatten256"
    with torch.device("meta"):
        built = [inference.built(t["--arch"], 2, 0, 224) for t in trains]
    largest = max(sum(p.numel() for p in network.parameters()) for network in built)
    assert f"up to {largest / 1e6:.0f} million weights" in library.chosen("v4").cost
    # Every network of Table 5 has one's own beside it.
    papers = published_figures.chosen("cvr-net:table=5,task=CXR-Independent-CL2")
    models = [Path(call[1]).name for call in run.calls if call[0] == "evaluate"]
    for entry in papers:
        assert any(published_figures.same_model(entry, model) for model in models), entry.model
    assert len(papers) == len(models) == 9


def full_v5(run: RecipeRun) -> None:
    independent(run)
    trains = run.options("train")
    assert [t["--arch"] for t in trains] == ["cvr-net", "inception-v3:head=flatten1024"]
    assert all((PROTOCOL | {"--weights": "imagenet"}).items() <= t.items() for t in trains)
    three = handy.rows_of(run.out / "three.csv")
    assert [(r["label"], r["split"]) for r in three] == [("covid", "test")] * 3
    cams = run.options("cam")
    assert [c.get("--branch") for c in cams] == [None, "resnet", "xception", None]
    assert {(c["--method"], c["--class"], c["--outline"]) for c in cams} == {
        ("gradcam", "covid", "0.6")
    }
    last = run.calls[[c[0] for c in run.calls].index("cam") + 3]
    assert last.count("--beside") == 3


def small_v1(run: RecipeRun) -> None:
    runs = run.runs()
    assert len(runs) == 4
    assert run.weights("runs/CXR-Single-CL2/fold-1") == 48_468_402
    assert run.weights("runs/CXR-Multiple-CL4/fold-1") == 48_469_052
    run.has_options("runs/CXR-Multiple-CL4/fold-2", class_weights="max", lr="0.0001")
    folds = {r["path"]: r["fold"] for r in handy.rows_of(run.out / "CXR-Multiple-CL4.csv")}
    for fold in ("1", "2"):
        tested = handy.rows_of(run.out / f"runs/CXR-Multiple-CL4/fold-{fold}.csv")
        assert {folds[r["path"]] for r in tested} == {fold}
    assert "weighted" in (run.out / "tables/CXR-Single-CL2.md").read_text()
    table = (run.out / "tables/CXR-Multiple-CL4.md").read_text()
    # The paper's classes have one's own beside them, and its confusion matrix is there.
    [line] = [r for r in table.splitlines() if "virus" in r and "sensitivity" in r]
    assert "0.705" in line
    assert "[" in line
    assert "3454" in table


def small_v2(run: RecipeRun) -> None:
    tested = handy.rows_of(run.out / "test.csv")
    assert {r["source"] for r in tested} == {"nih", "cohen"}
    assert all((r["source"] == "cohen") == (r["label"] == "covid") for r in tested)
    assert run.weights("cvr-net") == 48_468_402
    run.has_options("cvr-net", class_weights="max", lr="0.0001")
    # The paper's weighted figures have one's own beside them, in the same row.
    table = (run.out / "tables/table.md").read_text()
    [line] = [row for row in table.splitlines() if "weighted" in row and "precision" in row]
    assert "0.885" in line
    assert "[" in line


def small_v3(run: RecipeRun) -> None:
    assert set(run.runs()) == {"runs/CT-Independent-CL2"} | {
        f"runs/CT-{task}-CL2/fold-{fold}" for task in ("Single", "Multiple") for fold in (1, 2)
    }
    tested = handy.rows_of(run.out / "runs/CT-Independent-CL2.csv")
    assert {r["source"] for r in tested} == {"scov"}
    learned = handy.rows_of(run.out / "CT-Independent-CL2.csv")
    assert {r["source"] for r in learned if r["split"] == "train"} == {"mgc", "ccii", "ictcf"}
    assert {r["view"] for r in learned} == {"Axial"}
    for task, figure in (("Single", "0.976"), ("Multiple", "0.969"), ("Independent", "0.799")):
        table = (run.out / f"tables/CT-{task}-CL2.md").read_text()
        rows = [r for r in table.splitlines() if "weighted" in r and "sensitivity" in r]
        assert any(figure in r and "[" in r for r in rows)
    maps = looked_at_the_surest(run, run.out / "runs/CT-Independent-CL2.csv")
    assert not any(r["in_lung"] for rows in maps.values() for r in rows)


def small_v4(run: RecipeRun) -> None:
    assert set(run.runs()) == {"runs/darknet", "runs/cvr-net"}
    table = (run.out / "tables/networks.md").read_text()
    for model, figure in (("darknet", "0.699"), ("cvr-net", "0.885")):
        rows = [r for r in table.splitlines() if f" {model} " in r and "weighted" in r]
        assert any(figure in r and "[" in r for r in rows)
    # The paper's other networks have rows without one's own; its DarkNet stands beside darknet.
    others = ("VGG-19", "Xception", "EfficientNet-b1", "DenseNet-169", "ResNet-152", "Inception-v3")
    assert all(f" {name} " in table for name in (*others, "CoroNet [10]"))
    assert "DarkNet" not in table


def small_v5(run: RecipeRun) -> None:
    maps = looked_at_the_surest(run, run.out / "runs/cvr-net/test.csv", "inception-v3")
    heat = {n: [(r["peak_x"], r["in_lung"]) for r in rows] for n, rows in maps.items()}
    # After one epoch a network may find nothing for a class: such maps are empty, and alike.
    empty = all(r["flag"] == "empty map" for n in maps if "branch" in n for r in maps[n])
    assert empty or heat["resnet-branch"] != heat["xception-branch"]


def looked_at_the_surest(run: RecipeRun, predictions: Path, *others: str) -> dict[str, list[Row]]:
    tested = handy.rows_of(predictions)
    ranked = sorted((float(r["p_covid"]) for r in tested if r["label"] == "covid"), reverse=True)
    three = handy.rows_of(run.out / "three.csv")
    # Else cam takes them for images that are not prepared as those of the training.
    [done] = {r["preprocessing"] for r in three}
    assert done.startswith("equalize --method none")
    assert [float(r["p_covid"]) for r in three] == ranked[:3]
    maps = {}
    for name in ("cvr-net", "resnet-branch", "xception-branch", *others):
        maps[name] = handy.rows_of(run.out / f"{name}.csv")
        assert [r["path"] for r in maps[name]] == [r["path"] for r in three]
        assert {r["class"] for r in maps[name]} == {"covid"}
    assert maps["resnet-branch"][0]["method"] == "gradcam of resnet"
    # The branches share the prediction of the whole network, and not its map.
    scores = [[r["score"] for r in maps[n]] for n in ("cvr-net", "resnet-branch")]
    assert scores[0] == scores[1]
    assert (run.out / "figure-2.png").is_file()
    return maps


FULL = {"V1": full_v1, "V2": full_v2, "V3": full_v3, "V4": full_v4, "V5": full_v5}
SMALL = {"V1": small_v1, "V2": small_v2, "V3": small_v3, "V4": small_v4, "V5": small_v5}


@pytest.mark.parametrize("name", recipe_runs.names("s1", fast="V2"))
def test_in_full_it_has_the_papers_numbers(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_full(name, tmp_path)
    FULL[library.chosen(name).id](run)
    run.ends_with_tables()


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe_runs.names("s1", fast=""))
def test_on_phantoms_it_runs_to_the_end(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_small(name, tmp_path)
    SMALL[library.chosen(name).id](run)
    run.shows_figures_of("cvr-net")
