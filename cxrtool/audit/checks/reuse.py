"""By how much the AUC of the best of several models is too high, as all saw the same test images.

Part of the AUC of the best of several models comes from chance. How much is known if all are
equally good: the expected maximum of their errors, which are correlated, as the images are the
same. If one model is better than the others, it is less.
"""

import functools

import numpy as np

from cxrtool.audit.case import Case
from cxrtool.audit.source_aucs import FEWEST
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, NotAssessed
from cxrtool.figures import numbers
from cxrtool.stats import best_model
from cxrtool.stats.best_model import JointAucs
from cxrtool.stats.intervals import Bounds
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Decomposition

TITLE = "Several models on the same test images"
KIND = "descriptive"
NEEDS = ("predictions",)
REFERENCE = (
    "G. C. Cawley and N. L. C. Talbot, On over-fitting in model selection and subsequent selection "
    "bias in performance evaluation, Journal of Machine Learning Research 11, 2010."
)
LEVEL = 0.95
# Of more models, those with the highest AUC are listed.
LISTED = 20


def assess(case: Case) -> list[CheckRow]:
    """Return one row about all models."""
    if not case.models:
        return []
    rows = functools.reduce(np.intersect1d, [model.rows for model in case.models])
    if len(case.models) == 1:
        why = "one model: how often its test images were used before is not known"
        remedy = "Give the predictions of every model that was tried on these images."
        raise NotAssessed(". ".join(filter(None, [why, _validated(case, rows)])), remedy)
    positive = case.images.positive[rows] == 1
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    if min(len(np.unique(patients[positive == k])) for k in (True, False)) < FEWEST:
        why = f"the models have fewer than {FEWEST} patients of each class in common"
        raise NotAssessed(why, "Predict the same images with every model.")
    scores = np.column_stack([model.scores[_places(model.rows, rows)] for model in case.models])
    return [_row(case, rows, scores, patients)]


def _places(rows: Ints, common: Ints) -> Ints:
    """Return where the common rows stand among those of a model."""
    order = np.argsort(rows, kind="stable")
    places: Ints = order[np.searchsorted(rows[order], common)]
    return places


def _validated(case: Case, rows: Ints) -> str:
    """Say how many of the judged images were those of validation."""
    if "split" not in case.images.columns:
        return ""
    number = int(case.images.columns["split"].isin(["val"])[rows].sum())
    if not number:
        return ""
    return (
        f"{number} of the {len(rows)} images {'is' if number == 1 else 'are'} of the part val: "
        "training may have "
        "chosen its best epoch on them, which raises AUC by an amount that is not known here"
    )


def _row(case: Case, rows: Ints, scores: Floats, patients: Ints) -> CheckRow:
    positive = case.images.positive[rows] == 1
    aucs = best_model.joint_aucs(positive, scores, patients)
    best, optimism = int(aucs.values.argmax()), aucs.optimism(case.seed)
    groups = np.zeros(len(rows), np.int64)
    parts = [Decomposition(positive, own, groups, patients).whole for own in scores.T]
    bounds = [part.bounds(LEVEL) for part in parts]
    row = CheckRow("reuse", DESCRIPTIVE, value=optimism, patients=int(patients.max()) + 1)
    row.meaning = _meaning(case, rows, aucs, optimism, bounds[best])
    row.blocks = [_table(case, aucs, bounds, len(rows), aucs.wins(case.seed))]
    return row


def _meaning(case: Case, rows: Ints, aucs: JointAucs, optimism: float, bounds: Bounds) -> str:
    ties = int(aucs.tied.sum()) - 1
    best = case.models[int(aucs.values.argmax())].name
    first = f"{best} and {ties} other{'s' * (ties > 1)} have" if ties else f"{best} has"
    sentences = [
        f"Of {len(case.models)} models on the same {len(rows)} images, {first} the highest AUC, "
        f"{numbers.value(float(aucs.values.max()))}.",
        _correction(float(aucs.values.max()), optimism, bounds),
        ""
        if np.isnan(optimism)
        else "Models that were tried but not given would make this correction larger.",
        _left_out(case, rows),
    ]
    if validated := _validated(case, rows):
        sentences.append(f"{validated}.")
    return " ".join(filter(None, sentences))


def _correction(value: float, optimism: float, bounds: Bounds) -> str:
    """Say by how much the choice may have raised the AUC."""
    if np.isnan(optimism):
        return (
            "By how much it is too high is not known: that is estimated from how the AUC varies "
            "with the patients, and this one does not vary. Its "
            f"{numbers.level(LEVEL)} interval, as if it were the only model, is "
            f"[{numbers.value(bounds[0])}, {numbers.value(bounds[1])}]."
        )
    # From all models alike to one that is better: the choice raised the AUC by all of it, or by 0.
    low, high = max(0.0, bounds[0] - optimism), bounds[1]
    return (
        f"If all were equally good, it would be too high by {numbers.value(optimism)} on average: "
        f"{numbers.value(value - optimism)} without that. If one is truly better, it is too high "
        f"by less; a {numbers.level(LEVEL)} interval for both cases is [{numbers.value(low)}, "
        f"{numbers.value(high)}]."
    )


def _left_out(case: Case, rows: Ints) -> str:
    everything = functools.reduce(np.union1d, [model.rows for model in case.models])
    number = len(everything) - len(rows)
    images = numbers.counted(number, "image")
    return f"Left out: {images} that not all models judge." if number else ""


def _table(
    case: Case, aucs: JointAucs, bounds: list[Bounds], images: int, wins: Floats
) -> dict[str, object]:
    order, alike = np.argsort(-aucs.values, kind="stable").tolist(), aucs.correlation
    correlated = "" if np.isnan(alike) else f" Their errors correlate by {numbers.value(alike)}."
    rows = [
        [case.models[k].name, (float(aucs.values[k]), *bounds[k]), numbers.percent(wins[k])]
        for k in order[:LISTED]
    ]
    return {
        "kind": "table",
        "columns": ["model", "AUC [95 % interval]", "best of all in"],
        "rows": rows,
        "caption": f"{len(rows)} of {len(order)} models on the {images} images that all have "
        "judged; in the last column how often a model has the highest AUC in other samples of such "
        f"patients, if the AUCs here are the true ones.{correlated} The intervals do not "
        "account for choosing the best model.",
    }
