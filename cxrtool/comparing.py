"""From predictions to figures: every model, group and class with its intervals, and tests."""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxrtool import bootstrapping, grouping, intervals, metrics, weighing
from cxrtool.artifacts.failures import Failures
from cxrtool.artifacts.predictions import Coded, Predictions
from cxrtool.intervals import UNKNOWN, Bounds, Summary
from cxrtool.progress import note
from cxrtool.weighing import Figures, Ints, Judged, Key

PRINTED = "as printed"  # The way of a figure from a paper.
BY_PATIENT = "wilson by patient"


@dataclass(frozen=True)
class Question:
    """What is asked of the predictions."""

    by: tuple[str, ...] = ()
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
    """A value with its interval, and how that was found."""

    value: float
    low: float = np.nan
    high: float = np.nan
    way: str = ""
    note: str = ""


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
    folds: Folds | None = None

    def key(self, metric: str) -> Key:
        """Find the figure that stands for all classes."""
        for label in (self.positive or "", weighing.MACRO):
            if (label, metric) in self.figures:
                return label, metric
        return "", metric


@dataclass(kw_only=True)
class Result(Shown):
    """The same with what it was made of: labels, predictions and probabilities in `judged`."""

    judged: Judged
    clusters: Ints  # the patient of every image, numbered
    patient: NDArray[np.int64]  # the same as digests, to know them elsewhere
    images: dict[str, NDArray[np.int64]]  # digests of path and raw
    rows: Ints  # of the paths
    sources: Coded | None = None  # where the column was read
    replicates: Figures = field(default_factory=dict)

    @property
    def patients(self) -> int:
        """How many patients the images are of."""
        return int(self.clusters.max()) + 1

    @property
    def several(self) -> bool:
        """Whether any patient has several images."""
        return self.patients < len(self.judged)


def compare(predictions: Predictions, question: Question, skipped: Failures) -> list[Result]:
    """Judge every model on every group."""
    if question.pool:
        predictions = grouping.pooled(predictions, question.pool)
    columns = [*question.by, "pool"] if question.pool else question.by
    predictions = grouping.once(predictions, columns, skipped)
    results = []
    for group, name, rows in grouping.groups(predictions, question.by):
        results.append(judge(predictions, rows, name, group, question))
    return results


def judge(
    predictions: Predictions, rows: Ints, model: str, group: str, question: Question
) -> Result:
    """Compute the figures of one model on some rows, with their intervals."""
    # In an order of its own, so that that of the rows does not matter and models can be paired.
    images = grouping.images_of(predictions, question.pool)
    order = rows[np.argsort(images["path"][rows], kind="stable")]
    part = predictions.take(order)
    classes, positive = part.classes, question.positive
    judged = judged_of(part, positive, question.threshold, question.metrics)
    result = Result(
        model, group, classes, positive, {}, len(judged), judged.confusion().tolist(),
        judged=judged, clusters=bootstrapping.numbered(part.patient), patient=part.patient,
        images={name: keys[order] for name, keys in images.items()}, rows=part.row,
        sources=part.coded.get("source"),
    )  # fmt: skip
    fill(result, question)
    if question.pool:
        result.folds = _folds(result, part.coded["pool"], question)
    return result


def judged_of(
    part: Predictions, positive: str | None, threshold: float | None, wanted: Collection[str]
) -> Judged:
    """Take what the table says is predicted, or choose where it does not or is not to be asked."""
    at = None if positive is None else part.classes.index(positive)
    chosen = metrics.chosen(part.p, at, 0.5 if threshold is None else threshold)
    if at is not None and threshold is None and len(part.classes) > 2:
        chosen = part.p.argmax(axis=1)
    predicted = part.predicted if threshold is None else np.full(len(part), -1)
    predicted = np.where(predicted >= 0, predicted, chosen)
    return Judged(part.classes, part.label, predicted, part.p, at, wanted)


def fill(result: Result, question: Question) -> None:
    """Put the figures into a result, and keep the replicates that made the intervals."""
    judged = result.judged
    values = judged.values()
    several = result.several
    ways = {key: way(key, several, question) for key in values}
    if question.resamples and "bootstrap" in ways.values():
        result.replicates = bootstrapping.replicates(
            judged, result.clusters, question.resamples, question.seed, question.progress
        )
    for key, value in values.items():
        chosen, (low, high) = ways[key], _bounds(key, ways[key], result, question)
        if np.isnan(low) and chosen == "bootstrap" and _is_share(key):
            chosen, (low, high) = BY_PATIENT, _wilson_by_patient(key, value, result, question)
        said = _left_out(result) if key[0] == weighing.MACRO else ""
        result.figures[key] = Figure(value, low, high, "" if np.isnan(low) else chosen, said)


