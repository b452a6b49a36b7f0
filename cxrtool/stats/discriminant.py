"""Cross-validated linear discriminant analysis of many labellings of the same images at once.

The rule has equal priors and a shrunk covariance. Scikit-learn's takes a factorisation for every
fit, and a permutation test fits thousands of times. Here the covariance of all training images of
a fold, which does not depend on the labels, is factorised once; what the classes change in it has
as low a rank as they are few (Woodbury).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats.exchange_units import Floats, Ints, Units

FOLDS = 5
# On features of real radiographs (90 to 450, of a ResNet-18) the rule is as good as with Ledoit and
# Wolf's shrinkage, and as a logistic regression. Without any shrinkage, classes that are separated
# without an error would have no covariance within.
SHRINKAGE = 0.1
# Of so many random divisions into folds, each labelling is judged by the one that spreads its
# classes most evenly. Large sets are spread evenly by any.
MOST_DIVISIONS, DIVIDED = 20, 10_000
# What is left of a class's weight, a whole number of patients or large parts of them, when all is
# taken away.
ROUNDING = 1e-9
# Probabilities that are kept at a time.
AT_A_TIME = 1 << 22


@dataclass(frozen=True)
class _Fold:
    """What a fold needs of the images, whatever their labels."""

    images: Ints  # to be predicted
    units: NDArray[np.bool_]  # of which these images are
    weight: float  # of the training images
    middle: Floats  # their mean
    precision: Floats  # (D, D): the inverse of their shrunk covariance


class CrossValidation:
    """Images (N, D) in units, ready to be judged by many labellings of the units.

    Patients stay together in a fold. The division that a labelling is judged by depends on the
    labelling, and does so in the same way for every labelling: in a permutation test the observed
    one has no advantage.
    """

    def __init__(self, images: Floats, units: Units, classes: int, rng: np.random.Generator):
        self._images, self._units, self._classes = images, units, classes
        weighted = images * units.weights[:, None]
        self._sums = np.zeros((len(units.value), images.shape[1]))
        np.add.at(self._sums, units.of, weighted)
        self._weights = np.bincount(units.of, units.weights)
        self._products = weighted.T @ images
        number = min(MOST_DIVISIONS, max(1, DIVIDED // len(images)))
        keys = rng.random((number, units.patients))
        # As many patients in every fold as in any other, or one more.
        self._divisions = keys.argsort(axis=1).argsort(axis=1) % FOLDS
        self._folds: dict[int, list[_Fold]] = {}

    def steps(self, rows: int) -> Iterator[int]:
        """Divide many labellings into numbers of them for which there is memory at a time."""
        step = max(1, AT_A_TIME // (len(self._images) * self._classes))
        while rows > 0:
            yield min(step, rows)
            rows -= step

    def scored(self, labels: Ints) -> tuple[Floats, Floats]:
        """Predict every fold by the others, for every labelling (rows, units).

        Returns the shares of images predicted rightly, and the mean probabilities of the right
        class; both are means over the classes.
        """
        right, likely = np.zeros((2, len(labels), self._classes))
        members = self._members(labels)
        total = members @ self._weights
        division = self._evenest(labels)
        for number in np.unique(division):
            rows = division == number
            mine, given = members[rows], labels[rows]
            whole = mine @ self._sums
            for fold in self._of(int(number)):
                heights = self._heights(mine[:, :, fold.units], whole, total[rows], fold)
                values = given[:, self._units.of[fold.images]]
                hit, p = _of_the_right(heights, values)
                weights = self._units.weights[fold.images]
                for k in range(self._classes):
                    weighted = np.where(values == k, weights, 0)
                    right[rows, k] += np.einsum("rn,rn->r", hit, weighted)
                    likely[rows, k] += np.einsum("rn,rn->r", p, weighted)
        return (right / total).mean(axis=1), (likely / total).mean(axis=1)

    def _members(self, labels: Ints) -> Floats:
        """Mark the units of every class (rows, classes, units)."""
        members: Floats = (labels[:, None] == np.arange(self._classes)[:, None]).astype(np.float64)
        return members

    def divisions_of(self, labels: Ints) -> Ints:
        """Return the folds of the patients (rows, patients) that each labelling is judged by."""
        chosen: Ints = self._divisions[self._evenest(labels)]
        return chosen

    def _evenest(self, labels: Ints) -> Ints:
        """Choose the division that spreads the classes of each labelling most evenly."""
        members = self._members(labels)
        there = self._divisions[:, self._units.patient, None] == np.arange(FOLDS)
        table = there.transpose(1, 0, 2).reshape(len(self._weights), -1).astype(np.float64)
        counts = (members @ table).reshape(*members.shape[:2], -1, FOLDS)
        expected = members.sum(axis=2)[:, :, None, None] / FOLDS
        uneven = ((counts - expected) ** 2 / expected).sum(axis=(1, 3))
        # Counts are whole numbers: equally even ones are to be equal, not so but for rounding.
        chosen: Ints = uneven.round(9).argmin(axis=1)
        return chosen

    def _of(self, division: int) -> list[_Fold]:
        if division not in self._folds:
            folds = self._divisions[division][self._units.patient]
            self._folds[division] = [self._fold(folds == number) for number in range(FOLDS)]
        return self._folds[division]

    def _fold(self, units: NDArray[np.bool_]) -> _Fold:
        images = np.flatnonzero(units[self._units.of])
        out, weights = self._images[images], self._units.weights[images]
        weight = float(self._weights[~units].sum())
        middle = self._sums[~units].sum(axis=0) / weight
        products = self._products - (out.T * weights) @ out
        covariance = products / weight - np.outer(middle, middle)
        mean_variance = np.trace(covariance) / len(covariance)
        covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * mean_variance * np.eye(len(middle))
        return _Fold(images, units, weight, middle, np.linalg.inv(covariance))

    def _heights(self, out: Floats, sums: Floats, weights: Floats, fold: _Fold) -> Floats:
        """Return the discriminants (rows, classes, images of the fold).

        `sums` and `weights` are of the images of every class, `out` says which units of the fold
        are of which class.

        With S the covariance of the training images, M (classes, D) the means of the classes less
        the common one, and pi their shares, the covariance within the classes is S - M' diag(pi) M.
        Shrunk by a towards m I, m being the mean variance of S, it is

            W = (1 - a) (S - M' diag(pi) M) + a m I = S_a - (1 - a) M' diag(pi) M.

        With N = M S_a^-1, W^-1 M' = N' Q with Q = (I - (1 - a) diag(pi) M N')^-1, and the class of
        x is the largest of  x N' Q - diag(M N' Q) / 2.

        References
        ----------
        J. Friedman, Regularized discriminant analysis, Journal of the American Statistical
        Association 84, 1989.
        """
        weights = weights - out @ self._weights[fold.units]
        there = weights > ROUNDING
        means = (sums - out @ self._sums[fold.units]) / np.where(there, weights, 1)[..., None]
        means = np.where(there[..., None], means - fold.middle, 0)
        scaled = means @ fold.precision
        products = means @ scaled.transpose(0, 2, 1)
        shares = (1 - SHRINKAGE) * weights / fold.weight
        solved = np.linalg.inv(np.eye(self._classes) - shares[:, :, None] * products)
        rules = solved.transpose(0, 2, 1) @ scaled
        halves = np.einsum("rij,rji->ri", products, solved) / 2 + rules @ fold.middle
        # A class that no training image has cannot be chosen.
        halves[~there] = np.inf
        heights: Floats = rules @ self._images[fold.images].T - halves[:, :, None]
        return heights


def _of_the_right(heights: Floats, labels: Ints) -> tuple[NDArray[np.bool_], Floats]:
    """Say which images (rows, N) are predicted rightly, and how probable the right class is."""
    right = np.take_along_axis(heights, labels[:, None], axis=1)[:, 0]
    top = heights.max(axis=1)
    hit = heights.argmax(axis=1) == labels
    heights -= top[:, None]
    p: Floats = np.exp(right - top) / np.exp(heights, out=heights).sum(axis=1)
    return hit, p
