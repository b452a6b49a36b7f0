"""The run's recipe, trained again on images without the lungs: what does it reach, and by what?

A network that does nearly as well without the lungs need not use them. But heart, effusion, tubes
and posture are outside of the lungs and may follow the disease: in one collection, with nothing
confounded but the view, AUC was 0.853 with and 0.839 without the lungs. So a high AUC alone decides
nothing here; it is the source that decides: AUC without the lungs minus AUC within the source.

Beside it stand trainings in which something else was taken away: the lungs of another patient, a
rectangle of the same area, more around the lungs; or everything but their outline.
"""

import numpy as np

from cxrtool.audit import estimates
from cxrtool.audit.case import Case, ImageRows, ModelScores
from cxrtool.audit.verdicts import (
    BELOW,
    DESCRIPTIVE,
    EXCLUDED,
    SHOWN,
    CheckRow,
    NotAssessed,
    not_assessed,
)
from cxrtool.figures import numbers
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Decomposition

TITLE = "The same training without the lungs"
KIND = "confirmatory"
NEEDS = ("run",)
REFERENCE = (
    "G. Maguolo and L. Nanni, A critic evaluation of methods for COVID-19 automatic detection from "
    "X-ray images, Information Fusion 76, 2021."
)
LEVEL = 0.95
# The trainings as a reader knows them.
WITH, WITHOUT = "with the lungs", "lungs out"
CONTROLS = {
    "other-mask": "lungs of another patient out",
    "sham": "a rectangle of the same area out",
    "outline": "outline of the lungs alone",
    "dilation-3": "lungs widened by 3 % out",
    "dilation-6": "lungs widened by 6 % out",
    "dilation-12": "lungs widened by 12 % out",
}
NAME, INSIDE = "lungs out", "lungs out within source"


def hypotheses(case: Case) -> list[str]:
    """Name the test, where there is a training without the lungs and more than one source."""
    if case.without_lungs is None:
        return []
    images, model = case.without_lungs
    known = model.rows[images.known("source")[model.rows]]
    sources = np.unique(images.columns["source"].codes[known])
    return [INSIDE] if len(sources) > 1 else []


def assess(case: Case) -> list[CheckRow]:
    """Return both AUCs, and the test."""
    if case.without_lungs is None:
        why = "it takes a second training, on images without the lungs"
        remedy = "cxrtool audit MANIFEST --run RUN --retrain (as long as the run was trained)."
        raise NotAssessed(why, remedy)
    images, model = case.without_lungs
    parts = _parts(images, model, np.zeros(len(images), np.int64))
    if not parts.is_defined:
        raise NotAssessed("the held-out images are of one class", "Add the other class.")
    rows = [_beside(case, parts)]
    if INSIDE in case.family:
        column = images.columns["source"]
        rows.append(_inside(case, _parts(images, model, column.codes)))
    return rows


def _parts(images: ImageRows, model: ModelScores, groups: Ints) -> Decomposition:
    rows = model.rows
    patients = np.unique(images.patients[rows], return_inverse=True)[1]
    return Decomposition(images.positive[rows] == 1, model.scores, groups[rows], patients)


def _beside(case: Case, parts: Decomposition) -> CheckRow:
    """Show the AUC without the lungs beside that of the run."""
    low, high = parts.whole.bounds(0.95)
    row = CheckRow(NAME, DESCRIPTIVE, value=parts.whole.value, low=low, high=high)
    row.patients = parts.strata.patients
    whole = [_parts(case.images, m, np.zeros(len(case.images), np.int64)) for m in case.models]
    others = ", ".join(
        f"{model.name} with the lungs {numbers.value(one.whole.value)}"
        for model, one in zip(case.models, whole, strict=True)
        if one.is_defined
    )
    row.meaning = (
        "Trained without the lungs, the same recipe reaches AUC "
        f"{numbers.interval(row.value, low, high)} on held-out images ({others}){_controls(case)}. "
        "Heart, tubes and posture are outside of the lungs: a high value is a reason to look, not "
        "a proof."
    )
    row.blocks = [_table(case)]
    return row


def _controls(case: Case) -> str:
    """Name the AUCs of the controls."""
    texts = [
        f"{CONTROLS[name]} {numbers.value(parts.whole.value)}"
        for name, (images, model) in case.lungs_out_controls.items()
        if (parts := _parts(images, model, np.zeros(len(images), np.int64))).is_defined
    ]
    return f"; as controls, {', '.join(texts)}" if texts else ""


def _table(case: Case) -> dict[str, object]:
    """Show each training: its AUC, and that within sources."""
    assert case.without_lungs is not None
    trainings = {f"{WITH} ({model.name})": (case.images, model) for model in case.models}
    trainings[WITHOUT] = case.without_lungs
    trainings |= {CONTROLS[name]: own for name, own in case.lungs_out_controls.items()}
    cells: list[list[object]] = []
    for name, (images, model) in trainings.items():
        column = images.columns.get("source")
        groups = np.zeros(len(images), np.int64) if column is None else column.codes
        parts = _parts(images, model, groups)
        if parts.is_defined:
            inside = (parts.within.value, *parts.within.bounds(LEVEL))
            whole = (parts.whole.value, *parts.whole.bounds(LEVEL))
            cells.append([name, len(model.rows), whole, inside])
    return {
        "kind": "table",
        "columns": ["training images", "held-out images", "AUC [95 % interval]", "AUC within"],
        "rows": cells,
        "caption": "Each row is a training of the same recipe on images that were changed, and is "
        "judged on held-out images that were changed alike. 'AUC within' counts pairs of the same "
        "source. If another patient's lungs or a rectangle cost as much, it is not the lungs; if "
        "the outline alone predicts the label, masks carry it too.",
    }


def _inside(case: Case, parts: Decomposition) -> CheckRow:
    """Test what the source adds to the AUC without the lungs."""
    if np.isnan(parts.within.value):
        why = "no two held-out images of both classes are of one source"
        return not_assessed(INSIDE, why, "Add images of both classes from one source.")
    lead = (
        f"Without the lungs AUC is {numbers.value(parts.whole.value)}; over pairs of the same "
        f"source it is {numbers.value(parts.within.value)}"
    )
    row = estimates.tested_difference(
        INSIDE,
        parts,
        margin=case.margin,
        number=len(case.family),
        lead=lead,
        sentences={
            SHOWN: f"{lead}. The source can be used without any lung: it adds at least {{low}}.",
            BELOW: f"{lead}. The source changes the AUC by {{value}} [{{low}}, {{high}}].",
            EXCLUDED: f"{lead}. The source changes the AUC by less than the margin, {{value}} "
            "[{low}, {high}].",
        },
        next="Remove what tells the sources apart outside of the lungs: cxrtool segment.",
    )
    row.patients = parts.strata.patients
    return row
