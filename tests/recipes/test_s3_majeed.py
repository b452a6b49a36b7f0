"""The recipes of S3: Majeed et al., twelve networks and CNN-X."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import handy
import pytest
import recipe_runs
from recipe_runs import RecipeRun

from cxrtool.core import registry
from cxrtool.published import library as published_results
from cxrtool.recipes import library

TRAINED = {
    "--optimizer": "adam",
    "--lr": "0.0003",
    "--epochs": "20",
    "--batch": "15",
    "--freeze": "none",
    "--size": "auto",
}
FOUR = "normal,bacteria,viral,covid"
# The paper prints 2529 and 1346 children with bacteria and viruses: one image more and less.
LEARNED = {"normal": 1341, "bacteria": 2530, "viral": 1345, "covid": 111}


def thirteen(run: RecipeRun, classes: str, scenario: int) -> None:
    trains = run.options("train")
    assert len({t["--arch"] for t in trains}) == len(trains) == 13
    assert {t["--arch"] for t in trains} <= set(registry.names("architectures"))
    assert all((TRAINED | {"--classes": classes}).items() <= train.items() for train in trains)
    assert [t["--arch"] for t in trains if t["--weights"] == "none"] == ["cnn-x"]
    assert all(f"scenario={scenario}" in c["--published"] for c in run.options("compare"))


def composed(run: RecipeRun, learned: dict[str, int]) -> None:
    tested = {
        "test kermany normal": 234,
        "test kermany bacteria": 242,
        "test kermany viral": 148,
        # What is tested are the rows that are not train.
        " andrewmvd covid": 73,
    }
    sources = {label: "cohen" if label == "covid" else "kermany" for label in learned}
    parts = {f"train {sources[label]} {label}": number for label, number in learned.items()}
    assert run.counts("images", "split", "source", "label") == tested | parts
    found = run.counts("runs/cnn-x/test", "source", "label")
    assert found.items() <= {key.split(" ", 1)[1]: n for key, n in tested.items()}.items()
    assert set(run.counts("cohen", "view")) <= {"PA", "AP"}
    # A picture that is learned from and tested on is found in one manifest alone.
    inputs = {call[1] for call in run.calls if call[0] == "train"}
    inputs |= {call[2] for call in run.calls if call[0] == "evaluate"}
    assert inputs == {"out/images.csv"}


def full_m1(run: RecipeRun) -> None:
    composed(run, LEARNED)
    thirteen(run, "normal,covid", 1)
    assert run.counts("runs/cnn-x/test", "label") == {"normal": 234, "covid": 73}


def full_m2(run: RecipeRun) -> None:
    composed(run, LEARNED)
    thirteen(run, FOUR, 2)
    assert sum(run.counts("runs/cnn-x/test", "label").values()) == 697


def full_m3(run: RecipeRun) -> None:
    composed(run, {"normal": 350, "bacteria": 350, "viral": 350, "covid": 111})
    thirteen(run, FOUR, 3)
    assert sum(run.counts("runs/cnn-x/test", "label").values()) == 697


def full_m5(run: RecipeRun) -> None:
    full_m2(run)
    normal, patients = run.options("compare")
    assert normal["--interval"] == "normal"
    assert "--interval" not in patients


def small_runs(run: RecipeRun, classes: list[str]) -> None:
    runs = run.runs()
    assert set(runs) == {"runs/squeezenet", "runs/cnn-x"}
    for name, made in runs.items():
        assert made["classes"] == classes
        run.has_options(name, lr="0.0003", batch=15, optimizer="adam", freeze="none")
        tested = handy.rows_of(run.out / name / "test.csv")
        assert {r["source"] for r in tested} == {"kermany", "andrewmvd"}
        assert {r["label"] for r in tested} == set(classes)


def small_m1(run: RecipeRun) -> None:
    small_runs(run, ["normal", "covid"])
    table = (run.out / "tables/squeezenet.md").read_text()
    assert "0.9315" in table and "0.9589" not in table, "the figures of SqueezeNet alone"
    assert "0.9315" in (run.out / "tables/cnn-x.md").read_text()


def small_m2(run: RecipeRun) -> None:
    small_runs(run, FOUR.split(","))
    assert run.weights("runs/squeezenet") == 724_548


def small_m3(run: RecipeRun) -> None:
    small_runs(run, FOUR.split(","))
    learned = run.runs()["runs/cnn-x"]["data"]["train"]
    assert max(learned[label] for label in FOUR.split(",")[:3]) == 10


def small_m4(run: RecipeRun) -> None:
    for network in ("squeezenet", "cnn-x"):
        tested = handy.rows_of(run.out / "runs" / network / "test.csv")
        for which in ("right", "wrong"):
            path = run.out / f"{network}-{which}.csv"
            rows = handy.rows_of(path) if path.exists() else []
            assert all((r["pred"] == r["label"]) == (which == "right") for r in rows)
            assert all(r["in_lung"] and r["class"] == r["pred"] for r in rows)
            assert bool(rows) == (run.out / f"{network}-{which}.png").exists()
            # Of every class as many as there are, and at most two.
            there = Counter(
                r["label"] for r in tested if (r["pred"] == r["label"]) == (which == "right")
            )
            wanted = {label: min(number, 2) for label, number in there.items()}
            assert Counter(r["label"] for r in rows) == wanted


def small_m5(run: RecipeRun) -> None:
    small_runs(run, FOUR.split(","))
    for name in ("normal", "patients"):
        lines = (run.out / f"tables/{name}.md").read_text().splitlines()
        cells = [line.split("|") for line in lines if "| error " in line]
        errors = [line[3:6] for line in cells if not line[1].strip()]
        assert len(errors) == 13
        own = {cells[0].strip() for cells in errors if "[" in cells[1]}
        assert own == {"squeezenet", "cnn-x"}
        assert all(cells[2].strip() for cells in errors)


def published(scenario: str, metric: str, label: str = "Covid-19") -> list[float]:
    _, rows = published_results.read("majeed")
    wanted = {"scenario": scenario, "metric": metric, "class": label}
    return [float(row["value"]) for row in rows if wanted.items() <= row.items()]


def test_a_header_gives_the_ranges_of_the_papers_figures() -> None:
    text = " ".join(library.chosen("M3").script.split("set -eu")[0].replace("#", "").split())
    covid, normal = published("3", "sensitivity"), published("3", "sensitivity", "Normal")
    assert len(covid) == len(normal) == 13
    assert f"COVID-19 {min(covid):.3f} to {max(covid):.3f}" in text
    assert f"normal images {min(normal):.3f} (Xception) to {max(normal):.3f} (VGG-19)" in text
    others = sorted(published("1", "sensitivity", ""))[1:]
    text = " ".join(library.chosen("M1").script.split("set -eu")[0].replace("#", "").split())
    assert others[0] < 0.9 < others[1], "beside VGG-19, one is below 0.9"
    assert f"VGG-16 is {others[0]:.3f}" in text


def test_the_interval_of_a_header_follows_from_its_formula() -> None:
    text = " ".join(library.chosen("M5").script.split("set -eu")[0].replace("#", "").split())
    half = 1.96 * math.sqrt(0.288 * (1 - 0.288) / 697)
    assert f"of 0.288 on 697 images follow {0.288 - half:.3f} to {0.288 + half:.3f}" in text


FULL = {"M1": full_m1, "M2": full_m2, "M3": full_m3, "M4": full_m2, "M5": full_m5}
SMALL = {"M1": small_m1, "M2": small_m2, "M3": small_m3, "M4": small_m4, "M5": small_m5}


@pytest.mark.parametrize("name", recipe_runs.names("s3", fast="M3"))
def test_in_full_it_has_the_papers_numbers(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_full(name, tmp_path)
    FULL[library.chosen(name).id](run)
    run.ends_with_tables()


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe_runs.names("s3", fast=""))
def test_on_phantoms_it_runs_to_the_end(name: str, tmp_path: Path) -> None:
    run = recipe_runs.in_small(name, tmp_path)
    SMALL[library.chosen(name).id](run)
    run.shows_figures_of("majeed")
