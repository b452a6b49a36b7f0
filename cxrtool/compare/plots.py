"""The plots of a comparison (results -> plots): their files, captions, and what they draw."""

import functools
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from cxrtool.compare import result_tables
from cxrtool.compare.comparison import Result
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.display import (
    ALL,
    Names,
    Panel,
    Plot,
    Shows,
    panels_of,
    sources_of,
    titled,
    word,
)
from cxrtool.figures import charts, grids, numbers
from cxrtool.figures.charts import PlottedBins, PlottedCurve
from cxrtool.figures.grids import PlottedInterval
from cxrtool.stats import performance_curves, weighted_metrics
from cxrtool.stats.metrics import Floats
from cxrtool.stats.performance_curves import Line, Sampling

# The range of a metric's scale, and the value of chance on it.
SCALES = {"auc": (0.5, 1.0), "balanced_accuracy": (0.5, 1.0), "mcc": (-1.0, 1.0)}
CHANCE = {"auc": 0.5, "balanced_accuracy": 0.5, "mcc": 0.0, "dor": 1.0, "dor_haldane": 1.0}
ODDS = ("dor", "dor_haldane")


def pictures(shows: Shows) -> list[Plot]:
    """List the pictures in the order in which they are looked at; none is drawn yet."""
    names = Names()
    outcome = [] if shows.matrix is None else [_matrix(shows.matrix, names)]
    outcome += [_forest(shows, metric, names) for metric in shows.question.metrics or ("auc",)]
    panels = panels_of(shows.results)
    for kind in (_ranks, _calibrations):
        parts = [kind(shows, panel, k, names) for panel in panels for k in shows.views]
        # All ROC curves come before all others.
        outcome += [picture for same in zip(*parts, strict=True) for picture in same]
    outcome += [
        _histograms(shows, model, k, names)
        for model in dict.fromkeys(r.model for r in shows.results)
        for k in shows.views
    ]
    return outcome + [_confusion(result, names) for result in shows.results]


def _ranks(shows: Shows, panel: Panel, k: int, names: Names) -> tuple[Plot, Plot]:
    """Describe the ROC and the precision-recall curves of one class."""
    label = shows.results[0].classes[k]
    sampling = _sampling(shows, panel)
    both = functools.cache(lambda: [_both(result, k, sampling) for _, result in panel.lines])
    title, bands = titled(panel.name, label), _bands(sampling)
    notes = [
        [_note(r, k, metric) for _, r in panel.lines] for metric in ("auc", "average_precision")
    ]

    def roc(path: str | os.PathLike[str]) -> None:
        charts.roc(path, _curves(panel, [one[0] for one in both()], notes[0]), title=title)

    def precision(path: str | os.PathLike[str]) -> None:
        lines = _curves(panel, [one[1] for one in both()], notes[1])
        charts.precision_recall(path, lines, prevalence=_prevalence(panel, k), title=title)

    return (
        Plot(
            names.of("roc", shows.label(k), panel.name),
            "roc",
            _alt("ROC curves", title, panel, notes[0]),
            f"ROC curves, {title}. The diagonal is chance.{bands}",
            roc,
        ),
        Plot(
            names.of("precision-recall", shows.label(k), panel.name),
            "precision-recall",
            _alt("Precision-recall curves", title, panel, notes[1]),
            f"Precision-recall curves, {title}. AP: average precision. Chance is a precision "
            f"equal to the frequency of the class.{bands}",
            precision,
        ),
    )


def _sampling(shows: Shows, panel: Panel) -> Sampling:
    """Choose the resamples of the bands; with many lines bands would hide them."""
    number = shows.question.resamples if len(panel.lines) <= charts.BANDS else 0
    number = min(number, performance_curves.RESAMPLES)
    return Sampling(number, shows.question.level, shows.question.seed)


def _bands(sampling: Sampling) -> str:
    if not sampling.resamples:
        return ""
    level = numbers.level(sampling.level)
    return (
        f" Bands: at each position the middle {level} of {sampling.resamples} bootstrap resamples "
        "of the patients."
    )


