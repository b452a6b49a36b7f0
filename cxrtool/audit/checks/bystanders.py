"""Can the label be predicted without the lungs, and does the model use what predicts it?

Constant borders, marks in the corners, burnt-in text, traces of resampling, JPEG and grey-level
changes, and the file itself (`images/bystanders.SIGNATURE`) contain no anatomy. A fixed learner
predicts the label of new patients from them, in the whole set and within sources, where a cue that
follows the label inside a source shows. With predictions there is a third test, whether the model
uses them: AUC minus AUC over pairs with a similar bystander score.

A weak cue is common where ill patients are imaged elsewhere in the hospital than others: 1,000
images of one collection attain an AUC of 0.69 without anatomy. So the limit for the data is 0.7,
whatever the margin is, and that for the use of the cues is the margin.
"""

import numpy as np

from cxrtool.audit import estimates
from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import (
    BELOW,
    EXCLUDED,
    INCONCLUSIVE,
    NOT_IDENTIFIABLE,
    SHOWN,
    CheckRow,
    NotAssessed,
    not_assessed,
)
from cxrtool.figures import numbers
from cxrtool.images import bystanders
from cxrtool.stats import cross_fit
from cxrtool.stats.cross_fit import CrossFit
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Decomposition

TITLE = "What predicts the label without the lungs"
KIND = "confirmatory"
NEEDS = ("images",)
REFERENCE = (
    "G. Maguolo and L. Nanni, A critic evaluation of methods for COVID-19 automatic detection from "
    "X-ray images, Information Fusion 76, 2021."
)
WHOLE, INSIDE, USED = "bystanders", "bystanders within sources", "bystanders used"
# Fewer patients of a class are too few to learn from and to test on.
FEWEST = 10
# What the data may carry: the AUC without anatomy.
LIMIT = 0.7
# Where each source has one class, they differ in more than the cues.
BY_SOURCE = (
    "To remove the cues does not help here: what is left of the source would still predict the "
    "label."
)
# Images with a similar bystander score are those of one of so many equal groups.
BINS = 5
# How the table calls the part of a group that has no anatomy, where this is less than the group.
NAMED = {("grey levels", True): "gaps between grey levels"}
SIGNATURE = [bystanders.NAMES.index(name) for name in bystanders.SIGNATURE]


def hypotheses(case: Case) -> list[str]:
    """Name the tests: of the data, and one for each model; none where there are no images."""
    if not case.images.of_manifest.any():
        return []
    names = [WHOLE, *([INSIDE] if _sources(case) > 1 else [])]
    return [*names, *(case.title(USED, model) for model in case.models)]


def assess(case: Case) -> list[CheckRow]:
    """Measure the images, and return the rows."""
    measured = case.measured()
    if measured is None:
        remedy = "Give the manifest of the images (cxrtool audit MANIFEST)."
        raise NotAssessed("images are read of the rows of a manifest only", remedy)
    measured = measured[:, : len(bystanders.NAMES)]
    rows = np.flatnonzero(np.isfinite(measured).any(axis=1) & (case.images.positive >= 0))
    if is_small(case, rows):
        why = f"fewer than {FEWEST} patients of a class have readable images"
        return [not_assessed(n, why, "Add images.") for n in hypotheses(case)]
    values = measured[rows][:, SIGNATURE]
    whole = _fitted(case, rows, values)
    result = [_whole(case, rows, measured[rows], whole)]
    if _sources(case) > 1:
        result.append(_inside(case, rows, values))
    scores = np.full(len(case.images), np.nan)
    scores[rows] = whole.scores
    return [*result, *(_used(case, model, scores) for model in case.models)]


def _sources(case: Case) -> int:
    if not case.images.has("source"):
        return 0
    known = case.images.known("source")
    return len(np.unique(case.images.columns["source"].codes[known]))


def is_small(case: Case, rows: Ints) -> bool:
    """Tell whether a class has too few patients to learn from and to test on."""
    positive, patients = case.images.positive[rows], case.images.patients[rows]
    return min(len(np.unique(patients[positive == k])) for k in (0, 1)) < FEWEST


def _patients(case: Case, rows: Ints) -> Ints:
    numbers: Ints = np.unique(case.images.patients[rows], return_inverse=True)[1]
    return numbers


def _fitted(
    case: Case,
    rows: Ints,
    values: Floats,
    groups: Ints | None = None,
    repeats: int = cross_fit.REPEATS,
) -> CrossFit:
    positive, patients = case.images.positive[rows] == 1, _patients(case, rows)
    return cross_fit.cross_fit(
        cross_fit.shrunken_centroids(values, positive, patients),
        positive,
        patients,
        groups=groups,
        weights=cross_fit.by_patient(positive, patients),
        repeats=repeats,
        seed=case.seed,
    )


def _whole(case: Case, rows: Ints, values: Floats, fit: CrossFit) -> CheckRow:
    row = _tested(case, WHOLE, fit, "the label of new patients")
    if _is_by_source(case, rows):
        # What the sources differ in predicts the label, too: the row 'overlap' says so.
        row.beyond = NOT_IDENTIFIABLE
        row.next = BY_SOURCE
    row.patients, row.sources = int(_patients(case, rows).max()) + 1, _sources(case)
    row.blocks = [_groups_table(case, rows, values)]
    return row


def _is_by_source(case: Case, rows: Ints) -> bool:
    """Tell whether no source has images of both classes, and there are several sources."""
    if _sources(case) < 2 or not case.images.known("source")[rows].all():
        return False
    codes, positive = case.images.columns["source"].codes[rows], case.images.positive[rows]
    return not _has_both(codes, positive)


