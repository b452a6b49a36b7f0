"""Is the score independent of the source, among images of the same label?

A model that uses the disease alone may still score sources differently: their patients differ. So
this check is shown and decides nothing (on clean data it is significant in about a third of sets
whose sources look different).
"""

import numpy as np

from cxrtool.audit import estimates
from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, not_assessed
from cxrtool.figures import numbers
from cxrtool.stats import conditional_independence

TITLE = "Score and source among images of one label"
KIND = "descriptive"
NEEDS = ("predictions",)
REFERENCE = (
    "T. Spisak, Statistical quantification of confounding bias in machine learning models, "
    "GigaScience 11, 2022."
)


def assess(case: Case) -> list[CheckRow]:
    """Return a row for each model."""
    return [_row(case, model) for model in case.models]


def _row(case: Case, model: ModelScores) -> CheckRow:
    name = case.title("independence", model)
    if not case.images.has("source"):
        return not_assessed(name, "source: absent", estimates.NAME_SOURCES, DESCRIPTIVE)
    keep = case.images.known("source")[model.rows]
    rows = model.rows[keep]
    codes = np.unique(case.images.columns["source"].codes[rows], return_inverse=True)[1]
    if codes.max(initial=0) < 1:
        return not_assessed(name, "all rows are of one source", "", DESCRIPTIVE)
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    result = conditional_independence.test(
        model.scores[keep], codes, case.images.positive[rows], patients, seed=case.seed
    )
    if np.isnan(result.spread):
        why = "no label has patients in two sources"
        return not_assessed(name, why, "Add images of both classes from a source.", DESCRIPTIVE)
    row = CheckRow(name, DESCRIPTIVE, value=result.spread, p=result.p)
    row.patients, row.sources = int(patients.max()) + 1, int(codes.max()) + 1
    row.meaning = (
        "Among images of the same label, the mean scores of the sources have a standard deviation "
        f"of {numbers.value(result.spread)}, in units of the deviation within source and label "
        f"(normal scores of the ranks). p = {result.p:.2g}, by {result.permutations} permutations "
        "of patients. Differences between the patients can cause this too."
    )
    return row
