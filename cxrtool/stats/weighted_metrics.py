"""Every metric of the same predictions under many weights at once.

A resample of the images is a weight an image (how often it was drawn), a fold is weights of 0 and
1, and the figures themselves are weights of 1. So one computation serves all of them, scores are
sorted once, and AUC and average precision come from cumulative sums. scikit-learn computes the
same one resample at a time, which takes minutes for a table.
"""

import functools
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats import metrics
from cxrtool.stats.calibration import Calibration
from cxrtool.stats.metrics import Floats, Labels

Ints = metrics.Ints
# The class and the metric of a figure. Of all classes together the class is "".
Key = tuple[str, str]
Figures = dict[Key, Floats]

MACRO, WEIGHTED = "macro", "weighted"
RANKED = ("auc", "average_precision")


class Ranking:
    """The scores of one class in falling order, and where those that are equal begin and end."""

    def __init__(self, positive: NDArray[np.bool_], scores: Floats) -> None:
        # Places of 32 bits: of a million images every array counts.
        self.order = np.argsort(-scores, kind="stable").astype(np.int32)
        sorted_scores = scores[self.order]
        self.at = np.flatnonzero(positive[self.order]).astype(np.int32)
        starts = np.flatnonzero(np.diff(sorted_scores, prepend=np.inf))
        ends = np.append(starts[1:], len(scores))
        # Only where there are positives is there something to add up.
        before, after = np.searchsorted(self.at, starts), np.searchsorted(self.at, ends)
        there = after > before
        self.starts, self.ends, self.before, self.after = (
            places[there].astype(np.int32) for places in (starts, ends, before, after)
        )

    def of(self, weights: Ints) -> tuple[Floats, Floats]:
        """Return AUC and average precision of every row of weights."""
        ordered = np.take(weights, self.order, axis=1)
        everyone, positives = _cumulative(ordered), _cumulative(np.take(ordered, self.at, axis=1))
        result = positives[:, self.after]
        here = (result - positives[:, self.before]).astype(np.float64)
        selected = everyone[:, self.ends]
        others = (selected - result).astype(np.float64)
        others_before = everyone[:, self.starts] - positives[:, self.before]
        number = positives[:, -1].astype(np.float64)
        rest = everyone[:, -1] - number
        # Pairs in the wrong order; equal ones count one half.
        wrong = np.einsum("ij,ij->i", here, (others + others_before) / 2)
        auc = metrics.ratio(number * rest - wrong, number * rest)
        precision = np.nan_to_num(metrics.ratio(result, selected))
        average = metrics.ratio(np.einsum("ij,ij->i", here, precision), number)
        return auc, average


def _cumulative(weights: Ints) -> Ints:
    sums = np.zeros((len(weights), weights.shape[1] + 1), np.int32)
    np.cumsum(weights, axis=1, dtype=np.int32, out=sums[:, 1:])
    return sums


