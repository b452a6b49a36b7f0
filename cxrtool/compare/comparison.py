"""From predictions to figures: every model, group and class with its intervals, and tests."""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cxrtool.compare import groups
from cxrtool.files.failures import Failures
from cxrtool.files.predictions import Predictions
from cxrtool.files.text_columns import Coded
from cxrtool.stats import (
    calibration,
    cluster_bootstrap,
    intervals,
    metric_intervals,
    metrics,
    weighted_metrics,
)
from cxrtool.stats.intervals import Bounds, Summary
from cxrtool.stats.weighted_metrics import Figures, Ints, Judged, Key

if TYPE_CHECKING:
    from cxrtool.compare.pair_parts import PairParts

PRINTED = "as printed"  # The method of a figure from a paper.
# With fewer patients of a class the intervals hold the truth less often than they state
# (man/guides/statistics.md has the simulation).
FEW = 30
# Resamples of these are not spread around the figure, or have no fit.
BY_FORMULA = (*calibration.ERRORS, *metrics.RECALIBRATED)


@dataclass(frozen=True)
class Question:
    """What is asked of the predictions."""

    by: tuple[str, ...] = ()
    by_pairs: tuple[str, ...] = ()
    pool: str = ""
    positive: str | None = None
    metrics: tuple[str, ...] = metrics.NAMES
    level: float = 0.95
    resamples: int = 2000
    interval: str = "auto"
    threshold: float | None = None
    seed: int = 0
    progress: str = "never"


@dataclass(frozen=True)
class Figure:
    """A value with its interval, and the method of that."""

    value: float
    low: float = np.nan
    high: float = np.nan
    method: str = ""
    note: str = ""
    # Of a paper's figure: its standard deviation over folds, what it averages, and where it stands.
    std: float = np.nan
    averaging: str = ""
    table: str = ""


@dataclass(frozen=True)
class Test:
    """One comparison of a model with another one on the same images."""

    name: str
    against: str
    label: str  # the class
    metric: str
    difference: Figure
    p: float
    adjusted: float = np.nan


@dataclass(frozen=True)
class Folds:
    """The figures over folds or repeats."""

    column: str
    names: list[str]
    values: Figures  # of every fold, in the order of the names
    figures: dict[Key, Summary]


@dataclass
class Shown:
    """The figures of one model on one group, as tables show them."""

    model: str
    group: str
    classes: list[str]
    positive: str | None
    figures: dict[Key, Figure]
    number: int | None = None  # of images
    confusion: list[list[int]] | None = None
    tests: list[Test] = field(default_factory=list)
    pairs: "list[PairParts]" = field(default_factory=list)  # AUC, divided by columns
    folds: Folds | None = None

    def key(self, metric: str) -> Key:
        """Find the figure that stands for all classes."""
        for label in (self.positive or "", weighted_metrics.MACRO):
            if (label, metric) in self.figures:
                return label, metric
        return "", metric


@dataclass(kw_only=True)
class Result(Shown):
    """The same with labels, predictions and probabilities (`judged`), from which it follows."""

    judged: Judged
    clusters: Ints  # the patient of every image, numbered
    patient: NDArray[np.int64]  # the same as digests, to know them elsewhere
    images: dict[str, NDArray[np.int64]]  # digests of path and raw
    rows: Ints  # of the paths
    sources: Coded | None = None  # where the column was read
    pair_columns: dict[str, Coded] = field(default_factory=dict)  # those that divide the AUC
    replicates: Figures = field(default_factory=dict)

    @property
    def patients(self) -> int:
        """How many patients the images are of."""
        return int(self.clusters.max()) + 1

    def patients_of(self, code: int) -> int:
        """How many patients have images of a class."""
        return len(np.unique(self.clusters[self.judged.labels == code]))

    @property
    def rarest(self) -> tuple[str, int]:
        """The class of the fewest patients among those that occur, and how many these are."""
        there = np.unique(self.judged.labels).tolist()
        number, code = min((self.patients_of(code), code) for code in there)
        return self.classes[code], number

    @property
    def several(self) -> bool:
        """Whether any patient has several images."""
        return self.patients < len(self.judged)


def compare(predictions: Predictions, question: Question, skipped: Failures) -> list[Result]:
    """Judge every model on every group."""
    if question.pool:
        predictions = groups.pooled(predictions, question.pool)
    columns = [*question.by, "pool"] if question.pool else question.by
    predictions = groups.once(predictions, columns, skipped)
    results = []
    for group, name, rows in groups.groups(predictions, question.by):
        results.append(judge(predictions, rows, name, group, question))
    return results


