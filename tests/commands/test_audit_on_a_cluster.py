"""`cxrtool audit --run RUN --engine dask=...`: the same folder and words as on this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from cluster import in_this_process, kill, launched
from handy import in_process, rows_of, write, write_table

from cxrtool.core.errors import CxrtoolError
from cxrtool.explain.explanation import Explainer
from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference

Said = pytest.CaptureFixture[str]
DASK = ("--engine", "dask=tcp://localhost:1")
ASKED = "ablation,heat,hidden-slices,markers,source-probe"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, address = launched(tmp_path_factory.mktemp("remote"))
    yield f"dask={address}"
    kill(process)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two runs and a table of images, of which some cannot be read; all paths are relative."""
    place = tmp_path_factory.mktemp("inputs")
    made = ("phantom", "120", "--size", "40", "--labels", "normal,covid", "--sources", "2", "-q")
    assert in_process(*made, "-d", str(place / "in"), "-o", str(place / "all.csv"), "-j", "1") == 0
    write(place, {"in/empty.png": b"", "in/text.png": b"this is no image\n"})
    rows = rows_of(place / "all.csv")
    for row in rows:
        for column in ("path", "mask"):
            row[column] = str(Path(row[column]).relative_to(place))
    for number, name in enumerate(("in/empty.png", "in/text.png", "in/absent.png")):
        rows[7 * number + 3] |= {"path": name}
    rows[20] |= {"mask": "in/absent.png"}
    rows[40] |= {"mask": "in/text.png"}
    # Of these the workers find the lungs.
    rows[50] |= {"mask": ""}
    rows[51] |= {"mask": ""}
    write_table(place / "m.csv", rows)
    torch.manual_seed(1)
    network = inference.built("conv8", 2, 1, 32)
    weights = network.state_dict()
    made_run(place / "run", weights)
    # It has no heat, so that a check is not assessed.
    zeros = {name: torch.zeros_like(value) for name, value in weights.items()}
    made_run(place / "blind", zeros)
    return place


