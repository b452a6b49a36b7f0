"""Losses of classifiers, on logits of one column a class, or of one for two; findings; masks."""

from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from cxrtool.core import class_numbers
from cxrtool.core.registry import Between


def log_probabilities(logits: Tensor) -> Tensor:
    """Return log p of every class; one logit is the sigmoid of the second of two."""
    if logits.shape[1] == 1:
        return torch.cat([functional.logsigmoid(-logits), functional.logsigmoid(logits)], dim=1)
    return functional.log_softmax(logits, dim=1)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return -sum_k y_k log p_k of every image, for targets that are distributions."""
    return -(targets * log_probabilities(logits)).sum(dim=1)


def double_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of softmax(softmax(z)), a slip of Tartaglione's pre-training."""
    return cross_entropy(log_probabilities(logits).exp(), targets)


def focal(
    logits: Tensor, targets: Tensor, *, gamma: Annotated[float, Between(0, 10)] = 2.0
) -> Tensor:
    """Return -sum_k y_k (1 - p_k)^gamma log p_k: what is sure already counts less."""
    logs = log_probabilities(logits)
    return -(targets * (1 - logs.exp()) ** gamma * logs).sum(dim=1)


def of_findings(logits: Tensor, answers: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean binary cross-entropy of the findings, of every image.

    Parameters
    ----------
    logits : (N, findings).
    answers : 0 absent, 1 present; below 0 is unknown, and adds nothing.
    weights : of the answer 1 of each finding.
    """
    each = functional.binary_cross_entropy_with_logits(
        logits, answers.clamp(min=0).float(), pos_weight=weights, reduction="none"
    )
    return (each * (answers >= 0)).mean(dim=1)


def of_masks(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the mean cross-entropy of the pixels plus one less the Dice, of every image (N, H, W).

    Both are soft: one more pixel in both sums makes the Dice of two empty masks 1.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    probability = torch.sigmoid(logits)
    both, total = (probability * truth).sum((1, 2)), (probability + truth).sum((1, 2))
    return entropy.mean((1, 2)) + 1 - (2 * both + 1) / (total + 1)


LOSSES: dict[str, Callable[..., Tensor]] = {
    "ce": cross_entropy,
    "focal": focal,
    "double-softmax": double_softmax,
}


# What val_loss is in runs that say nothing else.
PLAIN = "ce"


def named(loss: str, smoothing: float, weights: str) -> str:
    """Name a loss with all that belongs to it, in the words of the command line."""
    smooth = f", label smoothing {smoothing:g}" * bool(smoothing)
    return loss + smooth + f", class weights {weights}" * (weights != "none")


def targets(labels: Tensor, classes: int, smoothing: float) -> Tensor:
    """Return one-hot targets, mixed with an even distribution: y (1 - s) + s / K."""
    hot = functional.one_hot(labels, classes).float()
    return hot * (1 - smoothing) + smoothing / classes


def named_weights(text: str, classes: Sequence[str]) -> Tensor:
    """Return the weight of each class by CLASS=W[,CLASS=W...]; a class that is not named has 1."""
    named = class_numbers.of_classes(text, classes, "class_weights")
    return torch.tensor([float(named.get(place, 1.0)) for place in range(len(classes))])


def class_weights(counts: Tensor, scheme: str) -> Tensor:
    """Return the weight of each class: balanced N / (K N_j), max N_max / N_j, or none."""
    counts = counts.double()
    if scheme == "balanced":
        weights = counts.sum() / (len(counts) * counts)
    elif scheme == "max":
        weights = counts.max() / counts
    else:
        weights = torch.ones_like(counts)
    return weights.float()