def _both(result: Result, k: int, sampling: Sampling) -> tuple[Line | None, Line | None]:
    judged = result.judged
    scores = np.asarray(judged.probabilities[:, k], np.float64)
    outcome = performance_curves.both(judged.labels == k, scores, result.clusters, sampling)
    return (None, None) if outcome is None else outcome


def _note(result: Result, k: int, metric: str) -> str:
    """Write the figure that stands for a curve, or why there is none."""
    figure = result_tables.text_of(result.figures.get((result.classes[k], metric)))
    short = "AP" if metric == "average_precision" else word(metric)
    return f"{short} {figure}" if figure else "undefined: only one class"


def _curves(
    panel: Panel, result: Sequence[Line | None], notes: Sequence[str]
) -> list[PlottedCurve]:
    curves = []
    for (name, _), line, note in zip(panel.lines, result, notes, strict=True):
        curve = PlottedCurve(name, (), (), note=note)
        if line is not None:
            curve = replace(curve, x=line.x, y=line.y, low=line.low, high=line.high)
        curves.append(curve)
    return curves


def _prevalence(panel: Panel, k: int) -> float | None:
    """Return the share of the class, where all lines have the same."""
    shares = {float(np.mean(result.judged.labels == k)) for _, result in panel.lines}
    return shares.pop() if len(shares) == 1 else None


def _alt(what: str, title: str, panel: Panel, notes: Sequence[str]) -> str:
    text = (f"{name} {note}" for (name, _), note in zip(panel.lines, notes, strict=True))
    return f"{what}, {title}: {'; '.join(text)}"


def _calibrations(shows: Shows, panel: Panel, k: int, names: Names) -> tuple[Plot]:
    """Describe the calibration of the probabilities of one class."""
    level, label = shows.question.level, shows.results[0].classes[k]
    title = titled(panel.name, label)
    notes = [
        f"Brier score {result_tables.text_of(r.figures.get((label, 'brier')))}"
        for _, r in panel.lines
    ]

    def draw(path: str | os.PathLike[str]) -> None:
        models = []
        for (name, result), note in zip(panel.lines, notes, strict=True):
            scores = np.asarray(result.judged.probabilities[:, k], np.float64)
            bins = performance_curves.calibration(
                result.judged.labels == k, scores, result.clusters, level
            )
            models.append(
                PlottedBins(
                    name, bins.predicted, bins.observed, bins.counts, bins.low, bins.high, note
                )
            )
        charts.calibration(path, models, title=title)

    caption = (
        f"Calibration, {title}: observed frequency of {label} among images with a similar "
        "predicted probability. On the diagonal both are equal. Bars: Wilson intervals, computed "
        "as if each patient had one image. Lower panel: number of images. Neighbouring bins are "
        f"joined until each has at least {performance_curves.LEAST} images."
    )
    file = names.of("calibration", shows.label(k), panel.name)
    return (Plot(file, "calibration", _alt("Calibration", title, panel, notes), caption, draw),)


def _histograms(shows: Shows, model: str, k: int, names: Names) -> Plot:
    """Describe the distribution of a model's scores by class, in every group and every source."""
    label, own = shows.results[0].classes[k], [r for r in shows.results if r.model == model]
    panels = dict(_spreads(shows, own, k))
    title = titled(model, label)
    return Plot(
        names.of("histograms", shows.label(k), model),
        "histograms",
        f"Histograms of the scores, {title}, in: {'; '.join(panels)}",
        f"Predicted probability of {label} by `{model}`, for the images of each true class. If "
        "the classes are separated in all images together but not within the sources, the model "
        "learned the source.",
        lambda path: charts.histograms(path, panels, label=f"probability of {label}"),
    )


