"""A signal ends a command with the code that says so and one line, whenever it comes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from handy import noise, rows_of, shell, surroundings, wait_for, write, write_table

CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}
WORDS = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}

# The command line as the script `cxrtool` starts it, with something done before.
MAIN = "import os, sys; from cxrtool.__main__ import main; {}; main()"
# Sends a signal to itself as the n-th module is imported.
AT_IMPORT = """
count, number = int(sys.argv.pop(1)), int(sys.argv.pop(1))
def hook(event, _):
    global count
    count -= event == "import"
    if event == "import" and not count:
        os.kill(os.getpid(), number)
sys.addaudithook(hook)
"""
AT_EXIT = """
import atexit
atexit.register(os.kill, os.getpid(), int(sys.argv.pop(1)))
"""
# Says that it is up as the first module is imported.
UP = """
up = [b"up\\n"]
sys.addaudithook(lambda event, _: event == "import" and up and os.write(2, up.pop()))
"""


def run(script: str, *args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, args)],
        cwd=cwd,
        env=surroundings(cwd),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def main_after(what: str) -> str:
    return MAIN.format(f"exec({what!r})")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Make a folder of images and a manifest of them."""
    names = [f"in/{n}.png" for n in range(12)]
    write(tmp_path, {name: noise(number) for number, name in enumerate(names)})
    rows = [
        {"path": name, "patient": f"p{number}", "label": "ab"[number % 2]}
        for number, name in enumerate(names)
    ]
    write_table(tmp_path / "m.csv", rows)
    return tmp_path


SPLIT = ["split", "m.csv", "--test", "0.5", "-q", "-o", "s.csv"]
COMMANDS = {
    "split": SPLIT,
    "ingest": ["ingest", "in", "-j", "2", "-q", "-o", "i.csv"],
    "equalize": ["equalize", "m.csv", "-j", "2", "-q", "-d", "eq", "-o", "e.csv"],
    "version": ["--version"],
}


def check_at_import(count: int, number: int, args: list[str], folder: Path) -> bool:
    """Check the outcome of a signal at the n-th import, and tell whether it came."""
    done = run(main_after(AT_IMPORT), count, int(number), *args, cwd=folder)
    if done.returncode == 0:
        assert done.stderr == ""
        return False
    assert done.returncode == CODES[signal.Signals(number)], done.stderr
    assert done.stderr.count("\n") == 1 and WORDS[signal.Signals(number)] in done.stderr
    return True


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("count", [1, 2, 30, 150])
def test_a_signal_while_modules_are_imported(count: int, number: int, inputs: Path) -> None:
    assert check_at_import(count, number, SPLIT, inputs)


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_at_every_ninth_import(name: str, number: int, inputs: Path) -> None:
    count = 1
    while check_at_import(count, number, COMMANDS[name], inputs):
        count += 9
    assert count > 100


@pytest.mark.parametrize("number", CODES)
def test_a_signal_after_the_work_changes_nothing(number: int, inputs: Path) -> None:
    done = run(main_after(AT_EXIT), int(number), *SPLIT, cwd=inputs)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(rows_of(inputs / "s.csv")) == 12