def _left_out(result: Result) -> str:
    """Name the classes that no macro average counts."""
    absent = result.judged.absent()
    return f"without {', '.join(absent)}: neither images nor predictions" if absent else ""


def _is_share(key: Key) -> bool:
    return key[1] in metrics.SHARES and key[0] not in (weighing.MACRO, weighing.WEIGHTED)


def _wilson_by_patient(key: Key, value: float, result: Result, question: Question) -> Bounds:
    """Bound a share that is 0 or 1 in every resample, as if each patient were one image."""
    judged, (label, metric) = result.judged, key
    if not label or metric in ("accuracy", "error"):
        counted = np.ones(len(judged), bool)
    else:
        of = judged.labels if metric in ("sensitivity", "specificity") else judged.predicted
        at = result.classes.index(label)
        counted = (of == at) == (metric in ("sensitivity", "precision"))
    patients = len(np.unique(result.clusters[counted]))
    return intervals.wilson(value * patients, patients, question.level) if patients else UNKNOWN


def way(key: Key, several: bool, question: Question) -> str:
    """Choose how an interval is found.

    The formulas take every image for itself. Where patients have several images they would be
    too narrow, and the bootstrap draws patients.
    """
    label, metric = key
    plain = "bootstrap" if question.resamples else ""
    single = label not in (weighing.MACRO, weighing.WEIGHTED)
    if _is_share(key):
        formula = "wilson"
        if question.interval == "normal":
            return "normal"
    elif single and label:
        formula = {"auc": "delong", "dor": "log-normal", "dor_haldane": "log-normal"}.get(
            metric, plain
        )
    else:
        formula = plain
    if plain and (several or question.interval == "bootstrap"):
        return plain
    return formula


def _bounds(key: Key, chosen: str, result: Result, question: Question) -> Bounds:
    """Compute one interval."""
    judged, (label, metric), level = result.judged, key, question.level
    if chosen == "bootstrap":
        return bootstrapping.interval(result.replicates[key], level)
    if chosen == "delong":
        k = result.classes.index(label)
        return intervals.delong(judged.labels == k, judged.probabilities[:, k], level)
    if not chosen:
        return UNKNOWN
    if label:
        counts = metrics.against_the_rest(judged.confusion(), result.classes.index(label))
        if chosen == "log-normal":
            return intervals.odds_ratio(counts, level, 0.5 if metric == "dor_haldane" else 0)
        count, total = counts.share(metric)
    else:
        hit = (judged.labels == judged.predicted) == (metric == "accuracy")
        count, total = hit.sum(), hit.size
    formula = intervals.normal if chosen == "normal" else intervals.wilson
    return formula(float(count), float(total), level)


def _folds(result: Result, pool: Coded, question: Question) -> Folds:
    """Compute every figure of every fold, and summarise them."""
    judged = result.judged
    there, places = np.unique(pool.codes, return_inverse=True)
    parts = [judged.of((places == f)[None].astype(np.int32)) for f in range(len(there))]
    values = bootstrapping.joined(parts)
    found = {key: intervals.summary(v, question.level) for key, v in values.items()}
    return Folds(question.pool, [pool.names[f] for f in there], values, found)


def tell(results: Sequence[Result], question: Question) -> None:
    """Say what the figures cannot tell, and how the intervals were found."""
    if any(r.several for r in results):
        images, patients = sum(len(r.judged) for r in results), sum(r.patients for r in results)
        how = "drawn by patient" if question.resamples else "too narrow: they take each for itself"
        note(f"{images} images of {patients} patients: the intervals are {how}")
    poor = [result for result in results if len(np.unique(result.judged.labels)) == 1]
    for result in poor[:1]:
        where = ", ".join(filter(None, [result.model, result.group]))
        label = result.classes[int(result.judged.labels[0])]
        more = f" (and {len(poor) - 1} groups more are of one class)" if poor[1:] else ""
        only = f"every image of {where} is '{label}'{more}"
        note(f"warning: {only}: what needs two classes, as AUC, is left empty")
    averaged = [r for r in results if r.positive is None and _left_out(r)]
    for result in averaged[:1]:
        where = " ".join(filter(None, [f"of {result.model}", result.group and f"({result.group})"]))
        more = f" (and of {len(averaged) - 1} groups more)" if averaged[1:] else ""
        note(f"the macro averages {where} are {_left_out(result)}{more}")


def pairs(results: Sequence[Result]) -> Iterator[tuple[Result, Result]]:
    """Yield the pairs of models on the same group."""
    for first, second in itertools.combinations(results, 2):
        if first.group == second.group:
            yield first, second
