"""What the tests of several commands read."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import handy
import odd
import pytest


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that can go wrong in one folder, `in`, beside which the runs write."""
    top = tmp_path_factory.mktemp("hostile")
    folder = top / "in"
    handy.write(folder / "read", {n: make() for n, make in {**odd.PICTURES, **odd.DICOMS}.items()})
    handy.write(folder / "broken", {n: make() for n, (make, _) in odd.BROKEN.items()})
    handy.write(folder / "out", {n: make() for n, (make, _) in odd.LEFT_OUT.items()})
    handy.write(folder / "names", {n: odd.PICTURES["l.png"]() for n in odd.NAMES})
    handy.write(folder, {f"{c}/same.png": handy.noise(ord(c)) for c in "ab"})
    bombs = {"bomb.dcm": odd.deflated_bomb(300), "bomb.png": odd.png_bomb()}
    handy.write(folder / "broken", bombs)
    # GDCM ends its process on this one.
    abort = odd.corrupted(odd.DICOMS["jpeg-ls.dcm"](), 43)
    handy.write(folder / "broken", {"abort.dcm": abort})
    (folder / "broken" / "dangling.png").symlink_to("nowhere")
    (folder / "names" / "up").symlink_to("..")
    os.mkfifo(folder / "broken" / "fifo.png")
    return top


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Forty small radiographs with a split, split.csv, and folds, folds.csv."""
    top = tmp_path_factory.mktemp("phantoms")
    made = ["phantom", "40", "--size", "32", "--labels", "normal,covid", "-d", str(top / "in")]
    assert handy.in_process(*made, "-o", str(top / "all.csv"), "-q") == 0
    shares = ["--test", "0.2", "--val", "0.2", "-q", "-o", str(top / "split.csv")]
    assert handy.in_process("split", str(top / "all.csv"), *shares) == 0
    folds = ["--folds", "4", "-q", "-o", str(top / "folds.csv")]
    assert handy.in_process("split", str(top / "all.csv"), *folds) == 0
    import torch._dynamo  # the first step of an optimiser imports it

    from cxrtool.learn import prediction, trainer

    # PyTorch is large, and every command that runs in this process looks for what is left over.
    assert prediction and trainer and torch._dynamo
    gc.freeze()
    yield top
    gc.unfreeze()


@pytest.fixture(scope="session")
def small_run(phantoms: Path) -> Path:
    """A run of the phantoms, to be copied before it is changed."""
    small = ["--arch", "conv8", "--size", "32", "--batch", "8", "--epochs", "3", "--lr", "0.02"]
    where = ["-d", str(phantoms / "small"), "--cache", str(phantoms / "cache"), "-j", "1", "-q"]
    given = ["train", str(phantoms / "split.csv"), *small, *where, "--device", "cpu"]
    assert handy.in_process(*given) == 0
    return phantoms / "small"


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a folder of one's own, on one thread, and draw no curves."""
    import torch

    from cxrtool.figures import plot

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    monkeypatch.setattr(plot, "curves", lambda *_: None)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
