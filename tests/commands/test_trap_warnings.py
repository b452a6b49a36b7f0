"""What gives the label away is said once by each command on the main path, and kept by a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from handy import Row, in_process, noise, rows_of, write, write_table

SMALL = ["--device", "cpu", "-j", "1"]
NETWORK = ["--arch", "conv8", "--size", "32", "--batch", "8", "--epochs", "1"]
Said = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("own_folder")


def confounded(rows: list[Row]) -> list[Row]:
    """Give each class a source of its own."""
    sources = {"covid": "east", "normal": "west"}
    return [row | {"source": sources[row["label"]]} for row in rows]


def clean(rows: list[Row]) -> list[Row]:
    return [row | {"source": "only"} for row in rows]


@pytest.fixture
def rows(phantoms: Path) -> list[Row]:
    return rows_of(phantoms / "split.csv")


def lines(capfd: Said, word: str = "cxrtool audit") -> list[str]:
    return [line for line in capfd.readouterr().err.splitlines() if word in line]


def about(folder: str = "r") -> Any:
    return json.loads((Path(folder) / "run.json").read_text())


FACTS = "'covid' occurs only in source 'east', 'normal' only in 'west'"


def test_ingest_warns_where_joined_folders_have_a_class_each(capfd: Said) -> None:
    files = {f"a/covid/{k}.png": noise(k, 64) for k in range(12)}
    files |= {f"b/normal/{k}.png": noise(100 + k, 48) for k in range(12)}
    write(Path("d"), files)
    for name in "ab":
        assert in_process("ingest", f"d/{name}", "-o", f"{name}.csv", "-j", "1") == 0
    assert lines(capfd) == []
    assert in_process("ingest", "a.csv", "b.csv", "-o", "both.csv", "-j", "1") == 0
    warning = lines(capfd)
    assert len(warning) == 1 and "'covid' occurs only in source 'a'" in warning[0]


def test_split_warns_of_the_rows_that_are_used(rows: list[Row], capfd: Said) -> None:
    write_table(Path("m.csv"), confounded(rows))
    assert in_process("split", "m.csv", "-o", "s.csv") == 0
    warning = lines(capfd)
    assert len(warning) == 1 and f"cxrtool split: warning: {FACTS}" in warning[0]
    assert "a network can learn this instead of the disease" in warning[0]
    write_table(Path("m.csv"), [*clean(rows), confounded(rows)[0]])
    assert in_process("split", "m.csv", "--where", "source=only", "-o", "s.csv") == 0
    assert in_process("split", "m.csv", "--cap", "source=9", "-o", "s.csv") == 0
    assert lines(capfd) == []


def test_split_names_a_column_that_seems_to_be_the_source(rows: list[Row], capfd: Said) -> None:
    bare = [{n: v for n, v in row.items() if n != "source"} for row in rows]
    write_table(Path("m.csv"), [row | {"site": "east"} for row in bare])
    assert in_process("split", "m.csv", "-o", "s.csv") == 0
    assert len(lines(capfd, "column 'site' is not read as the source")) == 1
    write_table(Path("m.csv"), [row | {"subject": "1"} for row in bare if row.pop("patient")])
    assert in_process("split", "m.csv", "--check") in (0, 1)
    assert len(lines(capfd, "column 'subject' is not read as the patient")) == 1


def test_split_of_paths_and_nothing_else(capfd: Said) -> None:
    write_table(Path("m.csv"), [{"path": f"{k}.png"} for k in range(30)])
    assert in_process("split", "m.csv", "--group", "none", "-o", "s.csv") == 0
    assert lines(capfd) == []


def test_train_records_it_and_evaluate_repeats_it(rows: list[Row], capfd: Said) -> None:
    write_table(Path("m.csv"), confounded(rows))
    assert in_process("train", "m.csv", *NETWORK, *SMALL, "-d", "r", "--repeat", "2") == 0
    assert len(lines(capfd)) == 1
    record = about("r/seed-0")["label_traps"]
    assert record == about("r/seed-1")["label_traps"]
    assert record["one_source"] == {"covid": "east", "normal": "west"}
    # All images are judged: the AUC is of pairs across sources.
    assert in_process("evaluate", "r/seed-0", "m.csv", *SMALL, "-o", "p.csv") == 0
    warning = lines(capfd, "across sources")
    assert len(warning) == 1 and "warning: all pairs of images of different classes" in warning[0]
    assert "the AUC cannot tell disease from data set" in warning[0]
    # Images of one source are clean, but the run learned from others.
    write_table(Path("clean.csv"), clean(rows))
    assert in_process("evaluate", "r/seed-0", "clean.csv", *SMALL, "-o", "p.csv") == 0
    warning = lines(capfd, "in its training images")
    assert len(warning) == 1 and f"r/seed-0: in its training images {FACTS}" in warning[0]


def test_train_warns_of_images_that_are_masks(rows: list[Row], capfd: Said) -> None:
    write_table(Path("m.csv"), [row | {"path": row["mask"]} for row in clean(rows)])
    assert in_process("train", "m.csv", *NETWORK, *SMALL, "-d", "r") == 0
    number = sum(row["split"] == "train" for row in rows)
    assert lines(capfd, "outlines") == [
        f"cxrtool train: warning: {number} of {number} training images are lung masks "
        "(segment --keep mask): they show the outlines alone"
    ]


def test_nothing_is_said_of_clean_images(rows: list[Row], capfd: Said) -> None:
    write_table(Path("m.csv"), clean(rows))
    assert in_process("train", "m.csv", *NETWORK, *SMALL, "-d", "r") == 0
    assert about()["label_traps"] == {}
    assert in_process("evaluate", "r", "m.csv", *SMALL, "-o", "p.csv") == 0
    assert lines(capfd, "data set") == []


def test_runs_of_earlier_versions_and_lying_ones(
    small_run: Path, rows: list[Row], capfd: Said
) -> None:
    shutil.copytree(small_run, "old")
    old = about("old")
    write_table(Path("m.csv"), rows)
    del old["label_traps"]
    Path("old/run.json").write_text(json.dumps(old))
    assert in_process("evaluate", "old", "m.csv", *SMALL, "-o", "p.csv") == 0
    old["label_traps"] = {"predicted_by": {"source": {"label": "", "auc": 2, "low": 0, "high": 1}}}
    Path("old/run.json").write_text(json.dumps(old))
    assert in_process("evaluate", "old", "m.csv", *SMALL, "-o", "q.csv") == 2
    wrong = lines(capfd, "label_traps")
    assert len(wrong) == 1 and "label_traps.predicted_by.source.auc is above 1" in wrong[0]


def judged(sources: dict[str, str]) -> list[Row]:
    """Write predictions of images whose source follows from the label."""
    rows = []
    for k in range(60):
        label = ("normal", "covid")[k % 2]
        p = 0.3 + 0.4 * (k % 2) + 0.001 * k
        row = {"path": f"{k}.png", "label": label, "patient": str(k), "source": sources[label]}
        rows.append(row | {"p_normal": f"{1 - p:.4f}", "p_covid": f"{p:.4f}"})
    return rows


def test_compare_warns_beside_its_table_and_in_its_report(capfd: Said) -> None:
    write_table(Path("a.csv"), judged({"covid": "east", "normal": "west"}))
    write_table(Path("b.csv"), judged({"covid": "east", "normal": "west"}))
    write_table(Path("c.csv"), judged({"covid": "east", "normal": "east"}))
    call = ["a.csv", "b.csv", "c.csv", "--metrics", "auc", "--report", "page.html", "-o", "t.md"]
    assert in_process("compare", *call) == 0
    warning = lines(capfd)
    assert len(warning) == 1 and "compare: warning: a, b: all pairs of images" in warning[0]
    page = Path("page.html").read_text()
    assert "cxrtool audit a.csv b.csv c.csv -d audit" in page and "all pairs of images" in page
    assert in_process("compare", "c.csv", "--report", "clean.html", "-o", "t.md") == 0
    assert lines(capfd) == [] and "cxrtool audit" not in Path("clean.html").read_text()
