"""A Dask cluster of processes on this machine, for tests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed.protocol import pickle
from handy import surroundings

from cxrtool.core import dask_engine
from cxrtool.core.attempts import Lost, attempt, judged

CLUSTER = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def launched(folder: Path, workers: int = 2) -> tuple[subprocess.Popen[str], str]:
    """Start a cluster whose workers stand in a folder of their own."""
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "cluster.py").write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, "cluster.py", str(workers)],
        cwd=folder / "elsewhere",
        env=surroundings(folder),
        text=True,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def in_this_process(monkeypatch: pytest.MonkeyPatch, kills: Callable[[Any], bool]) -> list[Any]:
    """Let this process be the worker of a cluster; return a list that gets what it is sent.

    `kills` says which of it would end a worker.
    """
    items: list[Any] = []

    def each(function: Callable[[Any], Any], source: Iterable[Any], _: str) -> Iterator[Any]:
        for item in source:
            # What was packed here is unpacked here, as Dask does between two machines.
            work, one = pickle.loads(pickle.dumps((function, item)))
            items.append(one)
            yield Lost("crashed its worker") if kills(one) else judged(attempt(work, one))

    monkeypatch.setattr(dask_engine, "each", each)
    return items
