"""The table of a GPU can be made anywhere: without one, in a reduced form."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"
ROWS = [
    "train conv8",
    "memory of train conv8",
    "evaluate conv8",
    "cam conv8",
    "conv8, float32",
    "conv8, bf16",
    "two processes, one device",
    "conv8 --batch auto",
    "a batch that does not fit",
    "--compile",
]


@pytest.mark.slow
def test_the_script_runs_to_its_end_without_a_gpu() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[0].startswith("no GPU: a reduced form on the CPU")
    for row in ROWS:
        assert any(line.startswith(row) for line in lines), row
    # Two processes learn what one does.
    losses = re.search(r"first epoch ([\d.]+), of one process ([\d.]+)", done.stdout)
    assert losses
    assert float(losses[1]) == pytest.approx(float(losses[2]), abs=2e-3)
    assert "conv8 --batch auto" in done.stdout and " 32 images, " in done.stdout
