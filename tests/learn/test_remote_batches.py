"""Networks on the workers of a Dask cluster: the same bytes and the same words as here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import odd
import pytest
from cluster import kill, launched
from handy import Run, rows_of, write, write_table

pytestmark = pytest.mark.slow

SMALL = ("--arch", "conv8", "--size", "32", "--epochs", "1", "--device", "cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("remote")


@pytest.fixture(scope="module")
def engine(place: Path) -> Iterator[str]:
    process, address = launched(place)
    yield f"dask={address}"
    kill(process)


@pytest.fixture
def given(cxrtool: Run, tmp_path: Path) -> Path:
    """Make a run, and images of which some cannot be read; all paths are relative."""
    made = ("phantom", "48", "--size", "40", "--labels", "normal,covid", "--sources", "2")
    assert cxrtool(*made, "-d", "in", "-o", "all.csv").returncode == 0
    assert cxrtool("split", "all.csv", "--val", "0.2", "-o", "split.csv").returncode == 0
    assert cxrtool("train", "split.csv", *SMALL, "-d", "run").returncode == 0
    write(tmp_path, {"in/empty.png": b"", "in/text.png": b"this is no image\n"})
    rows = rows_of(tmp_path / "all.csv")
    for number, name in enumerate(("in/empty.png", "in/text.png", "in/absent.png")):
        rows[11 * number + 3] |= {"path": name}
    return write_table(tmp_path / "m.csv", rows)


def test_nothing_is_otherwise(engine: str, given: Path, cxrtool: Run, tmp_path: Path) -> None:
    commands: list[tuple[str, ...]] = [
        # Batches of 7: the last one of a part is smaller.
        ("evaluate", "run", "m.csv", "--batch", "7", "--tta", "1", "--calibrate"),
        ("evaluate", "run", "m.csv", "--epoch", "last", "--threshold", "youden"),
        ("tsne", "run", "m.csv", "--batch", "7"),
        ("tsne", "run", "m.csv", "--layer", "map"),
    ]
    for command in commands:
        # On a busy machine, lines of progress would tell how long each took.
        silent = (*command, "--progress", "never")
        here = cxrtool(*silent, "--failures", "here.csv")
        there = cxrtool(*silent, "--failures", "there.csv", "--engine", engine)
        assert (there.returncode, there.stdout) == (here.returncode, here.stdout), command
        assert there.stderr == here.stderr.replace("here.csv", "there.csv")
        assert there.returncode == 1 and there.stdout.count("\n") == 46
        assert (tmp_path / "there.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()
        assert len(rows_of(tmp_path / "there.csv")) == 3


def test_a_run_of_the_same_name_that_is_another(
    engine: str, given: Path, cxrtool: Run, tmp_path: Path
) -> None:
    """A worker keeps a network only as long as its file is the same."""
    command = ("evaluate", "run", "m.csv", "--engine", engine)
    for epoch in ("best", "last"):
        before = cxrtool(*command, "--epoch", epoch).stdout
        seed = {"best": "5", "last": "6"}[epoch]
        again = ("train", "split.csv", *SMALL, "--seed", seed, "--force")
        assert cxrtool(*again, "-d", "run").returncode == 0
        after = cxrtool(*command, "--epoch", epoch).stdout
        assert after != before
        assert after == cxrtool("evaluate", "run", "m.csv", "--epoch", epoch).stdout


@pytest.mark.parametrize("command", ["evaluate", "tsne"])
def test_mistakes(command: str, engine: str, given: Path, cxrtool: Run) -> None:
    idle = {
        "--jobs": ("2", "the workers are those of --engine"),
        "--cache": ("c", "the workers of --engine read every image anew"),
    }
    for option, (value, why) in idle.items():
        done = cxrtool(command, "run", "m.csv", "--engine", engine, option, value)
        line = f"cxrtool {command}: {option} has no effect: {why}. Leave it out.\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", line)
    done = cxrtool(command, "run", "m.csv", "--engine", engine, "--device", "cuda:99")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the device cuda:99 is not available. Choose one of: auto, cpu" in done.stderr
    done = cxrtool(command, "run", "m.csv", "--engine", "dask=tcp://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "127.0.0.1:1: no Dask scheduler answers there. Start one" in done.stderr


def test_an_image_that_crashes_workers_is_one_loss(
    given: Path, cxrtool: Run, tmp_path: Path
) -> None:
    # GDCM ends its process on this one.
    write(tmp_path, {"in/bad.dcm": odd.corrupted(odd.DICOMS["jpeg-ls.dcm"](), 43)})
    rows = rows_of(given)
    rows[20] |= {"path": "in/bad.dcm"}
    write_table(given, rows)
    process, address = launched(tmp_path)
    command = ("evaluate", "run", "m.csv", "--batch", "16")
    there = cxrtool(*command, "--engine", f"dask={address}")
    kill(process)
    here = cxrtool(*command)
    assert (there.returncode, there.stdout) == (1, here.stdout)
    assert "in/bad.dcm: crashed the workers of the cluster. Remove it." in there.stderr
    assert there.stdout.count("\n") == 45
