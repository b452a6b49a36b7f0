"""`cxrtool cam --engine dask=...`: the same pictures, tables and words as on this machine."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from cluster import in_this_process, kill, launched
from handy import ages, in_process, pixels, rows_of, snapshot, start, wait_for, write, write_table

from cxrtool.explain.explanation import Explainer
from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference

Said = pytest.CaptureFixture[str]
DASK = ("--engine", "dask=tcp://localhost:1")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, address = launched(tmp_path_factory.mktemp("remote"))
    yield f"dask={address}"
    kill(process)


def made(folder: Path, arch: str, size: int, *classes: str, **about: Any) -> None:
    """Write a run with fresh weights."""
    folder.mkdir()
    torch.manual_seed(1)
    build = inference.of_findings if about.get("task") == "findings" else inference.built
    network = build(arch, len(classes), 1, size)
    known = run_record.About(arch, [*classes], size, 1, mean=[120.0], std=[50.0], **about)
    run_folder.write(str(folder), known, network.state_dict())


@pytest.fixture(scope="module")
def inputs(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make runs and a table of images, some of them unreadable; all paths are relative."""
    place = tmp_path_factory.mktemp("inputs")
    made(place / "run", "cnn-x", 32, "covid", "normal")
    made(place / "ill", "cnn-x", 24, "normal", "ill")
    made(place / "which", "conv8", 40, "covid", "pneumonia")
    made(place / "base", "cxnet-base", 96, "covid", "normal")
    made(place / "list", "cnn-x", 32, "Edema", "Nodule", task="findings")
    rows = [row | {"finding": "Edema"} for row in rows_of(phantoms / "all.csv")[:24]]
    write(place, {"in/empty.png": b"", "in/text.png": b"this is no image\n"})
    for number, row in enumerate(rows):
        for column in ("path", "mask", "lesion"):
            if row[column]:
                name = f"in/{column}-{number}.png"
                shutil.copy(row[column], place / name)
                row[column] = name
    for number, name in enumerate(("in/empty.png", "in/text.png", "in/absent.png")):
        rows[7 * number + 3] |= {"path": name}
    rows[5] |= {"mask": "in/text.png"}
    rows[6] |= {"label": ""}
    write_table(place / "m.csv", rows)
    return place


@pytest.fixture
def given(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a copy of that folder, on one thread."""
    shutil.copytree(inputs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let this process be the worker of a cluster, and note what it is sent."""
    return in_this_process(monkeypatch, kills)


def kills(item: Any) -> bool:
    """Whether a worker would read an image that ends its process."""
    rows = [item] if isinstance(item, dict) else item.images
    lost = getattr(item, "lost", {})
    return any(row["path"] == "in/kills.png" for n, row in enumerate(rows) if n not in lost)


CALLS: dict[str, list[str]] = {
    # Batches of 7: some have images without a picture in them, and the last one is smaller.
    "gradcam": ["run", "m.csv", "--class", "label", "--batch", "7"],
    "occlusion": ["run", "m.csv", "--method", "occlusion:cells=4", "--signs", "both"],
    "hierarchy": ["ill", "m.csv", "--hierarchy", "which", "--batch", "5"],
    "instead": ["base", "m.csv", "--method", "cam", "--mask", "auto", "--where", "view=PA"],
    "finding": ["list", "m.csv", "--class", "Edema", "--lesion", "none", "--outline", "0"],
    "images": ["run", "in/text.png", "in/path-0.png", "in/path-1.png"],
}


def cam(*args: str) -> int:
    fixed = ("--device", "cpu", "--progress", "never", "-d", "out", "-o", "out/maps.csv")
    return in_process("cam", *args, *fixed)


def renamed(capfd: Said, name: str) -> tuple[str, dict[str, bytes]]:
    """Take away what a call has said and made: the next one gives its files the same names."""
    Path("out").rename(name)
    return capfd.readouterr().err, snapshot(Path(name))


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n == "instead")) for n in CALLS]
)
def test_nothing_is_otherwise(name: str, sent: list[Any], capfd: Said) -> None:
    assert cam(*CALLS[name], "-j", "1") == 1
    words, files = renamed(capfd, "here")
    assert "skipped" in words and (name != "instead" or words.count("cam is not defined") == 1)
    assert not sent and cam(*CALLS[name], *DASK) == 1
    assert sent and renamed(capfd, "there") == (words, files)
    assert len(files) >= 2 + len(rows_of(Path("here/maps.csv"))) >= 4


