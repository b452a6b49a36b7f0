"""Patients and pictures of the held-out images that training or validation has, too.

Exact duplicates are known by `sha256`, near duplicates by `dup_group`. With predictions, AUC of all
held-out images stands beside AUC of those that are clean.
"""

import numpy as np

from cxrtool.audit.case import LEARNED, Case, ModelScores
from cxrtool.audit.verdicts import EXCLUDED, SHOWN, CheckRow, NotAssessed
from cxrtool.figures import numbers
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Decomposition, Marks

TITLE = "Patients and pictures in more than one part"
KIND = "confirmatory"  # leaks are counted, not tested
NEEDS = ("manifest",)
REFERENCE = (
    "M. Roberts et al., Common pitfalls and recommendations for using machine learning to detect "
    "and prognosticate for COVID-19, Nature Machine Intelligence 3, 2021."
)
# With more images of unknown patients, that none is in two parts is not known.
MOST_UNKNOWN = 0.05
WORDS = {
    "patient": "their patient",
    "path": "the same path",
    "raw": "the same original",
    "sha256": "the same file",
    "dup_group": "the same picture",
}


def assess(case: Case) -> list[CheckRow]:
    """Count the held-out images with a patient or picture of the other parts."""
    if not case.images.has("split"):
        remedy = "Give the manifest with the column 'split' (cxrtool split)."
        raise NotAssessed("split: absent", remedy)
    parts = case.images.columns["split"]
    learned = parts.isin(LEARNED)
    tested = np.zeros(len(learned), bool)
    tested[case.judged] = True
    tested &= ~learned
    if case.models and parts.isin(["train"])[case.judged].all():
        return [_trained_on(case)]
    if not learned.any() or not tested.any():
        lacks = "training" if not learned.any() else "held-out"
        why = f"there are no {lacks} images"
        raise NotAssessed(why, "Give the manifest with all parts of the split.")
    return [_row(case, learned, tested), *_effects(case, learned, tested)]


def _trained_on(case: Case) -> CheckRow:
    row = CheckRow("leaks", value=1.0, verdict=SHOWN)
    row.patients = len(np.unique(case.images.patients[case.judged]))
    row.meaning = (
        "All predictions are of training images: they say nothing about the AUC for new patients."
    )
    row.next = "Predict the images of the part test (cxrtool evaluate --where split=test)."
    return row


def _leaked(case: Case, learned: Marks, tested: Marks) -> dict[str, Marks]:
    """Mark the held-out images that share a value with a learned one, column by column."""
    marks = {}
    for column, values in case.images.identities.items():
        if values.any():
            known = values[learned & (values != 0)]
            marks[column] = tested & (values != 0) & np.isin(values, known)
    return marks


def _row(case: Case, learned: Marks, tested: Marks) -> CheckRow:
    marks = _leaked(case, learned, tested)
    absent = [name for name in WORDS if name not in marks and name != "raw"]
    if not marks:
        why = f"{', '.join(absent)}: absent or empty"
        raise NotAssessed(why, "Make the manifest with cxrtool ingest.")
    leaked = np.logical_or.reduce([*marks.values()])
    # ingest leaves dup_group empty where no image has a duplicate: then there is none to compare.
    empty = " (empty where no duplicates were found)" * ("dup_group" in absent)
    listed = ", ".join(absent)
    not_there = f" Not compared, as absent or empty: {listed}{empty}." if absent else ""
    unlisted = _unlisted(case, tested)
    if not leaked.any() and unlisted > MOST_UNKNOWN:
        lacks = f"the manifest lacks {_part(unlisted, 'held-out images')}"
        why = f"{lacks}: nobody can compare their pictures with those of training"
        raise NotAssessed(why, "Give predictions with the manifest's paths.")
    unknown = _of_unknown_patients(case, learned | tested)
    if not leaked.any() and unknown > MOST_UNKNOWN:
        why = (
            f"the patients of {_part(unknown)} are unknown, and may be in "
            f"training and test. No held-out image is the same picture.{not_there}"
        )
        raise NotAssessed(why.rstrip("."), "Add a column 'patient' (cxrtool ingest --metadata).")
    row = CheckRow("leaks", value=float(leaked.sum() / tested.sum()))
    row.patients = len(np.unique(case.images.patients[tested]))
    counts = ", ".join(f"{WORDS[c]} of {int(m.sum())}" for c, m in marks.items() if m.any())
    if unknown:
        not_there += f" The patients of {_part(unknown)} are unknown."
    if unlisted:
        not_there += f" The pictures of {_part(unlisted, 'held-out images')} are unknown."
    row.verdict = SHOWN if leaked.any() else EXCLUDED
    of = f"{int(leaked.sum())} of {int(tested.sum())} held-out images"
    row.meaning = (
        f"Training or validation has, for {of}: {counts}.{not_there}"
        if leaked.any()
        else f"No held-out image of {int(tested.sum())} shares its patient or picture with "
        f"training or validation.{not_there}"
    )
    row.next = "cxrtool split --check lists them; split again by patient." if leaked.any() else ""
    return row


def _part(share: float, what: str = "images") -> str:
    """Write which images are meant; a share that is rounded to all of them is not all."""
    return f"all {what}" if share == 1 else f"{numbers.share(share)} of all {what}"


def _unlisted(case: Case, tested: Marks) -> float:
    """Return the share of held-out images that a manifest lacks: what they show is not known."""
    listed = case.images.of_manifest
    return float((~listed[tested]).mean()) if listed.any() else 0.0


def _of_unknown_patients(case: Case, rows: Marks) -> float:
    """Return the share of images whose patient nobody can compare."""
    return float((case.images.identities["patient"][rows] == 0).mean())


def _effects(case: Case, learned: Marks, tested: Marks) -> list[CheckRow]:
    """Compare AUC with and without the images that leaked, for each model."""
    marks = [*_leaked(case, learned, tested).values()]
    if not marks or not np.logical_or.reduce(marks).any():
        return []
    leaked = np.logical_or.reduce(marks)
    return [row for model in case.models if (row := _effect(case, model, leaked[model.rows]))]


def _effect(case: Case, model: ModelScores, leaked: Marks) -> CheckRow | None:
    positive = case.images.positive[model.rows] == 1
    patients: Ints = np.unique(case.images.patients[model.rows], return_inverse=True)[1]
    # Each leaked image is a group of its own, so that pairs within a group are of clean images.
    groups = np.where(leaked, 1 + np.arange(len(leaked)), 0)
    parts = Decomposition(positive, model.scores, groups, patients)
    if not parts.is_defined or np.isnan(parts.within.value):
        return None
    low, high = parts.bounds(0.95)
    row = CheckRow(case.title("leaks: effect on AUC", model), "descriptive", value=parts.value)
    row.low, row.high, row.patients = low, high, int(patients.max()) + 1
    row.meaning = (
        f"AUC is {numbers.value(parts.whole.value)} with the leaked images and "
        f"{numbers.value(parts.within.value)} without them: a difference of "
        f"{numbers.interval(parts.value, low, high)}."
    )
    return row
