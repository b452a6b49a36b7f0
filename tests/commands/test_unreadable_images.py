"""An image that a command cannot read costs that row alone: rows in are rows out and reported.

Such images are black in the arrays that networks see: whoever forgets to leave them out judges, or
learns from, black pictures.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from handy import Row, in_process, rows_of, write_table

from cxrtool.cli.descriptions import Flag, verbs
from cxrtool.learn import trainer

SMALL = ["--device", "cpu", "-j", "1"]
NETWORK = ["--arch", "conv8", "--size", "32", "--batch", "8", "--epochs", "1"]


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture(scope="module")
def stacks(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images of three channels, stacks.csv, and a run of them, `run`."""
    top = tmp_path_factory.mktemp("stacks")
    made = ["--method", "stack", "-d", str(top / "in"), "-o", str(top / "stacks.csv"), "-q"]
    assert in_process("equalize", str(phantoms / "split.csv"), *made, "-j", "1") == 0
    given = [*NETWORK, *SMALL, "--channels", "3", "--cache", str(top / "cache"), "-q"]
    folder = ["-d", str(top / "run")]
    assert in_process("train", str(top / "stacks.csv"), *given, *folder) == 0
    return top


@pytest.fixture
def mixed(phantoms: Path, stacks: Path) -> tuple[list[Row], set[str]]:
    """Write m.csv, in which grey images and stacks take turns; which of them are stacks."""
    grey, stacked = rows_of(phantoms / "split.csv"), rows_of(stacks / "stacks.csv")
    rows = [
        {**one, "path": two["path"]} if number % 3 == 0 else one
        for number, (one, two) in enumerate(zip(grey, stacked, strict=True))
    ]
    write_table(Path("m.csv"), rows)
    return rows, {row["path"] for row in rows[::3]}


@pytest.mark.parametrize("order", ["grey first", "stack first"])
def test_an_ensemble_leaves_out_what_one_of_its_runs_cannot_read(
    order: str, small_run: Path, stacks: Path, mixed: tuple[list[Row], set[str]]
) -> None:
    rows, unreadable = mixed
    runs = [small_run, stacks / "run"] if order == "grey first" else [stacks / "run", small_run]
    given = ["--ensemble", str(runs[1]), "-o", "p.csv"]
    assert in_process("evaluate", str(runs[0]), "m.csv", *given, *SMALL) == 1
    check(rows, unreadable)


@pytest.mark.parametrize("order", ["grey first", "stack first"])
def test_a_hierarchy_leaves_out_what_one_of_its_runs_cannot_read(
    order: str, small_run: Path, stacks: Path, mixed: tuple[list[Row], set[str]]
) -> None:
    rows, unreadable = mixed
    runs = [small_run, stacks / "run"] if order == "grey first" else [stacks / "run", small_run]
    text = (runs[1] / "run.json").read_text()
    os.makedirs("second")
    Path("second/run.json").write_text(
        text.replace('"covid",', '"flu",').replace('"normal"\n', '"other"\n')
    )
    os.symlink(runs[1] / "model.safetensors", "second/model.safetensors")
    given = ["--hierarchy", "second", "-o", "p.csv"]
    assert in_process("evaluate", str(runs[0]), "m.csv", *given, *SMALL) == 1
    check(rows, unreadable)


def check(rows: list[Row], unreadable: set[str]) -> None:
    """Check that each row is in the table or in the list, as it should be."""
    assert [r["path"] for r in rows_of(Path("p.csv"))] == [
        r["path"] for r in rows if r["path"] not in unreadable
    ]
    assert [r["path"] for r in rows_of(Path("failures.csv"))] == [
        r["path"] for r in rows if r["path"] in unreadable
    ]


READERS = {
    "evaluate": ["-o", "out.csv"],
    "tsne": ["-o", "out.csv", "--permutations", "1"],
    "cam": ["-d", "maps", "-o", "out.csv", "--failures", "failures.csv"],
}


@pytest.mark.parametrize("bad", [0, 17, 39])
@pytest.mark.parametrize("command", READERS)
def test_a_row_is_in_the_table_or_in_the_list(
    command: str, bad: int, small_run: Path, phantoms: Path
) -> None:
    rows = rows_of(phantoms / "split.csv")
    rows[bad]["path"] = "absent.png"
    write_table(Path("m.csv"), rows)
    assert in_process(command, str(small_run), "m.csv", *READERS[command], *SMALL) == 1
    kept = [r["path"] for r in rows_of(Path("out.csv"))]
    assert kept == [r["path"] for r in rows if r["path"] != "absent.png"]
    assert [r["path"] for r in rows_of(Path("failures.csv"))] == ["absent.png"]


