"""The committed completions, in the real shells."""

import os
import pathlib
import pty
import select
import shutil
import subprocess
import time

import pytest

from cxrtool.cli import manual

FOLDER = pathlib.Path(manual.ROOT) / "completions"

# What is typed before the Tab key, and what the shell then makes of it.
TYPED = [
    ("cxrtool spl", "cxrtool split "),
    ("cxrtool split --strad", "cxrtool split --straddle "),
    ("cxrtool split --paper im", "cxrtool split --paper image "),
    ("cxrtool ingest --preset coh", "cxrtool ingest --preset cohen "),
    ("cxrtool ingest pictu", "cxrtool ingest pictures/"),
    ("cxrtool recipe t3", "cxrtool recipe t3-resnet18-cross-dataset "),
    ("cxrtool ingest --convert pict", "cxrtool ingest --convert pictures/"),
]


class Terminal:
    """An interactive shell at the other end of a pseudo-terminal."""

    def __init__(self, command, folder):
        self.seen = ""
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="dumb", PS1="ready> ", HOME=str(folder))
            os.execvp(command[0], command)

    def read_until(self, wanted, seconds=20):
        deadline = time.monotonic() + seconds
        while wanted not in self.seen and time.monotonic() < deadline:
            if select.select([self.end], [], [], 0.1)[0]:
                self.seen += os.read(self.end, 4096).decode("utf-8", "replace")
        assert wanted in self.seen, repr(self.seen)
        self.seen = self.seen.partition(wanted)[2]

    def type(self, text):
        os.write(self.end, text.encode())

    def close(self):
        os.close(self.end)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(tmp_path, request):
    (tmp_path / "pictures").mkdir()
    opened = Terminal(request.param, tmp_path)
    yield opened
    opened.close()


@pytest.mark.skipif(not shutil.which("bash"), reason="install bash")
@pytest.mark.parametrize("terminal", [["bash", "--norc", "--noprofile", "-i"]], indirect=True)
def test_bash(terminal):
    terminal.read_until("ready> ")
    terminal.type(f"source {FOLDER}/cxrtool.bash && echo sour''ced\n")
    terminal.read_until("sourced")
    for typed, completed in TYPED:
        terminal.type(f"{typed}\t")
        terminal.read_until(completed)
        terminal.type("\x15")


@pytest.mark.skipif(not shutil.which("zsh"), reason="install zsh")
@pytest.mark.parametrize("terminal", [["zsh", "-f", "-i"]], indirect=True)
def test_zsh(terminal):
    terminal.type(
        f"fpath=({FOLDER} $fpath); autoload -Uz compinit; compinit -u -D; echo lo''aded\n"
    )
    # A Tab that is typed before the prompt is taken for a pasted one.
    terminal.read_until("loaded")
    terminal.read_until("ready> ")
    for typed, completed in TYPED:
        terminal.type(f"{typed}\t")
        terminal.read_until(completed.removeprefix(typed))
        terminal.type("\x15")


@pytest.mark.skipif(not shutil.which("fish"), reason="install fish")
def test_fish(tmp_path):
    (tmp_path / "pictures").mkdir()
    for typed, completed in TYPED:
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {FOLDER}/cxrtool.fish; complete -C '{typed}'"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        offered = [line.partition("\t")[0] for line in done.stdout.splitlines()]
        assert completed.rpartition(" ")[2] in offered or completed.split()[-1] in offered, typed
