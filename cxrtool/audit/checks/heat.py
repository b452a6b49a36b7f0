"""Does the heat follow the lungs of each image, and does it depend on what the network has learned?

Lungs are in the middle of every radiograph, and so is the heat of most networks: a large share of
heat in the lungs says little by itself. So it stands beside the share of the same heat in the lungs
of other patients, and beside the heat of the same network with random weights. Heat that fits other
patients' lungs as well, or that random weights give too, is no explanation of what was learned.

Heat maps accuse clean models and miss unknown cues: this decides nothing.
"""

from typing import TYPE_CHECKING

import numpy as np

from cxrtool.audit import network_checks
from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, NotAssessed
from cxrtool.figures import numbers
from cxrtool.stats import mask_pairing
from cxrtool.stats.mask_pairing import MaskShares

if TYPE_CHECKING:
    from cxrtool.audit.network_heat import PairedHeat

TITLE = "Heat in the lungs, in other patients' lungs, and with random weights"
KIND = "descriptive"
NEEDS = ("run",)
REFERENCE = "J. Adebayo et al., Sanity checks for saliency maps, NeurIPS, 2018."
NAME = "heat"
MOST = 100
FEWEST = 10
LEVEL = 0.95


def assess(case: Case) -> list[CheckRow]:
    """Return one row: the heat in the own lungs less that in other patients' lungs."""
    network = network_checks.network(case)
    rows = network.sample(case, MOST)
    if len(np.unique(case.images.patients[rows])) < FEWEST:
        why = f"fewer than {FEWEST} patients were predicted by the run"
        raise NotAssessed(why, "Add held-out images.")
    with network_checks.if_allowed():
        return [_row(case, network.heat(case, MOST))]


def _row(case: Case, found: "PairedHeat") -> CheckRow:
    patients = case.images.patients[found.rows]
    trained, random = (
        mask_pairing.paired(heat, found.lungs, patients) for heat in (found.trained, found.random)
    )
    if trained.images < FEWEST:
        why = f"fewer than {FEWEST} images have heat and lungs"
        remedy = (
            "Lungs are those of the column 'mask', where there is one; else the audit finds them "
            "itself. Look at both: 'cxrtool segment' names masks that look wrong, and 'cxrtool "
            "cam' draws the heat."
        )
        raise NotAssessed(why, remedy)
    row = CheckRow(NAME, DESCRIPTIVE, value=trained.difference.value)
    row.low, row.high = trained.difference.bounds(LEVEL)
    row.patients = len(np.unique(patients))
    row.meaning = (
        f"Of the heat (Grad-CAM, {trained.images} images) {numbers.percent(trained.own)} lies in "
        f"the lungs; of the same heat, {numbers.percent(trained.others)} would lie in other "
        f"patients' lungs (difference {_difference(trained)}). With random weights "
        f"{_random(random)}. This is no proof for or against the use of the disease."
    )
    row.blocks = [_table({"the run": trained, "random weights": random}, found, len(found.rows))]
    return row


def _difference(shares: MaskShares) -> str:
    return numbers.interval(shares.difference.value, *shares.difference.bounds(LEVEL))


def _random(shares: MaskShares) -> str:
    if not shares.images:
        return "there is no heat"
    return f"{numbers.percent(shares.own)} lies in the lungs"


def _table(shares: dict[str, MaskShares], found: "PairedHeat", number: int) -> dict[str, object]:
    known = found.alike[np.isfinite(found.alike)]
    alike = numbers.value(float(known.mean())) if len(known) else "unknown"
    cells = [
        [
            name,
            one.images,
            one.own,
            one.others,
            (one.difference.value, *one.difference.bounds(LEVEL)),
        ]
        for name, one in shares.items()
        if one.images
    ]
    return {
        "kind": "table",
        "columns": [
            "weights",
            "images with heat",
            "in the own lungs",
            "in other patients' lungs",
            "difference",
        ],
        "rows": cells,
        "caption": "Share of the heat (Grad-CAM of the predicted class) in "
        f"{number} held-out images (at most {MOST}, at random; 95 % intervals). The maps of both "
        f"networks have a mean rank correlation of {alike}: near 1, the map shows the "
        "architecture and not what was learned.",
    }