@pytest.mark.parametrize(
    ("task", "column"), [("classify", "path"), ("segment", "path"), ("segment", "mask")]
)
def test_training_never_sees_an_image_that_cannot_be_read(
    task: str, column: str, phantoms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(phantoms / "split.csv")
    for part in ("train", "val"):
        next(r for r in rows if r["split"] == part)[column] = f"absent-{part}.png"
    write_table(Path("m.csv"), rows)
    seen: list[Any] = []
    monkeypatch.setattr(trainer.Training, "go", lambda _, *parts: seen.extend(parts[:2]))
    network = NETWORK if task == "classify" else ["--arch", "unet:width=4", "--size", "32"]
    given = ["--task", task, *network, *SMALL, "-d", "r", "--failures", "failures.csv"]
    assert in_process("train", "m.csv", *given) == 1
    for part, name in zip(seen, ("train", "val"), strict=True):
        assert len(part) == sum(r["split"] == name for r in rows) - 1
        assert part.batch(np.arange(len(part)), torch.device("cpu")).amax((1, 2, 3)).min() > 0
        if task == "segment":
            assert part.outlines(np.arange(len(part))).max((1, 2)).min() > 0
    failed = {r["path"] for r in rows_of(Path("failures.csv"))}
    assert failed == {"absent-train.png", "absent-val.png"}


def test_a_validation_part_of_which_nothing_can_be_read_is_refused(
    phantoms: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Else the run would be trained as if there were none, and nothing would say when to stop."""
    rows = rows_of(phantoms / "split.csv")
    for row in rows:
        row["path"] = "absent.png" if row["split"] == "val" else row["path"]
    write_table(Path("m.csv"), rows)
    given = [*NETWORK, *SMALL, "-d", "r"]
    assert in_process("train", "m.csv", *given) == 2
    assert capfd.readouterr().err.endswith(
        "no image of the validation part can be read. See the reasons above.\n"
    )
    assert not Path("r/model.safetensors").exists()


def test_a_run_counts_the_images_that_were_read(phantoms: Path) -> None:
    rows = rows_of(phantoms / "split.csv")
    for part in ("train", "val"):
        next(r for r in rows if (r["split"], r["label"]) == (part, "covid"))["path"] = "absent.png"
    write_table(Path("m.csv"), rows)
    assert in_process("train", "m.csv", *NETWORK, *SMALL, "-d", "r") == 1
    data = json.loads(Path("r/run.json").read_text())["data"]
    for part in ("train", "val"):
        read = [r["label"] for r in rows if r["split"] == part and r["path"] != "absent.png"]
        assert data[part] == Counter(read)


def test_a_class_of_which_no_training_image_can_be_read_is_refused(
    phantoms: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Else a classifier would be made that has never seen one of its classes."""
    rows = rows_of(phantoms / "split.csv")
    for row in rows:
        if (row["split"], row["label"]) == ("train", "covid"):
            row["path"] = "absent.png"
    write_table(Path("m.csv"), rows)
    assert in_process("train", "m.csv", *NETWORK, *SMALL, "-d", "r") == 2
    assert capfd.readouterr().err.splitlines()[-1] == (
        "cxrtool train: no image of the class 'covid' to train on can be read. See the reasons "
        "above, or leave the class out."
    )
    assert not Path("r/model.safetensors").exists()


# Every command that reads images, what it is given, and the last line where it can use none.
NONE = {
    "ingest": (["in", "-o", "out.csv"], "no image could be used"),
    "equalize": (["m.csv", "-d", "made", "-o", "out.csv"], "no image could be used"),
    "segment": (["m.csv", "-d", "made", "-o", "out.csv"], "no image could be used"),
    "train": (["m.csv", *NETWORK, "-d", "made"], "no image to train on can be read"),
    "evaluate": (["run", "m.csv", "-o", "out.csv"], "no image could be used"),
    "cam": (["run", "m.csv", "-d", "made", "-o", "out.csv"], "no image could be used"),
    "tsne": (["run", "m.csv", "-o", "out.csv", "--plot", "p.png"], "no image could be used"),
}


@pytest.mark.parametrize("command", NONE)
def test_a_command_that_can_use_no_image_has_done_nothing(
    command: str, small_run: Path, phantoms: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    os.symlink(small_run, "run")
    os.makedirs("in")
    rows = rows_of(phantoms / "split.csv")
    for number, row in enumerate(rows):
        row["path"] = f"in/{number}.png"
        Path(row["path"]).write_bytes(b"\x89PNG\r\n\x1a\n and nothing else")
    write_table(Path("m.csv"), rows)
    Path("out.csv").write_text("what was there before\n")
    given, last = NONE[command]
    device = [] if command in ("ingest", "equalize", "segment") else ["--device", "cpu"]
    assert in_process(command, *given, *device, "-j", "1", "--failures", "failed.csv") == 2
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1] == f"cxrtool {command}: {last}. See the reasons above."
    reported = {r["path"] for r in rows_of(Path("failed.csv"))}
    used = [r for r in rows if command != "train" or r["split"] in ("train", "val")]
    assert reported == {r["path"] for r in used}
    assert Path("out.csv").read_text() == "what was there before\n"
    assert not os.path.exists("p.png")
    assert not os.path.exists("made") or not os.listdir("made")


def test_every_command_that_reads_images_is_tried() -> None:
    """All that list skipped inputs; split, compare and audit have tables to work on."""
    there = {v.name for v in verbs() if any(Flag(o).long == "--failures" for o in v.options)}
    assert there - {"split", "compare", "audit"} == set(NONE)
