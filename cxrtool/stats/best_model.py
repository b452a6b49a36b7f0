"""The best of several models on the same images: by how much its AUC is too high.

The largest of several estimates is the true value of its model plus an error that is likely to be
positive. If all models are equally good, the best one's expected error is E[max Z], where Z are
the errors of all models: normal, with the covariance of their influences by patient. Whatever the
true values are, no choice among the models has a larger expected error, as no error is larger than
the maximum.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats import cluster_variance, influence
from cxrtool.stats.metrics import Floats, Ints

Marks = NDArray[np.bool_]
DRAWS = 20_000
# Models whose values differ by no more than rounding share the first place.
TIED = 1e-9


@dataclass(frozen=True)
class JointAucs:
    """AUCs of several models on the same images."""

    values: Floats
    covariance: Floats

    @property
    def correlation(self) -> float:
        """The mean correlation of the errors of two models; NaN where one has none."""
        sizes = np.sqrt(np.diag(self.covariance))
        if len(sizes) < 2 or not (sizes > 0).all():
            return np.nan
        alike = self.covariance / np.outer(sizes, sizes)
        return float(alike[np.triu_indices(len(sizes), 1)].mean())

    @property
    def tied(self) -> Marks:
        """Which models have the highest value."""
        return np.asarray(self.values >= self.values.max() - TIED)

    def optimism(self, seed: int) -> float:
        """Return the expected error of the best model, if all are equally good.

        NaN if the best value has no variance, as a perfect one: of its error nothing is known.
        """
        if not np.diag(self.covariance)[self.values.argmax()] > 0:
            return np.nan
        return float(self._errors(seed).max(axis=1).mean())

    def wins(self, seed: int) -> Floats:
        """Return how often each model would be the best, if the values are the true ones.

        Models that are the best together share.
        """
        drawn = self.values + self._errors(seed)
        first = drawn >= drawn.max(axis=1, keepdims=True) - TIED
        shares: Floats = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
        return shares

    def _errors(self, seed: int) -> Floats:
        """Draw errors of the models, each draw with its opposite."""
        sizes, axes = np.linalg.eigh(self.covariance)
        # Rounding leaves copies of a model an axis of their own, whose root is no longer small.
        sizes[sizes <= len(sizes) * np.finfo(np.float64).eps * sizes.max()] = 0
        root = axes * np.sqrt(sizes)
        drawn = np.random.default_rng(seed).normal(size=(DRAWS // 2, len(sizes))) @ root.T
        return np.concatenate([drawn, -drawn])


def joint_aucs(positive: Marks, scores: Floats, patients: Ints) -> JointAucs:
    """Compute the AUCs of the columns of `scores`, and their covariance by patient."""
    results = [influence.auc(positive, own) for own in scores.T]
    strata = cluster_variance.Strata(positive.astype(np.int64), patients)
    rows = np.arange(len(positive))
    sums = np.array([strata.per_patient(rows, effect) for _, effect in results])
    number = max(strata.whole, cluster_variance.FEWEST)
    covariance = sums @ sums.T * number / (number - 1)
    return JointAucs(np.array([value for value, _ in results]), covariance)
