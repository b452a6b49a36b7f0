"""The recipes of S2: Haghanifar et al., COVID-CXNet."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import handy
import pytest
import recipe_runs
from recipe_runs import RecipeRun

from cxrtool.published import library as papers
from cxrtool.recipes import library

# Figures of two to four digits behind the point.
FIGURE = re.compile(r"\b\d\.\d{2,4}\b(?! %)")

BASE = {
    "--arch": "cxnet-base",
    "--optimizer": "adam:eps=1e-7",
    "--batch": "32",
    "--lr": "0.0001",
    "--class-weights": "balanced",
    "--augment": "rotate=90,hflip=0.5,vflip=0.5",
    "--normalize": "unit",
    "--size": "320",
}
CXNET = {
    "--arch": "covid-cxnet",
    "--optimizer": "adam:eps=1e-7",
    "--freeze": "none",
    "--batch": "16",
    "--normalize": "unit",
    "--size": "320",
}
V1 = CXNET | {
    "--class-weights": "balanced",
    "--epochs": "10",
    "--lr": "0.001",
    "--augment": "rotate=90,hflip=0.5,vflip=0.5",
}
WIDE = "rotate=170,zoom=0.8..1.5,brightness=0.5..1.3,hflip=0.5,vflip=0.5,fill=constant"
V2 = V1 | {"--label-smoothing": "0.1", "--augment": f"{WIDE},shift=0.2"}
SEED = {"--paper": "image", "--stratify": "none", "--seed": "18", "--val": "0.2"}


def holds_out_a_fifth(run: RecipeRun, name: str, classes: dict[str, int]) -> None:
    """Check the classes, and that a fifth is held out by chance alone."""
    assert run.counts(name, "label") == classes
    total = sum(classes.values())
    val = run.counts(name, "split")["val"]
    assert abs(val - total / 5) < 1
    assert any(SEED.items() <= split.items() for split in run.options("split"))


def full_x1(run: RecipeRun) -> None:
    for size in (150, 225, 300):
        holds_out_a_fifth(run, f"{size}-a-class", {"covid": size, "normal": size})
        assert run.counts(f"{size}-a-class", "source") == {"armiro": size, "kermany": size}
    assert run.counts("others", "label") == {"covid": 30, "normal": 30}
    assert run.counts("others", "source") == {"actualmed": 60}
    assert "split" not in handy.rows_of(run.out / "others.csv")[0], "nothing learns from them"
    trains = run.options("train")
    assert len(trains) == 3
    assert all((BASE | {"--epochs": "100"}).items() <= train.items() for train in trains)
    assert all("raw+beasf+clahe" in e["--method"] for e in run.options("equalize"))
    tests = [c.get("--published", "").partition("test=")[2] for c in run.options("compare")]
    assert tests == ["300 images", "", "ten runs", "external 60"], "no figure is of 450 images"


def full_x2(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "stacks", {"covid": 400, "normal": 3000})
    assert set(run.counts("stacks", "source", "finding")) == {"armiro covid19", "nih No Finding"}
    [train] = run.options("train")
    assert (BASE | {"--epochs": "120"}).items() <= train.items()


def full_x3(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "stacks", {"covid": 300, "normal": 300})
    assert run.counts("stacks", "source") == {"armiro": 300, "kermany": 300}
    [train] = run.options("train")
    assert (BASE | {"--lr": "find", "--epochs": "0"}).items() <= train.items()
    assert run.printed.endswith("rate,loss,steepest\n0.0001,0.5,yes\n")


def full_x4(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "stacks", {"covid": 300, "normal": 300})
    assert run.counts("stacks", "source") == {"armiro": 300, "kermany": 300}
    assert run.raws("stacks", "val") == run.raws("code-stacks", "val")
    trains = run.options("train")
    assert {t["--arch"]: (t["--freeze"], t["--size"], t["--epochs"]) for t in trains} == {
        "densenet121": ("backbone", "224", "20"),
        "resnet50": ("backbone", "224", "20"),
        "covid-cxnet:head=transfer": ("trunk", "96", "10"),
    }
    assert {t["--weights"] for t in trains} == {"imagenet"}
    sizes = [e["--size"] for e in run.options("equalize")]
    assert sizes == ["224", "96"], "images are enhanced at the size that they are learned at"
    learned = [call[1] for call in run.calls if call[0] == "train"]
    assert learned == ["out/stacks.csv", "out/stacks.csv", "out/code-stacks.csv"]


def full_x5(run: RecipeRun) -> None:
    assert run.counts("images", "label") == {"covid": 400, "normal": 400}
    assert set(run.counts("images", "source", "finding")) == {"armiro covid19", "nih No Finding"}
    [train] = run.options("train")
    wanted = {
        "--arch": "chexnet",
        "--weights": "data/chexnet.pth.tar",
        "--epochs": "0",
        "--size": "224",
        "--normalize": "imagenet",
    }
    assert wanted.items() <= train.items()
    assert not [call for call in run.calls if call[0] in ("equalize", "segment")], "plain images"
    [evaluate] = run.options("evaluate")
    assert evaluate["--target"] == "covid"
    assert run.printed.count("| Infiltration | 0.500 | 0.500 | 0.500 | 0.500 | 0.000 |\n") == 1
    assert [c["--class"] for c in run.options("cam")] == ["Infiltration", "Pneumonia"]
    assert run.counts("first", "label") == {"covid": 6, "normal": 6}


def full_x6(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "stacks", {"covid": 428, "normal": 3200})
    assert [c[0] for c in run.calls if c[0] in ("equalize", "segment")] == ["equalize"]
    assert "beasf+clahe+raw" in run.options("equalize")[0]["--method"]
    [train] = run.options("train")
    assert V1.items() <= train.items()
    assert sum(run.counts("val", "label").values()) == 726
    assert "--label-smoothing" not in train


def boxed(run: RecipeRun, *steps: str) -> None:
    made = [call[0] for call in run.calls if call[0] in ("equalize", "segment")]
    assert made == ["equalize", "segment", *steps]
    [segment] = run.options("segment")
    assert (segment["--keep"], segment["--dilate"]) == ("box", "6")


def full_x7(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "stacks", {"covid": 428, "normal": 3200})
    boxed(run, "equalize")
    [train] = run.options("train")
    assert V2.items() <= train.items()
    [cam] = run.options("cam")
    assert cam["--mask"] == "column", "the share of heat in the lungs is measured"


THREE = {"covid": 700, "cap": 3500, "normal": 3500}


def three(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "stacks", THREE)
    boxed(run, "equalize", "equalize")
    findings = run.counts("stacks", "label", "finding")
    assert {key for key in findings if key.startswith("cap ")} == {
        "cap Consolidation|Effusion",
        "cap Edema|Pneumonia",
        "cap Pneumonia",
    }
    assert [e["--size"] for e in run.options("equalize")] == ["320"] * 3
    # Both are parts of one pipe, and either may begin first.
    match, stack = sorted(e["--method"] for e in run.options("equalize")[1:])
    first = next(r for r in handy.rows_of(run.out / "boxes.csv") if r["label"] == "covid")
    assert match == f"match:reference={first['path']}"
    assert "beasf+clahe+raw" in stack


def full_x8(run: RecipeRun) -> None:
    three(run)
    [train] = run.options("train")
    wanted = {
        "--classes": "normal,cap,covid",
        "--lr": "0.0002",
        "--epochs": "30",
        "--label-smoothing": "0.1",
        "--class-weights": "balanced",
        "--augment": f"{WIDE},shift=0.1",
    }
    assert (CXNET | wanted).items() <= train.items()


def full_x9(run: RecipeRun) -> None:
    three(run)
    assert run.counts("level-1", "label") == {"normal": 3500, "pneumonia": 4200}
    wanted = {"--lr": "0.0001", "--label-smoothing": "0.1", "--augment": f"{WIDE},shift=0.1"}
    first, second = run.options("train")
    assert (CXNET | wanted | {"--epochs": "10"}).items() <= first.items()
    assert (CXNET | wanted | {"--epochs": "20"}).items() <= second.items()
    assert (first["--classes"], second["--classes"]) == ("normal,pneumonia", "cap,covid")
    assert not {"--class-weights"} & (first.keys() | second.keys())
    [evaluate] = run.options("evaluate")
    assert evaluate["--hierarchy"] == "out/level-2"
    assert sum(run.counts("val", "label").values()) == 1540


def full_x10(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "stacks", {"covid": 428, "normal": 3200})
    [train] = run.options("train")
    assert V1.items() <= train.items()
    plain, concealed = run.options("equalize")
    same = ("--method", "--size", "--interpolation")
    assert [plain[name] for name in same] == [concealed[name] for name in same]
    assert (plain.get("--conceal"), concealed["--conceal"]) == (None, "auto")
    # The text is covered in the image as it is, not in the enhanced one.
    by_raw = {r["raw"]: r for r in handy.rows_of(run.out / "split.csv")}
    rows = handy.rows_of(run.out / "concealed.csv")
    assert {by_raw[r["raw"]]["split"] for r in rows} == {"val"}
    before, after = run.options("cam")
    assert "--beside" not in before
    assert (after["--beside"], after["--where"]) == ("out/before.csv", "concealed!=0")


def full_x11(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "with-children", {"covid": 300, "normal": 300})
    assert run.counts("with-children", "source") == {"armiro": 300, "kermany": 300}
    holds_out_a_fifth(run, "base", {"covid": 400, "normal": 3000})
    holds_out_a_fifth(run, "v1", {"covid": 428, "normal": 3200})
    holds_out_a_fifth(run, "v2", {"covid": 428, "normal": 3200})
    holds_out_a_fifth(run, "three", THREE)
    trains = {t["-d"].removeprefix("out/runs/"): t for t in run.options("train")}
    assert (BASE | {"--epochs": "100"}).items() <= trains["with-children"].items()
    assert (BASE | {"--epochs": "120"}).items() <= trains["base"].items()
    assert V1.items() <= trains["v1"].items()
    assert V2.items() <= trains["v2"].items()
    epochs = [trains[name]["--epochs"] for name in ("flat", "level-1", "level-2")]
    assert epochs == ["30", "10", "20"]
    for name, number in (("with-children", 6), ("base", 6), ("v1", 18), ("v2", 18)):
        assert run.counts(f"{name}-first") == {"val covid": number}
    assert run.counts("three-first") == {f"val {label}": 6 for label in THREE}
    cams = {c["-o"].removeprefix("out/").removesuffix(".csv"): c for c in run.options("cam")}
    lime = cams.pop("lime")
    assert (lime["--method"], lime["--signs"]) == ("lime:samples=1000,features=10", "both")
    assert {(c["--method"], c["--colormap"]) for c in cams.values()} == {("gradcam-cxnet", "jet")}
    assert cams["in-two-steps"]["--hierarchy"] == "out/runs/level-2"
    assert cams["figures-18-and-21"]["--beside"] == "out/figures-15-and-20.csv"
    # ImageNet's weights are not CheXNet's, of which Figure 16 is.
    assert "chexnet" not in cams
    assert "--beside" not in cams["figures-15-and-20"]
    papers = [c["--published"].partition("model=")[2] for c in run.options("compare")]
    assert papers == [
        "Base Model v1,test=ten runs",
        "Base Model v2,test=single run",
        "COVID-CXNet v1,test=single run",
        "COVID-CXNet v2,test=ten runs",
        "Flat Multiclass COVID-CXNet,test=single run",
        "Hierarchical Multiclass COVID-CXNet,test=single run",
    ]
    # The paper's F-score of the base model with children is of another test.
    metrics = [c["--metrics"] for c in run.options("compare")]
    assert metrics == ["accuracy", *["accuracy,f1"] * 5]


@pytest.mark.slow
def test_chexnet_is_beside_where_its_weights_are_given(tmp_path: Path) -> None:
    run = recipe_runs.in_full("x11-grad-cam-and-lime", tmp_path, WEIGHTS="chexnet.pth.tar")
    trains = {t["-d"].removeprefix("out/runs/"): t for t in run.options("train")}
    chexnet = trains.pop("chexnet")
    assert (chexnet["--arch"], chexnet["--epochs"], chexnet["--size"]) == ("chexnet", "0", "320")
    weights = {name: train["--weights"] for name, train in trains.items() if "--weights" in train}
    assert set(weights) == {"v1", "v2", "flat", "level-1", "level-2"}
    assert {chexnet["--weights"], *weights.values()} == {"chexnet.pth.tar"}
    cams = {c["-o"].removeprefix("out/").removesuffix(".csv"): c for c in run.options("cam")}
    assert cams["chexnet"]["--class"] == "Pneumonia"
    assert cams["figures-15-and-20"]["--beside"] == "out/chexnet.csv"
    # The same images, in the same order, as they are and as COVID-CXNet sees them.
    plain, stacked = (handy.rows_of(run.out / f"{n}-first.csv") for n in ("split", "v1"))
    assert [r["raw"] for r in plain] == [r["raw"] for r in stacked]
    assert all(r["path"] == r["raw"] for r in plain)


def full_x12(run: RecipeRun) -> None:
    holds_out_a_fifth(run, "base", {"covid": 400, "normal": 3000})
    holds_out_a_fifth(run, "v1", {"covid": 428, "normal": 3200})
    holds_out_a_fifth(run, "v2", {"covid": 428, "normal": 3200})
    trains = run.options("train")
    assert {t["--repeat"] for t in trains} == {"10"}
    for train, wanted in zip(trains, (BASE | {"--epochs": "120"}, V1, V2), strict=True):
        assert wanted.items() <= train.items()
    assert len(run.options("evaluate")) == 30
    assert [c["--published"].partition("=")[2] for c in run.options("compare")] == [
        "Base Model v2,test=ten runs",
        "COVID-CXNet v1,test=ten runs",
        "COVID-CXNet v2,test=ten runs",
    ]


def small_x1(run: RecipeRun) -> None:
    [(name, made)] = run.runs().items()
    assert "raw+beasf+clahe" in made["preprocessing"]
    run.has_options(name, class_weights="balanced", lr="0.0001")
    for part in ("val", "others"):
        assert handy.rows_of(run.out / name / f"{part}.csv")
    others = (run.out / "tables/others.md").read_text()
    assert "0.961" not in others, "which is of another test"
    assert "0.82" in others


def small_x2(run: RecipeRun) -> None:
    run.has_options("base", class_weights="balanced", lr="0.0001")
    assert "0.9984" in (run.out / "tables/table.md").read_text()


def small_x3(run: RecipeRun) -> None:
    assert not run.runs(), "a rate is found, and no network is trained"
    rates = handy.rows_of(run.out / "range-test/rates.csv")
    [found] = [row for row in rates if row["steepest"]]
    assert 1e-7 < float(found["rate"]) < 1e-1
    assert run.printed.endswith(f"{found['rate']},{found['loss']},yes\n")
    assert (run.out / "range-test/rates.png").is_file()


def small_x4(run: RecipeRun) -> None:
    assert set(run.runs()) == {f"runs/{n}" for n in ("densenet121", "resnet50", "covid-cxnet")}
    assert run.weights("runs/covid-cxnet") == 6_964_347
    run.has_options("runs/covid-cxnet", freeze="trunk")
    run.has_options("runs/resnet50", freeze="backbone", epochs=1)


def small_x5(run: RecipeRun) -> None:
    made = run.runs()["chexnet"]
    assert (made["task"], len(made["classes"])) == ("findings", 14)
    assert run.weights("chexnet") == 6_968_206
    rows = handy.rows_of(run.out / "outputs.csv")
    assert len(rows) == 14 * len(handy.rows_of(run.out / "images.csv"))
    table = (run.out / "tables/probe.md").read_text()
    assert all(f"| {name} " in table and f"| {name} |" in run.printed for name in made["classes"])
    # Each image has its own output, and each class its mean.
    [line] = [r for r in run.printed.splitlines() if r.startswith("| Hernia | 0.")]
    values = {label: [] for label in ("covid", "other")}  # type: dict[str, list[float]]
    for row in rows:
        if row["finding"] == "Hernia":
            values[row["label"]].append(float(row["p_covid"]))
    sick, healthy = values["covid"], values["other"]
    high = sum(p > 0.5 for p in [*sick, *healthy]) / len([*sick, *healthy])
    wanted = [statistics.mean(sick), statistics.mean(healthy), sick[0], healthy[0], high]
    assert [float(cell) for cell in line.split("|")[2:-1]] == pytest.approx(wanted, abs=6e-4)
    for finding in ("Infiltration", "Pneumonia"):
        maps = handy.rows_of(run.out / f"{finding}.csv")
        assert {r["class"] for r in maps} == {finding}
        assert all(r["lung_fraction"] for r in maps)
        assert (run.out / f"{finding}.png").is_file()


def small_x6(run: RecipeRun) -> None:
    made = run.runs()["covid-cxnet"]
    assert made["preprocessing"].count("equalize") == 1
    assert run.weights("covid-cxnet") == 6_964_117
    run.has_options("covid-cxnet", label_smoothing=0.0, class_weights="balanced", freeze="none")


def small_x7(run: RecipeRun) -> None:
    made = run.runs()["covid-cxnet"]
    assert made["preprocessing"].count("equalize") == 2
    assert "--keep box" in made["preprocessing"]
    assert run.weights("covid-cxnet") == 6_964_117
    run.has_options("covid-cxnet", label_smoothing=0.1, class_weights="balanced")
    assert (run.out / "maps.png").is_file()
    maps = handy.rows_of(run.out / "maps.csv")
    assert {(m["label"], m["class"], m["method"]) for m in maps} == {
        ("covid", "covid", "gradcam-cxnet")
    }
    # The box is that of the lungs, so that they fill a good part of it.
    assert all(0.2 < float(m["lung_fraction"]) < 1 for m in maps)
    assert any(m["in_lung"] for m in maps)


def small_x8(run: RecipeRun) -> None:
    made = run.runs()["covid-cxnet"]
    steps = [step.split(" --")[0] for step in made["preprocessing"].split(" | ")]
    assert steps == ["equalize", "segment", "equalize", "equalize"]
    assert "--method match:reference=" in made["preprocessing"]
    assert run.weights("covid-cxnet") == 6_964_139
    run.has_options("covid-cxnet", label_smoothing=0.1, lr="0.0002")
    assert "| CP " not in (run.out / "tables/table.md").read_text(), "it is beside our covid"


def small_x9(run: RecipeRun) -> None:
    runs = run.runs()
    assert runs["level-1"]["classes"] == ["normal", "pneumonia"]
    assert runs["level-2"]["classes"] == ["cap", "covid"]
    assert "normal" not in runs["level-2"]["data"]["train"]
    assert "| CP " not in (run.out / "tables/table.md").read_text(), "it is beside our covid"
    for row in handy.rows_of(run.out / "val.csv"):
        # The first network decides alone whether an image is normal.
        assert (row["pred"] == "normal") == (float(row["p_normal"]) >= 0.5)


def small_x10(run: RecipeRun) -> None:
    before = {r["raw"]: r for r in handy.rows_of(run.out / "before.csv")}
    after = handy.rows_of(run.out / "after.csv")
    covered = {r["raw"]: int(r["concealed"]) for r in handy.rows_of(run.out / "concealed.csv")}
    assert after
    for row in after:
        assert covered[row["raw"]] > 0
        assert row["label"] == before[row["raw"]]["label"] == "covid"
        assert row["in_lung"]
    assert (run.out / "figure-17.png").is_file()


def small_x11(run: RecipeRun) -> None:
    lime = handy.rows_of(run.out / "lime.csv")
    assert {r["method"] for r in lime} == {"lime:samples=40,features=10"}
    assert {(r["class"], r["method"]) for r in handy.rows_of(run.out / "chexnet.csv")} == {
        ("Pneumonia", "gradcam-cxnet")
    }
    steps = handy.rows_of(run.out / "in-two-steps.csv")
    told = {r["path"]: r for r in handy.rows_of(run.out / "level-1-val.csv")}
    for row in steps:
        assert row["pred"] == row["class"] == told[row["path"]]["pred"]
    sheets = {path.stem for path in run.out.glob("*.png")}
    assert sheets == {
        "figure-10",
        "figure-12",
        "figures-15-and-20",
        "figures-18-and-21",
        "figures-19-and-22",
        "in-two-steps",
    }


def small_x12(run: RecipeRun) -> None:
    assert set(run.runs()) == {f"runs/{m}/seed-{s}" for m in ("base", "v1") for s in (18, 19)}
    table = (run.out / "tables/v1.md").read_text()
    assert "mean ± std over repeats" in table
    assert "0.9904 [0.9643, 0.9954]" in table


FULL = {
    "X1": full_x1,
    "X2": full_x2,
    "X3": full_x3,
    "X4": full_x4,
    "X5": full_x5,
    "X6": full_x6,
    "X7": full_x7,
    "X8": full_x8,
    "X9": full_x9,
    "X10": full_x10,
    "X11": full_x11,
    "X12": full_x12,
}
SMALL = {
    "X1": small_x1,
    "X2": small_x2,
    "X3": small_x3,
    "X4": small_x4,
    "X5": small_x5,
    "X6": small_x6,
    "X7": small_x7,
    "X8": small_x8,
    "X9": small_x9,
    "X10": small_x10,
    "X11": small_x11,
    "X12": small_x12,
}


def published_numbers() -> set[str]:
    """Return all that the package has of the paper: figures, ranges, and numbers in notes."""
    texts = set()
    for row in papers.read("covid-cxnet")[1]:
        texts |= {row["value"], row["low"], row["high"], *FIGURE.findall(row["note"])}
    return {f"{float(text):.4f}" for text in texts if text}


@pytest.mark.parametrize("name", [recipe.name for recipe in library.every("s2")])
def test_the_header_has_the_papers_numbers(name: str) -> None:
    header = library.chosen(name).script.partition("\nset -eu\n")[0]
    told = " ".join(header.partition("# Published")[2].replace("\n# ", " ").split())
    found = {f"{float(text):.4f}" for text in FIGURE.findall(told)}
    found |= {f"{float(text) / 100:.4f}" for text in re.findall(r"(\d+(?:\.\d+)?) %", told)}
    assert found <= published_numbers()


@pytest.mark.parametrize("name", recipe_runs.names("s2", fast="X1"))
def test_in_full_it_has_the_papers_numbers(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_full(name, tmp_path)
    FULL[library.chosen(name).id](run)
    run.ends_with_tables()


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe_runs.names("s2", fast=""))
def test_on_phantoms_it_runs_to_the_end(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_small(name, tmp_path)
    SMALL[library.chosen(name).id](run)
    run.shows_figures_of("covid-cxnet", is_published=not name.startswith(("x3-", "x4-", "x5-")))
