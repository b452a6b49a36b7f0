"""Figures of classifiers: what is undefined is nan, never a made-up number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]
Labels = Ints
Floats = NDArray[np.floating]
Numbers = NDArray[np.floating | np.integer]


def confusion(labels: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """Count the images by their class (rows) and what was predicted (columns)."""
    both = np.asarray(labels, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(both, minlength=classes * classes).reshape(classes, classes)


def accuracy(labels: Labels, predicted: Labels) -> float:
    """Return the share of images whose class was predicted."""
    return float(np.mean(labels == predicted)) if len(labels) else np.nan


def balanced_accuracy(labels: Labels, predicted: Labels) -> float:
    """Return the mean of the sensitivities of the classes that occur."""
    there = np.unique(labels)
    result = [np.mean(predicted[labels == label] == label) for label in there]
    return float(np.mean(result)) if len(result) else np.nan


def auc(positive: NDArray[np.bool_], scores: Floats) -> float:
    """Return P(s+ > s-) + P(s+ = s-) / 2; with one class only it is undefined."""
    number = int(positive.sum())
    others = len(positive) - number
    if not number or not others:
        return np.nan
    from scipy.stats import rankdata  # It takes a third of a second to import.

    ranks = rankdata(scores)
    return float((ranks[positive].sum() - number * (number + 1) / 2) / (number * others))


def macro_auc(labels: Labels, probabilities: Floats) -> float:
    """Return the AUC of two classes, or the mean over the classes, each against the rest."""
    classes = probabilities.shape[1]
    if classes == 2:
        return auc(labels == 1, probabilities[:, 1])
    result = [auc(labels == k, probabilities[:, k]) for k in range(classes)]
    defined = [value for value in result if not np.isnan(value)]
    return float(np.mean(defined)) if defined else np.nan


def youden(positive: NDArray[np.bool_], scores: Floats) -> float:
    """Return the threshold above which sensitivity + specificity are largest together.

    It lies midway between two scores, so that rounding does not change who is above it.
    """
    values = np.unique(scores)
    # Above 1 is nobody, which is better than the wrong ones.
    cuts = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [1.0]])
    ordered = np.sort(scores[positive]), np.sort(scores[~positive])
    above, below = (np.searchsorted(s, cuts, side="right") / len(s) for s in ordered)
    return float(cuts[int(np.argmax(below - above))])


NAMES = (
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "npv",
    "f1",
    "auc",
    "average_precision",
    "dor",
    "dor_haldane",
    "mcc",
    "brier",
    "ece",
    "error",
    "ece_debiased",
    "calibration_slope",
    "calibration_intercept",
)
# The ones that are a share of images, so that they have a binomial interval.
SHARES = ("accuracy", "error", "sensitivity", "specificity", "precision", "npv")
RECALIBRATED = ("calibration_slope", "calibration_intercept")
# Calibration is judged in so many parts of [0, 1], as wide as one another.
BINS = 15


@dataclass(frozen=True)
class Counts:
    """Images of one class against the rest; numbers, or arrays with one number a resample."""

    tp: Floats
    fn: Floats
    fp: Floats
    tn: Floats

    @property
    def cells(self) -> tuple[Floats, Floats, Floats, Floats]:
        """All four."""
        return self.tp, self.fn, self.fp, self.tn

    def share(self, metric: str) -> tuple[Floats, Floats]:
        """Return the images that a share counts, and those that it is a share of."""
        tp, fn, fp, tn = self.cells
        total = tp + fn + fp + tn
        return {
            "accuracy": (tp + tn, total),
            "error": (fp + fn, total),
            "sensitivity": (tp, tp + fn),
            "specificity": (tn, tn + fp),
            "precision": (tp, tp + fp),
            "npv": (tn, tn + fn),
        }[metric]


def against_the_rest(table: Numbers, k: int) -> Counts:
    """Take one class of a confusion matrix (..., actual, predicted) against the others."""
    whole = np.asarray(table, np.float64)
    tp = whole[..., k, k]
    fn, fp = whole[..., k, :].sum(-1) - tp, whole[..., :, k].sum(-1) - tp
    return Counts(tp, fn, fp, whole.sum((-1, -2)) - tp - fn - fp)


def ratio(above: Numbers, below: Numbers) -> Floats:
    """Divide: 0/0 is undefined (nan), anything else over 0 is infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above, np.float64) / np.asarray(below, np.float64)


