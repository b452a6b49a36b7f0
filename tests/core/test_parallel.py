"""One hostile input costs one input: its time, its memory and its crash stay its own."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import numpy as np
import odd
import pytest
from handy import rows_of
from PIL import Image

from cxrtool.core import parallel, worker_pool
from cxrtool.core.errors import BrokenRun, Unreadable
from cxrtool.core.parallel import Crew, Lost, each
from cxrtool.files import dicom_recognition, image

GIB = 1 << 30
FORKSERVER = "forkserver"


def do(item: tuple[str, Any]) -> Any:
    """Do what the item says; the workers import it from here."""
    what, value = item
    return DEEDS[what](value)


def _fail(value: Any) -> None:
    raise TypeError(f"no {value}")


def _end(_: Any) -> None:
    raise BrokenRun("x.png: no space left on device", "Make room.")


def _slowly(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def _compute(seconds: float) -> float:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds


def _kill_once(mark: str) -> str:
    """Be killed from outside the first time."""
    if not os.path.exists(mark):
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def _fill(size: int) -> int:
    return int(np.ones(size, np.uint8).sum())


def _decode(data: bytes) -> str:
    """Decode, and tell how it went and the most memory that this process ever had."""
    try:
        image.decode(image.Encoded(data, dicom_recognition.claims(data, "")))
        return "read"
    except Unreadable as e:
        return e.reason


def _peak(_: Any) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


DEEDS: dict[str, Any] = {
    "return": lambda value: value,
    "sleep": _slowly,
    "compute": _compute,
    "kill once": _kill_once,
    "exit": os._exit,
    "crash": ctypes.string_at,
    "kill": lambda number: os.kill(os.getpid(), number),
    "fill": _fill,
    "fail": _fail,
    "end": _end,
    "write": lambda text: os.write(2, text.encode()) and None,
    "pid": lambda _: os.getpid(),
    "decode": _decode,
    "peak": _peak,
    "unpicklable": lambda _: lambda: None,
}


def run(*items: tuple[str, Any], jobs: int = 2, seconds: float = 10.0) -> list[Any]:
    return list(each(do, items, Crew(jobs), seconds))


def test_results_come_in_order() -> None:
    waits = [0.3, 0.0, 0.1] + [0.0] * 40
    assert run(*(("sleep", w) for w in waits), jobs=3) == waits


def test_nothing_to_do() -> None:
    assert run() == []


def test_few_inputs_are_taken_ahead() -> None:
    taken = []

    def items() -> Any:
        for number in range(1000):
            taken.append(number)
            yield "return", number

    results = each(do, items(), Crew(2))
    assert next(results) == 0 and len(taken) <= 2 * worker_pool.AHEAD + 1
    results.close()


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (("exit", 7), "crashed the decoder (exit 7)"),
        (("crash", 0), "crashed the decoder (SIGSEGV)"),
        (("kill", signal.SIGABRT), "crashed the decoder (SIGABRT)"),
        (("kill", signal.SIGKILL), "its worker was killed (SIGKILL), twice"),
        (("kill", signal.SIGTERM), "its worker was killed (SIGTERM), twice"),
        (("fill", 5 * GIB), "needs more than 1 GiB of memory"),
        (("fail", "good"), "caused an error in cxrtool (TypeError): please report it"),
    ],
)
def test_a_loss_is_one_loss(deed: tuple[str, Any], reason: str) -> None:
    results = run(("return", 1), deed, ("return", 2), deed, ("return", 3))
    lost = Lost(reason, fault=deed[0] == "fail")
    assert results == [1, lost, 2, lost, 3]


def test_endless_computing_is_ended() -> None:
    results = run(("return", 1), ("compute", 1e9), ("return", 2), ("return", 3), seconds=0.5)
    assert results == [1, Lost("took more than 0.5 s of processor time"), 2, 3]


def test_only_the_time_of_one_input_counts() -> None:
    results = run(*[("compute", 0.2)] * 8, jobs=1, seconds=1.0)
    assert results == [0.2] * 8


def test_a_worker_that_waits_for_its_turn_is_waited_for() -> None:
    """On a busy machine the clock on the wall runs while a worker does not."""
    assert run(("sleep", 1.5), ("return", 2), seconds=0.2) == [1.5, 2]


def test_a_stand_still_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "LOOK", 0.1)
    monkeypatch.setattr(worker_pool, "STILL", 1.0)
    run(("return", 0))  # The server is up: the modules are there.
    results = run(("return", 1), ("sleep", 600), ("return", 2), ("return", 3))
    assert results == [1, Lost("made no progress for 1 s"), 2, 3]


def test_a_worker_that_was_killed_tries_again(tmp_path: Path) -> None:
    """The kernel kills one where memory runs out: its input is as good as any."""
    marks = [("kill once", str(tmp_path / str(n))) for n in range(3)]
    results = run(("return", 1), *marks, ("return", 2))
    assert results == [1, "done", "done", "done", 2]


def _server_killed(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Kill the server of the workers while it is asked for one, so many times."""
    killed: list[int] = []
    real = forkserver.connect_to_new_process

    def asked(descriptors: Any) -> Any:
        if len(killed) < times:
            forkserver.ensure_running()
            pid = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)
            raise EOFError("unexpected EOF")  # What reading its answer gives.
        return real(descriptors)

    monkeypatch.setattr(forkserver, "connect_to_new_process", asked)
    return killed


