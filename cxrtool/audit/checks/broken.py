"""Predictions that no model should make: one score for all, or classes against the probabilities.

These are faults of a program or of a file, not statistics. Named classes that contradict the
probabilities are a fault of the file, or of the sources where they do; the threshold is that of the
sources where they do not. A source whose images are all predicted as one class, though it has
images of both, is a fault if its scores tell nothing of the label though those of other sources do.
A model that uses the source predicts one class for it, too: this is said, and judged by the checks
`within` and `independence` (tests/benchmarks/audit_broken.py has the rates). One class for all
images is said, too: a matter of the threshold. An AUC below 0.5 is named with its possible causes.
"""

import numpy as np

from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import EXCLUDED, SHOWN, CheckRow, not_assessed
from cxrtool.figures import numbers
from cxrtool.stats import intervals
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.named_classes import NamedClasses
from cxrtool.stats.within import Decomposition, Marks

TITLE = "Faults of the predictions"
KIND = "confirmatory"  # faults are found, not tested
NEEDS = ("predictions",)
REFERENCE = ""
# Fewer images of a source may well have the same score.
FEWEST = 10
# Scores that differ by a smaller share of the largest are one score, written with other digits.
EQUAL = 1e-9
# One class for a whole source is remarkable where it is less likely than this, over all sources.
UNLIKELY = 0.01
# The scores of such a source tell less of the label than others', by intervals of this level: at
# 0.98, up to 35 % of the models that have learned a source were called faults, at 0.999 up to 18 %.
SURE = 0.999


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
    faults, remarks = _found(case, model)
    row.verdict = SHOWN if faults else EXCLUDED
    whole = _decomposed(case, model, np.ones(len(positive), bool)).whole
    row.value, (row.low, row.high) = whole.value, whole.bounds(0.95)
    none = "No fault was found (the value is the AUC of the model)."
    remarks += _one_for_all(case, model)
    row.meaning = " ".join([*(faults or [none]), *remarks, *_hints(row)])
    row.next = "Check how the predictions were made." if faults else ""
    return row


def _found(case: Case, model: ModelScores) -> tuple[list[str], list[str]]:
    """Return the faults, and what is remarkable but no fault."""
    if _is_one(model.scores):
        return ["All images have the same score: the model tells nothing."], []
    if _named(case, model).is_reversed():
        return [
            "The predicted classes contradict the probabilities: images that are predicted as "
            f"{case.positive} have lower probabilities of it than the others. Columns p_CLASS may "
            "be in the wrong order."
        ], []
    if not case.images.has("source"):
        return [], []
    kinds = _by_source(case, model)
    faults = [f"All images of a source have {_what(kinds, f)}." for f in FAULTS if f in kinds]
    if mixed := kinds.get(MIXED):
        faults.append(
            f"The predicted classes of {', '.join(mixed)} contradict the probabilities there, "
            "unlike elsewhere: columns p_CLASS may be in another order, or rows be mixed up."
        )
    if learned := kinds.get(LEARNED):
        return faults, [
            f"All images of {', '.join(learned)} are predicted as one class, though both are "
            "there: a model that uses the source does so. See the checks 'within' and "
            "'independence' (audit --checks within,independence runs them alone)."
        ]
    return faults, []


FLAT, AGAINST, BLIND, LEARNED, MIXED = "flat", "against", "blind", "learned", "mixed"
FAULTS = {
    FLAT: "the same score",
    AGAINST: "one predicted class, which contradicts their probabilities",
    BLIND: "one predicted class, and scores that tell nothing of the label there, though they do "
    "elsewhere (images read in another way than in training do so, or a model that recognises "
    "the source and nothing else in it)",
}


def _what(kinds: dict[str, list[str]], fault: str) -> str:
    return f"{FAULTS[fault]}: {', '.join(kinds[fault])}"


def _by_source(case: Case, model: ModelScores) -> dict[str, list[str]]:
    """Name the sources with one score, one predicted class or wrong ones, by what that means."""
    column = case.images.columns["source"]
    codes = column.codes[model.rows]
    known = [k for k in np.unique(codes).tolist() if column.names[k]]
    against, mixed = _named(case, model).contradicting()
    said = dict.fromkeys(against, AGAINST) | dict.fromkeys(mixed, MIXED)
    kinds: dict[str, list[str]] = {}
    for k in known:
        there = codes == k
        flat = FLAT if there.sum() >= FEWEST and _is_one(model.scores[there]) else ""
        if kind := flat or said.get(k) or _one_class(case, model, there, len(known)):
            kinds.setdefault(kind, []).append(column.names[k])
    return kinds


def _named(case: Case, model: ModelScores) -> NamedClasses:
    """Return the named classes by source; those of an unknown source are a group of their own."""
    known = case.images.has("source")
    codes = case.images.columns["source"].codes if known else np.zeros(len(case.images), np.int64)
    return NamedClasses(
        model.predicted,
        model.scores,
        codes[model.rows],
        case.images.patients[model.rows],
        1 + len(case.negatives),
    )


def _one_class(case: Case, model: ModelScores, there: Marks, sources: int) -> str:
    """Say what it means that a source has one predicted class; nothing where it has two."""
    if not _is_one_class(case, model, there, sources):
        return ""
    return BLIND if _is_blind(case, model, there) else LEARNED


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
    """Return whether each image is predicted as positive; without a column, at 0.5."""
    if (model.predicted >= 0).all():
        return model.predicted
    return (model.scores > 0.5).astype(np.int64)


def _one_for_all(case: Case, model: ModelScores) -> list[str]:
    """Say so where the model names the same class for all images, though their labels differ."""
    predicted, is_named = _decisions(model), bool((model.predicted >= 0).all())
    has_two = len(case.negatives) == 1
    # Of three or more classes the most probable one is named: that is no matter of 0.5.
    if len(np.unique(predicted)) > 1 or _is_one(model.scores) or not (is_named or has_two):
        return []
    of_all = f"for all {len(predicted)} images"
    what = f"'{case.positive}' {of_all}" if predicted[0] else f"'{case.negatives[0]}' {of_all}"
    if not predicted[0] and not has_two:
        what = f"'{case.positive}' for none of {len(predicted)} images"
    lead, where = ("The", "its threshold") if is_named else ("At 0.5 the", "this threshold")
    return [f"{lead} model names {what}: at {where} it separates nothing; its AUC can still do so."]


def _is_blind(case: Case, model: ModelScores, there: Marks) -> bool:
    """Tell whether the scores rank the images of a source no better than chance, unlike others."""
    own, others = _decomposed(case, model, there), _decomposed(case, model, ~there)
    if not own.is_defined or not others.is_defined or not others.share > 0:
        return False
    low, high = own.whole.bounds(SURE)
    lower = others.within.value - others.within.bounds(SURE)[0]
    apart = np.hypot(lower, high - own.whole.value)
    return bool(low <= 0.5 and others.within.value - own.whole.value > apart)


def _decomposed(case: Case, model: ModelScores, marked: Marks) -> Decomposition:
    rows = model.rows[marked]
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    known = case.images.has("source")
    codes = case.images.columns["source"].codes[rows] if known else np.zeros(len(rows), np.int64)
    positive = case.images.positive[rows] == 1
    return Decomposition(positive, model.scores[marked], codes, patients)


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
