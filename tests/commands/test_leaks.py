"""A patient or a picture in two parts: train and evaluate say so, and --strict refuses it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from handy import Row, in_process, rows_of, write_table

from cxrtool.artifacts import plot

SMALL = ["--device", "cpu", "-j", "1"]
NETWORK = ["--arch", "conv8", "--size", "32", "--batch", "8", "--epochs", "1"]
NONE = {"patient": 0, "sha256": 0, "dup_group": 0}
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    monkeypatch.setattr(plot, "curves", lambda *_: None)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def rows(phantoms: Path) -> list[Row]:
    return rows_of(phantoms / "split.csv")


def of(rows: list[Row], part: str) -> list[Row]:
    return [row for row in rows if row["split"] == part]


def train(*args: str, folder: str = "r") -> int:
    return in_process("train", "m.csv", *NETWORK, *SMALL, "-d", folder, *args)


def leaks(folder: str = "r") -> Any:
    return json.loads((Path(folder) / "run.json").read_text())["leaks"]


def lines(capfd: Said, word: str) -> list[str]:
    return [line for line in capfd.readouterr().err.splitlines() if word in line]


def share_patient(rows: list[Row]) -> None:
    of(rows, "test")[0]["patient"] = of(rows, "train")[0]["patient"]


def share_file(rows: list[Row]) -> None:
    of(rows, "val")[0]["sha256"] = of(rows, "train")[0]["sha256"]


def share_picture(rows: list[Row]) -> None:
    for row in (of(rows, "test")[0], of(rows, "train")[0], of(rows, "val")[0]):
        row["dup_group"] = "d"


def share_all(rows: list[Row]) -> None:
    share_patient(rows)
    of(rows, "test")[1]["patient"] = of(rows, "val")[1]["patient"]
    share_file(rows)
    share_picture(rows)


# What is done to the rows, what is counted, and how that is told.
LEAKS: dict[str, tuple[Callable[[list[Row]], None], dict[str, int], str]] = {
    "patient": (share_patient, {"patient": 1}, "1 patient"),
    "file": (share_file, {"sha256": 1}, "1 file (sha256)"),
    "picture": (share_picture, {"dup_group": 1}, "1 duplicate group"),
    "all": (
        share_all,
        {"patient": 2, "sha256": 1, "dup_group": 1},
        "2 patients, 1 file (sha256) and 1 duplicate group",
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_train_counts_what_leaks(leak: str, rows: list[Row], capfd: Said) -> None:
    change, counts, told = LEAKS[leak]
    change(rows)
    write_table(Path("m.csv"), rows)
    assert train("--repeat", "2") == 0
    assert lines(capfd, "more than one part") == [
        f"cxrtool train: warning: m.csv: {told} in more than one part: the figures flatter. "
        "See: cxrtool split --check."
    ]
    assert leaks("r/seed-0") == leaks("r/seed-1") == NONE | counts


@pytest.mark.parametrize("leak", LEAKS)
def test_strict_training_refuses_what_leaks(leak: str, rows: list[Row], capfd: Said) -> None:
    change, _, told = LEAKS[leak]
    change(rows)
    write_table(Path("m.csv"), rows)
    assert train("--strict") == 2
    assert capfd.readouterr().err == (
        f"cxrtool train: m.csv: {told} in more than one part. See: cxrtool split --check.\n"
    )
    assert not Path("r").exists()


def test_train_says_nothing_of_a_split_without_leaks(rows: list[Row], capfd: Said) -> None:
    # Neither what is unknown nor what is repeated within a part is a leak.
    for row in rows[::3]:
        row["patient"] = ""
    rows.append(of(rows, "train")[0])
    write_table(Path("m.csv"), rows)
    assert train("--strict") == 0
    assert lines(capfd, "more than one part") == [] and leaks() == NONE


def test_rows_that_are_not_used_leak_nothing(rows: list[Row]) -> None:
    share_all(rows)
    of(rows, "train")[0]["label"] = of(rows, "train")[1]["label"] = ""
    write_table(Path("m.csv"), rows)
    assert train("--strict", "--where", "split!=val,test") == 0
    assert leaks() == NONE


def test_a_manifest_says_what_can_be_counted(rows: list[Row]) -> None:
    names = ("path", "label", "patient", "split")
    share_patient(rows)
    write_table(Path("m.csv"), [{c: row[c] for c in names} for row in rows])
    assert train() == 0
    assert leaks() == {"patient": 1}


def test_folds_leak_too(phantoms: Path, capfd: Said) -> None:
    rows = rows_of(phantoms / "folds.csv")
    one, other = (next(r for r in rows if r["fold"] == fold) for fold in "24")
    other["patient"] = one["patient"]
    write_table(Path("m.csv"), rows)
    # Fold 2 is left for the test, and 4 is learned from; with fold 1 left out, 2 is val.
    for fold in "21":
        assert train("--fold", fold, "--strict", folder=fold) == 2
        assert "m.csv: 1 patient in more than one part" in capfd.readouterr().err
    # Both are learned from.
    for row in rows:
        row["fold"] = {"4": "3", "3": "4"}[row["fold"]] if row["fold"] in "34" else row["fold"]
    write_table(Path("m.csv"), rows)
    assert train("--fold", "4", "--strict") == 0
    assert leaks() == NONE


def test_masks_leak_too(rows: list[Row], capfd: Said) -> None:
    share_patient(rows)
    write_table(Path("m.csv"), rows)
    network = ["--task", "segment", "--arch", "unet:width=4", "--strict"]
    assert train(*network) == 2
    assert "m.csv: 1 patient in more than one part" in capfd.readouterr().err
