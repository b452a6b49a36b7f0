"""AUC within and between groups of images, such as hospitals: what is left without the group.

A pair of a positive and a negative image is of one group, or across groups. With w, the share of
pairs of one group,

    AUC = w AUC_within + (1 - w) AUC_between.

Groups that follow the label raise AUC_between, and hence AUC, for every model that recognises the
group. AUC_within compares images of the same group only, where the group tells nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats import cluster_variance, influence
from cxrtool.stats.cluster_variance import NOTHING, Moments, Priors, Strata
from cxrtool.stats.intervals import UNKNOWN, Bounds
from cxrtool.stats.metrics import Floats, Ints

Marks = NDArray[np.bool_]
# A share between 0 and 1 whose bounds are found by halving is exact to so many digits.
STEPS = 40


@dataclass(frozen=True)
class PairAuc:
    """AUC over some of the pairs, with what its interval needs.

    Attributes
    ----------
    value
        NaN where no such pair exists.
    pairs
        Total weight of the pairs.
    influence
        What a little more weight of each image adds to the value; sums to 0.
    sizes
        Of positives and negatives: the number of images with equal numbers of partners that would
        be worth as much.
    """

    value: float
    pairs: float
    influence: Floats
    sizes: tuple[float, float]


def pair_auc(
    positive: Marks, scores: Floats, groups: Ints | None = None, weights: Floats | None = None
) -> PairAuc:
    """Compute AUC over the pairs of one group, or over all pairs, in O(n log n).

    Every pair weighs the product of its images' weights; equal scores count one half.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    return _auc(positive, weights, *_partners_and_wins(positive, scores, groups, weights))


def auc_between(positive: Marks, scores: Floats, groups: Ints) -> PairAuc:
    """Compute AUC over the pairs of different groups: all pairs without those of one group."""
    weights = np.ones(len(scores))
    partners, wins = _partners_and_wins(positive, scores, None, weights)
    own_partners, own_wins = _partners_and_wins(positive, scores, groups, weights)
    return _auc(positive, weights, partners - own_partners, wins - own_wins)


def _partners_and_wins(
    positive: Marks, scores: Floats, groups: Ints | None, weights: Floats
) -> tuple[Floats, Floats]:
    """Return of each image the weight of its partners, and of those that it ranks rightly with."""
    number = len(scores)
    groups = np.zeros(number, np.int64) if groups is None else groups
    ours, theirs = np.where(positive, weights, 0.0), np.where(positive, 0.0, weights)
    order = np.lexsort((scores, groups))
    tie = _starts(groups[order], scores[order])
    group = _starts(groups[order])
    partners, wins = np.empty(number), np.empty(number)
    below, total = _sums(theirs[order], tie, group)
    under, count = _sums(ours[order], tie, group)
    partners[order] = np.where(positive[order], total, count)
    wins[order] = np.where(positive[order], below, count - under)
    return partners, wins


def _auc(positive: Marks, weights: Floats, partners: Floats, wins: Floats) -> PairAuc:
    """Divide the pairs that rank rightly by all pairs."""
    ours, theirs = np.where(positive, weights, 0.0), np.where(positive, 0.0, weights)
    pairs = float(ours @ partners)
    if not pairs > 0:
        return PairAuc(np.nan, 0.0, np.zeros(len(wins)), (0.0, 0.0))
    value = float(ours @ wins / pairs)
    effect = weights * (wins - value * partners) / pairs
    sizes = [
        pairs**2 / max(float(((part * partners) ** 2).sum()), NOTHING) for part in (ours, theirs)
    ]
    return PairAuc(value, pairs, effect, (sizes[0], sizes[1]))


def patients_by_group(groups: Ints, positive: Marks, patients: Ints) -> Ints:
    """Count the patients of each group (row): those with negative images, and with positive."""
    units = np.unique(np.column_stack([groups, positive, patients]).astype(np.int64), axis=0)
    table = np.zeros((int(groups.max()) + 1, 2), np.int64)
    np.add.at(table, (units[:, 0], units[:, 1]), 1)
    return table


def _starts(*keys: NDArray[np.generic]) -> Ints:
    """Number the runs of equal keys in sorted rows."""
    new = np.zeros(len(keys[0]), bool)
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.cumsum(new)


def _sums(weights: Floats, tie: Ints, group: Ints) -> tuple[Floats, Floats]:
    """Return the weight below each row in its group, equal rows counting half, and the group's."""
    ties, groups = (np.bincount(codes, weights).astype(np.float64) for codes in (tie, group))
    before = np.cumsum(ties) - ties
    started = np.cumsum(groups) - groups
    return before[tie] + ties[tie] / 2 - started[group], groups[group]


class Estimate(Protocol):
    """A value whose interval is known at any level."""

    @property
    def value(self) -> float:
        """The estimate."""
        ...

    def bounds(self, level: float) -> Bounds:
        """Return the interval at a level."""
        ...


