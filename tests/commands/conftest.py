"""What the tests of several commands read."""

from __future__ import annotations

import os
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
