"""The same work on a Dask cluster: the same files, the same table, the same words."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import odd
import pytest
from cluster import kill, launched
from distributed import Client
from handy import (
    Run,
    noise,
    random_png,
    rows_of,
    snapshot,
    start,
    table,
    wait_for,
    write,
    write_table,
)

from cxrtool.core import dask_engine
from cxrtool.core.errors import BrokenRun, CxrtoolError, ExitCode
from cxrtool.preprocess.pipeline import REMEDY


class NotThere:
    """Work whose module the workers cannot import, as that of networks without PyTorch."""

    __module__ = "cxrtool.not_there"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, address = launched(tmp_path_factory.mktemp("cluster"))
    yield f"dask={address}"
    kill(process)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Good and bad inputs of all sizes, by their whole paths."""
    files = {f"x/{n:02}.png": noise(n, 16 + 40 * (n % 4)) for n in range(24)}
    files |= {"x/03.png": b"", "x/07.png": b"this is no image\n", "x/a.dcm": odd.dicom()}
    files["x/pages.tif"] = odd.PICTURES["pages.tif"]()
    write(tmp_path, files)
    names = [*sorted(files), "x/absent.png"]
    rows = [{"path": str(tmp_path / n), "raw": n, "label": "x"} for n in names]
    return write_table(tmp_path / "m.csv", rows)


@pytest.mark.parametrize(
    "command",
    [
        ("equalize", "--method", "clahe"),
        ("equalize", "--method", "stack", "--size", "32"),
        ("segment", "--model", "threshold", "--keep", "box"),
    ],
    ids=["equalize", "stack", "segment"],
)
def test_nothing_is_otherwise(
    command: tuple[str, ...], engine: str, given: Path, cxrtool: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    here = cxrtool(*command, given, "-d", folder)
    folder.rename(tmp_path / "here")
    there = cxrtool(*command, given, "-d", folder, "--engine", engine)
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr)
    assert there.returncode == 1 and there.stdout == here.stdout
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "here")
    assert len(rows_of(tmp_path / "out" / "failures.csv")) == 3


def test_an_audit_measures_the_same(engine: str, given: Path, cxrtool: Run, tmp_path: Path) -> None:
    rows = [
        {"path": row["path"], "label": ["normal", "covid"][k % 2], "patient": f"a/{k}"}
        for k, row in enumerate(rows_of(given))
    ]
    manifest = write_table(tmp_path / "audited.csv", rows)
    command = ("audit", manifest, "-d", tmp_path / "out", "--checks", "bystanders,spike-in")
    here = cxrtool(*command)
    (tmp_path / "out").rename(tmp_path / "here")
    there = cxrtool(*command, "--engine", engine)
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr)
    assert there.returncode == 1, "some images cannot be read"
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "here")


def test_a_run_goes_on_from_another_engine(
    engine: str, given: Path, cxrtool: Run, tmp_path: Path
) -> None:
    options = (given, "-d", tmp_path / "out")
    first = cxrtool("equalize", *options, "--where", "raw!=x/03.png,x/07.png,x/absent.png")
    made = {p: p.stat().st_mtime_ns for p in tmp_path.glob("out/*.png")}
    where = ("--where", "raw!=x/03.png,x/07.png,x/absent.png", "--engine", engine)
    again = cxrtool("equalize", *options, *where)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("out/*.png")} == made


