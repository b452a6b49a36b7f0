"""AUC over pairs of images of the same source (or view): what remains when it can tell nothing.

    AUC = w AUC_within + (1 - w) AUC_between

The verdict is about AUC - AUC_within, with an interval by patient. A source or view that follows
the label raises AUC for every model that recognises it, and leaves AUC_within as it is.
"""

import numpy as np

from cxrtool.audit import estimates
from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import (
    BELOW,
    EXCLUDED,
    NOT_IDENTIFIABLE,
    SHOWN,
    CheckRow,
    not_assessed,
)
from cxrtool.figures import numbers
from cxrtool.stats import cross_fit
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Decomposition, Marks

# Groups of fewer patients on average are too fine to compare within them.
FEWEST = 2
TITLE = "AUC within the source, the view, and other columns"
KIND = "confirmatory"
NEEDS = ("predictions",)
REFERENCE = (
    "J. R. Zech et al., Variable generalization performance of a deep learning model to detect "
    "pneumonia in chest radiographs, PLoS Medicine 15, 2018."
)


def hypotheses(case: Case) -> list[str]:
    """Name a test for each model and each column that has at least two values."""
    return [
        case.title(f"within {column}", model)
        for model in case.models
        for column in case.strata
        if _values(case, column, model.rows) > 1
    ]


def assess(case: Case) -> list[CheckRow]:
    """Return a row for each model and column."""
    return [_row(case, column, model) for model in case.models for column in case.strata]


def _values(case: Case, column: str, rows: Ints) -> int:
    if column not in case.images.columns:
        return 0
    rows = rows[case.images.known(column)[rows]]
    return len(np.unique(case.images.columns[column].codes[rows]))


def _row(case: Case, column: str, model: ModelScores) -> CheckRow:
    name = case.title(f"within {column}", model)
    number = _values(case, column, model.rows)
    if number < 2:
        return _without_groups(name, column, number)
    keep = case.images.known(column)[model.rows]
    rows, scores = model.rows[keep], model.scores[keep]
    positive = case.images.positive[rows] == 1
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    codes = np.unique(case.images.columns[column].codes[rows], return_inverse=True)[1]
    parts = Decomposition(positive, scores, codes, patients)
    if not parts.is_defined:
        why = f"the rows with a known {column} are of one class"
        return not_assessed(name, why, "Add images of the other class.")
    if number * FEWEST > patients.max() + 1:
        what = f"{column} has {number} values for {int(patients.max()) + 1} patients"
        return not_assessed(name, what, "Give a column with fewer values, such as bands.")
    row = _judged(case, name, column, parts, int((~keep).sum()))
    row.patients, row.sources = int(patients.max()) + 1, _values(case, "source", rows)
    alone = cross_fit.attainable(codes, positive, patients, seed=case.seed).auc
    if parts.share == 0 or (
        alone is not None and alone.value >= estimates.NEARLY_SURE and _is_too_wide(parts)
    ):
        _set_not_identifiable(row, column, parts)
    row.blocks = [_table(case.title(f"AUC by pairs of {column}", model), column, parts, keep)]
    return row


def _without_groups(name: str, column: str, number: int) -> CheckRow:
    if not number:
        advice = f"Add a column '{column}' to the manifest or predictions."
        if column == "source":
            advice = estimates.NAME_SOURCES
        return not_assessed(name, f"{column}: absent", advice)
    why = f"all rows have the same {column}, so that there is nothing to compare"
    remedy = "The check 'bystanders' looks for causes that are in no column."
    return not_assessed(name, why, remedy)


def _judged(case: Case, name: str, column: str, parts: Decomposition, unknown: int) -> CheckRow:
    share, inside = parts.share, parts.within
    left_out = (
        f"Without {numbers.counted(unknown, 'image')} of unknown {column}, " if unknown else ""
    )
    lead = left_out + (
        f"AUC is {numbers.value(parts.whole.value)}; over pairs of the same {column} "
        f"({numbers.share(share)} of all pairs) it is {numbers.value(inside.value)}"
        if share > 0
        else f"AUC is {numbers.value(parts.whole.value)}; no pair is of the same {column}"
    )
    sentences = {
        SHOWN: f"{lead}. The {column} adds at least {{low}} to the AUC. A model that uses "
        f"the {column} behaves so; if the disease is more severe at one {column}, the effect is "
        "the same.",
        BELOW: f"{lead}. The {column} changes the AUC by {{value}} [{{low}}, {{high}}]: the model "
        f"uses the {column}, or what goes with it, and on these images that misleads it.",
        EXCLUDED: f"{lead}. The {column} changes the AUC of these images by less than the margin, "
        "{value} [{low}, {high}].",
    }
    return estimates.tested_difference(
        name,
        parts,
        margin=case.margin,
        number=len(case.family),
        lead=lead,
        sentences=sentences,
        next=f"Test on images where {column} and label are independent, or compare models with "
        f"'cxrtool compare --by {column}'.",
    )


def _is_too_wide(parts: Decomposition) -> bool:
    low, high = parts.within.bounds(0.95)
    return bool(high - low >= estimates.TOO_WIDE)


def _set_not_identifiable(row: CheckRow, column: str, parts: Decomposition) -> None:
    row.ladder, row.verdict = [], NOT_IDENTIFIABLE
    row.p = row.low = row.high = np.nan
    few = "no pair" if parts.share == 0 else f"only {numbers.share(parts.share)} of the pairs"
    row.meaning = (
        f"AUC is {numbers.value(parts.whole.value)}, but {few} of a positive and a negative image "
        f"{'is' if parts.share == 0 else 'are'} of the same {column}: these images cannot "
        f"separate disease from {column}."
    )
    row.next = estimates.of_both_classes(column)


def _table(title: str, column: str, parts: Decomposition, keep: Marks) -> dict[str, object]:
    """Show the parts of the AUC."""
    rows = [["all pairs", 1.0, (parts.whole.value, *parts.whole.bounds(0.95))]]
    if parts.share > 0:
        inside = (parts.within.value, *parts.within.bounds(0.95))
        rows.append([f"same {column}", parts.share, inside])
    if parts.share < 1:
        rows.append([f"different {column}", 1 - parts.share, parts.between])
    unknown = int((~keep).sum())
    more = f" Left out: {numbers.counted(unknown, 'image')} without {column}." if unknown else ""
    return {
        "kind": "table",
        "columns": ["pairs", "share", "AUC [95 % interval]"],
        "rows": rows,
        "caption": f"{title}.{more}",
    }