def of_counts(counts: Counts) -> dict[str, Floats]:
    """Compute every metric that needs no more than the four counts."""
    tp, fn, fp, tn = counts.cells
    result = {metric: ratio(*counts.share(metric)) for metric in SHARES}
    result["balanced_accuracy"] = (result["sensitivity"] + result["specificity"]) / 2
    result["f1"] = ratio(2 * tp, 2 * tp + fp + fn)
    result["dor"] = ratio(tp * tn, fp * fn)
    # Haldane and Anscombe add half an image to every cell, so that it is finite; of one class
    # alone there would be nothing but what was added.
    haldane = (tp + 0.5) * (tn + 0.5) / ((fp + 0.5) * (fn + 0.5))
    result["dor_haldane"] = np.where((tp + fn > 0) & (fp + tn > 0), haldane, np.nan)
    sides = (np.sqrt(side) for side in (tp + fp, tp + fn, tn + fp, tn + fn))
    mcc = ratio(tp * tn - fp * fn, np.prod(np.broadcast_arrays(*sides), axis=0))
    result["mcc"] = np.clip(mcc, -1, 1)  # rounding takes it a little beyond
    return result


def of_confusion(table: Numbers) -> dict[str, Floats]:
    """Compute what a confusion matrix (..., actual, predicted) tells of all classes together.

    Balanced accuracy is the mean sensitivity of the classes that occur, of which there must be
    two; MCC is that of several classes (Gorodkin 2004, eq. 8).
    """
    whole = np.asarray(table, np.float64)
    right, total = np.trace(whole, axis1=-2, axis2=-1), whole.sum((-1, -2))
    actual, predicted = whole.sum(-1), whole.sum(-2)
    recalls = ratio(np.diagonal(whole, axis1=-2, axis2=-1), actual)
    there = actual > 0
    several = there.sum(-1) > 1
    mean = ratio(np.where(there, recalls, 0).sum(-1), there.sum(-1))
    spread = [total**2 - (x**2).sum(-1) for x in (actual, predicted)]
    together = right * total - (actual * predicted).sum(-1)
    return {
        "accuracy": ratio(right, total),
        "error": ratio(total - right, total),
        "balanced_accuracy": np.where(several, mean, np.nan),
        "mcc": np.clip(ratio(together, np.sqrt(spread[0]) * np.sqrt(spread[1])), -1, 1),
    }


def mean_over_classes(
    metric: str,
    values: Floats,
    support: Floats | None = None,
    present: NDArray[np.bool_] | None = None,
) -> Floats:
    """Average a metric (..., classes), weighted by the support where that is given.

    A class that is not `present` (see `present_classes`) is left out. An undefined precision of
    another counts as 0: its images exist and none of them is predicted. A class in which anything
    else is undefined is left out.
    """
    values = np.nan_to_num(values, nan=0.0) if metric == "precision" else np.asarray(values)
    weights = np.ones_like(values) if support is None else np.broadcast_to(support, values.shape)
    counted = ~np.isnan(values) & (weights > 0)
    if present is not None:
        counted &= present
    weighted = np.where(counted, values, 0) * np.where(counted, weights, 0)
    return ratio(weighted.sum(-1), np.where(counted, weights, 0).sum(-1))


def present_classes(table: Numbers) -> NDArray[np.bool_]:
    """Mark the classes that have images or predictions in a confusion matrix.

    The same classes as scikit-learn averages over by default, which takes its labels from the
    union of what occurs and what is predicted.
    """
    whole = np.asarray(table)
    return np.asarray((whole.sum(-1) > 0) | (whole.sum(-2) > 0))


def bins(probabilities: Floats) -> NDArray[np.int64]:
    """Number the calibration bin of each probability; the upper bound is inside."""
    return np.clip(np.ceil(np.asarray(probabilities) * BINS).astype(np.int64) - 1, 0, BINS - 1)


def chosen(probabilities: Floats, positive: int | None, threshold: float = 0.5) -> Labels:
    """Choose the likeliest class (the first of equals), or the positive one if p > threshold.

    With a positive class, what is not it is the likeliest of the others.
    """
    if positive is None:
        first: Labels = probabilities.argmax(axis=1)
        return first
    others = np.array(probabilities, np.float64)
    others[:, positive] = -1
    over = probabilities[:, positive] > threshold
    likeliest: Labels = np.where(over, positive, others.argmax(axis=1))
    return likeliest