@pytest.mark.skipif(FORKSERVER not in multiprocessing.get_all_start_methods(), reason="no such")
def test_a_server_that_was_killed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = _server_killed(monkeypatch, 1)
    assert run(*[("return", n) for n in range(5)]) == list(range(5))
    assert len(killed) == 1


@pytest.mark.skipif(FORKSERVER not in multiprocessing.get_all_start_methods(), reason="no such")
def test_a_server_that_is_killed_always_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    _server_killed(monkeypatch, 99)
    with pytest.raises(BrokenRun, match="cannot start a worker: the server of the workers was"):
        run(("return", 1))


def test_every_input_may_be_lost() -> None:
    results = run(*[("exit", 1)] * 5)
    assert results == [Lost("crashed the decoder (exit 1)")] * 5


def test_what_ends_the_run_ends_it() -> None:
    results = each(do, [("return", 1), ("end", 0), ("return", 2)], Crew(1))
    assert next(results) == 1
    with pytest.raises(BrokenRun, match=r"^x\.png: no space left on device\. Make room\.$"):
        next(results)


def test_decoders_are_not_heard(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(("write", "libfoo: warning\n")) == [None]
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc")
def test_workers_go_when_the_reader_does() -> None:
    results = each(do, [("pid", 0)] * 100, Crew(2))
    workers = {next(results) for _ in range(8)}
    results.close()
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            while _is_running(pid):
                time.sleep(0.01)
            raise ProcessLookupError


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc")
def test_a_bomb_takes_at_most_a_gigabyte() -> None:
    deflated = odd.deflated_bomb(900)
    bombs = [
        odd.png_bomb(),
        deflated,
        deflated[132:],
        odd.png_claiming(10000, 10000),
        odd.dicom(Rows=10000, Columns=10000),
    ]
    for bomb in bombs:
        # A worker that loses its input is replaced: its peak was under the limit that ended it.
        outcome, peak = run(("decode", bomb), ("peak", 0), jobs=1)
        assert isinstance(outcome, Lost) or outcome != "read"
        assert peak < GIB


def test_decoders_that_abort() -> None:
    """GDCM ends the process on some damaged files."""
    items = []
    for name in ("jpeg-ls.dcm", "jpeg-lossless.dcm", "j2k.dcm"):
        data = odd.DICOMS[name]()
        items += [("decode", odd.corrupted(data, number)) for number in range(60)]
    results = run(*items)
    assert len(results) == 180
    assert all(isinstance(r, str) or r.reason.startswith("crashed the decoder") for r in results)


def test_a_worker_that_cannot_start_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the fault of the inputs, which would else all be called damaged."""
    monkeypatch.setattr(worker_pool, "_serve", exit_at_once)
    with pytest.raises(BrokenRun, match=r"a worker cannot start \(exit 9\)"):
        run(("exit", 0))


def exit_at_once(*_: Any) -> None:
    os._exit(9)


def test_a_folder_of_the_packages_name_does_not_take_its_place(tmp_path: Path) -> None:
    """A clone in the working folder is a folder `cxrtool` that is no package."""
    (tmp_path / "cxrtool").mkdir()
    (tmp_path / "in").mkdir()
    for number in range(3):
        Image.new("L", (40, 40), number).save(tmp_path / "in" / f"{number}.png")
    # As the script of the installed package does: the working folder is not where modules are.
    script = "import sys; sys.path.remove(''); from cxrtool.__main__ import main; main()"
    command = [sys.executable, "-c", script, "ingest", "in", "-j", "2", "-o", "m.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, len(rows_of(tmp_path / "m.csv"))) == (0, 3), done.stderr


def test_an_early_server_leaves_the_threads_of_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    parallel.prepare("cxrtool.data.measurement")
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"
