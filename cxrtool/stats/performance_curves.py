"""ROC, precision-recall and calibration curves, with bands that hold whole patients together.

A band is made of the curves of resamples, each read at the same places: sensitivity at fixed
1 - specificity, precision at fixed recall. scikit-learn has the curves without the bands.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats import cluster_bootstrap, intervals, metrics
from cxrtool.stats.metrics import Floats
from cxrtool.stats.weighted_metrics import Ints

Marks = NDArray[np.bool_]

# Where bands are read, besides the curve's own points.
GRID = np.linspace(0, 1, 201)
# Of a curve with more points than these, so many are as fine as a plot can show.
MOST = 1000
# A band is no smoother for more resamples, and every one of them is a curve to be kept.
RESAMPLES = 2000
# A bin of calibration holds so many images.
LEAST = 10
# Shares that differ by less are one share, rounded in two ways.
NEAR = 1e-12


@dataclass(frozen=True)
class Line:
    """A curve and the band around it, which is nan where there is none."""

    x: Floats
    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Sampling:
    """How bands are made: from how many resamples, at which level; of none, there are no bands."""

    resamples: int = RESAMPLES
    level: float = 0.95
    seed: int = 0


class Thresholds:
    """The images in falling order of their scores, counted down to every threshold."""

    def __init__(self, positive: Marks, scores: Floats) -> None:
        self._order = np.argsort(-scores, kind="stable")
        self._positive = positive[self._order]
        # Equal scores are on the same side of every threshold.
        self._ends = np.append(np.flatnonzero(np.diff(scores[self._order])), len(scores) - 1)

    def of(self, weights: Ints) -> tuple[Floats, Floats]:
        """Count the positives and the others (resamples, thresholds), from none to all of them.

        Resamples without one or the other have no curve and are left out.
        """
        ordered = np.take(weights, self._order, axis=1)
        hits, alarms = (self._counted(ordered * side) for side in (self._positive, ~self._positive))
        whole = (hits[:, -1] > 0) & (alarms[:, -1] > 0)
        return hits[whole], alarms[whole]

    def _counted(self, weights: Ints) -> Floats:
        counts = np.zeros((len(weights), len(self._ends) + 1))
        counts[:, 1:] = np.cumsum(weights, axis=1)[:, self._ends]
        return counts


def sensitivity_at(hits: Floats, alarms: Floats, places: Floats) -> Floats:
    """Read ROC curves at shares of false alarms; equal scores are joined by a straight line."""
    x, y = alarms / alarms[:, -1:], hits / hits[:, -1:]
    left = _positions(x, places + NEAR, "right") - 1
    right = np.minimum(left + 1, x.shape[1] - 1)
    (x0, x1), (y0, y1) = ([np.take_along_axis(v, at, 1) for at in (left, right)] for v in (x, y))
    share = np.divide(places - x0, x1 - x0, out=np.zeros_like(x0), where=x1 > x0)
    read: Floats = y0 + np.clip(share, 0, 1) * (y1 - y0)
    return read


def precision_at(hits: Floats, alarms: Floats, places: Floats) -> Floats:
    """Read the precision of the highest threshold that reaches each recall above 0.

    The mean of these precisions over the positives is average precision.
    """
    at = _positions(hits / hits[:, -1:], places - NEAR, "left")
    hit, alarm = (np.take_along_axis(counts, at, 1) for counts in (hits, alarms))
    return metrics.ratio(hit, hit + alarm)


def _positions(x: Floats, places: Floats, side: str) -> Ints:
    """Search every row, whose values between 0 and 1 never fall, in one go."""
    shift = 3.0 * np.arange(len(x))[:, None]
    at = np.searchsorted((x + shift).ravel(), places + shift, side)  # type: ignore[call-overload]
    result: Ints = np.clip(at - x.shape[1] * np.arange(len(x))[:, None], 0, x.shape[1] - 1)
    return result


def both(
    positive: Marks, scores: Floats, clusters: Ints, sampling: Sampling
) -> tuple[Line, Line] | None:
    """Return the ROC and the precision-recall curve; of one class there are none."""
    thresholds = Thresholds(positive, scores)
    hits, alarms = thresholds.of(np.ones((1, len(scores)), np.int32))
    if not len(hits):
        return None
    x, y = _roc(hits, alarms)
    recall = np.unique(np.concatenate([_few(hits[0] / hits[0, -1]), GRID]))
    recall = recall[recall > 0]
    readings: list[tuple[Callable[..., Floats], Floats, Floats]] = [
        (sensitivity_at, x, y),
        (precision_at, recall, precision_at(hits, alarms, recall)[0]),
    ]
    parts: list[list[Floats]] = [[] for _ in readings]
    number = min(sampling.resamples, RESAMPLES)
    for weights in cluster_bootstrap.resamples(clusters, number, sampling.seed):
        counts = thresholds.of(weights)
        for part, (read, places, _) in zip(parts, readings, strict=True):
            part.append(read(*counts, places))
    roc, precision = (
        Line(places, values, *_band(part, sampling.level, len(places)))
        for part, (_, places, values) in zip(parts, readings, strict=True)
    )
    return roc, precision


def _roc(hits: Floats, alarms: Floats) -> tuple[Floats, Floats]:
    """Return the corners of a ROC curve, and its points on the grid between them."""
    x, y = alarms[0] / alarms[0, -1], hits[0] / hits[0, -1]
    if len(x) > MOST:
        x = np.linspace(0, 1, MOST + 1)
        y = sensitivity_at(hits, alarms, x)[0]
    x = np.concatenate([x, GRID])
    y = np.concatenate([y, sensitivity_at(hits, alarms, GRID)[0]])
    order = np.lexsort((y, x))
    return x[order], y[order]


def _few(values: Floats) -> Floats:
    return values if len(values) <= MOST else np.linspace(0, 1, MOST + 1)


def _band(parts: list[Floats], level: float, width: int) -> tuple[Floats, Floats]:
    """Return the percentiles of the curves at every place, as `cluster_bootstrap.interval` does."""
    curves = np.sort(np.concatenate([np.empty((0, width)), *parts]), axis=0)
    if not len(curves):
        return np.full(width, np.nan), np.full(width, np.nan)
    place = int((1 - level) / 2 * (len(curves) - 1) + 1e-9)
    return curves[place], curves[len(curves) - 1 - place]


@dataclass(frozen=True)
class CalibrationBins:
    """Parts of [0, 1] that hold images, with Wilson's intervals."""

    predicted: Floats
    observed: Floats
    counts: Ints
    low: Floats
    high: Floats


def calibration(positive: Marks, scores: Floats, clusters: Ints, level: float) -> CalibrationBins:
    """Set the share of positives in every bin against the mean score.

    The intervals are as wide as if each patient were one image.
    """
    place = _enough(metrics.bins(scores))
    counts = np.bincount(place)
    predicted, observed = (np.bincount(place, values) / counts for values in (scores, positive))
    patients = [len(np.unique(clusters[place == b])) for b in range(len(counts))]
    bounds = [
        intervals.wilson(share * number, number, level)
        for share, number in zip(observed.tolist(), patients, strict=True)
    ]
    low, high = np.array(bounds, np.float64).T
    return CalibrationBins(predicted, observed, counts, low, high)


def _enough(place: Ints) -> Ints:
    """Join neighbouring bins until each holds LEAST images: fewer would jump up and down."""
    joined, number, waiting = np.zeros(metrics.BINS, np.int64), 0, 0
    counts = np.bincount(place, minlength=metrics.BINS).tolist()
    for at, count in enumerate(counts):
        joined[at] = number
        waiting += count
        # What is too small to stand alone at the end belongs to the bin before.
        if waiting >= LEAST and sum(counts[at + 1 :]) >= LEAST:
            number, waiting = number + 1, 0
    return joined[place]
