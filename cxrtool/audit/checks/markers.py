"""Does a mark in a corner move the score? Marks are pasted, and what is in the corners covered.

A white letter, and a white patch, is drawn on a blank patch in each corner in turn; beside it
stands the same image with the blank patch alone, so that the difference is that of the mark. Then
all corners are covered, beside the same image with its corners mirrored: their marks and grey
levels stay, in another arrangement. The shift is that of the logit, image by image.

A network may react to a mark that it has never seen, so this decides nothing. A shift that is
large beside the spread of the logits, in one corner, or of one class alone, is a reason to look at
the training images.
"""

from collections.abc import Mapping

import numpy as np

from cxrtool.audit import network_checks
from cxrtool.audit.case import Case
from cxrtool.audit.changed_images import BLANK, COVERED, MARKS, MIRRORED, PLAIN
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow
from cxrtool.figures import numbers
from cxrtool.images.changes import CORNERS
from cxrtool.stats import paired_shift
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Marks

TITLE = "Marks in the corners, pasted and covered"
KIND = "descriptive"
NEEDS = ("run",)
REFERENCE = (
    "A. J. DeGrave et al., AI for radiographic COVID-19 detection selects shortcuts over signal, "
    "Nature Machine Intelligence 3, 2021."
)
NAME = "markers"
# Each image is predicted in fifteen versions.
MOST = 80
LEVEL = 0.95


def assess(case: Case) -> list[CheckRow]:
    """Return one row: the largest shift by a mark."""
    found = network_checks.network(case).predicted(case, NAME, MOST)
    network_checks.check_patients(case, found.rows)
    places = [(mark, corner) for mark in MARKS for corner in CORNERS]
    pairs = {
        f"{mark} {corner}": (f"{mark} {corner}", f"{BLANK} {corner}") for mark, corner in places
    }
    pairs[COVERED] = (COVERED, MIRRORED)
    shifts = {name: found.of(of) - found.of(against) for name, (of, against) in pairs.items()}
    return [_row(case, found.rows, found.of(PLAIN), shifts)]


def _row(case: Case, rows: Ints, plain: Floats, shifts: Mapping[str, Floats]) -> CheckRow:
    patients, positive = case.images.patients[rows], case.images.positive[rows] == 1
    spread = _spread(plain, positive)
    marks = {name: values for name, values in shifts.items() if name != COVERED}
    where = max(marks, key=lambda name: abs(float(marks[name].mean())))
    largest = paired_shift.mean(marks[where], patients)
    # The largest of eight is looked at: each interval is that of an eighth of the error.
    low, high = largest.bounds(1 - (1 - LEVEL) / len(marks))
    row = CheckRow(NAME, DESCRIPTIVE, value=largest.value, low=low, high=high)
    row.patients = len(np.unique(patients))
    covered, standard = shifts[COVERED], abs(largest.value) / spread
    row.meaning = (
        f"A mark ({where}) shifts the logit of '{case.positive}' by "
        f"{numbers.interval(largest.value, low, high)}, {numbers.value(standard)} standard "
        "deviations within a label (the largest of two marks in four corners). Covering all "
        f"corners shifts it by {_text(covered[positive], patients[positive])} in images of "
        f"'{case.positive}', by {_text(covered[~positive], patients[~positive])} in others. A "
        "network may react to what it has not learned from."
    )
    row.blocks = [_table(case, rows, spread, shifts)]
    return row


def _spread(plain: Floats, positive: Marks) -> float:
    """Return the standard deviation of the logit within a label."""
    centred = plain.copy()
    for label in (True, False):
        there = positive == label
        if there.any():
            centred[there] -= plain[there].mean()
    return max(float(np.sqrt((centred**2).mean())), 1e-12)


def _text(values: Floats, patients: Ints) -> str:
    mean = paired_shift.mean(values, patients)
    return numbers.interval(mean.value, *mean.bounds(LEVEL))


def _table(
    case: Case, rows: Ints, spread: float, shifts: Mapping[str, Floats]
) -> dict[str, object]:
    patients, positive = case.images.patients[rows], case.images.positive[rows] == 1
    cells = []
    for name, values in shifts.items():
        means = [
            paired_shift.mean(values[part], patients[part])
            for part in (np.ones(len(rows), bool), positive, ~positive)
        ]
        bounds = [(one.value, *one.bounds(LEVEL)) for one in means]
        cells.append([name, *bounds, means[0].value / spread])
    return {
        "kind": "table",
        "columns": [
            "change",
            "shift of the logit",
            f"images of {case.positive}",
            "other images",
            "in standard deviations",
        ],
        "rows": cells,
        "caption": f"Paired differences in {len(rows)} held-out images (at most {MOST}, at random; "
        "patients kept together; 95 % intervals): a mark against a blank patch at the same "
        "place, and covered corners against mirrored ones. In the row above, the interval is "
        "adjusted for the eight marks. Covered corners lack anatomy and air, too: they may "
        "shift the classes differently without any mark.",
    }
