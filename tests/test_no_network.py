"""No command opens a connection by itself: there is no telemetry, and nothing is looked up."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
# Name services, the internet in both versions; sockets between processes of this machine are fine.
OUTSIDE = re.compile(r"AF_INET6?\b")
CHAIN = (
    "phantom 30 --size 48 --sources 2 -d phantoms -o phantoms.csv",
    "ingest phantoms/images -o listed.csv",
    "equalize phantoms.csv --method hist -d eq -o eq.csv",
    "segment phantoms.csv --model threshold -d lungs -o lungs.csv",
    "split phantoms.csv --test 0.3 --val 0.3 -o split.csv",
    "train split.csv --arch cnn-x --size 48 --epochs 1 -d run --log tensorboard,mlflow",
    "evaluate run split.csv --where split=test -o predictions.csv",
    "compare predictions.csv --report page",
    "cam run split.csv --where split=test -d maps",
    "tsne run split.csv -o points.csv",
    "audit split.csv predictions.csv --run run -d audit --fail-on none --positive covid",
    "recipe --names",
)


def test_no_command_opens_a_connection(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("apt-get install strace")
    pytest.importorskip("tensorboard", reason="pip install 'cxrtool[tensorboard]'")
    pytest.importorskip("mlflow", reason="pip install 'cxrtool[mlflow]'")
    for number, line in enumerate(CHAIN):
        log = tmp_path / f"{number}.trace"
        watch = [strace, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(log)]
        command = [sys.executable, "-m", "cxrtool", *line.split(), "-q"]
        if line.startswith("recipe"):
            command.pop()
        done = subprocess.run([*watch, *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        reached = [entry for entry in log.read_text().splitlines() if OUTSIDE.search(entry)]
        assert not reached, f"{line}: {reached[:3]}"