def is_running(group: int) -> bool:
    """Tell whether a process of the group is left, but for those that have ended."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(state[2]) == group and state[0] != "Z":
            return True
    return False


def check_after(seconds: float, number: int, args: list[str], folder: Path, group: bool) -> None:
    """Send a signal some time after the first instruction, to one process or to all of it."""
    process = subprocess.Popen(
        [sys.executable, "-c", main_after(UP), *args],
        cwd=folder,
        env=surroundings(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        bufsize=0,
    )
    assert process.stderr is not None and process.stderr.readline() == b"up\n"
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(process.pid, number)
    said = process.communicate(timeout=900)[1].decode()
    if process.returncode == 0:
        assert said == ""
    else:
        assert process.returncode == CODES[signal.Signals(number)], said
        assert said.count("\n") == 1 and WORDS[signal.Signals(number)] in said
    if os.path.isdir("/proc/self"):
        wait_for(lambda: not is_running(process.pid))


@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("name", ["split", "ingest"])
def test_a_signal_at_any_time(name: str, number: int, group: bool, inputs: Path) -> None:
    for seconds in (0, 0.03, 0.1, 0.3):
        check_after(seconds, number, COMMANDS[name], inputs, group)


@pytest.mark.slow
@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("name", [*COMMANDS, "train", "evaluate"])
def test_a_signal_at_many_times(name: str, number: int, group: bool, inputs: Path) -> None:
    small = ["--arch", "conv8", "--size", "32", "--device", "cpu", "-j", "1", "-q", "-d", "r"]
    given = {
        **COMMANDS,
        "train": ["train", "split.csv", *small, "--epochs", "1"],
        "evaluate": ["evaluate", "done", "m.csv", "-j", "1", "-q", "-o", "p.csv"],
    }
    prepared = "cxrtool split m.csv --test 0.2 --val 0.2 -q -o split.csv"
    if name == "evaluate":
        prepared += f" && cxrtool train split.csv {' '.join(small)} --epochs 1 -d done"
    assert shell(inputs, prepared).returncode == 0
    for step in range(31):
        check_after(
            step * 0.05, number, [*given[name], *["--force"] * (name == "train")], inputs, group
        )


# --- the exceptions -------------------------------------------------------------------------------

RAISING = """
import os, signal, sys, time
from cxrtool.cli import signals
def stop(): os.kill(os.getpid(), signal.SIGTERM)
def wait():
    while True: time.sleep(0.01)
try:
    with signals.raising():
        {}
except BaseException as e:
    print(type(e).__name__)
signals.leave(7)
"""


@pytest.mark.parametrize(
    "work",
    [
        "stop(); wait()",
        """
        try: stop(); wait()
        except BaseException: pass
        wait()""",
        """
        class Ends:
            def __del__(self): stop(); time.sleep(0.001)
        Ends()
        wait()""",
        """
        import ctypes
        ctypes.CFUNCTYPE(None)(lambda: (stop(), wait()))()
        wait()""",
    ],
    ids=["plain", "swallowed", "destructor", "callback"],
)
def test_an_exception_that_is_swallowed_comes_again(work: str, tmp_path: Path) -> None:
    done = run(RAISING.format(work), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (7, "Terminated\n", "")


def test_a_second_signal_does_not_disturb_the_clean_up(tmp_path: Path) -> None:
    work = """
        try: stop(); wait()
        finally:
            for _ in range(30): stop(); time.sleep(0.01)
            print("clean")"""
    done = run(RAISING.format(work), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (7, "clean\nTerminated\n", "")


def test_what_a_library_makes_of_the_exception_is_not_its_fault(inputs: Path) -> None:
    """NumPy's modules turn whatever happens while they are loaded into an ImportError."""
    script = """
from cxrtool.core import registry
def module(*_):
    try: os.kill(os.getpid(), 15); import time; time.sleep(9)
    except BaseException: raise ImportError("cannot be imported")
registry.module = module
"""
    done = run(main_after(script), "split", "m.csv", cwd=inputs)
    assert (done.returncode, done.stderr) == (
        143,
        "cxrtool split: terminated. Run it again to finish\n",
    )


def test_what_is_ignored_stays_ignored(inputs: Path) -> None:
    """A background job and a run under nohup go on."""
    script = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
import atexit
os.kill(os.getpid(), signal.SIGINT)
"""
    done = run(main_after(script + AT_IMPORT), 20, int(signal.SIGINT), *SPLIT, cwd=inputs)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs")
def test_a_signal_while_nobody_reads_standard_output(inputs: Path) -> None:
    """The output waits in a pipe that is full."""
    rows = [{"path": f"{n}.png", "patient": str(n), "label": "x" * 50} for n in range(4000)]
    write_table(inputs / "large.csv", rows)
    process = subprocess.Popen(
        [sys.executable, "-m", "cxrtool", "split", "large.csv", "--test", "0.2", "-q"],
        cwd=inputs,
        env=surroundings(inputs),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.read(1) == b"p"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert process.stderr.read() == b"cxrtool split: terminated. Run it again to finish\n"
    process.stdout.close()
    process.stderr.close()