def _spreads(
    shows: Shows, own: Sequence[Result], k: int
) -> Iterator[tuple[str, dict[str, Floats]]]:
    classes = shows.results[0].classes
    labels = np.concatenate([r.judged.labels for r in own])
    scores = np.concatenate([r.judged.probabilities[:, k] for r in own])
    yield ALL, _by_class(classes, labels, scores)
    for result in own if own[1:] else ():
        outcome = _by_class(classes, result.judged.labels, result.judged.probabilities[:, k])
        yield f"{', '.join(shows.by)}: {result.group}", outcome
    where = np.concatenate([sources_of(result) for result in own])
    sources = sorted(set(where))
    if "source" in shows.by or len(sources) < 2:
        return
    for source in sources:
        there = where == source
        yield f"source: {source}", _by_class(classes, labels[there], scores[there])


def _by_class(
    classes: Sequence[str], labels: weighted_metrics.Ints, scores: Floats
) -> dict[str, Floats]:
    return {name: scores[labels == at] for at, name in enumerate(classes)}


def _confusion(result: Result, names: Names) -> Plot:
    title, counts = titled(result.model, result.group), result.judged.confusion()
    right, total = int(np.trace(counts)), len(result.judged)
    return Plot(
        names.of("confusion", result.model, result.group),
        "confusion",
        f"Confusion matrix, {title}: {right} of {total} images predicted correctly",
        f"Confusion matrix, {title}: number of images, and percentage of the true class.",
        lambda path: grids.confusion(path, counts, result.classes, title),
    )


def _forest(shows: Shows, metric: str, names: Names) -> Plot:
    """Describe the intervals of one metric, group by group; those of one model are one list."""
    alone = len({r.model for r in shows.results}) == 1
    order = list(dict.fromkeys(r.group for r in shows.results))
    results = sorted(shows.results, key=lambda r: order.index(r.group))
    rows = [row for result in results for row in _rows(result, metric, alone)]
    text = (numbers.interval(r.value, r.low, r.high, undefined="undefined") for r in rows)
    said = "; ".join(f"{titled(r.group, r.name)} {t}" for r, t in zip(rows, text, strict=True))
    chance = f" The dashed line is chance ({CHANCE[metric]:g})." if metric in CHANCE else ""
    caption = f"{word(metric)[:1].upper()}{word(metric)[1:]} with confidence intervals.{chance}"
    return Plot(
        names.of("forest", metric),
        "forest",
        f"Confidence intervals of {word(metric)}: {said}",
        caption,
        lambda path: grids.forest(
            path, rows, reference=CHANCE.get(metric), label=word(metric), log=metric in ODDS
        ),
    )


def _rows(result: Result, metric: str, alone: bool) -> Iterator[PlottedInterval]:
    """List a model's figure, and those of the classes where there are several."""
    head, name = (result.group, result.model)
    if alone and result.group:
        head, name = name, head
    for (label, other), figure in result.figures.items():
        if other == metric:
            row = name if label in ("", result.positive) else f"{name}: {label}"
            yield PlottedInterval(row, figure.value, figure.low, figure.high, head)


def _matrix(matrix: Matrix, names: Names) -> Plot:
    result = [[matrix.figure(row, column) for column in matrix.columns] for row in matrix.rows]
    values, low, high = (
        [[math.nan if f is None else getattr(f, part) for f in row] for row in result]
        for part in ("value", "low", "high")
    )
    finite = [x for row in values for x in row if math.isfinite(x)]
    top = max([1.0, *finite]) if matrix.metric in ODDS else 1.0
    limits = SCALES.get(matrix.metric, (0.0, top))
    sides = (f"trained on ({matrix.names[0]})", f"tested on ({matrix.names[1]})")
    gap = result_tables.text_of(matrix.gap)
    return Plot(
        names.of("matrix"),
        "matrix",
        f"Matrix of {word(matrix.metric)}; diagonal minus others: {gap or 'undefined'}",
        f"{word(matrix.metric)} of models trained on one data set and tested on another. Frames "
        "mark models tested on the data set they were trained on.",
        lambda path: grids.matrix(
            path,
            matrix.rows,
            matrix.columns,
            values,
            low,
            high,
            limits=limits,
            label=word(matrix.metric),
            axes_labels=sides,
        ),
    )