class Auc:
    """An AUC over some of the pairs, by patient: its interval at any level."""

    def __init__(self, pairs: PairAuc, strata: Strata, effects: list[float]) -> None:
        self.value, self.pairs = pairs.value, pairs.pairs
        self.strata = strata
        self._moments = cluster_variance.moments(strata, pairs.influence)
        # Strata are numbered by class, and the negatives, False, come first.
        units = [e / n if n else 0.0 for e, n in zip(effects, pairs.sizes[::-1], strict=True)]
        ends = (self.value, 0.0, 1.0)
        self._priors = Priors(*[[influence.auc_prior(at) * u for u in units] for at in ends])

    @property
    def moments(self) -> Moments:
        """The influences, summed over each patient."""
        return self._moments

    def bounds(self, level: float) -> Bounds:
        """Return the interval, as that of a share with an effective number of images."""
        if np.isnan(self.value):
            return UNKNOWN
        return cluster_variance.of_share(
            self.value, self.strata, self._moments, self._priors, level
        )


class Decomposition:
    """AUC, its part within groups and its part between them, and their difference.

    Parameters
    ----------
    positive, scores
        The label and the score of each image.
    groups
        Numbers of the groups.
    patients
        Numbers of the patients, from 0.

    Attributes
    ----------
    share
        The share of pairs within groups; NaN unless there are both classes (`is_defined`).
    """

    def __init__(self, positive: Marks, scores: Floats, groups: Ints, patients: Ints) -> None:
        self.share, self.is_defined = np.nan, False
        self._images = groups, positive, patients
        if not len(positive):
            return
        strata = Strata(positive.astype(np.int8), patients)
        self.strata = strata
        self.is_defined = len(strata.present) == 2
        if not self.is_defined:
            return
        effects = strata.design_effects(scores)
        whole, within = pair_auc(positive, scores), pair_auc(positive, scores, groups)
        self.share = within.pairs / whole.pairs
        self.whole, self.within = Auc(whole, strata, effects), Auc(within, strata, effects)
        self.across = Auc(auc_between(positive, scores, groups), strata, effects)

    @property
    def patient_pairs(self) -> int:
        """The number of pairs of a positive and another, negative patient within groups."""
        groups, positive, patients = self._images
        counts = patients_by_group(groups, positive, patients)
        every = patients_by_group(groups, np.ones(len(groups), bool), patients)[:, 1]
        # A patient of both classes is no pair alone.
        of_both = counts.sum(axis=1) - every
        return int((counts.prod(axis=1) - of_both).sum())

    @property
    def paired_patients(self) -> int:
        """The patients in pairs within groups, of the class that has fewer of them."""
        groups, positive, patients = self._images
        paired = patients_by_group(groups, positive, patients).min(axis=1)[groups] > 0
        return min(len(np.unique(patients[paired & (positive == one)])) for one in (0, 1))

    @property
    def between(self) -> float:
        """AUC over the pairs of different groups."""
        return self.across.value if self.is_defined else np.nan

    @property
    def value(self) -> float:
        """AUC minus AUC_within: what the groups add to the AUC."""
        return self.whole.value - self.within.value if self.is_defined else np.nan

    def bounds(self, level: float) -> Bounds:
        """Return the interval of AUC minus AUC_within."""
        if not self.is_defined:
            return UNKNOWN
        return (0.0, 0.0) if self.share == 1 else difference_bounds(self.whole, self.within, level)


def difference_bounds(first: Auc, second: Auc, level: float) -> Bounds:
    """Return the interval of the difference of two AUCs of the same images.

    From the intervals of both and the correlation of their influences by patient (MOVER; Zou and
    Donner 2008): near 1 it keeps the width that the intervals of the parts have there.
    """
    values = np.array([first.value, second.value])
    if np.isnan(values).any():
        return UNKNOWN
    sums = np.array([part.moments.sums for part in (first, second)])
    return _difference(values, np.array([p.bounds(level) for p in (first, second)]), sums)


def independent_difference(values: Sequence[float], bounds: Sequence[Bounds]) -> Bounds:
    """Return the interval of the difference of two figures of different patients (MOVER)."""
    if np.isnan(bounds).any():
        return UNKNOWN
    return _difference(np.array(values), np.array(bounds), np.zeros((2, 1)))


def _difference(values: Floats, bounds: Floats, sums: Floats) -> Bounds:
    """Return the interval of a difference of two figures from theirs."""
    alike = cluster_variance.correlation(sums[0], sums[1])
    (down, away), (up, near) = (values - bounds[:, 0], bounds[:, 1] - values)
    low = np.sqrt(max(0.0, down**2 + near**2 - 2 * alike * down * near))
    high = np.sqrt(max(0.0, up**2 + away**2 - 2 * alike * up * away))
    value = float(values[0] - values[1])
    return float(value - low), float(value + high)


def p_beyond(estimate: Estimate, limit: float) -> float:
    """Return the one-sided p that the true value is at most `limit`, from the intervals.

    It is half of one minus the level of the interval whose lower bound is the limit; above 0.5 the
    value itself is below the limit, and 1 stands for all of these.
    """
    low, _ = estimate.bounds(0.5)
    if np.isnan(low):
        return np.nan
    if not estimate.value > limit:
        return 1.0
    # Levels close to 1 are told apart by what is missing from 1, on a logarithmic scale.
    least, most = -12.0, 0.0
    for _ in range(STEPS):
        middle = (least + most) / 2
        inside = estimate.bounds(1 - 10**middle)[0] <= limit
        least, most = (middle, most) if inside else (least, middle)
    return float(10**most / 2)
