"""How well each column alone predicts the label, in one unit: AUC for new patients.

A column may predict the label because the disease does (age), or because the classes were collected
differently (source, file format). For each model, AUC minus AUC within the column stands beside it.
"""

import numpy as np

from cxrtool.audit.case import AGE_BAND, FORMAT, SIZE, Case, ModelScores
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, NotAssessed
from cxrtool.figures import numbers
from cxrtool.stats import cross_fit
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Decomposition

TITLE = "What each column predicts"
KIND = "descriptive"
NEEDS = ("manifest",)
REFERENCE = (
    "L. Oakden-Rayner et al., Hidden stratification causes clinically meaningful failures in "
    "machine learning for medical imaging, ACM CHIL, 2020."
)
COLUMNS = ("source", "view", "sex", AGE_BAND, FORMAT, SIZE)
# From this AUC on, a column is named as one that follows the label.
NOTABLE = 0.6


def assess(case: Case) -> list[CheckRow]:
    """Return one row, with a table of the columns."""
    rows = case.judged[case.images.positive[case.judged] >= 0]
    if len(np.unique(case.images.positive[rows])) < 2:
        raise NotAssessed("the images are of one class", "Add the other class.")
    columns = [c for c in dict.fromkeys([*COLUMNS, *case.within]) if c in case.images.columns]
    cells = [cell for column in columns if (cell := _cells(case, column, rows))]
    row = CheckRow("attributes", DESCRIPTIVE, patients=len(np.unique(case.images.patients[rows])))
    row.blocks = [_table(case, cells)] if cells else []
    row.meaning = _meaning(cells, [c for c in COLUMNS if c not in [cell[0] for cell in cells]])
    return [row]


def _cells(case: Case, column: str, rows: Ints) -> list[object]:
    """Return the cells of one column; none where it has one value or one class."""
    keep = rows[case.images.known(column)[rows]]
    positive = case.images.positive[keep] == 1
    codes = np.unique(case.images.columns[column].codes[keep], return_inverse=True)[1]
    if not len(codes) or codes.max() < 1 or positive.all() or not positive.any():
        return []
    patients = np.unique(case.images.patients[keep], return_inverse=True)[1]
    auc = cross_fit.attainable(codes, positive, patients, seed=case.seed).auc
    alone = (np.nan, np.nan, np.nan) if auc is None else (auc.value, *auc.bounds(0.95))
    added = [_added(case, column, model) for model in case.models]
    return [column, int(codes.max()) + 1, len(keep), alone, *added]


def _added(case: Case, column: str, model: ModelScores) -> tuple[float, ...] | None:
    keep = case.images.known(column)[model.rows]
    rows = model.rows[keep]
    parts = Decomposition(
        case.images.positive[rows] == 1,
        model.scores[keep],
        case.images.columns[column].codes[rows],
        np.unique(case.images.patients[rows], return_inverse=True)[1],
    )
    known = parts.is_defined and parts.share > 0
    return (parts.value, *parts.bounds(0.95)) if known else None


def _table(case: Case, cells: list[list[object]]) -> dict[str, object]:
    models = [f"AUC - AUC within ({model.name})" for model in case.models]
    return {
        "kind": "table",
        "columns": ["column", "values", "images", "AUC of the column alone", *models],
        "rows": cells,
        "caption": "What each column alone predicts for new patients (an AUC of 0.5 or below: "
        "nothing), and what it adds to each model's AUC. Intervals of 95 %, each for itself, are "
        "narrower than those of the checks, which are adjusted together.",
    }


def _meaning(cells: list[list[object]], absent: list[str]) -> str:
    notable = [
        f"{cell[0]} ({numbers.value(cell[3][0])})"
        for cell in cells
        if isinstance(cell[3], tuple) and cell[3][0] >= NOTABLE
    ]
    lead = (
        "Columns of the manifest that follow the label (AUC of the column alone): "
        f"{', '.join(notable)}."
        if notable
        else "No column of the manifest follows the label (AUC of 0.6 or more)."
        if any(isinstance(cell[3], tuple) and not np.isnan(cell[3][0]) for cell in cells)
        else "No column could be judged."
    )
    return f"{lead} Absent or of one value: {', '.join(absent)}." if absent else lead
