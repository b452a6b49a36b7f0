"""The interval of each figure of one class against the rest, or of all classes together."""

import functools
import itertools

import numpy as np
from scipy import special

from cxrtool.stats import calibration, cluster_variance, influence, intervals, metrics
from cxrtool.stats.calibration import Term
from cxrtool.stats.cluster_variance import Priors, Share, Strata
from cxrtool.stats.interval_methods import (
    DELONG,
    LOG_NORMAL,
    LOG_NORMAL_BY_PATIENT,
    NONE,
    OBUCHOWSKI,
    SANDWICH,
    WILSON,
    WILSON_BY_PATIENT,
    Interval,
    Problem,
    averaged,
    calibration_error,
    stretched,
    term,
)
from cxrtool.stats.metrics import Counts, Floats, Ints
from cxrtool.stats.weighted_metrics import Judged

# Prior variance of average precision in units of AP (1 - AP) / n, of positives and of the others:
# as a share of the positives, with half as much from the others (chosen by simulation).
PRECISION_PRIORS = (1.0, 0.5)
# Shares of what was predicted to be the class (0) or the rest (1).
PREDICTIVE = {"precision": 0, "npv": 1}


class OneClass(Problem):
    """One class against the rest; the class itself has the number 0."""

    def __init__(self, judged: Judged, k: int, clusters: Ints) -> None:
        self.positive = judged.labels == k
        self._column = judged.probabilities[:, k]
        predicted = (judged.predicted != k).astype(np.int8)
        super().__init__((~self.positive).astype(np.int8), predicted, 2, clusters)

    @property
    def scores(self) -> Floats:
        """The probability of the class."""
        return np.asarray(self._column, np.float64)

    @property
    def counts(self) -> Counts:
        """The four counts."""
        return metrics.against_the_rest(self.table, 0)

    def of(self, metric: str, value: float, level: float) -> Interval:
        """Compute the interval of one figure; of an undefined one there is none."""
        if not np.isfinite(value):
            return NONE
        if metric in metrics.SHARES:
            return self._share(metric, level)
        own = {
            "f1": self._f1,
            "mcc": self._mcc,
            "balanced_accuracy": self._balanced,
            "auc": self._auc,
            "average_precision": self._average_precision,
            "brier": self._brier,
        }
        if metric in own:
            return own[metric](level)
        if metric in ("dor", "dor_haldane"):
            return self._odds_ratio(value, level, 0.5 if metric == "dor_haldane" else 0.0)
        if metric in metrics.RECALIBRATED:
            return self._recalibrated(metric, value, level)
        return calibration_error([self.term(metric)], self.strata, value, level)

    def _share(self, metric: str, level: float) -> Interval:
        result = self.of_table(functools.partial(influence.share, metric), level)
        if metric in PREDICTIVE and len(self.strata.present) < 2:
            low, high = self._of_one_class(metric, level)
            method = WILSON if self.strata.single else WILSON_BY_PATIENT
            return Interval(low, high, method, result.sums)
        if not self.strata.single:
            return Interval(result.low, result.high, WILSON_BY_PATIENT, result.sums)
        count, total = (float(n) for n in self.counts.share(metric))
        return Interval(*intervals.wilson(count, total, level), WILSON, result.sums)

    def _of_one_class(self, metric: str, level: float) -> tuple[float, float]:
        """Bound a predictive value where all images are of one class, so that it is 0 or 1.

        The images then vary in nothing. Each patient counts as one image: this is the widest.
        """
        said = self.predicted == PREDICTIVE[metric]
        patients = len(np.unique(self.strata.clusters[said]))
        right = patients * float(self.counts.share(metric)[0] > 0)
        return intervals.wilson(right, patients, level)

    def _f1(self, level: float) -> Interval:
        result = self.of_table(functools.partial(influence.share, "f1"), level)
        low, high = (2 * bound / (1 + bound) for bound in (result.low, result.high))
        return Interval(low, high, result.method, result.sums)

    def _mcc(self, level: float) -> Interval:
        return stretched(self.of_table(influence.correlation, level))

    def _balanced(self, level: float) -> Interval:
        parts = [self._share(metric, level) for metric in ("sensitivity", "specificity")]
        counts = self.counts
        values = [float(metrics.ratio(*counts.share(m))) for m in ("sensitivity", "specificity")]
        return averaged("balanced_accuracy", np.array(values), parts, np.array([0.5, 0.5]))

    def _auc(self, level: float) -> Interval:
        value, effect = influence.auc(self.positive, self.scores)
        units = [e / n for e, n in zip(self.effects, self.strata.sizes, strict=True)]
        priors = [[influence.auc_prior(at) * unit for unit in units] for at in (value, 0.0, 1.0)]
        result = self.of_share(value, effect, Priors(*priors), level)
        method = DELONG if self.strata.single else OBUCHOWSKI
        return Interval(result.low, result.high, method, result.sums)

    def _average_precision(self, level: float) -> Interval:
        value, effect = influence.average_precision(self.positive, self.scores)
        parts = zip(PRECISION_PRIORS, self.effects, self.strata.sizes, strict=False)
        return self.of_share(value, effect, Priors(*[[p * e / n for p, e, n in parts]] * 3), level)

    def _brier(self, level: float) -> Interval:
        return self.of_errors((self.scores - self.positive) ** 2, level)

    def _odds_ratio(self, value: float, level: float, add: float) -> Interval:
        """Bound an odds ratio; a cell without images leaves that without `add` unbounded."""
        table = self.table + add
        if not table.min() > 0 or not self.table.sum(axis=1).min() > 0:
            return NONE
        effect = influence.log_odds_ratio(table)[self.labels, self.predicted]
        sums = cluster_variance.moments(self.strata, effect).sums * value
        if self.strata.single:
            return Interval(*intervals.odds_ratio(self.counts, level, add), LOG_NORMAL, sums)
        rates, alike = self._rates()
        # Errors of a class bound it no better than none would.
        pairs = {
            at: itertools.product(*((three[0], three[at]) for three in rates)) for at in (1, 2)
        }
        most, least = (
            [cluster_variance.of_odds_ratio(pair, alike, add, level) for pair in pairs[at]]
            for at in (1, 2)
        )
        low, high = np.nanmin([b[0] for b in least]), np.nanmax([b[1] for b in most])
        return Interval(min(low, value), max(high, value), LOG_NORMAL_BY_PATIENT, sums)

    def _rates(self) -> tuple[list[tuple[Share, Share, Share]], float]:
        """Return sensitivity and specificity with their ends, and how they correlate."""
        rates, sums = [], []
        for metric in ("sensitivity", "specificity"):
            gradient = functools.partial(influence.share, metric)
            result = gradient(self.table)
            effect = result.influence(self.labels, self.predicted)
            moments = cluster_variance.moments(self.strata, effect)
            priors = self.table_priors(gradient)
            rates.append(cluster_variance.shares(result.value, self.strata, moments, priors))
            sums.append(moments.sums)
        return rates, cluster_variance.correlation(sums[0], sums[1])

    def _recalibrated(self, metric: str, value: float, level: float) -> Interval:
        """Bound calibration slope or intercept by the sandwich estimate of its variance.

        Its prior is the variance that the fitted model has with independent images, times the
        design effect of the residuals.
        """
        logits = calibration.logits(self.scores)
        if metric == "calibration_slope":
            a, b = calibration.slope_of(logits, self.positive, np.ones(len(logits)))
            change = calibration.leverages(logits, a, b)
        else:
            a, b, change = value, 1.0, calibration.leverages(logits, value)
        chance = special.expit(a + b * logits)
        residuals = self.positive - chance
        together = Strata(np.zeros(len(logits), np.int8), self.strata.clusters)
        result = cluster_variance.moments(together, change * residuals)
        variance = float(change**2 @ (chance * (1 - chance)))
        # What is equal but for rounding has one rank.
        effects = together.design_effects(np.round(residuals, 9))
        priors = [effect * variance for effect in effects]
        low, high = cluster_variance.of_mean(value, together, result, priors, level)
        return NONE if np.isnan(low) else Interval(low, high, SANDWICH, result.sums)

    def term(self, metric: str, weight: float = 1.0) -> Term:
        """Return what the class adds to a calibration error."""
        return term(metric, self.scores, self.positive, weight)


