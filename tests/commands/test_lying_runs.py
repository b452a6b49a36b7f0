"""No value in a run's files breaks a command: the file is refused by name, or works."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from handy import in_process, rows_of, write_table
from safetensors import safe_open
from safetensors.torch import load_file, save

from cxrtool.core import choices
from cxrtool.figures import plot
from cxrtool.files import run_folder
from cxrtool.files.run_record import About

LONG = "x" * 100_000
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    2,
    10**30,
    -(10**400),
    1e308,
    1e-308,
    0.5,
    "",
    "1",
    LONG,
    "\ud800",
    "a:b=c",
    [],
    [1],
    ["x"],
    [None, None],
    [1e308],
    {},
    {"x": 1},
    {"epoch": "1"},
    {"epoch": 10**30},
    {"lr": LONG},
    [[[[]]]],
]
# Each of another kind; the others are for the slow tests.
FEW = [None, True, -1, 10**30, 1e308, LONG, [None], {"epoch": "1"}]
SMALL = ["--device", "cpu", "-j", "1", "-q"]
READERS = {
    "evaluate": ["evaluate", "r", "m.csv", "-o", "p.csv"],
    "calibrated": ["evaluate", "r", "m.csv", "--calibrate", "--threshold", "val", "-o", "p.csv"],
    "cam": ["cam", "r", "m.csv", "-d", "maps", "-o", "c.csv"],
    "tsne": ["tsne", "r", "m.csv", "-o", "t.csv"],
}
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_run: Path, phantoms: Path
) -> Iterator[None]:
    """Work beside a copy of a small run and a manifest of its images, on one thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(phantoms / "cache-of-lies"))
    monkeypatch.setattr(plot, "curves", lambda *_: None)
    shutil.copytree(small_run, "r")
    write_table(Path("m.csv"), rows_of(phantoms / "split.csv")[:10])
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def check(args: list[str], file: str, capfd: Said) -> None:
    """Check that a command works, or refuses the file in one line."""
    small = SMALL[2:] if args[0] == "segment" else SMALL
    code = in_process(*args, *small)
    said = capfd.readouterr().err
    assert code in (0, 2), said
    assert "Traceback" not in said and len(said) < 2200
    if code:
        assert said.count("\n") == 1, said
        named = (file, "r: its weights", "r/model.safetensors", "r was trained without validation")
        assert any(name in said for name in named), said


@pytest.mark.parametrize("field", About.__dataclass_fields__)
def test_evaluate_of_a_lying_run_json(field: str, capfd: Said) -> None:
    whole = json.loads(Path("r/run.json").read_text())
    for value in FEW:
        Path("r/run.json").write_text(json.dumps(whole | {field: value}))
        check(READERS["evaluate"], "r/run.json", capfd)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("field", About.__dataclass_fields__)
def test_every_reader_of_a_lying_run_json(field: str, reader: str, capfd: Said) -> None:
    whole = json.loads(Path("r/run.json").read_text())
    for value in VALUES:
        Path("r/run.json").write_text(json.dumps(whole | {field: value}))
        check(READERS[reader], "r/run.json", capfd)


# What another run may well say, but not this one.
WORDS = [
    *({"task": task} for task in choices.TASKS),
    {"task": "findings", "classes": ["covid"]},
    {"task": "findings", "classes": ["covid", "flu", "normal"]},
    *({"fit": fit} for fit in choices.FITS),
    {"arch": "resnet18"},
    {"arch": "unet"},
    {"normalize": "none"},
    {"preprocessing": "hist"},
]


@pytest.mark.parametrize("reader", READERS)
def test_a_run_that_says_it_is_of_another_kind(reader: str, capfd: Said) -> None:
    whole = json.loads(Path("r/run.json").read_text())
    for words in WORDS:
        Path("r/run.json").write_text(json.dumps(whole | words))
        check(READERS[reader], "r", capfd)


def test_segment_with_a_lying_run(capfd: Said) -> None:
    whole = json.loads(Path("r/run.json").read_text())
    args = ["segment", "m.csv", "--model", "r", "-d", "masks", "-o", "s.csv"]
    for lie in (
        {"task": "segment"},
        {"task": "segment", "arch": "unet"},
        {"task": "segment", "arch": "unet:width=9", "classes": ["lung"]},
        {"size": 10**30},
    ):
        Path("r/run.json").write_text(json.dumps(whole | lie))
        check(args, "r", capfd)
        shutil.rmtree("masks", ignore_errors=True)


def test_stacks_of_one_channel_are_refused(capfd: Said) -> None:
    whole = json.loads(Path("r/run.json").read_text())
    Path("r/run.json").write_text(json.dumps(whole | {"preprocessing": "stack:beasf+clahe+raw"}))
    for args in READERS.values():
        assert in_process(*args, *SMALL) == 2
        assert capfd.readouterr().err.endswith(
            ": r/run.json: damaged: its preprocessing makes images of three channels, "
            "but its network takes one. "
            "Train the run again, or copy it again.\n"
        )


TRAIN = [
    "train",
    "--arch",
    "conv8",
    "--size",
    "32",
    "--batch",
    "8",
    "--epochs",
    "3",
    "--schedule",
    "plateau:patience=0",
    "-d",
    "t",
]


@pytest.mark.parametrize(
    "field", ["epoch", "waited", "best", "history", "schedule", "key", "columns", "batch", "rate"]
)
def test_train_does_not_go_on_from_a_lie(field: str, phantoms: Path, capfd: Said) -> None:
    args = [*TRAIN, str(phantoms / "split.csv")]
    assert in_process(*args, *SMALL) == 0
    last = Path("t/last.safetensors")
    tensors, content = load_file(last), last.read_bytes()
    with safe_open(last, "pt") as opened:
        state = json.loads(opened.metadata()["state"])
    values = [*FEW, {}, [], [{}], {"lr": 1e300, "waited": 0}, {"lr": -1, "waited": 0}, {"lr": "x"}]
    for value in values:
        text = json.dumps(state | {field: value})
        metadata = {"state": text, "digest": run_folder._digest(tensors, text)}
        last.write_bytes(save(tensors, metadata))
        check(args, "t/last.safetensors" if field != "key" else "t", capfd)
    last.write_bytes(content)
    assert in_process(*args, *SMALL) == 0
