"""The program `cxrtool` for shells of the tests: a prepared process runs what it is given.

Several may run at once, as in a pipe. The program ends as the command does, but is another process:
what is told by signals or by the start of a process is tested without it.
"""

from __future__ import annotations

import functools
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import prepared

PROGRAM = """\
#!/bin/sh
case "$1" in {need_torch}) door=torch;; *) door=light;; esac
exec {python} -ISE {asks} {folder}/$door "$@"
"""
ASKS = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
    channel.connect(sys.argv[1])
    request = {"args": sys.argv[2:], "folder": os.getcwd(), "env": dict(os.environ)}
    socket.send_fds(channel, [json.dumps(request).encode()], [0, 1, 2])
    os.closerange(0, 3)
    channel.recv(100)  # the number of the process
    code = int(channel.recv(100))
    os._exit(code if code >= 0 else 128 - code)
"""


@dataclass(frozen=True)
class Program:
    """A folder with `cxrtool`, and the processes that run it."""

    folder: Path
    processes: list[subprocess.Popen[bytes]]


MADE: list[Program] = []


@functools.cache
def program(torch: bool = True) -> Program:
    """Make the program, at its first use; without PyTorch for commands that do without."""
    folder = Path(tempfile.mkdtemp(prefix="cxrtool-program-"))
    doors = ("light", prepared.TORCH) if torch else ("light",)
    processes = [_listening(folder, name) for name in doors]
    asks, own = folder / "asks.py", folder / "cxrtool"
    asks.write_text(ASKS)
    names = {"need_torch": "|".join(prepared.NEED_TORCH), "python": sys.executable}
    MADE.append(Program(folder, processes))
    own.write_text(PROGRAM.format(**names, folder=folder, asks=asks))
    own.chmod(0o755)
    return MADE[-1]


def _listening(folder: Path, name: str) -> subprocess.Popen[bytes]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(str(folder / name))
        door.listen()
        return prepared.started(door, name)


def close() -> None:
    """End the processes, if there are any."""
    for made in MADE:
        for process in made.processes:
            process.kill()
            process.wait()
        shutil.rmtree(made.folder)
    MADE.clear()
    program.cache_clear()
