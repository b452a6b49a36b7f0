"""Where PyTorch is not installed, what does not need it works; the rest says what to install."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from handy import noise, write, write_table

from cxrtool.core import registry

ABSENT = ("torch", "torchvision", "timm", "torchxrayvision")
# The whole line of each command, in a folder with a manifest m.csv, predictions and a run.
WORKS = [
    "ingest m.csv -o i.csv",
    "equalize m.csv -d eq -o eq.csv",
    "segment m.csv --model threshold --keep mask -d made -o s.csv",
    "split m.csv --test 0.5 -o split.csv",
    "split split.csv --check -o found.csv",
    "compare p.csv --bootstrap 0 --report page.html -o table.md",
    "audit m.csv p.csv -d audit --fail-on none",
    "phantom 2 -d phantoms -o phantoms.csv",
    "recipe T3 -o t3.sh",
    "demo -n -d demo",
    *(f"{verb} --help" for verb in registry.names("commands")),
]
NEEDS = [
    "segment m.csv --keep mask -d made -o s.csv",
    "train split.csv -d run",
    "train --list",
    "evaluate run m.csv",
    "cam run m.csv -d maps",
    "tsne run m.csv",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ABSENT:
        package = tmp_path / "absent" / name
        package.mkdir(parents=True)
        error = f"raise ModuleNotFoundError(\"No module named '{name}'\", name='{name}')\n"
        (package / "__init__.py").write_text(error)
    write(tmp_path, {f"{n}.png": noise(n, 64) for n in range(4)})
    rows = [{"path": f"{n}.png", "label": "ab"[n % 2], "patient": str(n)} for n in range(4)]
    write_table(tmp_path / "m.csv", rows)
    write_table(tmp_path / "split.csv", [row | {"split": "train"} for row in rows])
    write_table(tmp_path / "p.csv", [row | {"p_a": "0.4", "p_b": "0.6"} for row in rows])
    return tmp_path


def run(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cxrtool", *shlex.split(line)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "absent"), "HOME": str(folder)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("line", WORKS)
def test_what_does_not_need_it_works(line: str, folder: Path) -> None:
    done = run(folder, line)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", NEEDS)
def test_what_needs_it_says_what_to_install(line: str, folder: Path) -> None:
    done = run(folder, line)
    assert done.returncode == 2
    verb = line.split()[0]
    assert done.stderr == (
        f"cxrtool {verb}: PyTorch is not installed. Install it: pip install torch torchvision.\n"
    )
