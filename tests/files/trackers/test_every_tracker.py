"""What every tracker of `train --log` shows, read back with the program's own package."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from handy import in_process, rows_of

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.files import run_folder
from cxrtool.files.trackers import mlflow as own_mlflow
from cxrtool.learn.tracking import Tracking

Figures = dict[int, dict[str, float]]  # by epoch
ROWS: list[dict[str, Any]] = [
    {"epoch": 1, "loss": 0.75, "val_auc": None, "seconds": 1.5},
    {"epoch": 2, "loss": 0.5, "val_auc": 0.625, "seconds": 1.25},
    {"epoch": 3, "loss": 0.25, "val_auc": 0.875, "seconds": 1.0},
]
SHOWN = {r["epoch"]: {k: v for k, v in r.items() if k != "epoch" and v is not None} for r in ROWS}


def in_tensorboard(folder: Path) -> Figures:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / run_folder.EVENTS))
    events.Reload()
    found: Figures = {}
    for name in events.Tags()["scalars"]:
        for event in events.Scalars(name):
            assert name not in found.setdefault(event.step, {}), "an epoch stands twice"
            found[event.step][name] = event.value
    return found


def in_mlflow(folder: Path) -> Figures:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / run_folder.MLFLOW}")
    experiment = client.get_experiment_by_name("cxrtool")
    last = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])[0]
    found: Figures = {}
    for name in last.data.metrics:
        for metric in client.get_metric_history(last.info.run_id, name):
            assert name not in found.setdefault(metric.step, {}), "an epoch stands twice"
            found[metric.step][name] = metric.value
    return found


READERS: dict[str, Callable[[Path], Figures]] = {
    "mlflow": in_mlflow,
    "tensorboard": in_tensorboard,
}
trackers = pytest.mark.parametrize("name", registry.names("trackers"))
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(own_mlflow.SERVER, raising=False)


def follow(name: str, folder: Path, done: int, until: int, *, end: bool = True) -> None:
    """Track a run that goes on after some epochs."""
    for package in registry.module("trackers", name).PACKAGES:
        pytest.importorskip(package, reason=f"pip install 'cxrtool[{name}]'")
    tracker = registry.module("trackers", name).Tracker(str(folder), "key", {"arch": "cnn-x"})
    tracker.begin(ROWS[:done])
    for row in ROWS[done:until]:
        tracker.add(row)
    if end:
        tracker.end()


@trackers
def test_all_epochs_are_shown(name: str, tmp_path: Path) -> None:
    follow(name, tmp_path, 0, 3)
    assert READERS[name](tmp_path) == SHOWN


@trackers
def test_a_run_that_was_stopped_is_shown_whole(name: str, tmp_path: Path) -> None:
    """The second epoch was done, and the process killed before the tracker knew it."""
    follow(name, tmp_path, 0, 1, end=False)
    follow(name, tmp_path, 2, 3)
    assert READERS[name](tmp_path) == SHOWN


@trackers
def test_a_run_that_begins_anew_shows_no_old_epoch(name: str, tmp_path: Path) -> None:
    follow(name, tmp_path, 0, 3)
    follow(name, tmp_path, 0, 1)
    assert READERS[name](tmp_path) == {1: SHOWN[1]}


@trackers
def test_a_planted_link_is_not_followed(name: str, tmp_path: Path) -> None:
    own = run_folder.EVENTS if name == "tensorboard" else run_folder.MLFLOW
    target = tmp_path / "elsewhere"
    run = tmp_path / "run"
    run.mkdir()
    if name == "tensorboard":
        target.mkdir()
        (target / "kept").write_text("kept")
    else:
        target.write_text("kept")
    (run / own).symlink_to(target)
    follow(name, run, 0, 1)
    assert not (run / own).is_symlink()
    kept = target / "kept" if target.is_dir() else target
    assert kept.read_text() == "kept"
    assert READERS[name](run) == {1: SHOWN[1]}


def test_a_store_that_was_torn_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / run_folder.MLFLOW).write_bytes(b"SQLite format 3\0 and no more")
    follow("mlflow", tmp_path, 3, 3)
    assert in_mlflow(tmp_path) == SHOWN


def test_a_training_goes_on_without_its_tracker(capfd: pytest.CaptureFixture[str]) -> None:
    class Full:
        def begin(self, rows: list[dict[str, Any]]) -> None: ...

        def add(self, row: dict[str, Any]) -> None:
            raise OSError(28, "No space left on device")

        def end(self) -> None:
            raise AssertionError("it is not followed any more")

    tracking = Tracking({"tensorboard": Full()})
    tracking.begin([])
    tracking.add(ROWS[0])
    tracking.add(ROWS[1])
    tracking.end()
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "warning: tensorboard is not followed any more" in lines[0]
    assert "history.csv has all epochs" in lines[0]


def test_a_server_that_is_not_there_ends_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(own_mlflow.SERVER, "nosuch://here")
    with pytest.raises(CxrtoolError, match="nosuch://here: cannot be opened"):
        follow("mlflow", tmp_path, 0, 1)


@trackers
def test_a_missing_package_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from importlib import util

    there = util.find_spec
    gone = registry.module("trackers", name).PACKAGES[0]
    monkeypatch.setattr(util, "find_spec", lambda n, *a: None if n == gone else there(n, *a))
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,label,split\n")
    run = tmp_path / "run"
    assert in_process("train", str(manifest), "--log", name, "-d", str(run)) == 2
    line = capfd.readouterr().err
    assert f"{name} needs the package {gone}" in line
    assert f"pip install 'cxrtool[{name}]'" in line
    assert not run.exists()


@trackers
def test_train_shows_what_history_csv_has(name: str, tmp_path: Path) -> None:
    for package in registry.module("trackers", name).PACKAGES:
        pytest.importorskip(package, reason=f"pip install 'cxrtool[{name}]'")
    listed, split, run = (str(tmp_path / n) for n in ("m.csv", "s.csv", "run"))
    small = ["phantom", "24", "--size", "32", "-d", str(tmp_path / "p"), "-q", "-j", "1"]
    assert in_process(*small, "-o", listed) == 0
    assert in_process("split", listed, "--test", "0.3", "--val", "0.3", "-q", "-o", split) == 0
    options = ["--arch", "cnn-x", "--size", "32", "--epochs", "2", "--device", "cpu", "-q"]
    cache = ["--cache", str(tmp_path / "cache")]
    assert in_process("train", split, *options, *cache, "--log", name, "-d", run) == 0
    rows = rows_of(Path(run) / run_folder.HISTORY)
    found = READERS[name](Path(run))
    assert sorted(found) == [int(row["epoch"]) for row in rows] == [1, 2]
    for row in rows:
        for column, text in row.items():
            if column != "epoch" and text:
                shown = found[int(row["epoch"])][column]
                assert shown == pytest.approx(float(text), rel=1e-4)
    assert os.path.exists(Path(run) / run_folder.ABOUT)
