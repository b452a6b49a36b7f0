"""Predictions that no model should make: one score for all images, or for all of a source.

These are faults of a program or of a file, not statistics. An AUC below 0.5 is named with its
possible causes: classes in the wrong order is one of several.
"""

import numpy as np

from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import EXCLUDED, SHOWN, CheckRow, not_assessed
from cxrtool.figures import numbers
from cxrtool.stats.metrics import Floats
from cxrtool.stats.within import Decomposition, Marks

TITLE = "Faults of the predictions"
KIND = "confirmatory"
NEEDS = ("predictions",)
REFERENCE = ""
# Fewer images of a source may well have the same score.
FEWEST = 10
# Scores that differ by a smaller share of the largest are one score, written with other digits.
EQUAL = 1e-9


def hypotheses(case: Case) -> list[str]:
    """Return nothing: faults are found, not tested."""
    return []


def assess(case: Case) -> list[CheckRow]:
    """Return a row for each model."""
    return [_row(case, model) for model in case.models]


def _row(case: Case, model: ModelScores) -> CheckRow:
    row = CheckRow(case.title("broken", model))
    row.patients = len(np.unique(case.images.patients[model.rows]))
    positive = case.images.positive[model.rows] == 1
    if positive.all() or not positive.any():
        why = "all predictions are of images of one class"
        return not_assessed(row.name, why, "Add images of the other class.")
    faults = _faults(case, model)
    row.verdict = SHOWN if faults else EXCLUDED
    patients = np.unique(case.images.patients[model.rows], return_inverse=True)[1]
    parts = Decomposition(positive, model.scores, np.zeros(len(positive), np.int64), patients)
    row.value, (row.low, row.high) = parts.whole.value, parts.whole.bounds(0.95)
    row.meaning = " ".join([*(faults or ["No fault was found."]), *_hints(row)])
    row.next = "Check how the predictions were made." if faults else ""
    return row


def _faults(case: Case, model: ModelScores) -> list[str]:
    if _is_one(model.scores):
        return ["All images have the same score: the model tells nothing."]
    if not case.images.has("source"):
        return []
    column = case.images.columns["source"]
    codes = column.codes[model.rows]
    flat = [column.names[k] for k in np.unique(codes).tolist() if _is_flat(model, codes == k)]
    if not flat:
        return []
    return [f"All images of a source have the same score: {', '.join(flat)}."]


def _is_flat(model: ModelScores, there: Marks) -> bool:
    return bool(there.sum() >= FEWEST and _is_one(model.scores[there]))


def _is_one(scores: Floats) -> bool:
    return bool(np.ptp(scores) <= EQUAL * np.abs(scores).max())


def _hints(row: CheckRow) -> list[str]:
    """Say where AUC is no better than a guess; name possible causes where it is worse."""
    auc = numbers.interval(row.value, row.low, row.high)
    if row.low <= 0.5 <= row.high:
        return [
            f"AUC is {auc}: on these images the model "
            "is not shown to be better than a guess, and there is little to explain."
        ]
    if not row.high < 0.5:
        return []
    return [
        f"AUC is {auc}, below 0.5. Possible causes: the classes are "
        "in the wrong order; the model learned a source or a cue that follows the other class in "
        "these images; the positive class is not the one that was meant."
    ]
