"""Random-effects mean of a figure over sources, and what a new source is expected to have.

The sources are a sample of many that differ: DerSimonian and Laird (1986). The interval of the mean
is that of Hartung and Knapp (2001), which holds the level with few sources; the prediction interval
is that of Higgins et al. (2009).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from cxrtool.stats.intervals import Bounds
from cxrtool.stats.metrics import Floats


@dataclass(frozen=True)
class PooledMean:
    """A mean over sources.

    Attributes
    ----------
    between
        Variance between sources.
    error
        Standard error of the mean, from both variances.
    spread
        Standard error of the mean, from the values as they differ (Hartung and Knapp).
    """

    value: float
    between: float
    error: float
    spread: float
    number: int

    def bounds(self, level: float) -> Bounds:
        """Return the interval of the mean."""
        half = special.stdtrit(self.number - 1, (1 + level) / 2) * max(self.spread, self.error)
        return float(self.value - half), float(self.value + half)

    def prediction(self, level: float) -> Bounds:
        """Return the interval in which a new source is expected; it takes three sources."""
        half = special.stdtrit(self.number - 2, (1 + level) / 2)
        half *= np.sqrt(self.between + self.error**2)
        return float(self.value - half), float(self.value + half)


def pooled(values: Floats, variances: Floats) -> PooledMean:
    """Return the mean of two sources or more, each with the variance of its value."""
    weights = 1 / variances
    fixed = weights @ values / weights.sum()
    excess = weights @ (values - fixed) ** 2 - (len(values) - 1)
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    between = max(0.0, float(excess / scale))
    weights = 1 / (variances + between)
    mean = float(weights @ values / weights.sum())
    squares = weights @ (values - mean) ** 2 / (len(values) - 1)
    error = 1 / np.sqrt(weights.sum())
    return PooledMean(mean, between, float(error), float(np.sqrt(squares) * error), len(values))