class Judged:
    """Predictions of one model on some images, ready to be weighed.

    With a `positive` class every figure is that class's against the rest; without one there are
    figures of all classes together (""), of each class against the rest, and their averages.
    """

    def __init__(
        self,
        classes: Sequence[str],
        labels: Labels,
        predicted: Labels,
        probabilities: Floats,
        positive: int | None,
        wanted: Collection[str] = metrics.NAMES,
        clusters: Ints | None = None,
    ) -> None:
        self.classes, self.positive, self.wanted = list(classes), positive, list(wanted)
        self.labels, self.predicted, self.probabilities = labels, predicted, probabilities
        self.views = range(len(classes)) if positive is None else [positive]
        self._calibrations = self._calibrated_by(clusters)

    @functools.cached_property
    def _rankings(self) -> dict[int, Ranking]:
        ranked = self.views if any(metric in RANKED for metric in self.wanted) else ()
        return {k: Ranking(self.labels == k, self.probabilities[:, k]) for k in ranked}

    @functools.cached_property
    def _sums(self) -> Any:
        return self._summands()

    def release(self) -> None:
        """Free the memory of what is made again when it is needed."""
        self.__dict__.pop("_rankings", None)
        self.__dict__.pop("_sums", None)

    def __len__(self) -> int:
        return len(self.labels)

    def _summands(self) -> Any:
        """Put what is summed over the images into a sparse matrix (sums, images).

        Every image has as many entries: its cell of the confusion matrix, and for each class its
        part of the Brier score and of one calibration bin.
        """
        from scipy import sparse

        number, size = len(self.classes), len(self)
        width = 1 + 2 * len(self.views) + (2 if self.positive is None else 0)
        places, values = np.empty((size, width), np.int32), np.empty((size, width))
        places[:, 0], values[:, 0] = self.labels.astype(np.int32) * number + self.predicted, 1
        top = number * number
        for at, (squares, p, hit) in enumerate(self._calibrated()):
            places[:, 1 + 2 * at], values[:, 1 + 2 * at] = top, squares
            places[:, 2 + 2 * at], values[:, 2 + 2 * at] = top + 1 + metrics.bins(p), hit - p
            top += 1 + metrics.BINS
        bounds = np.arange(0, places.size + 1, width)
        return sparse.csc_matrix((values.ravel(), places.ravel(), bounds), shape=(top, size))

    def _calibrated_by(self, clusters: Ints | None) -> list[Calibration]:
        """Prepare what the debiased error and the recalibration need, class by class."""
        if not {"ece_debiased", *metrics.RECALIBRATED} & set(self.wanted):
            return []
        return [Calibration(p, hit, clusters) for _, p, hit in self._calibrated()]

    def _calibrated(self) -> Iterator[tuple[Floats, Floats, Ints]]:
        """Yield the squared errors, the confidence and whether it was right, class by class."""
        for k in self.views:
            p, hit = self.probabilities[:, k], self.labels == k
            yield (p - hit) ** 2, p, hit
        if self.positive is None:
            squares = sum(
                ((self.probabilities[:, k] - (self.labels == k)) ** 2 for k in self.views),
                start=np.zeros(len(self)),
            )
            yield squares, self.probabilities.max(axis=1), self.labels == self.predicted

    def of(self, weights: Ints, wanted: Collection[str] | None = None) -> Figures:
        """Compute the figures of every row of weights (rows, images), or some of them."""
        wanted = self.wanted if wanted is None else [m for m in self.wanted if m in wanted]
        columns = np.ascontiguousarray(weights.T, np.float64)
        sums = np.ascontiguousarray((self._sums @ columns).T)
        number = len(self.classes)
        table = sums[:, : number * number].reshape(-1, number, number)
        errors = sums[:, number * number :].reshape(len(sums), -1, 1 + metrics.BINS)
        total = table.sum((-1, -2))
        each = []
        for place, k in enumerate(self.views):
            result = metrics.of_counts(metrics.against_the_rest(table, k))
            result |= _calibration(errors[:, place], total)
            result |= self._recalibrated(place, weights, wanted)
            if k in self._rankings and not set(RANKED).isdisjoint(wanted):
                result["auc"], result["average_precision"] = self._rankings[k].of(weights)
            each.append(result)
        if self.positive is not None:
            return _kept({self.classes[self.positive]: each[0]}, wanted)
        overall = metrics.of_confusion(table) | _calibration(errors[:, -1], total)
        if "ece_debiased" in wanted:
            overall["ece_debiased"] = self._calibrations[-1].debiased(weights)
        return _kept({"": overall} | self._averaged(each, table), wanted)

    def _recalibrated(
        self, place: int, weights: Ints, wanted: Collection[str]
    ) -> dict[str, Floats]:
        """Compute the calibration figures of one class that are no sums over the images."""
        of = {
            "ece_debiased": Calibration.debiased,
            "calibration_slope": Calibration.slopes,
            "calibration_intercept": Calibration.intercepts,
        }
        return {m: of[m](self._calibrations[place], weights) for m in of if m in wanted}

    def _averaged(
        self, each: list[dict[str, Floats]], table: Floats
    ) -> dict[str, dict[str, Floats]]:
        result = dict(zip(self.classes, each, strict=True))
        present = metrics.present_classes(table)
        for name, weights in ((MACRO, None), (WEIGHTED, table.sum(-1))):
            result[name] = {
                m: metrics.mean_over_classes(
                    m, np.stack([one[m] for one in each], axis=-1), weights, present
                )
                for m in each[0]
            }
        return result

    def confusion(self) -> NDArray[np.int64]:
        """Count the images by their class (rows) and what was predicted (columns)."""
        return metrics.confusion(self.labels, self.predicted, len(self.classes))

    def absent(self) -> list[str]:
        """Name the classes that have neither images nor predictions: no average counts them."""
        present = metrics.present_classes(self.confusion())
        return [name for name, here in zip(self.classes, present, strict=True) if not here]

    def values(self) -> dict[Key, float]:
        """Compute the figures themselves."""
        result = self.of(np.ones((1, len(self)), np.int32))
        return {key: float(value[0]) for key, value in result.items()}


def _kept(result: dict[str, dict[str, Floats]], wanted: Collection[str]) -> Figures:
    return {(c, m): of[m] for c, of in result.items() for m in wanted if m in of}


def _calibration(errors: Floats, total: Floats) -> dict[str, Floats]:
    """Make the Brier score and the expected calibration error from their sums.

    A bin's share times the gap between accuracy and confidence in it is the absolute sum of
    (hit - p) over the images.
    """
    return {
        "brier": metrics.ratio(errors[:, 0], total),
        "ece": metrics.ratio(np.abs(errors[:, 1:]).sum(axis=1), total),
    }
