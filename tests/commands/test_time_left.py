"""Long work on a table in a file says how much of it is done, and how long the rest takes."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import handy
import pytest
import torch

from cxrtool.core import progress
from cxrtool.files import run_folder
from cxrtool.learn import distributed, inference, prediction

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _slow(own_folder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every step take forty seconds, so that each has a line."""
    monkeypatch.setattr(progress, "clock", itertools.count(0, 40).__next__)
    monkeypatch.setattr(progress, "EVERY", 0)
    monkeypatch.setattr(progress, "SHARE", 0)


NETWORK = "--batch 8 --device cpu"
# Every command that works through a table of images.
COMMANDS = {
    "evaluate": f"evaluate run split.csv {NETWORK}",
    "two runs": f"evaluate run split.csv --ensemble other {NETWORK}",
    "images": "evaluate run one.png two.png --batch 1 --device cpu",
    "cam": f"cam run split.csv -d maps {NETWORK}",
    "tsne": f"tsne run split.csv --permutations 99 {NETWORK}",
    "equalize": "equalize split.csv -d equalized",
    "segment": "segment split.csv --model threshold -d masks",
}
NUMBERS = {"two runs": 80, "images": 2}
READ_BEFORE = ("evaluate", "two runs", "images", "tsne")


@pytest.fixture
def given(small_run: Path, phantoms: Path, tmp_path: Path) -> None:
    """Runs, a table of forty rows, and two images."""
    shutil.copytree(small_run, "run")
    shutil.copytree(small_run, "other")
    shutil.copy(phantoms / "split.csv", "split.csv")
    for name, row in zip(("one.png", "two.png"), handy.rows_of(Path("split.csv"))[:2], strict=True):
        shutil.copy(row["path"], name)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_left_of_a_file_is_told(name: str, given: None, capfd: Said) -> None:
    assert handy.in_process(*COMMANDS[name].split(), "-j", "1", "-o", "made.csv") == 0
    of, said = NUMBERS.get(name, 40), capfd.readouterr().err
    done = re.findall(r"(\d+) of (\d+) (?:images|predictions) after \d+ ", said)
    assert {total for _, total in done} == {str(of)}
    # Some lines come before the last image; the number of no image comes twice.
    numbers = [int(number) for number, _ in done]
    assert numbers == sorted(set(numbers)) and numbers[0] < numbers[-1] == of
    # Where images are read before the network looks at them, that is told, too.
    assert ("images read after" in said) == (name in READ_BEFORE)


def test_several_processes_count_together(
    given: None, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    monkeypatch.setattr(distributed, "processes", lambda: 3)
    monkeypatch.setattr(distributed, "part", lambda number: slice(0, number, 3))
    monkeypatch.setattr(distributed, "gathered", lambda own: [own])
    monkeypatch.setattr(distributed, "interleaved", lambda own, number: own)
    model = inference.Model(run_folder.read("run"), torch.device("cpu"))
    predictor = prediction.Predictor([model], None, prediction.PredictionSettings(4, cache="c"))
    counted: list[int] = []
    predictor.looked = counted.append
    predictor.shared(handy.rows_of(Path("split.csv"))[:38])
    # The process has 13 of 38 images, in batches of 4, 4, 4 and 1.
    assert counted == [12, 12, 12, 2]
