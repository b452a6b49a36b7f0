"""The weights of the last epoch: evaluated, and learned on from."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import handy
import numpy as np
import pytest
from handy import in_process
from PIL import Image
from safetensors.numpy import load_file


def made(folder: Path) -> None:
    """Train three epochs of which the first is the best: val has the labels the wrong way round."""
    rows = []
    for i in range(24):
        path = folder / f"{i}.png"
        values = np.random.default_rng(i).integers(0, 60, (16, 16))
        values[:, :8] += 150 * (i % 2)
        Image.fromarray(values.astype(np.uint8)).save(path)
        part = "train" if i < 16 else "val"
        right = ("normal", "covid")[i % 2]
        wrong = ("covid", "normal")[i % 2]
        label = right if part == "train" else wrong
        rows.append({"path": path.name, "label": label, "patient": f"p{i}", "split": part})
    handy.write_table(folder / "m.csv", rows)
    given = ["--arch", "conv8", "--size", "16", "--lr", "0.05", "--epochs", "6", "--batch", "8"]
    assert in_process("train", "m.csv", *given, "-d", "run", "--device", "cpu") == 0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXRTOOL_CACHE", str(tmp_path / "cache"))
    made(tmp_path)
    return tmp_path


def scores(folder: Path, *options: str) -> list[float]:
    given = ["evaluate", "run", "m.csv", *options, "-o", "p.csv"]
    assert in_process(*given) == 0
    with (folder / "p.csv").open(newline="") as file:
        return [float(row["p_normal"]) for row in csv.DictReader(file)]


def test_the_last_epoch_is_another_than_the_best(run: Path) -> None:
    best, last = scores(run), scores(run, "--epoch", "last")
    assert scores(run, "--epoch", "best") == best
    assert np.abs(np.array(best) - np.array(last)).max() > 1e-3
    # A run whose best weights are those of last.safetensors says the same.
    kept = load_file(run / "run/last.safetensors")
    weights = {k.removeprefix("model."): v for k, v in kept.items() if k.startswith("model.")}
    there = load_file(run / "run/model.safetensors")
    assert weights.keys() == there.keys()
    assert any((weights[name] != there[name]).any() for name in there)


def test_a_training_may_begin_with_the_last_epoch(run: Path) -> None:
    given = ["--arch", "conv8", "--size", "16", "--lr", "1e-9", "--epochs", "1", "--batch", "8"]
    for spec, folder in (("run:last", "on"), ("run", "from-best")):
        assert in_process("train", "m.csv", *given, "--weights", spec, "-d", folder) == 0
    last = load_file(run / "run/last.safetensors")
    best = load_file(run / "run/model.safetensors")
    for name, wanted in load_file(run / "on/model.safetensors").items():
        if name.endswith("weight") and name.startswith("body"):
            np.testing.assert_allclose(wanted, last[f"model.{name}"], atol=1e-6)
    begun = load_file(run / "from-best/model.safetensors")
    name = next(n for n in best if n.startswith("body") and best[n].ndim == 4)
    np.testing.assert_allclose(begun[name], best[name], atol=1e-6)
    assert np.abs(best[name] - last[f"model.{name}"]).max() > 1e-3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epoch", "first"], "--epoch 'first' is not one of: best, last."),
        (["--epoch", "last", "--calibrate"], "--calibrate has no effect: a run keeps the"),
        (["--epoch", "last", "--threshold", "val"], "--threshold val has no effect: a run keeps"),
    ],
)
def test_what_the_last_epoch_does_not_have_is_refused(
    run: Path, options: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process("evaluate", "run", "m.csv", *options, "-o", "p.csv") == 2
    assert capfd.readouterr().err.splitlines()[-1].startswith(f"cxrtool evaluate: {message}")
    assert not (run / "p.csv").exists()


def test_a_run_without_a_last_epoch_says_so(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(run / "run", run / "bare")
    (run / "bare/last.safetensors").unlink()
    for command in (
        ["evaluate", "bare", "m.csv", "--epoch", "last", "-o", "p.csv"],
        ["train", "m.csv", "--arch", "conv8", "--size", "16", "--weights", "bare:last", "-d", "x"],
    ):
        assert in_process(*command) == 2
        said = capfd.readouterr().err.splitlines()[-1]
        assert "bare: has no last.safetensors, which holds the weights of the last epoch" in said
