"""Two models on the same images: is one better, or is it chance?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cxrtool.stats import cluster_bootstrap, cluster_variance, intervals
from cxrtool.stats.intervals import UNKNOWN, Bounds
from cxrtool.stats.metrics import Floats
from cxrtool.stats.weighted_metrics import Figures, Ints, Judged

Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Difference:
    """A difference of two models, its interval, and how often chance makes one so large."""

    value: float
    low: float
    high: float
    p: float


def delong(
    positive: Marks, first: Floats, second: Floats, clusters: Ints, level: float = 0.95
) -> Difference:
    """Compare two AUCs of the same images (DeLong et al. 1988; by patient, Obuchowski 1997).

    The variance of the difference is that of the differences of the structural components. Where
    patients have several images these are summed by patient, and Student's t takes the place of z:
    of few patients, or patients with very different numbers of images, the variance is not well
    known.
    """
    ours, theirs = (intervals.placements(positive, scores) for scores in (first, second))
    parts = ours[0] - theirs[0], ours[1] - theirs[1]
    if not min(map(len, parts)):
        return Difference(np.nan, *UNKNOWN, np.nan)
    value = float(parts[0].mean())
    if len(np.unique(clusters)) == len(clusters):
        error, freedom = np.sqrt(intervals.variance_of_mean(*parts)), np.inf
    else:
        error, freedom = _by_patient(positive, parts, clusters)
    if not error > 0:
        # Two models that rank all alike do not differ; else there is nothing to measure by.
        return Difference(value, *UNKNOWN, 1.0 if value == 0 and error == 0 else np.nan)
    half = special.stdtrit(freedom, (1 + level) / 2) * error
    p = 2 * float(special.stdtr(freedom, -abs(value / error)))
    return Difference(value, float(value - half), float(value + half), p)


def _by_patient(
    positive: Marks, parts: tuple[Floats, Floats], clusters: Ints
) -> tuple[float, float]:
    """Return the standard error of a difference of AUCs, and its degrees of freedom.

    The influence of an image is its component's part of the difference (Obuchowski 1997). The
    degrees of freedom are Welch and Satterthwaite's, of the effective numbers of patients.
    """
    effect = np.empty(len(positive))
    for marks, part in zip((positive, ~positive), parts, strict=True):
        effect[marks] = (part - part.mean()) / len(part)
    strata = cluster_variance.Strata(positive.astype(np.int64), clusters)
    if min(strata.effective) < cluster_variance.FEWEST:
        return np.nan, np.nan
    result = cluster_variance.moments(strata, effect)
    own = [part.variance for part in result.own]
    freedom = zip(own, strata.effective, strict=True)
    spread = sum(variance**2 / (number - 1) for variance, number in freedom)
    return np.sqrt(max(0.0, sum(own) + result.shared)), sum(own) ** 2 / spread if spread else np.inf


def mcnemar(first: Marks, second: Marks, clusters: Ints) -> float:
    """Return p of McNemar's exact test, by patient: which model is right where the other is not.

    Of a patient counts by how many images one model is right more often than the other. If neither
    model is better, that is as likely to be for the other model: the sum over the patients is
    compared with the sums of all exchanges, whose distribution is a convolution of binomial ones.
    Where each patient has one image this is McNemar's test (1947). The tests of Obuchowski (1998)
    and Durkalski et al. (2003) approximate such distributions, and reject more often than they
    state where patients are few (tests/benchmarks/type_one_error.py).
    """
    lead = np.bincount(clusters, first.astype(np.int64) - second).astype(np.int64)
    sizes, times = np.unique(np.abs(lead[lead != 0]), return_counts=True)
    chance, least = np.ones(1), 0
    for size, number in zip(sizes.tolist(), times.tolist(), strict=True):
        wins, p = _halves(number)
        step = np.zeros(size * (len(p) - 1) + 1)
        step[::size] = p
        chance, least = np.convolve(chance, step), least + size * wins
    sums = 2 * (least + np.arange(len(chance))) - int(sizes @ times)
    return min(1.0, float(chance[np.abs(sums) >= abs(lead.sum())].sum()))


def _halves(number: int) -> tuple[int, Floats]:
    """Return the binomial probabilities of p = 1/2 that are not 0, and the count of the first."""
    from scipy.stats import binom  # It takes a third of a second to import.

    p: Floats = binom.pmf(np.arange(number + 1), number, 0.5)
    there = np.flatnonzero(p)
    return int(there[0]), p[there[0] : there[-1] + 1]


def permutation(both: Judged, clusters: Ints, number: int, seed: int) -> Figures:
    """Return the differences of every figure when patients change sides by chance.

    `both` has the images of the first model and then those of the second, in one order. In every
    permutation each patient's predictions, all together, change models with probability one half;
    the first row is what was observed.

    What depends on the order of the scores alone (AUC, average precision) is to be given ranks
    instead (`ranked`): a model whose scores are on another scale ranks the images as before, but
    scores of two scales rank among one another by the scale.
    """
    rng = np.random.default_rng(seed)
    size, images = int(clusters.max()) + 1, len(clusters)
    step = max(1, cluster_bootstrap.AT_A_TIME // (2 * images))
    parts = []
    for start in range(0, number + 1, step):
        stays = rng.random((min(step, number + 1 - start), size)) < 0.5
        stays[0] |= start == 0
        kept = np.take(stays, clusters, axis=1).astype(np.int32)
        first = both.of(np.concatenate([kept, 1 - kept], axis=1))
        second = both.of(np.concatenate([1 - kept, kept], axis=1))
        parts.append({key: difference(first[key], second[key]) for key in first})
    return cluster_bootstrap.joined(parts)


def ranked(scores: Floats) -> Floats:
    """Rank the scores (N, classes) of one model, class by class, between 0 and 1.

    Equal scores share their mean rank. Venkatraman and Begg (1996) exchange such ranks.
    """
    from scipy.stats import rankdata  # It takes a third of a second to import.

    ranks: Floats = (rankdata(scores, axis=0) - 0.5) / len(scores)
    return ranks


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
    return cluster_bootstrap.interval(difference(first, second), level)


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
