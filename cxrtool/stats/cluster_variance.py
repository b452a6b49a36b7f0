"""Variances that keep the images of one patient together, and the intervals made of them.

A figure is a smooth function of sums over the images, so each image has an influence: what a
little more weight of it would add to the figure. The influences of one patient are summed, and the
spread of these sums over the patients is the variance (the sandwich, or linearised, estimate;
Obuchowski 1997 is that of AUC). Near perfection hardly any patient varies, and the estimate tends
to 0; it is therefore averaged with a prior variance that comes from a model, weighted by the
degrees of freedom of each, as moderated variances are (Smyth 2004).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from cxrtool.stats.intervals import UNKNOWN, Bounds, quantile, score
from cxrtool.stats.metrics import Floats, Ints

# The prior variance weighs as much as so many degrees of freedom; the simulation in
# tests/benchmarks/coverage.py chose it.
PRIOR_FREEDOM = 2.0
# With fewer effective patients the spread between patients is not informative.
FEWEST = 1.5
# What differs by less has no spread but that of rounding.
NOTHING = 1e-12


def effective(counts: Floats) -> float:
    """Return how many equal patients would be worth as much: (sum n)^2 / sum n^2 (Kish 1965)."""
    squares = float((counts**2).sum())
    return float(counts.sum()) ** 2 / squares if squares else 0.0


class Strata:
    """The images of each class and the patients that they are of.

    Patients are numbered from 0. A class without images is no stratum.
    """

    def __init__(self, codes: Ints, clusters: Ints) -> None:
        self.codes, self.clusters = codes, clusters
        self.patients = int(clusters.max()) + 1
        self.present = np.unique(codes).tolist()
        self.rows = [np.flatnonzero(codes == code).astype(np.int32) for code in self.present]
        self.counts = [self.per_patient(rows, np.ones(len(rows))) for rows in self.rows]
        self.sizes = [float(len(rows)) for rows in self.rows]
        self.effective = [effective(counts) for counts in self.counts]
        self.whole = effective(np.sum(self.counts, axis=0))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def single(self) -> bool:
        """Whether every patient has one image."""
        return self.patients == len(self)

    def per_patient(self, rows: Ints, values: Floats) -> Floats:
        """Sum values of some images over each patient."""
        sums = np.bincount(self.clusters[rows], values, minlength=self.patients)
        return sums.astype(np.float64)

    def design_effects(self, scores: Floats) -> list[float]:
        """Return by how much alike images of a patient widen the variance, class by class.

        1 + (k - 1) ICC (Kish 1965), with the intraclass correlation of the scores' ranks within the
        class: unlike that of the errors, it is known even where there is no error.
        """
        return [self._design_effect(at, scores[rows]) for at, rows in enumerate(self.rows)]

    def _design_effect(self, at: int, scores: Floats) -> float:
        counts = self.counts[at][self.counts[at] > 0]
        size = float((counts**2).sum() / counts.sum())
        if size == 1:
            return 1.0
        numbers = self.clusters[self.rows[at]]
        alike = intraclass_correlation(stats.rankdata(scores), numbers, self.counts[at])
        # As if there were one patient more, whose images are all alike: of few patients the
        # correlation is hardly known, and too small a one claims too much.
        free = len(counts) - 1
        alike = (free * min(1.0, max(0.0, alike)) + 1) / (free + 1)
        return 1 + (size - 1) * alike


def intraclass_correlation(values: Floats, clusters: Ints, counts: Floats) -> float:
    """Return the one-way ANOVA estimate of what images of one patient have in common.

    (MSB - MSW) / (MSB + (n0 - 1) MSW) (Donner and Koval 1980); 1 where nothing varies, or where
    there is one patient alone.
    """
    total, there = len(values), counts[counts > 0]
    groups = len(there)
    if groups < 2 or total == groups:
        return 1.0
    sums = np.bincount(clusters, values, minlength=len(counts))
    means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    between = float((counts * (means - values.mean()) ** 2).sum()) / (groups - 1)
    within = float(((values - means[clusters]) ** 2).sum()) / (total - groups)
    size = (total - float((there**2).sum()) / total) / (groups - 1)
    below = between + (size - 1) * within
    return (between - within) / below if below > NOTHING else 1.0


@dataclass(frozen=True)
class VariancePart:
    """A part of a variance, and the degrees of freedom of its estimate."""

    variance: float
    freedom: float


@dataclass(frozen=True)
class Moments:
    """The contribution of the patients to the variance of a metric."""

    own: list[VariancePart]  # of each class
    shared: float  # between the classes: how many images each has, and what they share
    freedom: float  # of what is shared
    sums: Floats  # the influence of each patient


def moments(strata: Strata, influence: Floats) -> Moments:
    """Sum influences over patients, within each class and between the classes."""
    means = [float(influence[rows].mean()) for rows in strata.rows]
    within = [
        strata.per_patient(rows, influence[rows] - mean)
        for rows, mean in zip(strata.rows, means, strict=True)
    ]
    between = np.sum([m * c for m, c in zip(means, strata.counts, strict=True)], axis=0)
    own = [part_of(sums, number) for sums, number in zip(within, strata.effective, strict=True)]
    sums = np.sum(within, axis=0) + between
    apart = part_of(between, strata.whole)
    if strata.whole < FEWEST:
        return Moments(own, 0.0, 0.0, sums)
    products = float((sums**2).sum()) - sum(float((part**2).sum()) for part in within)
    shared = products * strata.whole / (strata.whole - 1)
    return Moments(own, shared, apart.freedom or strata.whole - 1, sums)


def part_of(sums: Floats, number: float) -> VariancePart:
    """Estimate a variance from the sums of patients.

    A few patients that differ much from the others carry little information: the degrees of
    freedom are 2 V^2 / Var(V), from the fourth powers, and no more than the effective patients
    less 1.
    """
    squares = float((sums**2).sum())
    if number < FEWEST or squares <= NOTHING**2:
        return VariancePart(0.0, 0.0)
    spread = float((sums**4).sum()) - squares**2 / len(sums)
    freedom = 2 * squares**2 / spread if spread > 0 else np.inf
    return VariancePart(squares * number / (number - 1), min(freedom, number - 1))


def moderated(
    strata: Strata, result: Moments, priors: Sequence[float], scale: float = 1.0
) -> VariancePart:
    """Average each class's variance with its prior, and add what the classes share.

    The estimates are divided by `scale`, in whose unit the priors are. The degrees of freedom are
    those of a sum (Satterthwaite 1946).
    """
    total, spread, estimated = 0.0, 0.0, 0.0
    for part, prior, number in zip(result.own, priors, strata.effective, strict=True):
        share = part.freedom / (part.freedom + PRIOR_FREEDOM)
        own = share * part.variance / scale if scale > 0 else 0.0
        rest = (1 - share) * prior
        spread += own**2 / part.freedom if own > 0 else 0.0
        spread += rest**2 / (number + PRIOR_FREEDOM)
        total, estimated = total + own + rest, estimated + own
    shared = result.shared / scale if scale > 0 else 0.0
    # Classes of the same patients that vary against one another take away half of it at most.
    shared = max(shared, -estimated / 2)
    spread += shared**2 / result.freedom if result.freedom > 0 else 0.0
    total += shared
    return VariancePart(total, total**2 / spread if spread > 0 else np.inf)


def student(level: float, freedom: float) -> float:
    """Return t of a two-sided interval; of many degrees of freedom it is z."""
    if freedom > 1e6:
        return quantile(level)
    return float(special.stdtrit(max(1.0, freedom), (1 + level) / 2))


@dataclass(frozen=True)
class Share:
    """A figure between 0 and 1 with the size of a sample of independent images that is worth as
    much, and the degrees of freedom of that size."""

    value: float
    size: float
    freedom: float


@dataclass(frozen=True)
class Priors:
    """Prior variances of each class in units of value (1 - value): of a figure, and at 0 and 1."""

    own: Sequence[float]
    none: Sequence[float]
    all: Sequence[float]


def shares(
    value: float, strata: Strata, result: Moments, priors: Priors
) -> tuple[Share, Share, Share]:
    """Return a figure as a share, and what it were at 0 and at 1.

    Its variance is value (1 - value) / size, moderated. Of a figure of 0 or 1 the prior is all that
    is known.
    """
    none = Moments([VariancePart(0.0, 0.0)] * len(priors.own), 0.0, 0.0, result.sums)
    parts = []
    for at, known, prior in (
        (value, result, priors.own),
        (0.0, none, priors.none),
        (1.0, none, priors.all),
    ):
        scale = at * (1 - at)
        part = moderated(strata, known, prior, scale if scale > NOTHING else 0.0)
        size = 1 / part.variance if part.variance > 0 else np.inf
        parts.append(Share(at, size, part.freedom))
    return parts[0], parts[1], parts[2]


def of_share(value: float, strata: Strata, result: Moments, priors: Priors, level: float) -> Bounds:
    """Return the interval of a figure between 0 and 1, as Wilson's of a share of the same size.

    At 0 or 1 the bound is one-sided. No figure with errors is bounded better than the same images
    without any.
    """
    three = shares(value, strata, result, priors)
    if not all(np.isfinite(one.size) for one in three):
        return UNKNOWN
    own, none, all_of_them = (score(s.value, s.size, student(level, s.freedom)) for s in three)
    return min(own[0], all_of_them[0]), max(own[1], none[1])


def of_odds_ratio(parts: Sequence[Share], alike: float, add: float, level: float) -> Bounds:
    """Return the log-normal interval of the odds ratio of two shares that correlate by `alike`.

    As `intervals.odds_ratio`, of the cells that independent images would have.
    """
    hits = [part.value * part.size + add for part in parts]
    misses = [(1 - part.value) * part.size + add for part in parts]
    if not min(*hits, *misses) > 0:
        return UNKNOWN
    variances = [1 / h + 1 / m for h, m in zip(hits, misses, strict=True)]
    total = sum(variances) + 2 * alike * float(np.sqrt(variances[0] * variances[1]))
    spread = sum(v**2 / p.freedom for v, p in zip(variances, parts, strict=True))
    half = student(level, total**2 / spread if spread > 0 else np.inf) * np.sqrt(total)
    middle = sum(np.log(h / m) for h, m in zip(hits, misses, strict=True))
    with np.errstate(over="ignore"):
        return float(np.exp(middle - half)), float(np.exp(middle + half))


def correlation(first: Floats, second: Floats) -> float:
    """Return how two sums over the same patients correlate; without spread they do not."""
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size > 0 else 0.0


def of_mean(
    value: float, strata: Strata, result: Moments, priors: Sequence[float], level: float
) -> Bounds:
    """Return Student's interval of a metric without bounds; one patient gives none."""
    part = moderated(strata, result, priors)
    if strata.whole < FEWEST or not part.variance > 0:
        return UNKNOWN
    half = student(level, part.freedom) * np.sqrt(part.variance)
    return float(value - half), float(value + half)


def of_average(
    values: Floats, bounds: Floats, sums: Floats, weights: Floats, unknown: float
) -> Bounds:
    """Return the interval of an average from those of its parts (MOVER; Zou and Donner 2008).

    `sums` has the influence of every patient on each part; parts of which one has no spread are
    taken to correlate by `unknown`.
    """
    used = weights > 0
    if not used.any():
        return UNKNOWN
    values, weights, (low, high) = values[used], weights[used], bounds[used].T
    size = np.sqrt((sums[used] ** 2).sum(axis=1))
    known = np.outer(size, size)
    alike = np.full(known.shape, unknown)
    np.divide(sums[used] @ sums[used].T, known, out=alike, where=known > NOTHING**2)
    np.fill_diagonal(alike, 1.0)
    middle, down, up = float(weights @ values), weights * (values - low), weights * (high - values)
    if not np.isfinite([down, up]).all():
        return UNKNOWN
    below, above = (float(np.sqrt(max(0.0, float(d @ alike @ d)))) for d in (down, up))
    return middle - below, middle + above
