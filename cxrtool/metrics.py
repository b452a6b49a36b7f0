"""Figures of classifiers: what is undefined is nan, never a made-up number."""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]
Floats = NDArray[np.floating]


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
    found = [np.mean(predicted[labels == label] == label) for label in there]
    return float(np.mean(found)) if len(found) else np.nan


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
    found = [auc(labels == k, probabilities[:, k]) for k in range(classes)]
    defined = [value for value in found if not np.isnan(value)]
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