def judge(
    predictions: Predictions, rows: Ints, model: str, group: str, question: Question
) -> Result:
    """Compute the figures of one model on some rows, with their intervals."""
    # In an order of its own, so that that of the rows does not matter and models can be paired.
    images = groups.images_of(predictions, question.pool)
    order = rows[np.argsort(images["path"][rows], kind="stable")]
    part = predictions.take(order)
    classes, positive = part.classes, question.positive
    clusters = cluster_bootstrap.numbered(part.patient)
    judged = judged_of(part, positive, question.threshold, question.metrics, clusters)
    result = Result(
        model,
        group,
        classes,
        positive,
        {},
        len(judged),
        judged.confusion().tolist(),
        judged=judged,
        clusters=clusters,
        patient=part.patient,
        images={name: keys[order] for name, keys in images.items()},
        rows=part.row,
        sources=part.coded.get("source"),
        pair_columns={name: part.coded[name] for name in question.by_pairs},
    )
    fill(result, question)
    if question.pool:
        result.folds = _folds(result, part.coded["pool"], question)
    return result


def judged_of(
    part: Predictions,
    positive: str | None,
    threshold: float | None,
    wanted: Collection[str],
    clusters: Ints | None = None,
) -> Judged:
    """Take what the table says is predicted, or choose where it does not or is not to be asked."""
    at = None if positive is None else part.classes.index(positive)
    chosen = metrics.chosen(part.p, at, 0.5 if threshold is None else threshold)
    if at is not None and threshold is None and len(part.classes) - len(part.unpredicted) > 2:
        chosen = part.p.argmax(axis=1)
    predicted = part.predicted if threshold is None else np.full(len(part), -1)
    predicted = np.where(predicted >= 0, predicted, chosen)
    return Judged(part.classes, part.label, predicted, part.p, at, wanted, clusters)


def fill(result: Result, question: Question) -> None:
    """Put the figures into a result, and keep the replicates that made the intervals."""
    judged, level = result.judged, question.level
    values = judged.values()
    judged.release()  # The intervals follow from other arrays, as large as these.
    outcome = dict(metric_intervals.intervals_of(judged, result.clusters, values, level))
    if question.interval == "bootstrap":
        result.replicates = cluster_bootstrap.replicates(
            judged,
            result.clusters,
            question.resamples,
            question.seed,
            question.progress,
            set(question.metrics) - set(BY_FORMULA),
        )
    for key, value in values.items():
        low, high, method = outcome[key].low, outcome[key].high, outcome[key].method
        if question.interval == "normal" and _is_share(key):
            low, high, method = *_normal(key, judged, level), "normal"
        if question.interval == "bootstrap" and key[1] not in BY_FORMULA:
            drawn = cluster_bootstrap.interval(result.replicates[key], level)
            # Where no resample differs from another one, the formula still has a bound.
            if not np.isnan(drawn[0]):
                low, high, method = min(drawn[0], value), max(drawn[1], value), "bootstrap"
        said = "; ".join(filter(None, [left_out(result, key), _one_sided(key, value)]))
        result.figures[key] = Figure(value, low, high, "" if np.isnan(low) else method, said)


def left_out(result: Result, key: Key = (weighted_metrics.MACRO, "")) -> str:
    """Name the classes that no macro average counts."""
    absent = result.judged.absent() if key[0] == weighted_metrics.MACRO else []
    return f"without {', '.join(absent)}: neither images nor predictions" if absent else ""


def _is_share(key: Key) -> bool:
    return key[1] in metrics.SHARES and key[0] not in (
        weighted_metrics.MACRO,
        weighted_metrics.WEIGHTED,
    )


def _one_sided(key: Key, value: float) -> str:
    """Say why a perfect ranking has a bound on one side alone."""
    perfect = key[1] in weighted_metrics.RANKED and value > 1 - 1e-12
    return "no image ranks wrongly: the bound is one-sided" if perfect else ""


def _normal(key: Key, judged: Judged, level: float) -> Bounds:
    """Compute the interval of a share as papers print it."""
    label, metric = key
    if label:
        counts = metrics.against_the_rest(judged.confusion(), judged.classes.index(label))
        count, total = counts.share(metric)
    else:
        hit = (judged.labels == judged.predicted) == (metric == "accuracy")
        count, total = hit.sum(), hit.size
    return intervals.normal(float(count), float(total), level)


def _folds(result: Result, pool: Coded, question: Question) -> Folds:
    """Compute every figure of every fold, and summarise them."""
    judged = result.judged
    there, places = np.unique(pool.codes, return_inverse=True)
    parts = [judged.of((places == f)[None].astype(np.int32)) for f in range(len(there))]
    values = cluster_bootstrap.joined(parts)
    outcome = {key: intervals.summary(v, question.level) for key, v in values.items()}
    return Folds(question.pool, [pool.names[f] for f in there], values, outcome)


def pairs(results: Sequence[Result]) -> Iterator[tuple[Result, Result]]:
    """Yield the pairs of models on the same group."""
    for first, second in itertools.combinations(results, 2):
        if first.group == second.group:
            yield first, second