@pytest.mark.usefixtures("given")
@pytest.mark.usefixtures("sent")
def test_what_is_there_is_not_made_again() -> None:
    call = CALLS["gradcam"]
    assert cam(*call, "-j", "1") == 1
    before, times = snapshot(Path("out")), ages(Path("out"))
    lost = [name for name in sorted(times) if name.startswith("path-")][:3]
    for name in lost:
        Path("out", name).unlink()
    assert cam(*call, *DASK) == 1
    assert snapshot(Path("out")) == before
    after = ages(Path("out"))
    assert {name for name in after if after[name] != times[name]} == {*lost}


@pytest.mark.usefixtures("given")
def test_an_image_that_crashes_workers_is_one_loss(sent: list[Any], capfd: Said) -> None:
    shutil.copy("in/path-9.png", "in/kills.png")
    rows = rows_of(Path("m.csv"))
    rows[9] |= {"path": "in/kills.png"}
    write_table(Path("m.csv"), rows)
    assert cam("run", "m.csv", "--batch", "7", *DASK) == 1
    words, files = renamed(capfd, "there")
    assert "in/kills.png: crashed its worker. Leave it out, or make it smaller.\n" in words
    # The batch, its images one by one, and the batch without the image.
    assert len(sent) == 4 + 7 + 1 and len(rows_of(Path("there/maps.csv"))) == 20
    Path("in/kills.png").write_bytes(b"")
    assert cam("run", "m.csv", "--batch", "7", "-j", "1") == 1
    _, others = renamed(capfd, "here")
    assert files.pop("failures.csv") != others.pop("failures.csv") and files == others


@pytest.mark.usefixtures("given")
@pytest.mark.usefixtures("sent")
def test_a_worker_without_memory_ends_the_command_midway(
    capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Explainer, "look_framed", full)
    assert cam("run", "m.csv", *DASK) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert "is out of memory. Use workers with more memory, or a smaller --batch" in line
    assert not Path("out/maps.csv").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("name", ["gradcam", "occlusion", "hierarchy"])
def test_the_workers_of_a_real_cluster(name: str, engine: str, capfd: Said) -> None:
    call = [*CALLS[name], "--grid", "out/sheet.png"]
    assert cam(*call, "-j", "1") == 1
    here = renamed(capfd, "here")
    assert cam(*call, "--engine", engine) == 1
    assert renamed(capfd, "there") == here


@pytest.mark.slow
@pytest.mark.usefixtures("given")
def test_mistakes(engine: str, capfd: Said) -> None:
    mistakes = {
        ("--engine", engine, "--jobs", "2"): "--jobs has no effect: the workers are those of "
        "--engine. Leave it out.",
        ("--engine", engine, "--device", "cuda:99"): "the device cuda:99 is not available. "
        "Choose one of: auto, cpu",
        ("--engine", "dask=tcp://127.0.0.1:1"): "tcp://127.0.0.1:1: no Dask scheduler answers",
        ("--engine", engine, "--strict"): "in/empty.png: the file is empty. Repair or remove it.",
    }
    for options, message in mistakes.items():
        assert in_process("cam", "run", "m.csv", "-d", "out", "-o", "maps.csv", *options) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert line.startswith(f"cxrtool cam: {message}") and not Path("maps.csv").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("given")
@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_interrupted(how: int, code: int, engine: str, tmp_path: Path, capfd: Said) -> None:
    command = ("run", "m.csv", "--method", "occlusion", "--device", "cpu", "-d", "out")
    process = start(tmp_path, "cam", *command, "-o", "out/maps.csv", "--engine", engine)
    wait_for(lambda: bool(list(Path("out").glob("*.png"))))
    process.send_signal(how)
    _, error = process.communicate(timeout=300)
    word = {130: "interrupted", 143: "terminated"}[code]
    assert error.decode().endswith(f"cxrtool cam: {word}. Run it again to finish\n")
    assert process.returncode == code and not Path("out/maps.csv").exists()
    there = ages(Path("out"))
    assert all(pixels(Path("out", name)).shape == (32, 32, 3) for name in there)
    capfd.readouterr()
    assert cam("run", "m.csv", "--method", "occlusion", "-j", "1") == 1
    _, files = renamed(capfd, "finished")
    shown = {Path(row["overlay"]).name for row in rows_of(Path("finished/maps.csv"))}
    assert set(files) == {"failures.csv", "maps.csv", *shown} and len(shown) == 21
    assert there.items() <= ages(Path("finished")).items()
