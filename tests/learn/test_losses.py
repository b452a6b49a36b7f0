"""Losses equal PyTorch's own where it has them, and their formulas elsewhere."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from cxrtool.learn import losses

LOGITS = torch.tensor([[0.2, -1.0, 3.0], [1.0, 1.0, 1.0], [-2.0, 0.5, 0.0]], requires_grad=True)
LABELS = torch.tensor([2, 0, 1])


def test_cross_entropy_is_pytorchs() -> None:
    for smoothing in (0.0, 0.1):
        found = losses.cross_entropy(LOGITS, losses.targets(LABELS, 3, smoothing)).mean()
        other = functional.cross_entropy(LOGITS, LABELS, label_smoothing=smoothing)
        torch.testing.assert_close(found, other)


def test_one_logit_is_binary_cross_entropy() -> None:
    logits, labels = torch.tensor([[0.3], [-2.0], [50.0]]), torch.tensor([1, 0, 0])
    for smoothing in (0.0, 0.2):
        found = losses.cross_entropy(logits, losses.targets(labels, 2, smoothing))
        smooth = labels.float() * (1 - smoothing) + smoothing / 2
        other = functional.binary_cross_entropy_with_logits(logits[:, 0], smooth, reduction="none")
        torch.testing.assert_close(found, other)


def test_focal_is_its_formula() -> None:
    p = torch.softmax(LOGITS, 1)[torch.arange(3), LABELS]
    expected = -((1 - p) ** 2) * p.log()
    found = losses.focal(LOGITS, losses.targets(LABELS, 3, 0), gamma=2.0)
    torch.testing.assert_close(found, expected)
    zero = losses.focal(LOGITS, losses.targets(LABELS, 3, 0), gamma=0.0)
    torch.testing.assert_close(zero, losses.cross_entropy(LOGITS, losses.targets(LABELS, 3, 0)))


def test_double_softmax_squashes_twice() -> None:
    expected = functional.cross_entropy(torch.softmax(LOGITS, 1), LABELS)
    found = losses.double_softmax(LOGITS, losses.targets(LABELS, 3, 0)).mean()
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "way, expected",
    [
        ("balanced", [23 / 54, 23 / 6, 23 / 9]),
        ("max", [1.0, 9.0, 6.0]),
        ("none", [1.0, 1.0, 1.0]),
    ],
)
def test_class_weights(way: str, expected: list[float]) -> None:
    counts = torch.tensor([18, 2, 3])
    torch.testing.assert_close(losses.class_weights(counts, way), torch.tensor(expected))


def test_class_weights_by_name_leave_the_others_at_one() -> None:
    found = losses.named_weights("covid=25,a=0.5", ["a", "b", "covid"])
    torch.testing.assert_close(found, torch.tensor([0.5, 1.0, 25.0]))


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]])
    for name, loss in losses.LOSSES.items():
        found = loss(logits, losses.targets(torch.tensor([0, 1]), 2, 0))
        assert torch.isfinite(found).all(), name


def test_findings_have_pytorchs_binary_cross_entropy_and_its_gradient() -> None:
    generator = torch.Generator().manual_seed(5)
    logits = (torch.randn(6, 4, generator=generator) * 3).requires_grad_()
    answers = torch.randint(0, 2, (6, 4), generator=generator)
    weights = torch.tensor([0.5, 1.0, 9.0, 2.0])
    for of_one in (None, weights):
        found = losses.of_findings(logits, answers, of_one).mean()
        other = torch.nn.BCEWithLogitsLoss(pos_weight=of_one)(logits, answers.float())
        torch.testing.assert_close(found, other)
        gradients = [torch.autograd.grad(value, logits)[0] for value in (found, other)]
        torch.testing.assert_close(*gradients)


def test_an_unknown_answer_adds_nothing_to_the_loss_of_findings() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.1, 4.0, -3.0]], requires_grad=True)
    answers = torch.tensor([[1, -1, 0], [-1, 0, -1]])
    known = torch.nn.BCEWithLogitsLoss(weight=(answers >= 0).float(), reduction="none")
    found, other = losses.of_findings(logits, answers), known(logits, answers.clamp(0).float())
    torch.testing.assert_close(found, other.mean(dim=1))
    gradient = torch.autograd.grad(found.sum(), logits)[0]
    assert torch.equal(gradient == 0, answers < 0)
