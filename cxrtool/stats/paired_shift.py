"""The mean of a paired difference, and its interval with the images of a patient kept together."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from cxrtool.stats import cluster_variance
from cxrtool.stats.intervals import UNKNOWN, Bounds
from cxrtool.stats.metrics import Floats, Ints


@dataclass(frozen=True)
class Mean:
    """A mean over images, with its standard error by patient."""

    value: float
    error: float
    freedom: float  # degrees of freedom: effective patients minus one

    def bounds(self, level: float) -> Bounds:
        """Return Student's interval; unknown of fewer than two patients."""
        if not self.freedom > 0:
            return UNKNOWN
        half = float(special.stdtrit(self.freedom, (1 + level) / 2)) * self.error
        return self.value - half, self.value + half


def mean(values: Floats, patients: Ints) -> Mean:
    """Average values over images; the variance is that of the sums over each patient.

    Parameters
    ----------
    values
        One value an image, such as the difference of two scores of the same image.
    patients
        Group numbers (N,).

    Notes
    -----
    With r_g the sum over patient g of (x - mean), the variance is G / (G - 1) sum r_g^2 / N^2
    (Liang and Zeger 1986, with the usual correction for few groups). Where each patient has one
    image this is the paired t interval. Degrees of freedom count effective patients (Kish 1965).
    """
    groups = np.unique(patients, return_inverse=True)[1]
    counts = np.bincount(groups).astype(np.float64)
    if not len(values):
        return Mean(np.nan, np.nan, 0.0)
    value = float(np.mean(values))
    sums = np.bincount(groups, values - value)
    number = len(counts)
    scale = number / max(1, number - 1)
    error = float(np.sqrt(scale * (sums**2).sum())) / len(values)
    return Mean(value, error, cluster_variance.effective(counts) - 1)
