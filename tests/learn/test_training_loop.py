"""A training does what it was told: its steps, its figures, its memory and its end."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logsumexp
from torch import nn

from cxrtool.core.errors import BrokenRun, CxrtoolError
from cxrtool.learn import (
    augmentation,
    frozen_layers,
    inference,
    learner_state,
    losses,
    optimizers,
    training_loop,
    validation,
)
from cxrtool.learn.training_loop import ImageSet, Learner, TrainingPlan

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def part(number: int = 12, seed: int = 0, channels: int = 1, size: int = 16) -> ImageSet:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, (number + 3, channels, size, size), np.uint8)
    labels = np.arange(number) % 2
    values[3:][labels == 1] //= 2
    return ImageSet(values, np.arange(3, number + 3), labels)


def learner(optimizer: str = "sgd", lr: float = 0.1, freeze: str = "none", **plan: Any) -> Learner:
    torch.manual_seed(3)
    network = inference.built("conv8", 2, 1, 16)
    kept = frozen_layers.frozen(network, freeze)
    schedule = optimizers.none(lr, 5)
    given = {"batch": 4, "mean": [100.0], "std": [60.0], "frozen": kept} | plan
    made = TrainingPlan(losses.cross_entropy, schedule, 5, **given)
    found = Learner(network, optimizers.build(optimizer, network.parameters(), lr), made, CPU)
    found.classes = 2
    return found


def weights(of: Learner) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in of.network.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def quiet(_: int) -> None:
    pass


# --- an epoch -------------------------------------------------------------------------------------


def test_an_epoch_is_what_pytorch_would_do() -> None:
    """Two batches of gradient descent, written out."""
    ours, data = learner(batch=6), part()
    net = inference.built("conv8", 2, 1, 16)
    net.load_state_dict(ours.network.state_dict())
    found = ours.epoch(1, data, None, quiet)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    order, total = training_loop.shuffled(12, training_loop.mixed(0, 1, 2)), 0.0
    net.train()
    for places in (order[:6], order[6:]):
        images = torch.from_numpy(data.pixels[3:][places]).float()
        y = torch.from_numpy(data.labels[places]).float()
        logits = net((images - 100) / 60)[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += 6 * loss.item()
    assert found.figures["loss"] == pytest.approx(total / 12, rel=1e-5)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(ours.network.state_dict()[name], value, msg=name)


def test_every_image_is_seen_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = ImageSet.batch

    def batch(self: ImageSet, places: NDArray[np.int64], where: torch.device) -> torch.Tensor:
        seen.extend(places.tolist())
        return real(self, places, where)

    monkeypatch.setattr(ImageSet, "batch", batch)
    ticks: list[int] = []
    learner().epoch(1, part(10), None, ticks.append)
    assert sorted(seen) == list(range(10)) and seen != sorted(seen)
    assert ticks == [4, 4, 2]


def test_epochs_differ_and_are_the_same_again() -> None:
    orders = [training_loop.shuffled(50, training_loop.mixed(1, e, 2)).tolist() for e in (1, 2, 1)]
    assert orders[0] == orders[2] != orders[1]


def test_seeds_have_nothing_in_common() -> None:
    seeds = {
        training_loop.mixed(s, *n) for s in range(-20, 20) for n in ((0,), (1, 1), (1, 2), (2, 1))
    }
    assert len(seeds) == 40 * 4
    assert all(0 <= s < 2**63 for s in seeds)


def test_the_batches() -> None:
    cut = [(s.start, s.stop) for s in training_loop.steps(10, 4)]
    assert cut == [(0, 4), (4, 8), (8, 10)]
    assert [(s.start, s.stop) for s in training_loop.steps(9, 4)] == [(0, 4), (4, 9)]
    assert [(s.start, s.stop) for s in training_loop.steps(1, 4)] == [(0, 1)]
    assert len(training_loop.steps(5, 1)) == 5


def test_the_figures_of_val() -> None:
    from sklearn import metrics

    ours, val = learner(), part(20, seed=4)
    found = ours.epoch(1, part(), val, quiet)
    assert found.logs is not None
    p, figures = np.exp(found.logs), found.figures
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert figures["val_loss"] == pytest.approx(
        metrics.log_loss(val.labels, p / p.sum(axis=1, keepdims=True)), rel=1e-5
    )
    assert figures["val_auc"] == pytest.approx(metrics.roc_auc_score(val.labels, p[:, 1]))
    pred = p.argmax(axis=1)
    assert figures["val_accuracy"] == metrics.accuracy_score(val.labels, pred)


WEIGHTS = torch.tensor([0.5, 3.0])


def by_hand(loss: str, logs: np.ndarray, smoothing: float) -> np.ndarray:
    """Return the loss for either class of every image, by the formulas alone (images, classes)."""
    targets = np.full((2, 2), smoothing / 2) + np.eye(2) * (1 - smoothing)
    terms = {
        "ce": logs,
        "focal": (1 - np.exp(logs)) ** 1.5 * logs,
        "double-softmax": np.exp(logs) - np.log(np.exp(np.exp(logs)).sum(1, keepdims=True)),
    }[loss]
    return -terms @ targets.T


@pytest.mark.parametrize("weighed", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("loss", losses.LOSSES)
def test_the_loss_of_val_is_that_of_training(
    loss: str, smoothing: float, weighed: torch.Tensor | None
) -> None:
    given = {"gamma": 1.5} if loss == "focal" else {}
    ours, val = learner(smoothing=smoothing, weights=weighed), part(20, seed=4)
    called = functools.partial(losses.LOSSES[loss], **given)
    ours.plan = dataclasses.replace(ours.plan, loss=called)
    found = ours.epoch(1, part(), val, quiet)
    assert found.logs is not None
    each = by_hand(loss, found.logs, smoothing)[np.arange(20), val.labels]
    if weighed is not None:
        each = each * weighed.numpy()[val.labels]
    assert found.figures["val_loss"] == pytest.approx(each.mean(), rel=1e-5)


def test_looking_at_val_changes_nothing() -> None:
    ours, other = learner("adam"), learner("adam")
    for number in (1, 2):
        ours.epoch(number, part(), part(8, seed=5), quiet)
        other.epoch(number, part(), None, quiet)
    assert same(weights(ours), weights(other))


def test_class_weights_multiply_the_loss_of_their_images() -> None:
    plain, double = learner(), learner(weights=torch.tensor([2.0, 2.0]))
    a = plain.epoch(1, part(4), None, quiet).figures["loss"]
    assert double.epoch(1, part(4), None, quiet).figures["loss"] == pytest.approx(2 * a, rel=1e-5)


def test_the_gradient_is_bounded() -> None:
    ours = learner(lr=1.0, clip=1e-3)
    before = weights(ours)
    ours.epoch(1, part(4), None, quiet)
    moved = [
        (p.detach() - before[name]).square().sum() for name, p in ours.network.named_parameters()
    ]
    assert math.sqrt(float(sum(moved))) == pytest.approx(1e-3, rel=1e-3)


def test_more_changes_more() -> None:
    ours, other = learner(), learner(augment=augmentation.parse("rotate=20"))
    for each in (ours, other):
        each.epoch(1, part(), None, quiet)
    assert not same(weights(ours), weights(other))


@pytest.mark.parametrize("freeze", ["backbone", "3"])
def test_what_is_frozen_keeps_its_statistics_too(freeze: str) -> None:
    ours = learner(freeze=freeze)
    before = weights(ours)
    ours.epoch(1, part(), None, quiet)
    changed = {k for k, v in weights(ours).items() if not torch.equal(v, before[k])}
    if freeze == "backbone":
        assert changed == {"last.weight", "last.bias"}
    else:
        assert not any(k.startswith(("body.0.", "body.1.", "body.3.")) for k in changed)
        assert any(k.startswith("body.4.") for k in changed)


def test_a_batch_of_one_is_one_line() -> None:
    with pytest.raises(CxrtoolError, match="a batch of 1 is too small for the network"):
        learner(batch=1).epoch(1, part(), None, quiet)


def test_weights_that_are_not_finite_end_it() -> None:
    with pytest.raises(BrokenRun, match=r"in epoch 2\. The last good weights are kept"):
        learner(lr=math.inf, batch=12).epoch(2, part(), None, quiet)


def test_logits_that_are_not_finite_end_it() -> None:
    ours = learner(lr=1e-9)
    nn.init.constant_(ours.network.get_parameter("last.weight"), 3e38)
    with pytest.raises(BrokenRun, match=r"in epoch 1\. Lower the learning rate"):
        ours.epoch(1, part(), part(8), quiet)


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd:momentum=0.9", "adam", "adamw", "adamax"])
def test_a_learner_with_its_memory_goes_on_as_if_nothing_had_been(optimizer: str) -> None:
    whole, first, second = (learner(optimizer, 0.01) for _ in range(3))
    for number in (1, 2, 3):
        whole.epoch(number, part(), None, quiet)
    first.epoch(1, part(), None, quiet)
    learner_state.restore(second, {k: v.clone() for k, v in learner_state.tensors(first).items()})
    for number in (2, 3):
        second.epoch(number, part(), None, quiet)
    assert same(learner_state.tensors(whole), learner_state.tensors(second))


# --- afterwards -----------------------------------------------------------------------------------


def test_the_temperature_is_the_best_of_a_grid() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    honest = rng.normal(size=(400, 3)) + 1.5 * np.eye(3)[labels]
    logits = 3 * honest
    logs = logits - logsumexp(logits, axis=1, keepdims=True)
    grid = np.exp(np.linspace(-2, 2.5, 2000))

    def lost(t: float) -> float:
        scaled = logs / t
        scaled = scaled - logsumexp(scaled, axis=1, keepdims=True)
        return float(-scaled[np.arange(400), labels].mean())

    best = grid[np.argmin([lost(t) for t in grid])]
    found = validation.calibrated(logs, labels)
    assert found["temperature"] == pytest.approx(best, rel=5e-3)
    assert "threshold" not in found


def test_the_temperature_of_two_classes_divides_the_logit() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=500) * 4
    labels = (rng.random(500) < expit(z / 4)).astype(np.int64)
    found = validation.calibrated(np.column_stack([log_expit(-z), log_expit(z)]), labels)
    assert found["temperature"] == pytest.approx(4, rel=0.3)
    assert 0 <= found["threshold"] <= 1


def test_what_cannot_be_calibrated_is_left_alone() -> None:
    logs = np.log(np.full((4, 2), 0.5))
    assert validation.calibrated(None, None) == {}
    assert validation.calibrated(logs, np.zeros(4, np.int64)) == {}


def test_averages_are_of_each_image() -> None:
    data = part(70, channels=3)
    values = data.pixels[data.rows].astype(float)
    mean, spread = training_loop.averages(data)
    assert mean == pytest.approx([np.mean([i[c].mean() for i in values]) for c in range(3)])
    assert spread == pytest.approx([np.mean([i[c].std() for i in values]) for c in range(3)])


def test_images_without_any_spread_can_be_divided_by_it() -> None:
    flat = ImageSet(np.full((4, 1, 8, 8), 9, np.uint8), np.arange(4), np.arange(4) % 2)
    assert training_loop.averages(flat) == ([9.0], [1e-3])
