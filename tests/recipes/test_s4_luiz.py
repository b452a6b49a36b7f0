"""The recipes of S4: Luiz et al., DenseNet-121 in ten folds."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import handy
import pytest
import recipe_runs
from recipe_runs import RecipeRun

from cxrtool.published import library as published_results
from cxrtool.recipes import library

DENSENET = {
    "--arch": "densenet121",
    "--freeze": "backbone",
    "--weights": "imagenet",
    "--optimizer": "adam:eps=1e-7",
    "--lr": "0.001",
    "--epochs": "50",
    "--batch": "32",
    "--size": "224",
    "--schedule": "plateau:factor=0.1,patience=5",
}
CLASSES = ("covid", "normal", "pneumonia")


def eleven_folds(run: RecipeRun) -> None:
    counts = run.counts("folds", "split", "fold", "label")
    assert set(counts.values()) == {52}
    assert len(counts) == 11 * 3
    assert sum(key.startswith("unseen ") for key in counts) == 3


def ten_runs(run: RecipeRun, wanted: dict[str, str]) -> None:
    trains = run.options("train")
    assert [t["--where"] for t in trains] == [f"fold!={k}" for k in range(1, 11)]
    assert all(wanted.items() <= train.items() for train in trains)
    assert run.counts("tests/densenet121-4", "label") == dict.fromkeys(CLASSES, 52)
    assert run.counts("tests/densenet121-4", "fold") == {"4": 156}
    assert not any("--augment" in train for train in trains), "copies are made once"


def full_l1(run: RecipeRun) -> None:
    eleven_folds(run)
    moved = [e["--move"] for e in run.options("equalize")]
    assert moved == ["rotate=5", "scale=1.02", "shear=2"]
    folds = {r["raw"]: r["fold"] for r in handy.rows_of(run.out / "folds.csv")}
    for fold in map(str, range(1, 11)):
        rows = handy.rows_of(run.out / f"augmented-{fold}.csv")
        # What is learned from: not the run's own fold, and no copy of an image of it.
        learned = [r for r in rows if r["split"] == "train" and r["fold"] != fold]
        assert Counter(r["label"] for r in learned) == dict.fromkeys(CLASSES, 1070)
        assert fold not in {folds[r["raw"]] for r in learned}
        assert len({r["path"] for r in learned}) == 3210
        copies = [r for r in learned if r["path"] != r["raw"]]
        assert len(copies) == 1806
        assert all(folds[r["raw"]] for r in copies), "none of the reserved fold"
        assert len({Path(r["path"]).parent for r in copies}) == 3
    ten_runs(run, DENSENET)


def full_l2(run: RecipeRun) -> None:
    eleven_folds(run)
    assert not run.options("equalize")
    ten_runs(run, DENSENET)
    # Table 6 may be of the ten folds, or of the eleventh.
    assert run.counts("unseen/densenet121-4", "split", "label") == {
        f"unseen {label}": 52 for label in CLASSES
    }
    assert len(run.options("compare")) == 2


def full_l3(run: RecipeRun) -> None:
    full_l1(run)
    wheres = Counter(e["--where"] for e in run.options("evaluate"))
    assert wheres == {"split=unseen": 10} | {f"fold={k}": 1 for k in range(1, 11)}
    assert [c.get("--best") for c in run.options("compare")] == [None, "accuracy"]


def full_l4(run: RecipeRun) -> None:
    eleven_folds(run)
    trains = run.options("train")
    assert len(trains) == 30
    of = {a: [t for t in trains if t["--arch"] == a] for a in ("luiz-cnn", "narin-resnet50")}
    narin = {
        "--weights": "imagenet",
        "--freeze": "none",
        "--lr": "0.00001",
        "--batch": "3",
        "--epochs": "30",
        "--normalize": "unit",
        "--augment": "shear=0.1,zoom=0.1,hflip=0.5",
    }
    assert all(narin.items() <= t.items() for t in of["narin-resnet50"])
    cnn = {"--weights": "none", "--lr": "0.001", "--batch": "32", "--epochs": "50"}
    assert all(cnn.items() <= t.items() for t in of["luiz-cnn"])
    assert sum(DENSENET.items() <= t.items() for t in trains) == 10
    folds = [f"fold!={k}" for k in range(1, 11)]
    assert all([t["--where"] for t in some] == folds for some in of.values())


def full_l5(run: RecipeRun) -> None:
    eleven_folds(run)
    [train] = run.options("train")
    assert (DENSENET | {"--where": "fold!=1"}).items() <= train.items()
    for cam, label in zip(run.options("cam"), ("covid", "pneumonia"), strict=True):
        assert (cam["--method"], cam["--colormap"]) == ("gradcam", "jet")
        wanted = (label, f"label={label}", "15")
        assert (cam["--class"], cam["--where"], cam["--grid-most"]) == wanted
    # The paper's figure is of folds that are a test, so that the run is judged on its own, too.
    assert [call[2:5] for call in run.calls if call[0] == "evaluate"] == [
        ["out/folds.csv", "--where", "fold=1"],
        ["out/folds.csv", "--where", "split=unseen"],
    ]
    assert all("split=unseen" in call for call in run.calls if call[0] == "cam")


def on_its_fold(run: RecipeRun, model: str) -> None:
    folds = {r["path"]: r["fold"] for r in handy.rows_of(run.out / "folds.csv")}
    for fold in ("1", "2"):
        tested = handy.rows_of(run.out / "tests" / f"{model}-{fold}.csv")
        assert {folds[r["path"]] for r in tested} == {fold}


def mean(experiment: str, metric: str) -> float:
    """Return a figure of the paper over all classes."""
    _, rows = published_results.read("luiz")
    wanted = {"experiment": experiment, "metric": metric, "model": "DenseNet121"}
    [value] = [
        float(row["value"])
        for row in rows
        if wanted.items() <= row.items() and row["averaging"] in ("macro", "overall")
    ]
    return value


def test_where_the_paper_contradicts_itself() -> None:
    """In classes of one size, of a mean sensitivity s follows the specificity 1 - (1 - s) / 2."""
    text = " ".join(library.chosen("L2").script.split("set -eu")[0].replace("#", "").split())
    for experiment, agrees in (("augmented", True), ("not augmented", False)):
        follows = 1 - (1 - mean(experiment, "sensitivity")) / 2
        assert (round(follows, 3) == mean(experiment, "specificity")) == agrees
    assert (
        f"would then be {100 * follows:.0f} %, not {100 * mean(experiment, 'specificity'):.1f}"
        in text
    )
    ours, other = mean("augmented", "accuracy"), mean("not augmented", "accuracy")
    error = math.sqrt((ours * (1 - ours) + other * (1 - other)) / 1560)
    assert f"accuracy ({ours - other:.4f}) is less than" in text
    assert f"on 1,560 images ({error:.4f})" in text


def small_l1(run: RecipeRun) -> None:
    on_its_fold(run, "densenet121")
    name = "runs/densenet121/fold-1"
    assert run.weights(name) == 6_956_931
    run.has_options(name, freeze="backbone", lr="0.001")
    folds = [r["fold"] for r in handy.rows_of(run.out / "folds.csv")]
    learned = run.runs()[name]["data"]["train"]
    assert sum(learned.values()) == sum(bool(f) and f != "1" for f in folds) + 3 * 20


def small_l2(run: RecipeRun) -> None:
    on_its_fold(run, "densenet121")
    folds = [r["fold"] for r in handy.rows_of(run.out / "folds.csv")]
    learned = run.runs()["runs/densenet121/fold-2"]["data"]["train"]
    assert sum(learned.values()) == sum(bool(f) and f != "2" for f in folds)


def small_l3(run: RecipeRun) -> None:
    on_its_fold(run, "densenet121")
    for fold in ("1", "2"):
        unseen = handy.rows_of(run.out / f"unseen/densenet121-{fold}.csv")
        assert {r["split"] for r in unseen} == {"unseen"}
    assert "The best of 2 models by accuracy is fold-" in run.printed
    assert "no unbiased test of it any more" in run.printed


def small_l4(run: RecipeRun) -> None:
    for network, weights in (("luiz-cnn", 390_147), ("narin-resnet50", 25_609_283)):
        on_its_fold(run, network)
        assert run.weights(f"runs/{network}/fold-2") == weights
    run.has_options("runs/narin-resnet50/fold-1", lr="0.00001", batch=3)
    assert "0.970" in (run.out / "tables/narin-resnet50.md").read_text().replace("0.97 ", "0.970 ")
    assert "0.939" in (run.out / "tables/luiz-cnn.md").read_text()


def small_l5(run: RecipeRun) -> None:
    unseen = {r["path"] for r in handy.rows_of(run.out / "folds.csv") if r["split"] == "unseen"}
    for name, labels in (("figure-4", {"covid"}), ("figure-5", {"pneumonia"})):
        rows = handy.rows_of(run.out / f"{name}.csv")
        assert {r["path"] for r in rows} <= unseen
        assert {r["label"] for r in rows} == {r["class"] for r in rows} == labels
        assert all(r["lung_fraction"] and r["lesion_fraction"] for r in rows)
        assert (run.out / f"{name}.png").is_file()


FULL = {"L1": full_l1, "L2": full_l2, "L3": full_l3, "L4": full_l4, "L5": full_l5}
SMALL = {"L1": small_l1, "L2": small_l2, "L3": small_l3, "L4": small_l4, "L5": small_l5}


@pytest.mark.parametrize("name", recipe_runs.names("s4", fast="L2"))
def test_in_full_it_has_the_papers_numbers(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_full(name, tmp_path)
    FULL[library.chosen(name).id](run)
    run.ends_with_tables()


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe_runs.names("s4", fast=""))
def test_on_phantoms_it_runs_to_the_end(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_small(name, tmp_path)
    SMALL[library.chosen(name).id](run)
    run.shows_figures_of("luiz")
