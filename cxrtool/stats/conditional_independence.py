"""Is a score independent of a group, given the label? An exact permutation test by patient.

Patients exchange their groups within a stratum: patients with the same labels and as many images
of each. If the score has nothing to do with the group given the label, every exchange is as likely
as what was observed, so that p <= a has at most the probability a.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from cxrtool.stats.metrics import Floats, Ints

PERMUTATIONS = 4999
# Besag and Clifford (1991): p is certainly large once so many permutations reach the statistic.
ENOUGH = 200
AT_A_TIME = 100


@dataclass(frozen=True)
class IndependenceTest:
    """The result of the test."""

    spread: float  # of the group means within a label, in SDs; NaN where nothing can be compared
    p: float
    permutations: int


def test(
    scores: Floats,
    groups: Ints,
    labels: Ints,
    patients: Ints,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> IndependenceTest:
    """Test whether scores depend on groups given the labels (exact, sequential).

    Parameters
    ----------
    scores
        Probabilities (N,).
    groups, labels, patients
        Numbers from 0; a patient whose images are of several groups is a patient in each.

    Returns
    -------
    The spread is the standard deviation of the group means within a label, weighted by the
    patients, less what chance adds; the unit is the standard deviation within group and label.

    Notes
    -----
    Means are of the normal scores of the ranks (van der Waerden 1952), not of logits: a network
    that is sure of itself writes many scores of exactly 0 or 1, whose logits have no size. Ranks
    need none, and any increasing change of the scores, such as a calibration, gives the same
    result. Equal scores share their mean rank: what the digits of a file do not tell stays untold.
    """
    units = _Units(scores, groups, labels, patients)
    observed = units.statistic(units.group[None])[0]
    if np.isnan(observed):
        return IndependenceTest(np.nan, np.nan, 0)
    rng = np.random.default_rng(seed)
    reached, drawn, total = 0, 0, 0.0
    while drawn < permutations and reached < ENOUGH:
        number = min(AT_A_TIME, permutations - drawn)
        values = units.statistic(units.exchanged(number, rng))
        reached, drawn = reached + int((values >= observed - 1e-12).sum()), drawn + number
        total += float(values.sum())
    spread = np.sqrt(max(0.0, observed - total / drawn))
    return IndependenceTest(float(spread), (1 + reached) / (1 + drawn), drawn)


class _Units:
    """Patients: one entry for each patient, group and label."""

    def __init__(self, scores: Floats, groups: Ints, labels: Ints, patients: Ints) -> None:
        normal = special.ndtri((stats.rankdata(scores) - 0.5) / len(scores))
        keys = np.column_stack([patients, groups, labels])
        rows, inverse = np.unique(keys, axis=0, return_inverse=True)
        counts = np.bincount(inverse.ravel())
        self.mean = np.bincount(inverse.ravel(), normal) / counts
        self.group, self.label = rows[:, 1], rows[:, 2]
        self.number = int(groups.max()) + 1
        # A patient in a group moves with all of its labels, to the place of one that has the same.
        who = np.unique(rows[:, :2], axis=0, return_inverse=True)[1].ravel()
        self.who = who
        self.kind = self._kinds(who, counts)
        self._scale()

    def _kinds(self, who: Ints, counts: Ints) -> Ints:
        """Number the strata: patients with the same labels and numbers of images."""
        number = int(who.max()) + 1
        labels = int(self.label.max()) + 1
        table = np.zeros((number, labels), np.int64)
        table[who, self.label] = counts
        kinds: Ints = np.unique(table, axis=0, return_inverse=True)[1].ravel()
        return kinds

    def _scale(self) -> None:
        """Centre the scores of each label, in units of the spread within group and label."""
        # A label that no row has divides nothing.
        self.size = np.maximum(np.bincount(self.label), 1)
        self.centred = self.mean - (np.bincount(self.label, self.mean) / self.size)[self.label]
        cells = self.label * self.number + self.group
        size = np.bincount(cells)
        own = np.bincount(cells, self.mean) / np.maximum(size, 1)
        freedom = len(cells) - int((size > 0).sum())
        spread = np.sqrt(((self.mean - own[cells]) ** 2).sum() / max(1, freedom))
        self.is_defined = bool(freedom > 0 and spread > 0 and self._is_shared(size))
        self.centred /= spread if self.is_defined else 1.0

    def _is_shared(self, size: Ints) -> bool:
        """Tell whether any label is in two groups."""
        labels = len(self.size)
        table = np.zeros(labels * self.number, np.int64)
        table[: len(size)] = size
        return bool(((table.reshape(labels, self.number) > 0).sum(axis=1) > 1).any())

    def statistic(self, groups: Ints) -> Floats:
        """Return the variance of the group means within a label, for each row of `groups`."""
        if not self.is_defined:
            return np.full(len(groups), np.nan)
        cells = self.label * self.number + groups
        most = len(self.size) * self.number
        cells = cells + most * np.arange(len(groups))[:, None]
        weights = np.broadcast_to(self.centred, groups.shape).ravel()
        sums = np.bincount(cells.ravel(), weights, minlength=most * len(groups))
        counts = np.bincount(cells.ravel(), minlength=most * len(groups))
        between = (sums**2 / np.maximum(counts, 1)).reshape(len(groups), most).sum(axis=1)
        variance: Floats = between / len(self.label)
        return variance

    def exchanged(self, number: int, rng: np.random.Generator) -> Ints:
        """Return the groups of the units after exchanges of patients within their kinds."""
        first = np.unique(self.who, return_index=True)[1]
        group, kind = self.group[first], self.kind
        result = np.tile(group, (number, 1))
        for k in np.unique(kind).tolist():
            there = np.flatnonzero(kind == k)
            result[:, there] = rng.permuted(result[:, there], axis=1)
        return result[:, self.who]
