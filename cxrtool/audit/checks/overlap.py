"""Which classes occur in which source, counted by patient: can the data answer the question at all?

Where each class has a source of its own, no statistic tells the disease from the data set. That is
the textbook trap, and it is `not identifiable`, never a pass.
"""

import numpy as np

from cxrtool.audit import estimates
from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import (
    EXCLUDED,
    INCONCLUSIVE,
    NOT_IDENTIFIABLE,
    CheckRow,
    NotAssessed,
    not_assessed,
)
from cxrtool.figures import numbers
from cxrtool.stats import cluster_variance, cross_fit, influence, intervals, within
from cxrtool.stats.metrics import Ints

TITLE = "Classes in each source"
KIND = "confirmatory"  # classes are counted, not tested
NEEDS = ("manifest",)
REFERENCE = (
    "B. Garcia Santa Cruz et al., Public Covid-19 X-ray datasets and their impact on model bias, "
    "Medical Image Analysis 74, 2021."
)
# The AUC at which the width of an interval within sources is planned for.
PLANNED = 0.8
# Of more sources, the first are named.
NAMED = 6


def assess(case: Case) -> list[CheckRow]:
    """Count the patients of each class in each source, on the rows that are judged."""
    rows = case.judged
    if not case.images.has("source"):
        raise NotAssessed("source: absent", estimates.NAME_SOURCES)
    rows = rows[case.images.known("source")[rows] & (case.images.positive[rows] >= 0)]
    if not len(rows):
        why = "no image that is judged has a source in the manifest"
        raise NotAssessed(why, "Compare the paths of the manifest and of the predictions.")
    positive = case.images.positive[rows] == 1
    if positive.all() or not positive.any():
        raise NotAssessed("the rows are of one class", "Add the other class.")
    return [_judged(case, rows)]


def _judged(case: Case, rows: Ints) -> CheckRow:
    positive = case.images.positive[rows] == 1
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    names, codes = _present(case, rows)
    counts = within.patients_by_group(codes, positive, patients)
    row = CheckRow("overlap", patients=int(patients.max()) + 1, sources=len(names))
    row.blocks = [_table(case, names, counts)]
    if len(names) == 1:
        why = f"all images are of one source, {names[0]}"
        return _filled(row, not_assessed("overlap", why, estimates.NAME_SOURCES))
    pairs = counts[:, 0] * counts[:, 1]
    row.value = float(pairs.sum() / counts.sum(axis=0).prod())
    alone = cross_fit.attainable(codes, positive, patients, seed=case.seed).auc
    sure = alone is not None and alone.value >= estimates.NEARLY_SURE
    width = _width(counts)
    row.verdict = EXCLUDED
    if row.value == 0 or (sure and width >= estimates.TOO_WIDE):
        row.verdict = NOT_IDENTIFIABLE
    elif width >= estimates.TOO_WIDE:
        row.verdict = INCONCLUSIVE
    _explain(case, row, names, counts, None if alone is None else alone.value, width)
    return row


def _filled(row: CheckRow, other: CheckRow) -> CheckRow:
    row.verdict, row.meaning, row.next = other.verdict, other.meaning, other.next
    return row


def _present(case: Case, rows: Ints) -> tuple[list[str], Ints]:
    column = case.images.columns["source"]
    there, codes = np.unique(column.codes[rows], return_inverse=True)
    return [column.names[k] for k in there.tolist()], codes


def _width(counts: Ints) -> float:
    """Return the width that an interval of AUC within sources would have at an AUC of 0.8."""
    pairs = float((counts[:, 0] * counts[:, 1]).sum())
    if not pairs:
        return 1.0
    squares = [float((counts[:, k] * counts[:, 1 - k] ** 2).sum()) for k in (0, 1)]
    unit = influence.auc_prior(PLANNED) * sum(s / pairs**2 for s in squares)
    low, high = intervals.score(PLANNED, 1 / unit, cluster_variance.student(0.95, 1e9))
    return high - low


def _explain(
    case: Case, row: CheckRow, names: list[str], counts: Ints, alone: float | None, width: float
) -> None:
    classes = _names(case)
    single = [f"{n} (only {classes[0 if c[1] else 1]})" for n, c in _single(names, counts)]
    if len(single) > NAMED:
        single = [*single[:NAMED], f"and {len(single) - NAMED} more"]
    one_class = f" Sources with one class: {', '.join(single)}." if single else ""
    by = ""
    if alone is not None:
        # For new patients a column that tells nothing is a little below 0.5.
        tells = f"with AUC {numbers.value(alone)}" if alone > 0.5 else "no better than a guess"
        by = f" The source alone predicts the label {tells} (cross-validated by patient)."
    pairs = "of the pairs of a positive and a negative patient are of one source"
    share = f"{numbers.share(row.value)} {pairs}."
    if row.verdict == NOT_IDENTIFIABLE:
        first = share if row.value > 0 else "No source has patients of both classes."
        row.meaning = (
            f"{first}{one_class}{by} A model that recognises the source and no disease reaches the "
            "same AUC. These data cannot separate disease from source."
        )
        row.next = estimates.of_both_classes("source")
    elif row.verdict == INCONCLUSIVE:
        many = _needed(counts, width)
        row.meaning = (
            f"{share}{by}{one_class} These are too few: an interval of AUC within sources would be "
            f"{numbers.value(width)} wide. About {many} times as many patients of both classes "
            "are needed."
        )
        row.next = "Add images of both classes from the same sources."
    else:
        row.meaning = (
            f"{share}{by}{one_class} These pairs are enough for AUC within sources: "
            f"'{NOT_IDENTIFIABLE}' is excluded, and nothing else."
        )
        row.next = "Read the row 'within source'."


def _single(names: list[str], counts: Ints) -> list[tuple[str, list[int]]]:
    return [(n, c) for n, c in zip(names, counts.tolist(), strict=True) if 0 in c]


def _needed(counts: Ints, width: float) -> int:
    factor = 2
    while _width(counts * factor) >= estimates.TOO_WIDE:
        factor += 1
    return factor


def _names(case: Case) -> tuple[str, str]:
    """Name the positive class and the others."""
    return case.positive, case.negatives[0] if len(case.negatives) == 1 else "other classes"


def _table(case: Case, names: list[str], counts: Ints) -> dict[str, object]:
    rows = [[n, int(c[1]), int(c[0])] for n, c in zip(names, counts, strict=True)]
    return {
        "kind": "table",
        "columns": ["source", *_names(case)],
        "rows": rows,
        "caption": "Patients of each class in each source, on the rows that are judged.",
    }
