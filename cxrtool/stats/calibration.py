"""Calibration: the error in equal-mass bins without its bias, and the logistic recalibration.

The expected calibration error (ECE) is a sum of absolute gaps between what is predicted and what is
observed. Chance makes every gap larger and none smaller, so that the plain estimate of a calibrated
model is far from 0. The debiased one subtracts what chance adds (Kumar, Liang and Ma 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from cxrtool.stats import cluster_variance, metrics
from cxrtool.stats.cluster_variance import Strata
from cxrtool.stats.intervals import UNKNOWN, Bounds
from cxrtool.stats.metrics import Floats, Ints

# The two calibration errors.
ERRORS = ("ece", "ece_debiased")
# Equal-mass bins: as many as those of equal width, but each of so many images at least.
LEAST = 10
# A probability of 0 or 1 has no logit: it is taken as so far from them.
EDGE = 1e-6
# Newton steps until a fit counts as without a solution, as that of classes that are apart does.
STEPS = 50
# No step changes a logit by more, so that none leaps to where the likelihood is flat.
LEAP = 8.0


class Calibration:
    """The probabilities of one class, and whether it was that class, ready to be weighed.

    What follows from them quickly is not kept: of a million images every array counts.
    """

    def __init__(self, probabilities: Floats, hits: Ints, clusters: Ints | None = None) -> None:
        self.probabilities, self.hits = np.asarray(probabilities, np.float64), hits.astype(bool)
        place = equal_mass(self.probabilities)
        self.order = np.argsort(place, kind="stable").astype(np.int32)
        self._starts = np.append(0, np.cumsum(np.bincount(place))[:-1])
        self._design = self._design_effects(place, clusters)

    def _design_effects(self, place: Ints, clusters: Ints | None) -> Floats:
        """Return by how much patients with several images widen the variance of each gap."""
        residuals = self.hits - self.probabilities
        images = np.bincount(place, residuals**2)
        patients = images if clusters is None else squares(residuals, place, clusters)
        return np.divide(patients, images, out=np.ones(len(images)), where=images > 0)

    def debiased(self, weights: Ints) -> Floats:
        """Return the debiased error of every row of weights (rows, images)."""
        residuals = (self.hits - self.probabilities)[self.order]
        weighed = np.take(weights, self.order, axis=1) * residuals
        gaps = np.add.reduceat(weighed, self._starts, axis=1)
        weighed *= residuals
        variances = np.add.reduceat(weighed, self._starts, axis=1) * self._design
        error = np.abs(gaps) - excess(gaps, np.sqrt(variances))
        return metrics.ratio(np.maximum(0.0, error.sum(axis=1)), weights.sum(axis=1))

    def slopes(self, weights: Ints) -> Floats:
        """Return the calibration slope of every row of weights."""
        own, rows = logits(self.probabilities), np.asarray(weights, np.float64)
        return np.array([slope_of(own, self.hits, row)[1] for row in rows])

    def intercepts(self, weights: Ints) -> Floats:
        """Return the calibration intercept of every row of weights."""
        own, rows = logits(self.probabilities), np.asarray(weights, np.float64)
        return np.array([intercept_of(own, self.hits, row) for row in rows])


def logits(probabilities: Floats) -> Floats:
    """Return the logits of probabilities, which are kept away from 0 and 1."""
    return np.asarray(special.logit(np.clip(probabilities, EDGE, 1 - EDGE)))


def equal_mass(probabilities: Floats) -> Ints:
    """Number bins that hold as many images as one another; equal probabilities stay together."""
    number = int(np.clip(len(probabilities) // LEAST, 1, metrics.BINS))
    edges = np.unique(np.quantile(probabilities, np.arange(1, number) / number))
    _, place = np.unique(np.searchsorted(edges, probabilities), return_inverse=True)
    return np.asarray(place)


def excess(gaps: Floats, errors: Floats) -> Floats:
    """Return how much larger than the absolute gap its mean is when chance is added to it.

    The mean of a folded normal distribution less |gap|: the bias of every bin, as Kumar, Liang and
    Ma (2019) estimate it by drawing from that distribution.
    """
    size = np.abs(gaps)
    ratio = np.divide(size, errors, out=np.full(size.shape, np.inf), where=errors > 0)
    density = np.exp(-(ratio**2) / 2) * np.sqrt(2 / np.pi)
    added: Floats = errors * density - 2 * size * special.ndtr(-ratio)
    return added


def squares(residuals: Floats, place: Ints, clusters: Ints) -> Floats:
    """Sum the residuals of each patient in each bin, and the squares of these sums in each bin."""
    number = int(place.max()) + 1
    keys, inverse = np.unique(clusters.astype(np.int64) * number + place, return_inverse=True)
    sums = np.bincount(inverse, residuals)
    result = np.bincount(keys % number, sums**2, minlength=number)
    return result.astype(np.float64)


@dataclass(frozen=True)
class Term:
    """What one class adds to a calibration error: residuals, their bins, and its weight."""

    residuals: Floats
    place: Ints
    weight: float = 1.0


def bounds(terms: Sequence[Term], strata: Strata, value: float, level: float) -> Bounds:
    """Return an interval of a calibration error of which `value` is the estimate.

    With calibrated bins chance alone adds sqrt(2 / pi) of the standard error of each gap, and never
    adds less than nothing; the lower bound takes off the former, the upper one what is estimated.
    So it covers at least as often as stated, and more often where the error is small.
    """
    images = len(strata)
    error, most, bias = 0.0, 0.0, 0.0
    signed = np.zeros(strata.patients)
    for term in terms:
        gaps = np.bincount(term.place, term.residuals).astype(np.float64)
        errors = np.sqrt(squares(term.residuals, term.place, strata.clusters))
        share = term.weight / images
        error += share * float(np.abs(gaps).sum())
        most += share * float(np.sqrt(2 / np.pi) * errors.sum())
        bias += share * float(excess(gaps, errors).sum())
        # A gap of 0 has no sign; that of rounding would depend on the order of the images.
        turned = np.where(gaps < -1e-9, -1.0, 1.0)[term.place] * term.residuals
        signed += share * np.bincount(strata.clusters, turned, minlength=strata.patients)
    counts = np.sum(strata.counts, axis=0)
    part = cluster_variance.part_of(signed - error * counts / images, strata.whole)
    if not part.variance > 0:
        return UNKNOWN
    half = cluster_variance.student(level, part.freedom) * np.sqrt(part.variance)
    low, high = error - most - half, max(0.0, error - bias) + half
    return float(np.clip(low, 0, value)), float(np.clip(high, value, 1))


def slope_of(logits: Floats, hits: Floats, weights: Floats) -> tuple[float, float]:
    """Fit logit P(hit) = a + b logit, by Newton's method (Cox 1958); classes apart have no fit.

    b is the calibration slope: 1 is right, less means probabilities too near 0 and 1.
    """
    total, positives = weights.sum(), weights @ hits
    if not 0 < positives < total:
        return np.nan, np.nan
    used = weights > 0
    if not used.all():
        logits, hits, weights = logits[used], hits[used], weights[used]
    ends = np.array([logits.min(), logits.max()])
    a, b = float(special.logit(positives / total)), 0.0
    for _ in range(STEPS):
        chance = special.expit(a + b * logits)
        wrong, spread = weights * (hits - chance), weights * chance * (1 - chance)
        first, second = wrong.sum(), wrong @ logits
        mass, moment, inertia = spread.sum(), spread @ logits, spread @ logits**2
        determinant = mass * inertia - moment**2
        if not determinant > 1e-12 * mass * inertia:
            return np.nan, np.nan
        da = (inertia * first - moment * second) / determinant
        db = (mass * second - moment * first) / determinant
        shrink = min(1.0, LEAP / max(1e-300, float(np.abs(da + db * ends).max())))
        a, b = a + shrink * da, b + shrink * db
        if abs(da) + abs(db) < 1e-9 * (1 + abs(a) + abs(b)):
            return a, b
    return np.nan, np.nan


def intercept_of(logits: Floats, hits: Floats, weights: Floats) -> float:
    """Fit logit P(hit) = a + logit: calibration in the large, 0 where it is right on average."""
    total, positives = weights.sum(), weights @ hits
    if not 0 < positives < total:
        return np.nan
    a = 0.0
    for _ in range(STEPS):
        chance = special.expit(a + logits)
        step = float(weights @ (hits - chance) / (weights @ (chance * (1 - chance))))
        a += float(np.clip(step, -LEAP, LEAP))
        if abs(step) < 1e-9 * (1 + abs(a)):
            return a
    return np.nan


def leverages(logits: Floats, a: float, b: float | None = None) -> Floats:
    """Return what a residual of 1 of each image adds to the slope of a fit, or to the intercept.

    The row of (X' W X)^-1 X' of that coefficient; the intercept's where the slope is fixed at 1.
    """
    chance = special.expit(a + (1.0 if b is None else b) * logits)
    spread = chance * (1 - chance)
    if b is None:
        return np.full(len(logits), 1 / spread.sum())
    middle = spread @ logits / spread.sum()
    change: Floats = (logits - middle) / (spread @ (logits - middle) ** 2)
    return change
