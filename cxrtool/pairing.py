"""Two models on the same images: is one better, or is it chance?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cxrtool import bootstrapping, intervals
from cxrtool.intervals import UNKNOWN, Bounds
from cxrtool.metrics import Floats
from cxrtool.weighing import Figures, Ints, Judged

Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Difference:
    """A difference of two models, its interval, and how often chance makes one so large."""

    value: float
    low: float
    high: float
    p: float


def delong(positive: Marks, first: Floats, second: Floats, level: float = 0.95) -> Difference:
    """Compare two AUCs of the same images (DeLong et al. 1988).

    The variance of the difference is that of the differences of the structural components.
    """
    ours, theirs = (intervals.placements(positive, scores) for scores in (first, second))
    parts = ours[0] - theirs[0], ours[1] - theirs[1]
    if not min(map(len, parts)):
        return Difference(np.nan, *UNKNOWN, np.nan)
    value, error = float(parts[0].mean()), np.sqrt(intervals.variance_of_mean(*parts))
    if not error > 0:
        # Two models that rank all alike do not differ; else there is nothing to measure by.
        return Difference(value, *UNKNOWN, 1.0 if value == 0 and error == 0 else np.nan)
    half = intervals.quantile(level) * error
    p = 2 * float(special.ndtr(-abs(value / error)))
    return Difference(value, float(value - half), float(value + half), p)


def mcnemar(first: Marks, second: Marks) -> float:
    """Return p of McNemar's exact test: who is right where only one of the two is."""
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    total = only_first + only_second
    if not total:
        return 1.0
    return min(1.0, 2 * float(special.bdtr(min(only_first, only_second), total, 0.5)))


def permutation(both: Judged, clusters: Ints, number: int, seed: int) -> Figures:
    """Return the differences of every figure when patients change sides by chance.

    `both` has the images of the first model and then those of the second, in one order. In every
    permutation each patient's predictions, all together, change models with probability one half;
    the first row is what was observed.
    """
    rng = np.random.default_rng(seed)
    size, images = int(clusters.max()) + 1, len(clusters)
    step = max(1, bootstrapping.AT_A_TIME // (2 * images))
    parts = []
    for start in range(0, number + 1, step):
        stays = rng.random((min(step, number + 1 - start), size)) < 0.5
        stays[0] |= start == 0
        kept = np.take(stays, clusters, axis=1).astype(np.int32)
        first = both.of(np.concatenate([kept, 1 - kept], axis=1))
        second = both.of(np.concatenate([1 - kept, kept], axis=1))
        parts.append({key: difference(first[key], second[key]) for key in first})
    return bootstrapping.joined(parts)


def share_as_large(differences: Floats) -> float:
    """Return p of a permutation test: the share of differences as large as the first.

    The observed one counts among them (Phipson and Smyth 2010), so that p is never 0.
    """
    observed, size = np.abs(differences[0]), np.abs(differences)
    if np.isnan(observed):
        return np.nan
    # What is equal but for rounding is as large.
    return float(np.mean(size[~np.isnan(size)] >= observed - 1e-12))


def bootstrap(first: Floats, second: Floats, level: float) -> Bounds:
    """Return the interval of a difference from replicates of the same resamples."""
    return bootstrapping.interval(difference(first, second), level)


def difference(first: Floats, second: Floats) -> Floats:
    """Subtract; of two infinite figures the difference is undefined."""
    with np.errstate(invalid="ignore"):
        return np.asarray(first) - np.asarray(second)


def holm(p: Floats) -> Floats:
    """Adjust p for their number (Holm 1979); an undefined one is no test and stays so."""
    p = np.asarray(p, np.float64)
    adjusted = np.full(len(p), np.nan)
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * factors))
    return adjusted
