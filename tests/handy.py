"""What the tests of several commands share: tables, pictures, and processes to be watched."""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import odd
import pytest
from numpy.typing import NDArray
from PIL import Image

from cxrtool.cli import app

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Row = dict[str, str]

SETPRIV = shutil.which("setpriv")


def table(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def rows_of(path: Path) -> list[Row]:
    return table(path.read_text(encoding="utf-8"))


def write_table(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def noise(seed: int, size: int = 64) -> bytes:
    """Make a picture that is like no other."""
    values = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
    large = Image.fromarray(values).resize((size, size), Image.Resampling.BICUBIC)
    return odd.saved(large, "PNG")


def random_png(size: int, seed: int = 0) -> bytes:
    values = np.random.default_rng(seed).integers(0, 256, (size, size), np.uint8)
    return odd.saved(Image.fromarray(values), "PNG", compress_level=1)


def pixels(path: Path) -> NDArray[Any]:
    """Read a picture by Pillow alone."""
    with Image.open(path) as picture:
        return np.asarray(picture)


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def snapshot(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def ages(folder: Path) -> dict[str, int]:
    """Tell when the pictures of a folder were made."""
    return {p.name: p.stat().st_mtime_ns for p in folder.glob("*.png")}


def surroundings(folder: Path) -> dict[str, str]:
    """Return the environment of a user whose home is the folder."""
    return {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / ".cache")}


def start(folder: Path, *args: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start `cxrtool ARGS` in the folder, and do not wait for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "cxrtool", *map(str, args)],
        cwd=folder,
        env=surroundings(folder),
        **{
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **options,
        },
    )


def shell(folder: Path, script: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `cxrtool` is the command."""
    function = f'set -o pipefail; cxrtool() {{ {sys.executable} -m cxrtool "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", function + script],
        cwd=folder,
        env=surroundings(folder),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def in_process(*args: str) -> int:
    """Run a command in this process, for what ends before any work begins."""
    gc.freeze()  # Only what the command makes is looked through below.
    code = app.run(list(args))
    with warnings.catch_warnings():
        # A process that ends at once need not close the manifest that it has opened.
        warnings.simplefilter("ignore")
        gc.collect()
    gc.unfreeze()
    return code


def options(fixed: Sequence[object], given: Sequence[object]) -> list[str]:
    """Put options of a test behind fixed pairs, less those that are given again."""
    again = {str(word).partition("=")[0] for word in given}
    pairs = zip(fixed[::2], fixed[1::2], strict=True)
    kept = [str(word) for pair in pairs if pair[0] not in again for word in pair]
    return [*kept, *map(str, given)]


def about(folder: str = "r") -> dict[str, Any]:
    """Read the run.json of a run."""
    result: dict[str, Any] = json.loads((Path(folder) / "run.json").read_text())
    return result


def line(capfd: pytest.CaptureFixture[str]) -> str:
    """Return the one line that a command has printed, without its name."""
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1, said
    return said.err.partition(": ")[2].rstrip("\n")


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def weak(folder: Path) -> Run:
    """Run commands as root without the right to pass over rights: a user like any other."""
    if SETPRIV is None or os.name != "posix" or os.geteuid() != 0:
        pytest.skip("needs root, and setpriv to give it up")
    less = [SETPRIV, "--bounding-set", "-dac_override,-dac_read_search"]

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*less, sys.executable, "-m", "cxrtool", *args],
            cwd=folder,
            env=surroundings(folder),
            capture_output=True,
            text=True,
            timeout=900,
        )

    if run("--version").returncode:
        pytest.skip("the rights cannot be given up here")
    return run
