"""Would a mark have been found here? A faint corner mark is planted in a share of one class.

On a sample of these very images the test of bystanders is repeated with marks in 20 to 100 % of the
positive images. The smallest share from which the mark is shown says how sensitive the audit is on
these data: a mark that is rarer would have been missed.
"""

import cv2
import numpy as np

from cxrtool.audit import verdicts
from cxrtool.audit.case import Case
from cxrtool.audit.checks import bystanders as check
from cxrtool.audit.verdicts import CONTROL, CheckRow, NotAssessed
from cxrtool.core.errors import Unreadable
from cxrtool.figures import numbers
from cxrtool.files import image, image_facts
from cxrtool.files.manifest import resolve
from cxrtool.images import bystanders
from cxrtool.images.processing_traces import Bytes
from cxrtool.stats import cross_fit
from cxrtool.stats.metrics import Floats, Ints

TITLE = "Planted marks"
KIND = "control"
NEEDS = ("images",)
REFERENCE = (
    "J. Adebayo et al., Post hoc explanations may be ineffective for detecting unknown spurious "
    "correlation, ICLR 2022."
)
NAME = "spike-in"
NONE, SHARES = 0.0, (0.2, 0.4, 0.6, 0.8, 1.0)
# So many images are marked and measured again.
MOST = 300
# The mark: its height as a share of the shorter side, and how much brighter it is, of 255.
HEIGHT, CONTRAST = 0.05, 60


def assess(case: Case) -> list[CheckRow]:
    """Return one row: the smallest share of marked images that is shown."""
    measured = case.measured()
    if measured is None:
        raise NotAssessed("there are no images", "Give the manifest of the images.")
    plain = measured[:, check.SIGNATURE]
    rows = np.flatnonzero(np.isfinite(plain).any(axis=1) & (case.images.positive >= 0))
    rng = np.random.default_rng([case.seed, 3])
    rows = np.sort(rng.permutation(rows)[:MOST])
    if check.is_small(case, rows):
        raise NotAssessed("too few patients of a class", "Add images.")
    marked = np.array([_marked(case, row) for row in rows.tolist()])
    keep = np.isfinite(marked).any(axis=1)
    return [_row(case, rows[keep], plain[rows[keep]], marked[keep], rng)]


def _marked(case: Case, row: int) -> Floats:
    """Measure an image with a mark in its upper left corner; NaN where it cannot be read."""
    try:
        encoded = image.load(resolve(case.images.paths(row), case.root))
        grey = image.to8(image.decode(encoded).grey)
    except Unreadable:
        return np.full(len(check.SIGNATURE), np.nan)
    return bystanders.measure(mark(grey), image_facts.facts(encoded))[check.SIGNATURE]


def mark(grey: Bytes) -> Bytes:
    """Draw an R into the upper left corner, brighter than what is there."""
    height = HEIGHT * min(grey.shape)
    layer = np.zeros(grey.shape, np.uint8)
    place = (round(0.03 * grey.shape[1]), round(0.03 * grey.shape[0] + height))
    width = max(1, round(height / 9))
    cv2.putText(layer, "R", place, cv2.FONT_HERSHEY_SIMPLEX, height / 21, 255, width)
    brighter = grey.astype(np.int64) + layer // (255 // CONTRAST)
    marked: Bytes = np.minimum(brighter, 255).astype(np.uint8)
    return marked


def _row(
    case: Case, rows: Ints, plain: Floats, marked: Floats, rng: np.random.Generator
) -> CheckRow:
    chance = rng.random(len(rows))
    shares = (NONE, *SHARES)
    aucs = {share: _auc(case, rows, plain, marked, chance, share) for share in shares}
    shown = [share for share in SHARES if _low(aucs[share]) > check.LIMIT]
    if _low(aucs[NONE]) > check.LIMIT:
        why = "the images carry such a cue already, so that a planted one tells nothing"
        raise NotAssessed(why, "Read the row 'bystanders'.")
    row = CheckRow(NAME, CONTROL, value=shown[0] if shown else np.nan)
    row.patients = len(np.unique(case.images.patients[rows]))
    row.meaning = (
        f"A faint corner mark in {numbers.percent(shown[0])} of the images of '{case.positive}' "
        "would have been shown here."
        if shown
        else f"A faint corner mark in all images of '{case.positive}' would not have been shown "
        "here: there are too few images."
    )
    row.blocks = [
        {
            "kind": "table",
            "columns": [f"marked images of {case.positive}", "AUC without anatomy"],
            "rows": [[numbers.percent(share), auc] for share, auc in aucs.items()],
            "caption": f"A mark planted in {len(rows)} of these images; the limit is "
            f"{numbers.value(check.LIMIT)}.",
        }
    ]
    return row


def _auc(
    case: Case, rows: Ints, plain: Floats, marked: Floats, chance: Floats, share: float
) -> tuple[float, float, float] | None:
    positive = case.images.positive[rows] == 1
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    values = np.where((positive & (chance < share))[:, None], marked, plain)
    learner = cross_fit.shrunken_centroids(values, positive, patients)
    weights = cross_fit.by_patient(positive, patients)
    auc = cross_fit.cross_fit(learner, positive, patients, weights=weights, seed=case.seed).auc
    if auc is None:
        return None
    level = verdicts.levels(max(1, len(case.family)))[0]
    return auc.value, *auc.bounds(level)


def _low(auc: tuple[float, float, float] | None) -> float:
    return -np.inf if auc is None else auc[1]