def test_paths_are_relative_to_where_the_command_runs(
    engine: str, cxrtool: Run, tmp_path: Path
) -> None:
    """The workers of a cluster stand in other folders."""
    write(tmp_path, {"x/1.png": noise(1), "x/2.png": noise(2)})
    done = cxrtool(
        "equalize", "-", "-d", "eq", "--engine", engine, stdin="path\nx/1.png\nx/2.png\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(table(done.stdout)) == 2


@pytest.mark.parametrize("command", ["equalize", "segment"])
def test_a_relative_root_is_that_of_the_command(
    command: str, engine: str, cxrtool: Run, tmp_path: Path
) -> None:
    write(tmp_path, {"x/1.png": noise(1), "x/m.png": noise(2)})
    options = ("-d", "out", "--root", "x", "--engine", engine)
    done = cxrtool(command, "-", *options, stdin="path,mask,lesion\n1.png,m.png,m.png\n")
    assert (done.returncode, "cannot be" in done.stderr) == (0, False), done.stderr


def test_the_first_rows_come_out_while_the_last_are_to_come(engine: str, tmp_path: Path) -> None:
    write(tmp_path, {"1.png": noise(1)})
    line = f"{tmp_path / '1.png'}\n".encode()
    command = ("equalize", "-", "-d", tmp_path / "eq", "--engine", engine)
    process = start(tmp_path, *command, stdin=subprocess.PIPE, bufsize=0)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"path\n" + 40 * line)
    assert process.stdout.readline() == b"path,preprocessing\n"
    assert process.stdout.readline().endswith(b",equalize --method hist\n")
    out, error = process.communicate(timeout=60)
    assert (process.returncode, error, len(out.splitlines())) == (0, b"", 39)


def test_strict(engine: str, given: Path, cxrtool: Run, tmp_path: Path) -> None:
    options = ("-d", tmp_path / "out", "--strict", "-o", "eq.csv", "--engine", engine)
    done = cxrtool("equalize", given, *options)
    path = tmp_path / "x" / "03.png"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cxrtool equalize: {path}: the file is empty. Repair or remove it.\n"


