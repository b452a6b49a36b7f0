"""Controls of the audit itself, on these data: does it stay silent where nothing is to be found?

Labels are permuted between patients, so that nothing predicts them; and a source is halved at
random, so that the halves differ by chance alone. What the statistics find then is what they find
by chance.
"""

import numpy as np

from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import CONTROL, CheckRow, not_assessed
from cxrtool.stats import intervals
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Decomposition, Marks

TITLE = "Controls"
KIND = "control"
NEEDS = ("predictions",)
REFERENCE = ""
# Enough repetitions to tell 5 % from 15 %; of very many images fewer, as each takes its time.
REPEATS, FEWEST, IMAGES = 100, 20, 1_000_000
LEVEL = 0.95


def assess(case: Case) -> list[CheckRow]:
    """Return the rows of both controls for each model."""
    return [row(case, model) for model in case.models for row in (_permuted, _halved)]


def _permuted(case: Case, model: ModelScores) -> CheckRow:
    """Permute the labels between patients."""
    name = case.title("labels permuted", model)
    positive, patients = _data(case, model)
    rng = np.random.default_rng([case.seed, 1])
    groups = np.zeros(len(positive), np.int64)
    missed = made = 0
    for _ in range(_repeats(len(positive))):
        labels = _exchanged(positive, patients, rng)
        parts = Decomposition(labels, model.scores, groups, patients)
        if parts.is_defined:
            low, high = parts.whole.bounds(LEVEL)
            missed, made = missed + (not low <= 0.5 <= high), made + 1
    return _row(name, missed, made, "AUC of permuted labels differs from 0.5")


def _halved(case: Case, model: ModelScores) -> CheckRow:
    """Divide the patients into two random halves, as if they were sources."""
    name = case.title("halved at random", model)
    positive, patients = _data(case, model)
    rng = np.random.default_rng([case.seed, 2])
    missed = made = 0
    for _ in range(_repeats(len(positive))):
        halves = rng.integers(0, 2, int(patients.max(initial=0)) + 1)[patients]
        parts = Decomposition(positive, model.scores, halves, patients)
        low, high = parts.bounds(LEVEL)
        if not np.isnan(low):
            missed, made = missed + (not low <= 0 <= high), made + 1
    return _row(name, missed, made, "AUC - AUC_within of random halves differs from 0")


def _repeats(number: int) -> int:
    return min(REPEATS, max(FEWEST, IMAGES // max(number, 1)))


def _data(case: Case, model: ModelScores) -> tuple[Marks, Ints]:
    patients = np.unique(case.images.patients[model.rows], return_inverse=True)[1]
    return case.images.positive[model.rows] == 1, patients


def _exchanged(positive: Marks, patients: Ints, rng: np.random.Generator) -> Marks:
    """Give each patient the labels of another one, in turn where it has more images.

    Not of one with as many images: where the number of images follows the label, those patients
    have the same label, so that nothing would change.
    """
    order = np.argsort(patients, kind="stable")
    counts = np.bincount(patients)
    starts = np.cumsum(counts) - counts
    donors = rng.permutation(len(counts))
    owner = patients[order]
    turn = np.arange(len(order)) - starts[owner]
    given = donors[owner]
    result = np.empty(len(positive), bool)
    result[order] = positive[order[starts[given] + turn % counts[given]]]
    return result


def _row(name: str, missed: int, made: int, what: str) -> CheckRow:
    if made < FEWEST // 2:
        return not_assessed(name, "too few images of both classes", "Add images.", CONTROL)
    row = CheckRow(name, CONTROL, value=missed / made)
    row.low, row.high = intervals.wilson(missed, made)
    row.meaning = (
        f"{what} in {missed} of {made} repetitions (5 % are expected, fewer if the intervals are "
        f"cautious, up to {_most(made)} by chance)."
    )
    if row.low > 1 - LEVEL:
        row.meaning += " That is more than expected: read the intervals of this audit with caution."
    return row


def _most(made: int) -> int:
    """Return the largest count whose interval includes the expected share."""
    return max(k for k in range(made + 1) if intervals.wilson(k, made)[0] <= 1 - LEVEL)
