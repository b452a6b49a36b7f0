"""What cxrtool installs works on a machine that has never seen it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("fresh_machine.sh")
# Each of these downloads PyTorch, some of them several times, and needs up to 25 GB of disk.
LARGE = ("wheel", "sdist", "container", "apptainer")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["light", *LARGE])
def test_it_installs_and_works(what: str, tmp_path: Path) -> None:
    if what in LARGE and what not in os.environ.get("FRESH_MACHINE", "").split():
        pytest.skip(f"large downloads: set FRESH_MACHINE={what}")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        ["sh", str(SCRIPT), what], env=environment, capture_output=True, text=True
    )
    if done.returncode == 77:
        pytest.skip(done.stderr.strip().rpartition("\n")[2])
    assert done.returncode == 0, done.stdout + done.stderr


def test_shellcheck_finds_nothing_in_the_script() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("install shellcheck")
    done = subprocess.run(["shellcheck", "-s", "sh", str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
