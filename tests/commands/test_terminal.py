"""At a terminal: no command waits for a table to be typed, and nothing is coloured."""

from __future__ import annotations

import os
import re
import select
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from handy import in_process

pty = pytest.importorskip("pty", reason="such terminals are of Unix")
fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")

Said = pytest.CaptureFixture[str]

# Every command that reads a table from standard input, as it is called without one.
READERS = {
    "audit": ["-d", "made"],
    "cam": ["run", "-d", "made"],
    "compare": [],
    "equalize": ["-d", "made"],
    "evaluate": ["run"],
    "segment": ["-d", "made"],
    "split": [],
    "train": ["-d", "made"],
    "tsne": ["run"],
}


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: the user's and the program's."""
    monkeypatch.chdir(tmp_path)
    ends = pty.openpty()
    fcntl.ioctl(ends[1], termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("verb", READERS)
def test_no_command_waits_for_a_table_to_be_typed(
    verb: str,
    terminal: tuple[int, int],
    small_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Said,
) -> None:
    os.symlink(small_run, "run")
    with open(terminal[1], closefd=False) as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        assert in_process(verb, *READERS[verb]) == 2
    out, told = capfd.readouterr()
    missing = {
        "compare": "predictions. Name some, or pipe",
        "audit": "manifest and no predictions. Name one or both: ",
    }
    what = missing.get(verb, "manifest. Name one, or pipe")
    assert (out, told.count("\n")) == ("", 1)
    assert told.startswith(f"cxrtool {verb}: no {what}")
    assert os.listdir() == ["run"], "nothing was done"


# Printed by a program that may colour: help, errors, a bar, tables.
COLOURABLE = """
from cxrtool.cli import app
for words in ("--help", "split --help", "split --nothing", "equalize --list",
              "phantom 2 -d made --size 32 -j 1 -o p.csv --progress always"):
    app.run(words.split())
"""


def test_nothing_is_coloured(tmp_path: Path, terminal: tuple[int, int]) -> None:
    """So NO_COLOR is honoured, and nobody needs it."""
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-c", COLOURABLE],
        stdin=subprocess.DEVNULL,
        stdout=terminal[1],
        stderr=terminal[1],
        env={**environment, "TERM": "xterm-256color"},
    )
    shown = b""
    while process.poll() is None or select.select([terminal[0]], [], [], 0)[0]:
        if select.select([terminal[0]], [], [], 0.05)[0]:
            shown += os.read(terminal[0], 1 << 16)
    assert b"Usage: cxrtool" in shown and b"no such option" in shown and b"0/2 [" in shown
    # An escape may move the cursor, as a bar does; one that ends in `m` chooses a colour.
    assert not re.search(rb"\x1b\[[0-9;]*m", shown)
