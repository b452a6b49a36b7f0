"""Predictions that no model should make: one score, or one class, for all images of a source.

A source whose images are all predicted as one class, though it has images of both, is a fault if
the other sources make that unlikely: where a class is rare, one class may be predicted for all.

These are faults of a program or of a file, not statistics. An AUC below 0.5 is named with its
possible causes: classes in the wrong order is one of several.
"""

import numpy as np

from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import EXCLUDED, SHOWN, CheckRow, not_assessed
from cxrtool.figures import numbers
from cxrtool.stats import intervals
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Decomposition, Marks

TITLE = "Faults of the predictions"
KIND = "confirmatory"  # faults are found, not tested
NEEDS = ("predictions",)
REFERENCE = ""
# Fewer images of a source may well have the same score.
FEWEST = 10
# Scores that differ by a smaller share of the largest are one score, written with other digits.
EQUAL = 1e-9
# One class for a whole source is a fault where it is less likely than this, over all sources.
UNLIKELY = 0.01


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
    row.meaning = " ".join(
        [*(faults or ["No fault was found (the value is the AUC of the model)."]), *_hints(row)]
    )
    row.next = "Check how the predictions were made." if faults else ""
    return row


def _faults(case: Case, model: ModelScores) -> list[str]:
    if _is_one(model.scores):
        return ["All images have the same score: the model tells nothing."]
    if not case.images.has("source"):
        return []
    column = case.images.columns["source"]
    codes = column.codes[model.rows]
    known = [k for k in np.unique(codes).tolist() if column.names[k]]
    flat = [k for k in known if _is_flat(model, codes == k)]
    one = [k for k in known if k not in flat and _is_one_class(case, model, codes == k, len(known))]
    names = {"the same score": flat, "one predicted class, though both classes are there": one}
    return [
        f"All images of a source have {what}: {', '.join(column.names[k] for k in which)}."
        for what, which in names.items()
        if which
    ]


def _is_flat(model: ModelScores, there: Marks) -> bool:
    return bool(there.sum() >= FEWEST and _is_one(model.scores[there]))


def _is_one_class(case: Case, model: ModelScores, there: Marks, sources: int) -> bool:
    """Tell whether a source has one predicted class, which the other sources make unlikely."""
    predicted = _decisions(model)
    positive, patients = case.images.positive[model.rows], case.images.patients[model.rows]
    own = np.unique(predicted[there])
    if len(own) != 1 or len(np.unique(positive[there])) < 2:
        return False
    # One image for each patient and label: images of one patient are predicted alike.
    first = _firsts(there, positive, patients)
    if len(np.unique(patients[first])) < FEWEST:
        return False
    elsewhere = _firsts(~there, positive, patients)
    chance = 1.0
    for label in (0, 1):
        hits = predicted[elsewhere][positive[elsewhere] == label] == own[0]
        # The largest share that the other sources allow: of few images, nearly any.
        most = intervals.wilson(int(hits.sum()), len(hits))[1] if len(hits) else 1.0
        chance *= most ** int((positive[first] == label).sum())
    return chance < UNLIKELY / sources


def _decisions(model: ModelScores) -> Ints:
    """Return the predicted classes; where the table does not name them, those at 0.5."""
    if (model.predicted >= 0).all():
        return model.predicted
    return (model.scores > 0.5).astype(np.int64)


def _firsts(there: Marks, positive: Ints, patients: Ints) -> Ints:
    """Return the first row of each patient and label among those that are marked."""
    rows = np.flatnonzero(there)
    pairs = np.column_stack([patients[rows], positive[rows]])
    firsts: Ints = rows[np.unique(pairs, axis=0, return_index=True)[1]]
    return firsts


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
