"""The difference between two groups of models, each trained with several seeds, on the same images.

Two things make the difference of the mean AUCs vary: other patients, and other seeds. An image on
which the seeds of a group disagree counts in both the spread between the AUCs of the seeds and the
variance over the patients, and must be counted once.

With V(u), the variance over patients of a figure with the influences u, S^2_g, the variance of the
figure between the n_g models of group g, and d_gk, the influences of model k less their mean,

    Var = V(mean_1 - mean_2) + sum_g (S^2_g - I_g) / n_g,    I_g = sum_k V(d_gk) / (n_g - 1).

I_g is what S^2_g owes to these patients. This is the variance of Obuchowski and Rockette (1995) for
readers that read in one modality each, seeds being the readers: V(mean) is their Cov_2 plus
I_g / n_g. The degrees of freedom are Satterthwaite's, as Hillis (2007) has them for readers, with
those of the patients.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from cxrtool.stats import cluster_variance
from cxrtool.stats.cluster_variance import FEWEST, NOTHING, Strata
from cxrtool.stats.intervals import UNKNOWN, Bounds
from cxrtool.stats.metrics import Floats


@dataclass(frozen=True)
class SeedFigures:
    """A figure of models that differ in their seed alone.

    Attributes
    ----------
    values
        The figure of each model.
    influence
        What a little more weight of each image adds to it: (models, images).
    """

    values: Floats
    influence: Floats


@dataclass(frozen=True)
class SeedContrast:
    """A difference of means over seeds, with its standard error."""

    value: float
    error: float
    freedom: float
    of_patients: float  # the standard error if the seeds were fixed
    of_seeds: float  # and if the patients were

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return bool(self.error > NOTHING)

    def bounds(self, level: float) -> Bounds:
        """Return Student's interval."""
        if not self.is_known:
            return UNKNOWN
        half = cluster_variance.student(level, self.freedom) * self.error
        return float(self.value - half), float(self.value + half)

    @property
    def p(self) -> float:
        """The two-sided p-value of no difference."""
        if not self.is_known:
            return np.nan
        return 2 * float(special.stdtr(self.freedom, -abs(self.value / self.error)))


def contrast(first: SeedFigures, second: SeedFigures, strata: Strata) -> SeedContrast:
    """Subtract the mean of the second group from that of the first; each has two models or more."""
    groups = (first, second)
    value = float(first.values.mean() - second.values.mean())
    if np.isnan(value) or min(strata.effective) < FEWEST:
        return SeedContrast(value, np.nan, np.nan, np.nan, np.nan)
    patients, freedom = _variance(first.influence.mean(0) - second.influence.mean(0), strata)
    between = [float(g.values.var(ddof=1)) / len(g.values) for g in groups]
    disagreement = sum(_disagreement(group, strata) for group in groups)
    # Neither part is negative, whatever is subtracted.
    total = max(patients + sum(between) - disagreement, patients, sum(between))
    spread = sum(b**2 / (len(g.values) - 1) for b, g in zip(between, groups, strict=True))
    spread += max(0.0, patients - disagreement) ** 2 / freedom if freedom > 0 else 0.0
    return SeedContrast(
        value,
        float(np.sqrt(total)),
        total**2 / spread if spread > 0 else np.inf,
        float(np.sqrt(max(0.0, patients))),
        float(np.sqrt(sum(between))),
    )


def _disagreement(group: SeedFigures, strata: Strata) -> float:
    """Return I_g / n_g: what the mean of a group owes to images on which its models disagree."""
    number = len(group.values)
    deviations = group.influence - group.influence.mean(0)
    return sum(_variance(own, strata)[0] for own in deviations) / (number - 1) / number


def _variance(influence: Floats, strata: Strata) -> tuple[float, float]:
    """Return the variance over patients, and its degrees of freedom (Satterthwaite 1946)."""
    result = cluster_variance.moments(strata, influence)
    own = [part.variance for part in result.own]
    spread = sum(
        variance**2 / (number - 1)
        for variance, number in zip(own, strata.effective, strict=True)
        if number > 1
    )
    # Classes of the same patients that vary against one another take away half of it at most.
    total = sum(own) + max(result.shared, -sum(own) / 2)
    return total, total**2 / spread if spread > 0 else 0.0