def made_run(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    folder.mkdir()
    about = run_record.About("conv8", ["normal", "covid"], 32, 1, mean=[120.0], std=[50.0])
    run_folder.write(str(folder), about, weights)


@pytest.fixture
def given(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a copy of that folder, on one thread."""
    shutil.copytree(inputs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXRTOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)


def audit(run: str, *more: str) -> int:
    fixed = ("--device", "cpu", "--progress", "never", "--fail-on", "none", "-d", "out")
    return in_process("audit", "m.csv", "--run", run, *fixed, *more)


def renamed(capfd: Said, name: str) -> tuple[str, dict[str, bytes]]:
    """Take away what a call has said and made: the next one gives its files the same names."""
    Path("out").rename(name)
    return capfd.readouterr().err, every_file(Path(name))


def every_file(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def checks(folder: str) -> dict[str, dict[str, Any]]:
    record = json.loads(Path(folder, "audit.json").read_text())
    return {row["check"]: row for row in record["checks"]}


@pytest.mark.slow
@pytest.mark.usefixtures("given")
def test_nothing_is_otherwise(capfd: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = in_this_process(monkeypatch, lambda _: False)
    assert audit("run", "--checks", ASKED, "-j", "1") == 1
    here = renamed(capfd, "here")
    assert not sent and audit("run", "--checks", ASKED, *DASK) == 1
    assert sent and renamed(capfd, "there") == here
    found = checks("here")
    assert len(found) == 5 and all(row["value"] is not None for row in found.values())
    assert len(rows_of(Path("here/predictions.csv"))) == 117
    lost = {row["path"] for row in rows_of(Path("here/failures.csv"))}
    assert {"in/empty.png", "in/text.png", "in/absent.png"} < lost and len(lost) == 5


@pytest.mark.usefixtures("given")
def test_a_check_that_the_network_does_not_allow(
    capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CxrtoolError("it has no map", "Choose another one.")

    monkeypatch.setattr(Explainer, "look", refuse)
    in_this_process(monkeypatch, lambda _: False)
    assert audit("run", "--checks", "heat", "-j", "1") == 1
    here = renamed(capfd, "here")
    assert audit("run", "--checks", "heat", *DASK) == 1
    assert renamed(capfd, "there") == here
    row = checks("here")["heat"]
    assert row["verdict"] == "not assessed"
    assert row["meaning"].startswith("This network does not allow it: it has no map.")


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("where", [("-j", "1"), DASK])
@pytest.mark.parametrize("check", ["ablation", "heat"])
def test_strict_is_no_fault_of_the_network(
    check: str, where: tuple[str, ...], capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch, lambda _: False)
    rows = rows_of(Path("m.csv"))
    write_table(Path("m.csv"), [row for row in rows if row["mask"] != "in/text.png"])
    conditions = ("--where", "path!=in/empty.png,in/text.png,in/absent.png")
    assert audit("run", "--checks", check, "--strict", *conditions, *where) == 2
    (line,) = [one for one in capfd.readouterr().err.splitlines() if "its mask" in one]
    assert line.endswith(
        "absent.png cannot be read: no such file or directory. Repair or remove it."
    )
    assert not Path("out/audit.csv").exists()


@pytest.mark.usefixtures("given")
def test_an_image_that_crashes_workers_is_one_loss(
    capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(Path("m.csv"))
    lost = rows[30]["path"]

    def kills(item: Any) -> bool:
        images = getattr(item, "images", [item])
        known = getattr(item, "lost", {})
        paths = [getattr(one, "path", one) for one in images]
        return any(path == lost for n, path in enumerate(paths) if n not in known)

    in_this_process(monkeypatch, kills)
    assert audit("run", "--checks", "markers", *DASK) == 1
    words, files = renamed(capfd, "there")
    assert f"cxrtool audit: {lost}: crashed its worker. Remove it.\n" in words
    Path(lost).write_bytes(b"")
    assert audit("run", "--checks", "markers", "-j", "1") == 1
    _, others = renamed(capfd, "here")
    for name in ("audit.csv", "audit.json", "predictions.csv"):
        assert files[name] == others[name]
    assert len(rows_of(Path("there/predictions.csv"))) == 116


@pytest.mark.usefixtures("given")
def test_options_without_effect(capfd: Said) -> None:
    idle = {
        ("--jobs", "2"): "the workers are those of --engine",
        ("--cache", "c"): "the workers of --engine read every image anew",
    }
    for option, why in idle.items():
        assert audit("run", *DASK, *option) == 2
        line = f"cxrtool audit: {option[0]} has no effect: {why}. Leave it out.\n"
        assert capfd.readouterr().err == line
    # A training stays on this machine, and so do its workers and its decoded images.
    more = ("--retrain", "--jobs", "2", "--cache", "c", "--checks", "lungs-out")
    assert audit("run", "--engine", "dask=here", *more) == 2
    assert "'here' is not the address of a Dask scheduler" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("run", ["run", "blind"])
def test_the_workers_of_a_real_cluster(run: str, engine: str, capfd: Said) -> None:
    assert audit(run) == 1
    here = renamed(capfd, "here")
    assert audit(run, "--engine", engine) == 1
    assert renamed(capfd, "there") == here
    found = checks("here")
    assert len(found) > 15
    assert (found["heat"]["verdict"] == "not assessed") == (run == "blind")
    assert {"audit.html", "predictions.csv", "checks/heat.json"} <= here[1].keys()


@pytest.mark.slow
@pytest.mark.usefixtures("given")
def test_a_kept_audit_goes_on_from_another_engine(engine: str, capfd: Said) -> None:
    assert audit("run", "--checks", ASKED, "--engine", engine) == 1
    times = {file: file.stat().st_mtime_ns for file in Path("out/checks").iterdir()}
    assert len(times) == 5 and audit("run", "--checks", ASKED) == 1
    assert {file: file.stat().st_mtime_ns for file in Path("out/checks").iterdir()} == times


@pytest.mark.slow
@pytest.mark.usefixtures("given")
def test_a_device_that_the_workers_lack(engine: str, capfd: Said) -> None:
    assert audit("run", "--engine", engine, "--device", "cuda:99") == 2
    assert "the device cuda:99 is not available. Choose one of: auto, cpu" in capfd.readouterr().err
