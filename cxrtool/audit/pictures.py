"""The pictures of the audit: effects beside the margin, patients, scores and ROC curves."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import CONFIRMATORY, EXCLUDED, NOT_IDENTIFIABLE, SHOWN, CheckRow
from cxrtool.compare.display import Names, Plot
from cxrtool.figures import charts, grids, numbers
from cxrtool.figures.charts import PlottedCurve
from cxrtool.figures.grids import PlottedInterval
from cxrtool.files import disk
from cxrtool.stats import performance_curves
from cxrtool.stats.metrics import Ints
from cxrtool.stats.performance_curves import Sampling
from cxrtool.stats.within import Marks, pair_auc

FOLDER = "pictures"
# Of more sources, models or curves, the largest or first are drawn, and the caption says so.
SOURCES, MODELS, CURVES = 12, 3, 3
# Fewer images than these of a class make no curve that is worth looking at.
FEWEST = 10
CHANCE = 0.5
EFFECTS, PATIENTS, SCORES, ROC = "effects", "patients", "scores", "roc"
HALF = (PATIENTS, ROC)  # these are as wide as half a page


@dataclass(frozen=True)
class SourceCodes:
    """The largest sources, and one more for the rest; each row has the number of its own."""

    names: list[str]
    codes: Ints  # -1 where the source is unknown


def draw(case: Case, rows: Sequence[CheckRow], folder: str) -> list[tuple[Plot, str]]:
    """Draw what there is to be drawn into a folder; each picture comes with its file."""
    plots = pictures(case, rows)
    place = os.path.join(folder, FOLDER)
    if plots:
        disk.make_folder(place)
    result = [(picture, os.path.join(place, picture.file)) for picture in plots]
    for picture, file in result:
        picture.draw(file)
    return result


def pictures(case: Case, rows: Sequence[CheckRow]) -> list[Plot]:
    """List the pictures in the order of the page; none is drawn yet."""
    result, names = _effects(case, rows) + _patients(case), Names()
    for model in case.models[:MODELS]:
        named = model.name if len(case.models) > 1 else ""
        result += _roc(case, model, names.of(ROC, named))
        result.append(_scores(case, model, names.of(SCORES, named)))
    return result


def _effects(case: Case, rows: Sequence[CheckRow]) -> list[Plot]:
    """Describe forest plots of the tested rows: one of the rows that share a limit."""
    groups: dict[float, list[CheckRow]] = {}
    for row in rows:
        if row.kind == CONFIRMATORY and row.is_tested:
            groups.setdefault(round(row.limit, 9), []).append(row)
    return [_forest(limit, own) for limit, own in sorted(groups.items())]


def _forest(limit: float, rows: Sequence[CheckRow]) -> Plot:
    """Describe the values of rows beside their limit."""
    lines = [
        PlottedInterval(f"{row.name}: {row.verdict}", row.value, row.low, row.high) for row in rows
    ]
    # A limit of a difference is small; one of an AUC lies above that of guessing.
    name, what = (
        ("AUC without the lungs", "AUC of a fixed learner that sees no lungs")
        if limit > CHANCE
        else ("effect in AUC", "Effect of a column or cue in AUC (AUC minus AUC_within)")
    )
    return Plot(
        "attainable.svg" if limit > CHANCE else "effects.svg",
        EFFECTS,
        f"{name} of the confirmatory tests, with intervals, beside the limit.",
        f"{what}, with the interval that decides the verdict. {_line(limit, rows)}",
        lambda path: grids.forest(path, lines, reference=limit, label=name),
    )


def _line(limit: float, rows: Sequence[CheckRow]) -> str:
    """Say what the line parts: the verdicts that an interval has on either side of it."""
    if limit > CHANCE:
        # Of classes that have a source each, what is beyond the limit may be the source.
        one_class = f"{NOT_IDENTIFIABLE}, as each source has one class"
        names, beyond = {SHOWN: SHOWN, NOT_IDENTIFIABLE: one_class}, {row.beyond for row in rows}
        right = " or ".join(text for verdict, text in names.items() if verdict in beyond)
        line = f"Dashed line: the limit, {limit:g}."
        return f"{line} An interval right of it: {right}; left of it: {EXCLUDED}."
    return (
        f"Dashed line: the margin, {limit:g}. An interval right of it, or left of -{limit:g}: "
        "shown; between the two: excluded."
    )


def _sources(case: Case, rows: Ints) -> SourceCodes | None:
    """Number the sources of rows, the largest first; sources beyond SOURCES are one."""
    if not case.images.has("source"):
        return None
    column = case.images.columns["source"]
    known = case.images.known("source")[rows]
    there, inverse, sizes = np.unique(
        column.codes[rows[known]], return_inverse=True, return_counts=True
    )
    if not len(there):
        return None
    order = np.argsort(-sizes, kind="stable")
    names = [column.names[there[k]] for k in order.tolist()]
    if len(names) > SOURCES:
        names = [*names[: SOURCES - 1], f"{len(names) - SOURCES + 1} other sources"]
    rank = np.minimum(np.argsort(order, kind="stable"), len(names) - 1)
    codes = np.full(len(rows), -1, np.int64)
    codes[known] = rank[inverse]
    return SourceCodes(names, codes)


def classes(case: Case) -> tuple[str, str]:
    """Name the positive class, and the negative one or what stands for several."""
    negative = case.negatives[0] if len(case.negatives) == 1 else f"not {case.positive}"
    return case.positive, negative


def _patients(case: Case) -> list[Plot]:
    """Describe the numbers of patients of each class in each source."""
    rows = case.judged[case.images.positive[case.judged] >= 0]
    by = _sources(case, rows)
    if by is None:
        return []
    units = np.column_stack([by.codes, case.images.positive[rows], case.images.patients[rows]])
    found = Counter((int(s), int(p)) for s, p, _ in np.unique(units, axis=0))
    groups = {
        name: {label: found[k, 1 - at] for at, label in enumerate(classes(case))}
        for k, name in enumerate(by.names)
    }
    return [
        Plot(
            "patients.svg",
            PATIENTS,
            "Number of patients of each class in each source.",
            "Patients by source and class, on the images that are judged. Disease can be "
            "separated from source only where a source has patients of both classes.",
            lambda path: charts.counts(path, groups, label="patients"),
        )
    ]


def _named(case: Case, model: ModelScores) -> str:
    return f" Model: {model.name}." if len(case.models) > 1 else ""


def _scores(case: Case, model: ModelScores, file: str) -> Plot:
    """Describe the histograms of the scores, by source and class."""
    everything = SourceCodes(["all images"], np.zeros(len(model.rows), np.int64))
    by = _sources(case, model.rows) or everything
    label = case.images.positive[model.rows]
    panels = {
        name: {
            text: model.scores[(by.codes == k) & (label == 1 - at)]
            for at, text in enumerate(classes(case))
        }
        for k, name in enumerate(by.names)
    }
    title = f"predicted probability of {case.positive}"
    return Plot(
        file,
        SCORES,
        "Histograms of the predicted probability by source and class.",
        f"Predicted probability of {case.positive} by source and class. A model that uses the "
        f"disease separates the classes within each source.{_named(case, model)}",
        lambda path: charts.histograms(path, panels, label=title),
    )


def _roc(case: Case, model: ModelScores, file: str) -> list[Plot]:
    """Describe the ROC curves of all images, and of single sources that have both classes."""
    positive = case.images.positive[model.rows] == 1
    curves = _curve(case, model, "all images", np.ones(len(positive), bool))
    by = _sources(case, model.rows)
    for k, name in enumerate(by.names if by and len(by.names) > 1 else []):
        assert by is not None
        keep = by.codes == k
        if min(positive[keep].sum(), (~positive[keep]).sum()) >= FEWEST:
            curves += _curve(case, model, f"within {name}", keep)
    if not curves:
        return []
    return [
        Plot(
            file,
            ROC,
            "ROC curves of all images and within single sources.",
            f"ROC curves of all images, and of sources with at least {FEWEST} images of both "
            f"classes.{_named(case, model)}",
            lambda path: charts.roc(path, curves[: 1 + CURVES]),
        )
    ]


def _curve(case: Case, model: ModelScores, name: str, keep: Marks) -> list[PlottedCurve]:
    rows, scores = model.rows[keep], model.scores[keep]
    positive, patients = case.images.positive[rows] == 1, case.images.patients[rows]
    both = performance_curves.both(positive, scores, patients, Sampling(resamples=0))
    if both is None:
        return []
    auc = pair_auc(positive, scores).value
    return [PlottedCurve(name, both[0].x, both[0].y, note=f"AUC {numbers.value(auc)}")]
