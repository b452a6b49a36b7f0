"""A GPU gives what a CPU gives, and says so when it is full."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from handy import rows_of
from safetensors.torch import load_file

from cxrtool.core import registry
from cxrtool.explain.explanation import Sight
from cxrtool.files.run_record import About
from cxrtool.learn import batch_size, inference, losses, optimizers, training_data
from cxrtool.learn.training_loop import ImageSet, Learner, TrainingPlan

pytestmark = pytest.mark.gpu

WHY = "needs an NVIDIA GPU that PyTorch can use"
CPU = torch.device("cpu")


@pytest.fixture
def card() -> Iterator[torch.device]:
    """The card, which rounds as a CPU does."""
    if not torch.cuda.is_available():
        pytest.skip(WHY)
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield torch.device("cuda")
    torch.backends.cudnn.allow_tf32 = before


def images(number: int = 24, size: int = 32) -> ImageSet:
    """Two classes, of which one is darker."""
    values = np.random.default_rng(0).integers(0, 256, (number, 1, size, size), np.uint8)
    labels = np.arange(number) % 2
    values[labels == 1] //= 2
    return ImageSet(values, np.arange(number), labels)


def learner(where: torch.device, arch: str = "conv8", size: int = 32, amp: bool = False) -> Learner:
    torch.manual_seed(3)
    network = inference.built(arch, 2, 1, size).to(where)
    plan = TrainingPlan(
        losses.cross_entropy, optimizers.none(0.1, 2), 2, 8, mean=[100.0], std=[60.0], amp=amp
    )
    found = Learner(network, optimizers.build("sgd", network.parameters(), 0.1), plan, where)
    found.classes = 2
    return found


def figures(of: Learner, epochs: int = 2) -> dict[str, float]:
    data = images()
    for number in range(1, epochs + 1):
        found = of.epoch(number, data, data, lambda _: None).figures
    return found


def command(folder: Path, *words: object, processes: int = 1) -> subprocess.CompletedProcess[str]:
    """Run `cxrtool` in a process of its own: one that was forked may not use the card."""
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    done = subprocess.run(
        [sys.executable, *(launch if processes > 1 else []), "-m", "cxrtool", *map(str, words)],
        cwd=folder,
        env={**os.environ, "CXRTOOL_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """Forty small phantoms of two classes, divided."""
    drawn = ["--size", 32, "--labels", "normal,covid", "-d", "in", "-o", "all.csv"]
    command(tmp_path, "phantom", 40, *drawn)
    command(tmp_path, "split", "all.csv", "--test", "0.2", "--val", "0.2", "-o", "split.csv")
    return tmp_path


def train(folder: Path, name: str, *words: object, processes: int = 1) -> str:
    given = ["--arch", "conv8", "--size", 32, "--epochs", 1, "--optimizer", "sgd", "-d", name]
    done = command(folder, "train", "split.csv", *given, *words, processes=processes)
    return done.stderr


# --- the same figures -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_bfloat16_learns_what_float32_learns(name: str) -> None:
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip(WHY)
    where = torch.device(name)
    plain, half = (learner(where), learner(where, amp=True))
    first = [figures(made, 1)["loss"] for made in (plain, half)]
    assert first[0] != first[1]
    assert first[1] == pytest.approx(first[0], rel=0.05)
    assert [figures(made, 6)["val_auc"] for made in (plain, half)] == [1, 1]


def test_epochs_on_the_card_are_those_on_a_cpu(card: torch.device) -> None:
    expected, found = figures(learner(CPU)), figures(learner(card))
    for name in ("loss", "val_loss", "val_auc"):
        assert found[name] == pytest.approx(expected[name], rel=1e-3), name


def test_pixels_are_kept_on_the_card(card: torch.device) -> None:
    data = images()
    held = training_data._held(data.pixels, card)
    assert held is not None and held.device.type == "cuda"
    kept = ImageSet(data.pixels, data.rows, data.labels, held)
    places = np.array([5, 0, 7])
    assert torch.equal(kept.batch(places, card).cpu(), data.batch(places, CPU))


def test_heat_maps_on_the_card_are_those_on_a_cpu(card: torch.device) -> None:
    torch.manual_seed(0)
    network: Any = inference.built("resnet18", 2, 1, 64).eval()
    grey = torch.from_numpy(images(4, 64).pixels).float()
    plugin: Any = registry.module("heatmaps", "gradcam")
    maps = []
    for where in (CPU, card):
        sight = Sight(network.to(where), About("resnet18", ["a", "b"], 64, 1, [100.0], [60.0]))
        classes = torch.zeros(4, dtype=torch.long, device=where)
        maps.append(plugin.heatmap(sight.eval(), grey.to(where), classes).cpu())
    torch.testing.assert_close(maps[1], maps[0], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_predictions_on_the_card_are_those_on_a_cpu(card: torch.device, split: Path) -> None:
    train(split, "run", "--device", "cpu")
    found = []
    for where in ("cpu", card.type):
        command(split, "evaluate", "run", "split.csv", "--device", where, "-o", f"{where}.csv")
        found.append([float(row["p_covid"]) for row in rows_of(split / f"{where}.csv")])
    assert len(found[0]) == 40
    np.testing.assert_allclose(found[1], found[0], atol=2e-3)


@pytest.mark.slow
def test_two_processes_on_one_card_learn_what_one_does(card: torch.device, split: Path) -> None:
    for number in (1, 2):
        train(split, f"r{number}", "--device", card.type, "--amp", "none", processes=number)
    one, two = (load_file(split / f"r{n}" / "model.safetensors") for n in (1, 2))
    for name, value in one.items():
        np.testing.assert_allclose(value, two[name], atol=1e-3, rtol=1e-2, err_msg=name)


@pytest.mark.slow
def test_a_compiled_network_learns_the_same(card: torch.device, split: Path) -> None:
    for name, words in {"plain": [], "compiled": ["--compile"]}.items():
        train(split, name, "--device", card.type, "--amp", "none", *words)
    plain, compiled = (rows_of(split / n / "history.csv")[0] for n in ("plain", "compiled"))
    assert float(compiled["loss"]) == pytest.approx(float(plain["loss"]), rel=1e-2)


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_auto_finds_a_batch_on_the_card(card: torch.device, split: Path) -> None:
    told = train(split, "run", "--device", card.type, "--batch", "auto")
    # Any card has room for the most that is tried of so small a network.
    assert "batch size (auto): 256" in told
    assert json.loads((split / "run" / "run.json").read_text())["options"]["batch"] == 256


def test_a_batch_that_does_not_fit_is_told_with_one_that_does(card: torch.device) -> None:
    """The card is really full: of its memory only a gigabyte may be used."""
    made, data = learner(card, "resnet18", 224), images(8, 224)
    torch.cuda.set_per_process_memory_fraction(2**30 / torch.cuda.mem_get_info()[1])
    try:
        error = str(batch_size.too_large(made, data, 1024))
        found = re.search(r"a batch of 1024 does not fit\. The largest that fits is (\d+)", error)
        assert found, error
        assert 2 <= int(found[1]) < 1024
        assert batch_size.fits(made, data, int(found[1]))
        assert not batch_size.fits(made, data, 1024)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_memory_of_a_failed_step_is_given_back(card: torch.device) -> None:
    made, data = learner(card, "resnet18", 224), images(8, 224)
    assert batch_size.fits(made, data, 2)
    before = torch.cuda.memory_allocated()
    torch.cuda.set_per_process_memory_fraction(2**30 / torch.cuda.mem_get_info()[1])
    try:
        assert not batch_size.fits(made, data, 1024)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert torch.cuda.memory_allocated() <= before + 2**20
