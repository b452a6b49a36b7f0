"""What is left of the AUC when parts of the image are taken away, and the run predicts it again?

The same held-out images without their border, with corners or burnt-in text covered, with equalised
grey levels, with the lungs alone, and without the lungs. Nothing is trained again, so that the
network sees images of a kind that it was not trained on: its AUC may fall for that reason alone.
What tells more is an AUC that does not fall: without the lungs it means that the network ranks the
images by what surrounds them.
"""

from collections.abc import Mapping

import numpy as np

from cxrtool.audit import network_checks
from cxrtool.audit.case import Case
from cxrtool.audit.changed_images import PLAIN
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow
from cxrtool.figures import numbers
from cxrtool.stats import within
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Decomposition

TITLE = "The same images with parts taken away"
KIND = "descriptive"
NEEDS = ("run",)
REFERENCE = (
    "G. Maguolo and L. Nanni, A critic evaluation of methods for COVID-19 automatic detection from "
    "X-ray images, Information Fusion 76, 2021."
)
NAME = "ablation"
# Each image is predicted in seven versions.
MOST = 200
LEVEL = 0.95


def assess(case: Case) -> list[CheckRow]:
    """Return one row: the largest change of the AUC."""
    found = network_checks.network(case).predicted(case, NAME, MOST)
    network_checks.check_patients(case, found.rows)
    parts = {name: _parts(case, found.rows, found.of(name)) for name in found.names}
    return [_row(case, found.rows, parts, {n: found.of(n) for n in found.names})]


def _parts(case: Case, rows: Ints, logits: Floats) -> Decomposition:
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    column = case.images.columns.get("source")
    groups = np.zeros(len(rows), np.int64) if column is None else column.codes[rows]
    return Decomposition(case.images.positive[rows] == 1, logits, groups, patients)


def _row(
    case: Case, rows: Ints, parts: Mapping[str, Decomposition], logits: Mapping[str, Floats]
) -> CheckRow:
    plain = parts[PLAIN].whole
    changed = {name: part.whole for name, part in parts.items() if name != PLAIN}
    where = max(changed, key=lambda name: abs(changed[name].value - plain.value))
    row = CheckRow(NAME, DESCRIPTIVE, value=changed[where].value - plain.value)
    # The largest of several is looked at: its interval is adjusted for their number.
    level = 1 - (1 - LEVEL) / len(changed)
    row.low, row.high = within.difference_bounds(changed[where], plain, level)
    row.patients = parts[PLAIN].strata.patients
    others = ", ".join(f"{name} {numbers.value(auc.value)}" for name, auc in changed.items())
    row.meaning = (
        f"AUC of {len(rows)} held-out images is {numbers.value(plain.value)}; {others}. The "
        f"largest change is by '{where}', {numbers.interval(row.value, row.low, row.high)}. The "
        "network was not trained on such images: its AUC may fall for that alone."
    )
    row.blocks = [_table(case, parts, logits)]
    return row


def _table(
    case: Case, parts: Mapping[str, Decomposition], logits: Mapping[str, Floats]
) -> dict[str, object]:
    plain = parts[PLAIN]
    cells: list[list[object]] = []
    for name, part in parts.items():
        inside = part.within
        difference: object = None
        if name != PLAIN:
            bounds = within.difference_bounds(part.whole, plain.whole, LEVEL)
            difference = (part.whole.value - plain.whole.value, *bounds)
        switched = float(((logits[name] > 0) != (logits[PLAIN] > 0)).mean())
        cells.append(
            [
                name,
                (part.whole.value, *part.whole.bounds(LEVEL)),
                difference,
                (inside.value, *inside.bounds(LEVEL)),
                numbers.percent(switched),
            ]
        )
    return {
        "kind": "table",
        "columns": [
            "images",
            "AUC",
            "difference",
            "AUC within sources",
            "decisions changed",
        ],
        "rows": cells,
        "caption": f"The run's predictions of the same images (at most {MOST}, at random; nothing "
        "is trained again), with 95 % intervals. Differences are paired by image, and patients are "
        "kept together; in the row above, the interval is adjusted for the number of changes. What "
        "an AUC without the lungs rests on is not in the lungs; but heart, tubes and posture are "
        "outside of them, too.",
    }
