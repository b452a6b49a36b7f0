"""How the interval of each metric is computed, with the images of one patient kept together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cxrtool.stats import calibration, cluster_variance, metrics
from cxrtool.stats.calibration import Term
from cxrtool.stats.cluster_variance import Priors, Strata
from cxrtool.stats.influence import Gradient
from cxrtool.stats.metrics import Floats, Ints

# How an interval is computed, as results name it. By patient: where some have several images.
WILSON, WILSON_BY_PATIENT = "wilson", "wilson by patient"
DELONG, OBUCHOWSKI = "delong", "obuchowski"
LOG_NORMAL, LOG_NORMAL_BY_PATIENT = "log-normal", "log-normal by patient"
EFFECTIVE_SIZE, MOVER = "effective size", "mover"
CALIBRATION_ERROR, SANDWICH = "calibration error", "sandwich"

# Averages of these are of classes without a patient in common.
APART = ("sensitivity", "balanced_accuracy")
# Figures that are not between 0 and 1.
LIMITS = {
    "mcc": (-1.0, 1.0),
    "dor": (0.0, np.inf),
    "dor_haldane": (0.0, np.inf),
    "calibration_slope": (-np.inf, np.inf),
    "calibration_intercept": (-np.inf, np.inf),
}


@dataclass(frozen=True)
class Interval:
    """The bounds of one figure, how they were computed, and the influence of each patient."""

    low: float = np.nan
    high: float = np.nan
    method: str = ""
    sums: Floats | None = None


NONE = Interval()


class Problem:
    """The images of some classes with what was predicted, and the figures' common parts."""

    def __init__(self, labels: Ints, predicted: Ints, classes: int, clusters: Ints) -> None:
        self.labels, self.predicted = labels, predicted
        self.table = metrics.confusion(labels, predicted, classes).astype(np.float64)
        self.strata = Strata(labels, clusters)
        self._effects: list[float] = []

    @property
    def scores(self) -> Floats:
        """What the model says of each image, which is alike for images of one patient."""
        raise NotImplementedError

    @property
    def effects(self) -> list[float]:
        """The design effect of each class that occurs."""
        if not self._effects:
            self._effects = self.strata.design_effects(self.scores)
        return self._effects

    def of_table(self, gradient: Callable[[Floats], Gradient], level: float) -> Interval:
        """Bound a figure of the confusion matrix between 0 and 1."""
        result = gradient(self.table)
        if not np.isfinite(result.value):
            return NONE
        effect = result.influence(self.labels, self.predicted)
        return self.of_share(result.value, effect, self.table_priors(gradient), level)

    def table_priors(self, gradient: Callable[[Floats], Gradient]) -> Priors:
        """Return the prior variances of a figure of the confusion matrix, at its ends too.

        The ends are those of the same images, all predicted rightly or all wrongly.
        """
        actual = self.table.sum(axis=1)
        right = np.diag(actual)
        wrong = (1 - np.eye(len(actual))) * (actual / max(1, len(actual) - 1))[:, None]
        own, ends = self._priors_at(self.table, gradient), {}
        for table in (wrong, right):
            ends[gradient(table).value] = self._priors_at(table, gradient)
        return Priors(own, ends.get(0.0, own), ends.get(1.0, own))

    def _priors_at(self, table: Floats, gradient: Callable[[Floats], Gradient]) -> list[float]:
        """Return the variance of independent images times the design effect, class by class.

        With half an image more in every cell, in units of value (1 - value).
        """
        smooth = table + 0.5
        near = gradient(smooth)
        scale, priors = near.value * (1 - near.value), []
        for code, effect in zip(self.strata.present, self.effects, strict=True):
            number, cells = smooth[code].sum(), near.cells[code]
            share = smooth[code] / number
            variance = share @ cells**2 - (share @ cells) ** 2
            priors.append(float(effect * number * max(0.0, variance) / scale))
        return priors

    def of_share(self, value: float, effect: Floats, priors: Priors, level: float) -> Interval:
        """Bound a figure between 0 and 1 whose influences are known."""
        result = cluster_variance.moments(self.strata, effect)
        low, high = cluster_variance.of_share(value, self.strata, result, priors, level)
        return Interval(low, high, EFFECTIVE_SIZE, result.sums)

    def of_errors(self, errors: Floats, level: float) -> Interval:
        """Bound a mean of errors between 0 and 1, such as the Brier score.

        The prior variance is that of independent images with, in every class, half an image more
        that is entirely wrong and half a one that is right.
        """
        number, value = len(errors), float(errors.mean())
        near = (errors.sum() + 0.5) / (number + 1)
        priors = []
        for rows, effect in zip(self.strata.rows, self.effects, strict=True):
            own, size = errors[rows], len(rows) + 1
            variance = (own @ own + 0.5) / size - ((own.sum() + 0.5) / size) ** 2
            priors.append(effect * len(rows) * variance / (number**2 * near * (1 - near)))
        return self.of_share(value, (errors - value) / number, Priors(*[priors] * 3), level)


def averaged(metric: str, values: Floats, each: Sequence[Interval], weights: Floats) -> Interval:
    """Bound an average by the intervals of its parts; a precision of 0/0 is 0 for certain."""
    used = [at for at, weight in enumerate(weights.tolist()) if weight]
    if any(each[at].sums is None and not np.isnan(values[at]) for at in used):
        return NONE
    size = next((len(one.sums) for one in each if one.sums is not None), 0)
    rows = [each[at].sums if each[at].sums is not None else np.zeros(size) for at in used]
    pairs = np.nan_to_num([[each[at].low, each[at].high] for at in used])
    known = np.nan_to_num(values[used])
    unknown = 0.0 if metric in APART else 1.0
    low, high = cluster_variance.of_average(known, pairs, np.array(rows), weights[used], unknown)
    if np.isnan(low):
        return NONE
    least, most = LIMITS.get(metric, (0.0, 1.0))
    return Interval(max(least, low), min(most, high), MOVER, weights[used] @ np.array(rows))


def calibration_error(
    terms: Sequence[Term], strata: Strata, value: float, level: float
) -> Interval:
    """Bound a calibration error."""
    low, high = calibration.bounds(terms, strata, value, level)
    return NONE if np.isnan(low) else Interval(low, high, CALIBRATION_ERROR)


def term(metric: str, scores: Floats, hits: Ints, weight: float = 1.0) -> Term:
    """Return the residuals in bins: of equal width for `ece`, of equal mass for `ece_debiased`."""
    place = metrics.bins(scores) if metric == "ece" else calibration.equal_mass(scores)
    return Term(hits - scores, place, weight)


def stretched(result: Interval) -> Interval:
    """Take bounds of (1 + MCC) / 2 to those of MCC."""
    return Interval(2 * result.low - 1, 2 * result.high - 1, result.method, result.sums)
