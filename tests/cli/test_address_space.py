"""Too small an address space is one line, and neither an abort of a library nor a hang."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from handy import noise, shell, write, write_table

from cxrtool.cli import address_space
from cxrtool.core import registry

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v is of Linux")

# What every refusal ends with.
TOO_LITTLE = "too little for its libraries. Raise it: ulimit -v unlimited.\n"


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    write(tmp_path, {f"{n}.png": noise(n) for n in range(4)})
    rows = [{"path": f"{n}.png", "patient": str(n), "label": "ab"[n % 2]} for n in range(4)]
    write_table(tmp_path / "m.csv", rows)
    return tmp_path


def check(kibibytes: int, args: str, folder: Path) -> int:
    done = shell(folder, f"ulimit -v {kibibytes}; cxrtool {args}")
    assert done.returncode in (0, 3), done.stderr
    if done.returncode:
        assert done.stderr.count("\n") == 1 and done.stderr.endswith(TOO_LITTLE), done.stderr
    return done.returncode


def test_too_little_for_numpy(inputs: Path) -> None:
    assert check(150_000, "split m.csv --test 0.5 -q -o s.csv", inputs) == 3
    assert not (inputs / "s.csv").exists()


def test_enough(inputs: Path) -> None:
    assert check(64_000_000, "split m.csv --test 0.5 -q -o s.csv", inputs) == 0


def test_help_needs_no_library(inputs: Path) -> None:
    done = shell(inputs, "ulimit -v 150000; cxrtool train --help")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [400, 1000, 2000, 3000, 3500, 4000, 5000])
def test_any_limit(megabytes: int, inputs: Path) -> None:
    write_table(
        inputs / "s.csv",
        [{"path": f"{n}.png", "label": "ab"[n % 2], "split": "train"} for n in range(4)],
    )
    check(megabytes * 1000, "split m.csv --test 0.5 -q -o t.csv", inputs)
    check(megabytes * 1000, "equalize m.csv -d eq -j 1 -q -o e.csv", inputs)
    small = "--arch conv8 --size 32 --epochs 1 --device cpu -j 1 -q"
    check(megabytes * 1000, f"train s.csv {small} -d r", inputs)


def test_every_command_is_known() -> None:
    named = {*address_space.WITH_TORCH, *address_space.ALONE} - {""}
    assert named <= set(registry.names("commands"))


@pytest.mark.parametrize("module", address_space.HEAVY)
def test_what_is_tried_is_there(module: str) -> None:
    assert importlib.util.find_spec(module)
