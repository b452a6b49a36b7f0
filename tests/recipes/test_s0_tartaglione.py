"""The recipes of S0: Tartaglione et al., ResNets across data sets."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path

import handy
import pytest
import recipe_runs
from recipe_runs import RecipeRun

from cxrtool.recipes import library


def both(part: str, positive: int, negative: int) -> dict[str, int]:
    return {f"{part} covid": positive, f"{part} negative": negative}


LENT = both("train", 165, 165) | both("val", 42, 42) | both("test", 90, 90)
TABLE_1 = {
    "CORDA": both("train", 84, 84) | both("val", 42, 21) | both("test", 90, 45),
    "CORDA&ChestXRay": LENT,
    "CORDA&RSNA": LENT,
    "CORDA&COVID-ChestXRay": both("train", 103, 103) | both("val", 62, 26) | both("test", 100, 50),
    "COVID-ChestXRay": both("train", 78, 19) | both("val", 20, 5) | both("test", 10, 5),
}
SGD = {
    "--optimizer": "sgd:decay=0.001",
    "--schedule": "plateau:factor=0.1,patience=15",
    "--size": "224",
    "--fit": "crop",
    "--normalize": "dataset",
}
FIRST = SGD | {
    "--lr": "0.01",
    "--epochs": "150",
    "--batch": "10",
    "--weights": "imagenet",
    "--loss": "ce",
    "--augment": "shift-y=0.1,scale=1..1.1,fill=constant",
}
RSNA_FIRST = FIRST | {"--lr": "0.1", "--epochs": "160"}
TUNED = SGD | {
    "--loss": "focal:gamma=2",
    "--lr": "0.1",
    "--epochs": "100",
    "--batch": "4",
    "--classes": "negative,covid",
    "--augment": "hflip=0.2,rotate=1,shift-y=0.1,scale=1..1.1,fill=constant",
}
KERMANY = {
    f"{part} {label}": number
    for part, numbers in (
        # Of virus, the folders train and val hold 1,345 images, not 1,349.
        ("train", {"normal": 1000, "bacteria": 1000, "virus": 997}),
        ("val", {"normal": 349, "bacteria": 349, "virus": 348}),
        ("test", {"normal": 234, "bacteria": 242, "virus": 148}),
    )
    for label, number in numbers.items()
}
RSNA = {
    f"{part} {label}": number
    for part, number in (("train", 1680), ("val", 420), ("test", 900))
    for label in ("healthy", "pneumonia")
}


def full_t1(run: RecipeRun) -> None:
    sources = run.counts("masks", "source")
    assert sources == {"montgomery": 138, "shenzhen": 566}
    counts = run.counts("masks", "split")
    assert sum(counts.values()) == 138 + 566, "those that have a mask"
    assert all(abs(counts[part] - 70.4) <= 2 for part in ("val", "test"))
    equalized, segmented = run.options("equalize"), run.options("segment")
    assert [e["--method"] for e in equalized] == ["hist", "hist"], "learned from and applied to"
    wanted = {"--blur": "gaussian:3", "--keep": "lungs", "--model": "out/u-net"}
    assert wanted.items() <= segmented[-1].items()


def full_t2(run: RecipeRun) -> None:
    assert run.counts("kermany") == KERMANY
    assert run.counts("rsna") == RSNA
    chestxray, rsna = run.options("train")
    assert (FIRST | {"--arch": "tartaglione-resnet18:head=linear"}).items() <= chestxray.items()
    assert RSNA_FIRST.items() <= rsna.items()


def full_t3(run: RecipeRun, arch: str = "tartaglione-resnet18", before: int = 3) -> None:
    whole = both("train", 165, 84) | both("val", 42, 21) | both("test", 90, 45)
    assert run.counts("corda") == whole
    assert run.counts("kermany") == KERMANY
    assert run.counts("rsna") == RSNA
    assert run.counts("cohen", "view") == {"PA": 137}
    for name, expected in TABLE_1.items():
        assert run.counts(name) == expected
        assert not run.raws(name, "train", "val") & run.raws("all", "test")
    # Table II was measured on the whole test parts: 669 and 1845 without COVID-19, not 90.
    tested = run.counts("all", "split", "source", "label")
    assert {key: n for key, n in tested.items() if key.startswith("test ")} == {
        "test corda covid": 90,
        "test corda negative": 45,
        "test kermany negative": 669 - 45,
        "test rsna negative": 1845 - 45,
        "test cohen covid": 10,
        "test cohen negative": 5,
    }
    predicted = run.counts("runs/ChestXRay/CORDA/test", "split", "source", "label")
    assert predicted == {key: n for key, n in tested.items() if key.startswith("test ")}
    trains = run.options("train")
    first = [t for t in trains if t["--arch"] == f"{arch}:head=linear"]
    tuned = [t for t in trains if t["--arch"] == arch]
    assert (len(first), len(tuned), len(trains)) == (2, 5 * before, 2 + 5 * before)
    assert FIRST.items() <= first[0].items()
    assert RSNA_FIRST.items() <= first[1].items()
    assert all(TUNED.items() <= train.items() for train in tuned)
    weights = ["none", "out/first/ChestXRay:last", "out/first/RSNA:last"][-before:]
    assert Counter(t["--weights"] for t in tuned) == dict.fromkeys(weights, 5)


def judged_by_the_last_epoch(run: RecipeRun) -> None:
    assert {e["--epoch"] for e in run.options("evaluate")} == {"last"}


def full_t4(run: RecipeRun) -> None:
    full_t3(run, "tartaglione-resnet50", 2)


def full_t5(run: RecipeRun) -> None:
    assert run.counts("CORDA") == TABLE_1["CORDA"]
    [train] = run.options("train")
    wanted = {"--arch": "conv8", "--weights": "none", "--size": "1024"}
    assert (TUNED | wanted).items() <= train.items()


def full_t6(run: RecipeRun) -> None:
    assert not {"equalize", "segment"} & {call[0] for call in run.calls}
    assert run.counts("CORDA&ChestXRay") == LENT
    first, tuned = run.options("train")
    assert FIRST.items() <= first.items()
    assert (TUNED | {"--weights": "out/first:last"}).items() <= tuned.items()


def full_t7(run: RecipeRun) -> None:
    assert run.counts("COVID-ChestXRay") == TABLE_1["COVID-ChestXRay"]
    first, tuned, covid_net = run.options("train")
    assert FIRST.items() <= first.items()
    wanted = {"--weights": "out/first:last", "--arch": "tartaglione-resnet18"}
    assert (TUNED | wanted).items() <= tuned.items()
    assert COVID_NET.items() <= covid_net.items()
    for name in ("all", "all-as-is"):
        tested = run.counts(name, "split", "source", "label")
        assert {key: n for key, n in tested.items() if key.startswith("test ")} == {
            "test corda covid": 90,
            "test corda negative": 45,
            "test cohen covid": 10,
            "test cohen negative": 5,
        }
    # COVID-Net learned from images as they are, and is tested on such and on lungs alone.
    of_covid_net = [call for call in run.calls if call[:2] == ["evaluate", "out/COVID-Net"]]
    assert [call[2] for call in of_covid_net] == ["out/all-as-is.csv", "out/all.csv"]
    # What COVIDx has of the test's patients is not learned from, nor are cohen's own labels.
    rows = [r for r in handy.rows_of(run.out / "covidx.csv") if r["label"] != "cohen"]
    learned = Counter(r["label"] for r in rows)
    assert (learned["normal"], learned["pneumonia"]) == (7966, 5438)
    assert 152 - 20 <= learned["covid"] < 152
    there = handy.rows_of(run.out / "covidx.csv")
    tested_patients = {r["patient"] for r in there if r["split"] == "test"}
    assert len(tested_patients) > 10
    assert not tested_patients & {r["patient"] for r in rows}
    assert {r["folder"] for r in rows} == {"train"}


def full_t8(run: RecipeRun) -> None:
    assert run.counts("CORDA&ChestXRay") == LENT
    drawn = run.options("tsne")
    assert [d["--layer"] for d in drawn] == ["map", "map"]
    assert [d["--where"] for d in drawn] == ["source=kermany,corda", "source=rsna,corda"]
    assert [d["--method"] for d in run.options("equalize")] == ["hist"] * 3
    assert all(s["--blur"] == "3" and s["--keep"] == "lungs" for s in run.options("segment"))
    first, tuned = run.options("train")
    assert FIRST.items() <= first.items()
    assert (TUNED | {"--weights": "out/first:last"}).items() <= tuned.items()


def small_t1(run: RecipeRun) -> None:
    assert run.runs()["u-net"]["arch"] == "unet:width=8"
    assert run.runs()["u-net"]["preprocessing"] == "equalize --method hist"
    rows = handy.rows_of(run.out / "corda.csv")
    assert rows
    for row in rows:
        assert row["preprocessing"].startswith("equalize --method hist | segment ")
        image, mask = (handy.pixels(run.out.parent / row[c]) for c in ("path", "mask"))
        assert image.shape == mask.shape
        assert not image[mask == 0].mean() > image[mask > 0].mean()
    for name in ("u-net", "lungs"):
        found = handy.rows_of(run.out / f"found-by-{name}.csv")
        dice = statistics.median(float(row["dice"]) for row in found)
        hd95 = statistics.median(float(row["hd95"]) for row in found)
        (line,) = [part for part in run.printed.splitlines() if part.startswith(f"| {name} |")]
        assert [float(cell) for cell in line.split("|")[2:4]] == pytest.approx([dice, hd95], 1e-4)
        assert all(float(row["dice"]) > 0.5 for row in found)


def small_t2(run: RecipeRun) -> None:
    runs = run.runs()
    assert runs["ChestXRay"]["classes"] == ["bacteria", "normal", "virus"]
    assert runs["RSNA"]["classes"] == ["healthy", "pneumonia"]
    assert run.weights("ChestXRay") == 11_171_779
    assert run.weights("RSNA") == 11_170_753


def small_t3(run: RecipeRun, weights: int = 11_301_825, rate: str = "0.1") -> None:
    runs = run.runs()
    assert set(runs) == {"first/ChestXRay"} | {f"runs/ChestXRay/{name}" for name in TABLE_1}
    assert runs["first/ChestXRay"]["classes"] == ["bacteria", "normal", "virus"]
    prepared = {r["preprocessing"].partition(" --model")[0] for r in runs.values()}
    assert prepared == {"equalize --method hist | segment"}
    tested = handy.rows_of(run.out / "runs/ChestXRay/CORDA/test.csv")
    assert {r["source"] for r in tested} == {"corda", "kermany", "rsna", "cohen"}
    assert run.weights("runs/ChestXRay/CORDA") == weights
    run.has_options("runs/ChestXRay/CORDA", **FOCAL | {"lr": rate})


def small_t4(run: RecipeRun) -> None:
    small_t3(run, 24_551_361, "0.001")


def small_t5(run: RecipeRun) -> None:
    run.has_options("conv8", **FOCAL)
    table = (run.out / "tables/CORDA.md").read_text()
    assert "0.61" in table
    assert "2.38" in table


def small_t6(run: RecipeRun) -> None:
    assert {r["preprocessing"] for r in run.runs().values()} == {""}
    run.has_options("as-they-are", **FOCAL)
    models = sorted(run.out.rglob("model.safetensors"))
    before = [p.stat().st_mtime_ns for p in models]
    again = recipe_runs.in_small("t6-no-preprocessing", run.out.parent)
    assert again.printed == run.printed
    assert [p.stat().st_mtime_ns for p in models] == before, "nothing is trained anew"


def small_t7(run: RecipeRun) -> None:
    assert run.runs()["COVID-Net"]["classes"] == ["normal", "pneumonia", "covid"]
    run.has_options("COVID-Net", class_weights="covid=25", rebalance="covid=1", lr="0.00002")
    run.has_options("ResNet-18", **FOCAL)
    for test, source, figure in (("CORDA", "corda", "6.68"), ("COVID-ChestXRay", "cohen", "36")):
        assert "ResNet-18" in (run.out / f"tables/ResNet-18-{test}.md").read_text()
        table = (run.out / f"tables/COVID-Net-{test}.md").read_text()
        assert figure in table
        assert figure in (run.out / f"tables/COVID-Net-lungs-{test}.md").read_text()
        tested = [r for r in handy.rows_of(run.out / "COVID-Net.csv") if r["source"] == source]
        assert {r["label"] for r in tested} == {"covid", "negative"}
        # COVID-Net has no class `negative`, and yet none of these images is lost.
        [numbers] = [line.split("|") for line in table.splitlines() if "| n " in line]
        assert str(len(tested)) in [cell.strip() for cell in numbers]


def small_t8(run: RecipeRun) -> None:
    run.has_options("encoder", **FOCAL)
    for name, other in (("a-chestxray-corda", "kermany"), ("b-rsna-corda", "rsna")):
        assert (run.out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        points = handy.rows_of(run.out / f"{name}.csv")
        assert {p["source"] for p in points} == {other, "corda"}
        assert len({(p["x"], p["y"]) for p in points}) > 1
        assert "source" in (run.out / f"{name}.json").read_text()


FOCAL = {"loss": "focal:gamma=2", "lr": "0.1", "batch": 4, "optimizer": "sgd:decay=0.001"}
COVID_NET = {
    "--arch": "covidnet-r50v2",
    "--classes": "normal,pneumonia,covid",
    "--weights": "imagenet",
    "--loss": "ce",
    "--class-weights": "covid=25",
    "--rebalance": "covid=1",
    "--optimizer": "adam:amsgrad=yes,eps=1e-7",
    "--lr": "0.00002",
    "--schedule": "plateau:factor=0.7,patience=4,least=0.000001,delta=0.01",
    "--epochs": "10",
    "--batch": "8",
    "--size": "224",
    "--normalize": "unit",
    "--augment": "rotate=10,shift=0.1,hflip=0.5,brightness=0.9..1.1,fill=constant",
}
FULL = {
    "T1": full_t1,
    "T2": full_t2,
    "T3": full_t3,
    "T4": full_t4,
    "T5": full_t5,
    "T6": full_t6,
    "T7": full_t7,
    "T8": full_t8,
}
SMALL = {
    "T1": small_t1,
    "T2": small_t2,
    "T3": small_t3,
    "T4": small_t4,
    "T5": small_t5,
    "T6": small_t6,
    "T7": small_t7,
    "T8": small_t8,
}


@pytest.mark.parametrize("name", recipe_runs.names("s0", fast="T6"))
def test_in_full_it_has_the_papers_numbers(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_full(name, tmp_path)
    FULL[library.chosen(name).id](run)
    run.ends_with_tables()
    if name[:2] != "t1":
        judged_by_the_last_epoch(run)


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe_runs.names("s0", fast=""))
def test_on_phantoms_it_runs_to_the_end(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_small(name, tmp_path)
    SMALL[library.chosen(name).id](run)
    run.shows_figures_of("tartaglione", is_published=name[:2] not in ("t1", "t2"))