@pytest.mark.parametrize(
    ("how", "code", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_interrupted(how: int, code: int, word: str, engine: str, tmp_path: Path) -> None:
    write(tmp_path, {"1.png": noise(1)})
    command = ("equalize", "-", "-d", tmp_path / "eq", "-o", "eq.csv", "--engine", engine)
    process = start(tmp_path, *command, stdin=subprocess.PIPE, bufsize=0)
    assert process.stdin is not None
    process.stdin.write(b"path\n" + 40 * f"{tmp_path / '1.png'}\n".encode())
    wait_for(lambda: bool(list(tmp_path.glob("eq/*.png"))))
    process.send_signal(how)
    _, error = process.communicate(timeout=60)
    line = f"cxrtool equalize: {word}. Run it again to finish\n"
    assert (process.returncode, error.decode()) == (code, line)
    assert not (tmp_path / "eq.csv").exists()


@pytest.mark.parametrize("address", ["nonsense://here:1", "a b", "tcp://here", "tcp://a:b"])
def test_an_address_that_is_none(address: str, cxrtool: Run, tmp_path: Path) -> None:
    done = cxrtool("equalize", "-", "-d", "eq", "--engine", f"dask={address}", stdin="path\na\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"cxrtool equalize: '{address}' is not the address of a Dask scheduler. "
        "Write it as dask=tcp://HOST:8786 (--engine).\n"
    )


@pytest.mark.slow
def test_workers_that_cannot_import_the_work_are_refused(engine: str) -> None:
    with pytest.raises(CxrtoolError, match=r"cannot be used \(No module named .*not_there'\)\. In"):
        list(dask_engine.each(NotThere(), [1], engine.removeprefix("dask=")))  # type: ignore[arg-type]


def test_no_scheduler(cxrtool: Run, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    done = cxrtool("equalize", "-", "-d", "eq", "--engine", f"dask={address}", stdin="path\na\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"cxrtool equalize: {address}: no Dask scheduler answers there. "
        "Start one (dask scheduler), or check the address (--engine).\n"
    )


@pytest.mark.slow
def test_no_workers(cxrtool: Run, tmp_path: Path) -> None:
    process, address = launched(tmp_path, 0)
    done = cxrtool("equalize", "-", "-d", "eq", "--engine", f"dask={address}", stdin="path\na\n")
    kill(process)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert re.fullmatch(
        rf"cxrtool equalize: {address}: the workers of this Dask scheduler cannot be used "
        r"\(\w*TimeoutError\)\. Install cxrtool .* where the workers run, and start some "
        r"\(dask worker\)\.\n",
        done.stderr,
    )


class Deserted:
    """A cluster without workers, as its client shows it."""

    def nthreads(self) -> dict[str, int]:
        return {}

    def wait_for_workers(self, number: int, timeout: float) -> None:
        self.timeout = timeout
        raise TimeoutError


def test_workers_that_were_lost_are_given_time_to_come_back(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dask_engine, "_known", set())
    client = Deserted()
    with pytest.raises(CxrtoolError, match="cannot be used") as refused:
        dask_engine._slots(client, "tcp://a:1", "json")
    assert not isinstance(refused.value, BrokenRun) and client.timeout == dask_engine.PATIENCE
    # Work that has begun ends with another exit code, and not within seconds.
    monkeypatch.setattr(dask_engine, "_known", {"tcp://a:1"})
    with pytest.raises(BrokenRun, match="cannot be used"):
        dask_engine._slots(client, "tcp://a:1", "json")
    assert client.timeout == dask_engine.GONE
    assert "waits for workers: tcp://a:1 has none left" in capfd.readouterr().err


@pytest.mark.slow
def test_workers_that_never_come_back_are_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, seconds in {"LOOK": 0.1, "SILENT": 0.2, "GONE": 0.6}.items():
        monkeypatch.setattr(dask_engine, name, seconds)
    process, address = launched(tmp_path)

    def items() -> Iterator[float]:
        with Client(address, set_as_default=False) as client:
            client.retire_workers(list(client.nthreads()))
        yield 0

    with pytest.raises(BrokenRun, match=r"had no workers for 0.01 minutes\. Start some") as caught:
        list(dask_engine.each(time.sleep, items(), address))
    kill(process)
    assert caught.value.code == ExitCode.BROKE_MIDWAY
    line = f"cxrtool: waits for workers: {address} has none left. Start some (dask worker)\n"
    assert capfd.readouterr().err == line


@pytest.mark.slow
def test_an_input_that_crashes_workers_is_one_loss(cxrtool: Run, tmp_path: Path) -> None:
    process, address = launched(tmp_path)
    good = [f"{n:02}.png" for n in range(12)]
    write(tmp_path, {name: noise(n) for n, name in enumerate(good)})
    # GDCM ends its process on this one.
    write(tmp_path, {"05x.dcm": odd.corrupted(odd.DICOMS["jpeg-ls.dcm"](), 43)})
    rows = [{"path": str(tmp_path / n), "raw": n} for n in sorted([*good, "05x.dcm"])]
    manifest = write_table(tmp_path / "m.csv", rows)
    command = ("equalize", manifest, "-d", tmp_path / "eq", "--progress", "never")
    done = cxrtool(*command, "--engine", f"dask={address}")
    kill(process)
    assert done.stderr.splitlines() == [
        f"cxrtool equalize: {tmp_path / '05x.dcm'}: crashed the workers of the cluster. {REMEDY}",
        f"cxrtool equalize: 1 skipped, listed in {tmp_path}/eq/failures.csv",
    ]
    assert (done.returncode, [r["raw"] for r in table(done.stdout)]) == (1, good)


@pytest.mark.slow
def test_a_cluster_that_goes_away(cxrtool: Run, tmp_path: Path) -> None:
    process, address = launched(tmp_path)
    names = [f"{n:03}.png" for n in range(200)]
    write(tmp_path, dict.fromkeys(names, random_png(256)))
    manifest = write_table(tmp_path / "m.csv", [{"path": str(tmp_path / n)} for n in names])
    command = ("equalize", manifest, "-d", tmp_path / "eq", "-o", "eq.csv", "--progress", "never")
    options = ("--method", "ahe:disk=100", "--engine", f"dask={address}")
    running = start(tmp_path, *command, *options)
    wait_for(lambda: len(list(tmp_path.glob("eq/*.png"))) >= 5)
    kill(process)
    out, error = running.communicate(timeout=100)
    assert (running.returncode, out) == (3, b"")
    assert error.decode() == (
        f"cxrtool equalize: {address}: the connection to the Dask cluster was lost. "
        "Run the same command again when it is back.\n"
    )
    assert not (tmp_path / "eq.csv").exists()
    done = cxrtool(*command, "--method", "ahe:disk=100")
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob("eq/.*")) and len(rows_of(tmp_path / "eq.csv")) == 200
