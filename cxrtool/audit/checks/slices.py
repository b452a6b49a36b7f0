"""AUC of each source, view, sex and age band, and of their pairs: where the model is worst.

Threshold and calibration are shown for each source: a threshold that fits one hospital may not fit
another. Under five sources the AUCs are a range; from five on, a random-effects mean with its
prediction interval.
"""

import itertools

import numpy as np

from cxrtool.audit import source_aucs
from cxrtool.audit.case import AGE_BAND, Case, ModelScores
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, not_assessed
from cxrtool.figures import numbers
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Decomposition, Marks

TITLE = "Groups of patients, and their AUC"
KIND = "descriptive"
NEEDS = ("predictions",)
REFERENCE = (
    "L. Oakden-Rayner et al., Hidden stratification causes clinically meaningful failures in "
    "machine learning for medical imaging, ACM CHIL, 2020."
)
COLUMNS = ("source", "view", "sex", AGE_BAND)
SHOWN = 12


def assess(case: Case) -> list[CheckRow]:
    """Return a row for each model."""
    return [_row(case, model) for model in case.models]


def _row(case: Case, model: ModelScores) -> CheckRow:
    name = case.title("slices", model)
    groups = _groups(case, model)
    if not groups:
        why = (
            "no part of the images (a source, view, sex or age band) has "
            f"{source_aucs.FEWEST} patients of both classes"
        )
        remedy = "Add images, or what is absent of the columns source, view, sex and age."
        return not_assessed(name, why, remedy, DESCRIPTIVE)
    groups.sort(key=lambda group: group[1].whole.value)
    worst, best = groups[0], groups[-1]
    row = CheckRow(name, DESCRIPTIVE, patients=len(np.unique(case.images.patients[model.rows])))
    row.meaning = (
        f"Only one group has {source_aucs.FEWEST} patients of both classes, {worst[0]}: AUC "
        f"{numbers.value(worst[1].whole.value)}. There is none to compare it with."
        if len(groups) == 1
        else f"The lowest AUC is {numbers.value(worst[1].whole.value)} ({worst[0]}), the highest "
        f"{numbers.value(best[1].whole.value)} ({best[0]}), of {len(groups)} groups. The lowest of "
        f"many groups is low by chance, too.{_over_sources(case, model)}"
    )
    row.blocks = [_table(model, groups[:SHOWN], len(groups))]
    if sources := _by_source(case, model):
        row.blocks.append(sources)
    return row


def _groups(case: Case, model: ModelScores) -> list[tuple[str, Decomposition]]:
    """Cut the images by each column and by each pair of columns."""
    columns = [c for c in dict.fromkeys([*COLUMNS, *case.within]) if case.images.has(c)]
    cuts = [(c,) for c in columns] + [*itertools.combinations(columns, 2)]
    result: list[tuple[str, Decomposition]] = []
    for cut in cuts:
        coded = [case.images.columns[c] for c in cut]
        codes = np.column_stack([column.codes[model.rows] for column in coded])
        known = np.logical_and.reduce([case.images.known(c)[model.rows] for c in cut])
        values, place = np.unique(codes, axis=0, return_inverse=True)
        for number, value in enumerate(values.tolist()):
            there = known & (place.ravel() == number)
            parts = source_aucs.of_group(case, model, there)
            if parts is not None and not there[known].all():
                texts = [column.names[v] for column, v in zip(coded, value, strict=True)]
                named = [f"{c} {text}" for c, text in zip(cut, texts, strict=True)]
                result.append((", ".join(named), parts))
    return result


def _table(
    model: ModelScores, groups: list[tuple[str, Decomposition]], number: int
) -> dict[str, object]:
    rows = [
        [
            name,
            len(parts.strata),
            parts.strata.patients,
            (parts.whole.value, *parts.whole.bounds(0.95)),
        ]
        for name, parts in groups
        if parts is not None
    ]
    return {
        "kind": "table",
        "columns": ["group", "images", "patients", "AUC [95 % interval]"],
        "rows": rows,
        "caption": f"Groups with the lowest AUC of {model.name}: {len(rows)} of {number}.",
    }


def _over_sources(case: Case, model: ModelScores) -> str:
    """Summarise the AUCs of single sources: a range, or a random-effects mean."""
    if not case.images.has("source"):
        return ""
    column = case.images.columns["source"]
    codes = column.codes[model.rows]
    known = [k for k in np.unique(codes).tolist() if column.names[k]]
    own = [p for k in known if (p := source_aucs.of_group(case, model, codes == k))]
    if len(own) < 2:
        return ""
    values = [parts.whole.value for parts in own]
    if len(own) < source_aucs.ENOUGH_SOURCES:
        ends = f"from {numbers.value(min(values))} to {numbers.value(max(values))}"
        return f" Over {len(own)} sources AUC ranges {ends}."
    mean = source_aucs.pooled([parts.whole for parts in own])
    low, high = np.clip(mean.prediction(0.95), 0, 1)
    return (
        f" Over {len(own)} sources the mean AUC is {numbers.value(mean.value)}; that of a new "
        f"source is expected between {numbers.value(low)} and {numbers.value(high)} (95 % "
        "prediction interval)."
    )


def _by_source(case: Case, model: ModelScores) -> dict[str, object] | None:
    """Show what a threshold of 0.5 does in each source, and whether probabilities fit there."""
    if not case.images.has("source"):
        return None
    column = case.images.columns["source"]
    codes = column.codes[model.rows]
    cells = [_drift(case, model, column.names[k], codes == k) for k in np.unique(codes).tolist()]
    return {
        "kind": "table",
        "columns": [
            "source",
            "images",
            "positive images",
            "mean score",
            "sensitivity at 0.5",
            "specificity at 0.5",
        ],
        "rows": cells,
        "caption": f"The same threshold in each source ({model.name}). Where the mean score is far "
        "from the share of positive images, the probabilities do not fit that source.",
    }


def _drift(case: Case, model: ModelScores, name: str, there: Marks) -> list[object]:
    positive: Ints = case.images.positive[model.rows][there] == 1
    called = model.scores[there] > 0.5
    sensitivity = float(called[positive].mean()) if positive.any() else None
    specificity = float((~called)[~positive].mean()) if not positive.all() else None
    share = f"{numbers.share(positive.mean())}"
    return [
        name or "(unknown)",
        int(there.sum()),
        share,
        float(model.scores[there].mean()),
        sensitivity,
        specificity,
    ]