def _has_both(codes: Ints, positive: Ints) -> bool:
    """Tell whether any source has images of both classes."""
    return bool(np.intersect1d(codes[positive == 1], codes[positive == 0]).size)


def _inside(case: Case, rows: Ints, values: Floats) -> CheckRow:
    """Predict the label from measurements that are ranked within each source."""
    keep = case.images.known("source")[rows]
    rows, values = rows[keep], values[keep]
    codes = np.unique(case.images.columns["source"].codes[rows], return_inverse=True)[1]
    ranked = cross_fit.ranks_within(values, codes)
    fit = _fitted(case, rows, ranked, codes)
    if fit.auc is None and not _has_both(codes, case.images.positive[rows]):
        why = "each source has one class alone"
        return not_assessed(INSIDE, why, "Add images of both classes of the same source.")
    row = _tested(case, INSIDE, fit, "the label of new patients of the same source")
    row.patients, row.sources = int(_patients(case, rows).max()) + 1, int(codes.max()) + 1
    return row


def _tested(case: Case, name: str, fit: CrossFit, what: str) -> CheckRow:
    if fit.auc is None:
        return not_assessed(name, "too few patients of a class", "Add images.")
    lead = f"Without anatomy, {what} is predicted with AUC {{value}} [{{low}}, {{high}}]"
    sentences = {
        SHOWN: f"{lead}: the images carry a cue that is not the disease.",
        NOT_IDENTIFIABLE: f"{lead}: the sources differ in more than the disease, and each source "
        "has one class alone.",
        EXCLUDED: f"{lead}: the measured cues attain less than {numbers.value(LIMIT)}.",
        INCONCLUSIVE: f"{lead}. These images cannot tell whether it exceeds "
        f"{numbers.value(LIMIT)}. {{power}}",
    }
    return estimates.tested(
        name,
        fit.auc,
        limit=LIMIT,
        number=len(case.family),
        sentences=sentences,
        next="Look at the table of cues in audit.html, and remove them: text with 'cxrtool "
        "equalize --conceal auto', all beside the lungs with 'cxrtool segment --keep lungs', "
        "format and size of files with 'cxrtool equalize --size 512'. Traces of JPEG or resampling "
        "(grid) stay: balance these.",
    )


def _groups_table(case: Case, rows: Ints, values: Floats) -> dict[str, object]:
    """Show which cues predict the label, each alone, and what the edges of the chest add."""
    cells: list[list[object]] = []
    for group, names in bystanders.GROUPS.items():
        for kind, wanted in (("no anatomy", True), ("edges of the chest", False)):
            at = [
                bystanders.NAMES.index(name)
                for name in names
                if (name in bystanders.SIGNATURE) == wanted
            ]
            auc = _fitted(case, rows, values[:, at], repeats=1).auc if at else None
            if auc is not None:
                name = NAMED.get((group, wanted), group)
                cells.append([name, kind, (auc.value, *auc.bounds(0.95))])
    return {
        "kind": "table",
        "columns": ["cue", "what it sees", "AUC [95 % interval]"],
        "rows": cells,
        "caption": "AUC for new patients from each kind of cue alone. Only cues without anatomy "
        "decide: posture, tubes and exposure at the edges of the chest can follow the disease. "
        "`grid` is what resampling and JPEG leave in the pixels, `gaps between grey levels` what a "
        "change of contrast leaves in the histogram (how bright the image is has no part in it), "
        "`file` the format, size and quality of the file. All images of the manifest with a label "
        "are used, those of training, too.",
    }


def _used(case: Case, model: ModelScores, scores: Floats) -> CheckRow:
    """Compare AUC with AUC over pairs of images with a similar bystander score."""
    name = case.title(USED, model)
    own = scores[model.rows]
    keep = np.isfinite(own)
    if not keep.any():
        why = "none of the predicted images could be measured"
        return not_assessed(name, why, "Give the manifest that has these images.")
    rows = model.rows[keep]
    bins = np.searchsorted(np.quantile(own[keep], np.arange(1, BINS) / BINS), own[keep])
    positive = case.images.positive[rows] == 1
    parts = Decomposition(positive, model.scores[keep], bins, _patients(case, rows))
    if not parts.is_defined:
        return not_assessed(name, "the predicted images are of one class", "Add images.")
    if not parts.share > 0:
        why = "no positive and negative image have a similar bystander score"
        return not_assessed(name, why, estimates.MORE)
    lead = (
        f"AUC is {numbers.value(parts.whole.value)}; over pairs with a similar bystander score "
        f"({numbers.counted(parts.patient_pairs, 'pair')} of patients) it is "
        f"{numbers.value(parts.within.value)}"
    )
    sentences = {
        SHOWN: f"{lead}. What the bystanders tell adds at least {{low}} to the AUC.",
        BELOW: f"{lead}. What the bystanders tell changes the AUC by {{value}} "
        "[{low}, {high}]: the model uses it, and on these images that misleads it.",
        EXCLUDED: f"{lead}. What the bystanders tell changes the AUC by less than the margin, "
        "{value} [{low}, {high}].",
    }
    row = estimates.tested_difference(
        name,
        parts,
        margin=case.margin,
        number=len(case.family),
        lead=lead,
        sentences=sentences,
        next=BY_SOURCE
        if _is_by_source(case, rows)
        else "Train on images without these cues, and compare.",
    )
    row.patients, row.sources = int(_patients(case, rows).max()) + 1, _sources(case)
    return row
