"""What each image adds to a figure: the influence functions of the metrics.

The influence of an image is the derivative of the figure by the weight of the image. The influences
of all images sum to 0, as no figure changes where all weights grow alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats import metrics
from cxrtool.stats.intervals import placements
from cxrtool.stats.metrics import Floats, Labels

Marks = NDArray[np.bool_]


def auc(positive: Marks, scores: Floats) -> tuple[float, Floats]:
    """Return AUC and the influences, which are DeLong's structural components less their mean."""
    ours, theirs = placements(positive, scores)
    value = float(ours.mean())
    influence = np.empty(len(scores))
    influence[positive] = (ours - value) / len(ours)
    influence[~positive] = (theirs - value) / len(theirs)
    return value, influence


def auc_prior(value: float) -> float:
    """Return Var(AUC) in units of AUC (1 - AUC) / m for one of two classes of m images.

    The variance of exponential scores (Hanley and McNeil 1982), made symmetric in the classes
    (Newcombe 2006, method 5), without the terms of order 1 / (m n): half of
    (1 - AUC) / (2 - AUC) + AUC / (1 + AUC) for each class.
    """
    return ((1 - value) / (2 - value) + value / (1 + value)) / 2


def average_precision(positive: Marks, scores: Floats) -> tuple[float, Floats]:
    """Return average precision and the influences.

    With A and B the positives and all images at or above a threshold, average precision is the mean
    of A / B over the positives; an image above the threshold changes A and B, its own weight the
    mean.
    """
    order = np.argsort(-scores, kind="stable")
    hits, falls = positive[order], np.diff(scores[order])
    ends = np.append(np.flatnonzero(falls), len(scores) - 1)
    above, everyone = np.cumsum(hits)[ends].astype(np.float64), ends + 1.0
    here = np.diff(above, prepend=0.0)
    number, precision = above[-1], above / everyone
    value = float(here @ precision / number)
    # Sums over the thresholds at which an image is above: those of its score and of lower ones.
    gain = np.cumsum((here / everyone)[::-1])[::-1] + precision - value
    loss = np.cumsum((here * precision / everyone)[::-1])[::-1]
    group = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    influence = np.empty(len(scores))
    influence[order] = (hits * gain[group] - loss[group]) / number
    return value, influence


@dataclass(frozen=True)
class Gradient:
    """A figure of a confusion matrix between 0 and 1, and its derivative by each cell."""

    value: float
    cells: Floats  # (actual, predicted)

    def influence(self, labels: Labels, predicted: Labels) -> Floats:
        """Give every image the derivative of its cell."""
        influence: Floats = self.cells[labels, predicted]
        return influence


# The cells that a share counts, and those that it is a share of; 0 is the positive class. F1 is
# 2 J / (1 + J) of the share J that stands here (Jaccard's), which varies as a share does.
COUNTED = {
    "sensitivity": ([[1, 0], [0, 0]], [[1, 1], [0, 0]]),
    "specificity": ([[0, 0], [0, 1]], [[0, 0], [1, 1]]),
    "precision": ([[1, 0], [0, 0]], [[1, 0], [1, 0]]),
    "npv": ([[0, 0], [0, 1]], [[0, 1], [0, 1]]),
    "f1": ([[1, 0], [0, 0]], [[1, 1], [1, 0]]),
}


def share(metric: str, table: Floats) -> Gradient:
    """Differentiate a share: accuracy and error of any number of classes, the others of two."""
    right = np.eye(len(table))
    whole = {"accuracy": (right, 1 + 0 * right), "error": (1 - right, 1 + 0 * right)}
    above, below = (np.asarray(m, np.float64) for m in (whole | COUNTED)[metric])
    total = (below * table).sum()
    value = metrics.ratio((above * table).sum(), total)
    return Gradient(float(value), metrics.ratio(above - value * below, total))


def correlation(table: Floats) -> Gradient:
    """Differentiate (1 + MCC) / 2 of any number of classes (Gorodkin 2004, eq. 8)."""
    total, actual, predicted = table.sum(), table.sum(axis=1), table.sum(axis=0)
    together = np.trace(table) * total - actual @ predicted
    spread = [total**2 - predicted @ predicted, total**2 - actual @ actual]
    value = metrics.ratio(together, np.sqrt(spread[0]) * np.sqrt(spread[1]))
    slope = np.eye(len(table)) * total + np.trace(table) - predicted[:, None] - actual[None, :]
    falls = [metrics.ratio(total - x, s) for x, s in zip((predicted, actual), spread, strict=True)]
    below = np.sqrt(spread[0]) * np.sqrt(spread[1])
    cells = metrics.ratio(slope, below) - value * (falls[0][None, :] + falls[1][:, None])
    # Rounding takes it a little beyond its ends.
    return Gradient(float(np.clip((1 + value) / 2, 0, 1)), cells / 2)


def log_odds_ratio(table: Floats) -> Floats:
    """Differentiate ln (TP TN / (FP FN)) by each cell of two classes."""
    return metrics.ratio(2 * np.eye(2) - 1, table)
