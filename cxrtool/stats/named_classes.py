"""Do named classes follow the scores, by one threshold? If not: in which groups do they not?

A class is named where the score is beyond a threshold, which nobody has written down: it is fitted
on the groups whose classes follow their scores. Scores equal to it, as rounded ones are, may have
either class. Of several classes the most probable is named, which is no threshold for one of them:
scores between 1 / classes and 1 / 2 tell nothing.
"""

import numpy as np
from scipy import stats

from cxrtool.stats import cluster_variance, intervals
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Auc, Marks, pair_auc

# Of fewer patients nothing is said.
FEWEST = 10
# So many of a hundred patients may contradict any threshold: a class was corrected, a row copied.
TOLERATED = 0.05
# What a group adds to the misfit is bounded: one bad group is not to move the threshold of others.
MOST = 0.25
# A group whose classes and scores surely agree less than this (1: wholly, 0.5: by chance).
AGREEING = 0.75
# Such a finding is less likely than this by chance, over all groups.
UNLIKELY = 0.01
SURE = 0.999
# More thresholds than this are not tried.
THRESHOLDS = 2000


class NamedClasses:
    """The named class (1 positive, 0 another, -1 none) and the score of each image, by groups."""

    def __init__(
        self, named: Ints, scores: Floats, groups: Ints, patients: Ints, classes: int = 2
    ) -> None:
        self.named, self.scores, self.groups, self.patients = named, scores, groups, patients
        either = (scores >= 1 / classes) & (scores <= 0.5)
        self.telling = (named >= 0) & ~either

    def is_reversed(self) -> bool:
        """Tell whether images with the class have lower scores than those without, in all groups.

        Where the classes of a group follow its scores, the fault is that of the other groups.
        """
        everywhere = np.ones(len(self.named), bool)
        agreeing = any(self._agreement(self.groups == k) >= AGREEING for k in self._every())
        return bool(self._agreement(everywhere) < 0.5) and not agreeing

    def contradicting(self) -> tuple[list[int], list[int]]:
        """Return the groups of one class, and of both, whose classes contradict their scores."""
        every = self._every()
        agreements = {k: self._agreement(self.groups == k) for k in every}
        both = [k for k in every if not np.isnan(agreements[k])]
        good = [k for k in both if agreements[k] >= AGREEING]
        if both and not good:
            return [], []  # Nowhere do classes follow scores: this is of no group.
        threshold = self._fitted(good) if good else self._common(every)
        wrong = self._wrong(threshold)
        usual = self._usual(wrong, good)
        unusual = [k for k in every if self._is_unusual(wrong, k, usual, len(every))]
        single = [k for k in unusual if k not in both]
        # Groups may have thresholds of their own: in such a group, classes do follow scores.
        return single, [k for k in unusual if k in both and self._agrees_less(self.groups == k)]

    def _every(self) -> list[int]:
        return [int(k) for k in np.unique(self.groups[self.telling]).tolist()]

    def _agreement(self, rows: Marks) -> float:
        """Return the AUC of the named classes by the scores: 1 where a threshold explains them."""
        kept = self.telling & rows
        return pair_auc(self.named[kept] == 1, self.scores[kept]).value

    def _agrees_less(self, rows: Marks) -> bool:
        """Tell whether the agreement of a group is surely too small."""
        kept = self.telling & rows
        named, scores = self.named[kept] == 1, self.scores[kept]
        patients = np.unique(self.patients[kept], return_inverse=True)[1]
        auc = pair_auc(named, scores)
        if not auc.value < AGREEING or patients.max() + 1 < FEWEST:
            return False
        strata = cluster_variance.Strata(named.astype(np.int8), patients)
        high = Auc(auc, strata, strata.design_effects(scores)).bounds(SURE)[1]
        return bool(high < AGREEING)

    def _thresholds(self) -> Floats:
        values = np.unique(self.scores[self.telling])
        if len(values) > THRESHOLDS:
            values = np.unique(np.quantile(values, np.linspace(0, 1, THRESHOLDS)))
        return np.concatenate([[-np.inf], values, [np.inf]])

    def _misfits(self, groups: list[int], thresholds: Floats) -> Floats:
        """Return the share of each group's images that each threshold does not explain."""
        result = np.zeros((len(groups), len(thresholds)))
        for at, group in enumerate(groups):
            rows = self.telling & (self.groups == group)
            named, others = (np.sort(self.scores[rows & (self.named == k)]) for k in (1, 0))
            above = len(others) - np.searchsorted(others, thresholds, "right")
            result[at] = (np.searchsorted(named, thresholds, "left") + above) / rows.sum()
        return result

    def _fitted(self, groups: list[int]) -> float:
        """Return the threshold that explains most of these groups, and then of all images."""
        thresholds = self._thresholds()
        own = np.minimum(self._misfits(groups, thresholds), MOST).sum(0)
        best = np.flatnonzero(own <= own.min() + 1e-12)
        every = self._misfits(self._every(), thresholds[best])
        return float(thresholds[best[every.sum(0).argmin()]])

    def _common(self, groups: list[int]) -> float:
        """Return a threshold that explains groups of one class each; 0.5 where there is none."""
        thresholds = self._thresholds()
        most = self._misfits(groups, thresholds).max(0, initial=0)
        return float(thresholds[most.argmin()]) if most.min() <= TOLERATED else 0.5

    def _wrong(self, threshold: float) -> Marks:
        low, high = self.scores < threshold, self.scores > threshold
        return self.telling & np.where(self.named == 1, low, high)

    def _patients(self, rows: Marks) -> int:
        return len(np.unique(self.patients[rows]))

    def _usual(self, wrong: Marks, groups: list[int]) -> float:
        """Return the share of patients that contradict the threshold in the groups that agree."""
        rows = self.telling & np.isin(self.groups, groups)
        if not rows.any():
            return TOLERATED
        most = intervals.wilson(self._patients(rows & wrong), self._patients(rows))[1]
        return max(TOLERATED, most)

    def _is_unusual(self, wrong: Marks, group: int, usual: float, groups: int) -> bool:
        rows = self.telling & (self.groups == group)
        number = self._patients(rows)
        chance = stats.binom.sf(self._patients(rows & wrong) - 1, number, usual)
        return number >= FEWEST and bool(chance < UNLIKELY / groups)