class AllClasses(Problem):
    """All classes together: what is predicted of each image, rightly or not."""

    def __init__(self, judged: Judged, clusters: Ints) -> None:
        self.p = np.asarray(judged.probabilities, np.float64)
        super().__init__(judged.labels, judged.predicted, len(judged.classes), clusters)

    @property
    def scores(self) -> Floats:
        """The probability of the true class."""
        return np.take_along_axis(self.p, self.labels[:, None], axis=1)[:, 0]

    def of(self, metric: str, value: float, level: float) -> Interval:
        """Compute the interval of one figure; of an undefined one there is none."""
        if not np.isfinite(value):
            return NONE
        if metric in ("accuracy", "error"):
            return self._share(metric, level)
        if metric == "mcc":
            return stretched(self.of_table(influence.correlation, level))
        if metric == "brier":
            squares = (self.p**2).sum(axis=1) + 1 - 2 * self.scores
            result = self.of_errors(squares / 2, level)
            return Interval(2 * result.low, 2 * result.high, result.method)
        hits = self.labels == self.predicted
        return calibration_error(
            [term(metric, self.p.max(axis=1), hits)], self.strata, value, level
        )

    def _share(self, metric: str, level: float) -> Interval:
        if self.strata.single:
            right = float(np.trace(self.table))
            count = right if metric == "accuracy" else len(self.labels) - right
            return Interval(*intervals.wilson(count, len(self.labels), level), WILSON)
        result = self.of_table(functools.partial(influence.share, metric), level)
        return Interval(result.low, result.high, WILSON_BY_PATIENT)
