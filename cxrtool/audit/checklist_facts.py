"""What an audit can tell a checklist: one function a fact, named as in the checklists.

An answer is given only to what the data decide; else the evidence stands alone, for a person to
judge. What cannot be known from the inputs is said, not guessed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cxrtool.audit import verdicts
from cxrtool.audit.case import AGE_BAND, LEARNED, Case, ModelScores
from cxrtool.audit.verdicts import CONFIRMATORY, EXCLUDED, NOT_ASSESSED, SHOWN, CheckRow
from cxrtool.figures import numbers
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Decomposition, Marks

# Of more values of a column, the most frequent are named.
NAMED = 8


@dataclass(frozen=True)
class Fact:
    """An answer, empty where a person must judge, and what it rests on."""

    answer: str
    evidence: str


def facts(case: Case, rows: Sequence[CheckRow]) -> dict[str, Fact]:
    """Return all facts by their names."""
    return {name: find(case, rows) for name, find in FACTS.items()}


def _unknown(why: str) -> Fact:
    return Fact("", f"not assessed: {why}")


def _counts(case: Case, column: str, rows: Ints) -> str:
    """Count the images and patients of each value of a column."""
    own = case.images.columns[column]
    values, sizes = np.unique(own.codes[rows], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    texts = [
        f"{own.names[at] or 'unknown'}: {_of_patients(case, rows[own.codes[rows] == at])}"
        for at in values[order[:NAMED]].tolist()
    ]
    more = [f"and {len(order) - NAMED} more"] if len(order) > NAMED else []
    return f"{column}: {'; '.join([*texts, *more])}."


def _of_patients(case: Case, rows: Ints) -> str:
    patients = len(np.unique(case.images.patients[rows]))
    return f"{numbers.counted(len(rows), 'image')} of {numbers.counted(patients, 'patient')}"


def _everything(case: Case) -> Ints:
    return np.arange(len(case.images))


def _column(case: Case, *columns: str) -> Fact:
    """Count the values of columns among the rows that are judged."""
    there = [c for c in columns if case.images.has(c)]
    absent = [c for c in columns if c not in there]
    texts = [_counts(case, c, case.judged) for c in there]
    texts += [f"{c}: absent." for c in absent]
    return Fact("", " ".join(texts)) if there else _unknown(f"{', '.join(absent)}: absent")


def sources(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Name the sources of the images that are judged."""
    return _column(case, "source")


def views(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Count the views of the images that are judged."""
    return _column(case, "view")


def preprocessing(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Name the steps that made the images, by the manifest or, if these differ, by the model."""
    steps = {m.name: "several" if m.preprocessing is None else m.preprocessing for m in case.models}
    if len({*steps.values()}) < 2:
        return _column(case, "preprocessing")
    return Fact("", "; ".join(f"{name}: {own or 'none'}" for name, own in steps.items()) + ".")


def demographics(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Count sex and age bands."""
    return _column(case, "sex", AGE_BAND)


def missing(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Count the missing values of each column by class."""
    texts = []
    for column in ("source", "view", "sex", "age"):
        if not case.images.has(column):
            texts.append(f"{column}: absent")
            continue
        judged, known = case.judged, case.images.known(column)[case.judged]
        lacks = [
            f"{int((~known & (case.images.positive[judged] == at)).sum())} of "
            f"{int((case.images.positive[judged] == at).sum())} {name}"
            for at, name in ((1, "positive"), (0, "negative"))
        ]
        texts.append(f"{column} is missing in {' and '.join(lacks)} images")
    return Fact("", f"{'; '.join(texts)}. Such images are left out of the check of that column.")


def classes(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Name the classes and count their images."""
    judged = case.images.positive[case.judged]
    counts = f"{int((judged == 1).sum())} against {int((judged == 0).sum())} images"
    return Fact("", f"{case.positive} against {', '.join(case.negatives)}: {counts}.")


def sample(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Count images and patients by class."""
    judged = case.judged
    texts = [
        f"{name}: {_of_patients(case, judged[case.images.positive[judged] == at])}"
        for at, name in ((1, case.positive), (0, ", ".join(case.negatives)))
    ]
    return Fact(numbers.counted(len(judged), "image"), f"{'; '.join(texts)}.")


def models(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Name the models whose predictions are judged."""
    if not case.models:
        return _unknown("there are no predictions")
    return Fact("", f"Predictions of: {', '.join(model.name for model in case.models)}.")


def partitions(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Count images and patients of each part of the split."""
    if not case.images.has("split"):
        return _unknown("split: absent")
    return Fact("", _counts(case, "split", _everything(case)))


def disjoint(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Tell whether training and held-out images share patients or pictures."""
    row = next((row for row in rows if row.name == "leaks"), None)
    if row is None or row.verdict == NOT_ASSESSED:
        return _unknown("split: absent, or the check leaks was not run")
    answer = {EXCLUDED: "yes", SHOWN: "no"}.get(row.verdict, "")
    return Fact(answer, f"Check leaks: {row.meaning}")


def internal(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Tell whether predictions are of held-out images."""
    if not case.images.has("split"):
        return _unknown("split: absent")
    learned = _is_learned(case)[case.judged]
    unknown = int((~case.images.known("split")[case.judged]).sum())
    answer = "no" if learned.any() else "" if unknown else "yes"
    of = f"{int(learned.sum())} of {len(learned)} images that are judged"
    more = f"; the part of {unknown} is unknown" if unknown else ""
    return Fact(answer, f"{of} are of training or validation{more}.")


def external(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Tell whether any source of the judged images has no training image."""
    learned = _is_learned(case)
    if not learned.any() or not case.images.has("source"):
        return _unknown("it needs the columns source and split, and the training images")
    own = case.images.columns["source"]
    known = case.images.known("source")
    trained = np.unique(own.codes[learned & known])
    judged = case.judged[known[case.judged] & ~learned[case.judged]]
    fresh = np.setdiff1d(np.unique(own.codes[judged]), trained)
    if not len(fresh):
        return Fact("no", "Every source of the held-out images is a source of training images.")
    count = int(np.isin(own.codes[judged], fresh).sum())
    names = ", ".join(own.names[k] for k in fresh[:NAMED].tolist())
    return Fact("yes", f"{count} held-out images are of sources without training images: {names}.")


def _is_learned(case: Case) -> Marks:
    column = case.images.columns.get("split")
    if column is None:
        return np.zeros(len(case.images), bool)
    return column.isin(LEARNED)


def shift(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Set the images of training beside those that are judged."""
    learned = _is_learned(case)
    if not learned.any():
        return _unknown("there are no training images")
    texts = []
    for name, there in (("training", np.flatnonzero(learned)), ("judged", case.judged)):
        labelled = there[case.images.positive[there] >= 0]
        share = float(np.mean(case.images.positive[labelled] == 1)) if len(labelled) else np.nan
        texts.append(f"{name}: {numbers.share(share)} {case.positive}")
        if case.images.has("source"):
            texts.append(_counts(case, "source", there))
    return Fact("", " ".join(texts))


def _auc(case: Case, model: ModelScores) -> str:
    positive = case.images.positive[model.rows] == 1
    patients = np.unique(case.images.patients[model.rows], return_inverse=True)[1]
    whole = np.zeros(len(positive), np.int64)
    parts = Decomposition(positive, model.scores, whole, patients)
    if not parts.is_defined:
        return f"{model.name}: images of one class"
    low, high = parts.whole.bounds(0.95)
    return f"{model.name}: AUC {numbers.interval(parts.whole.value, low, high)}"


def intervals(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Give AUC with its interval by patient."""
    if not case.models:
        return _unknown("there are no predictions")
    texts = "; ".join(_auc(case, model) for model in case.models)
    return Fact("yes", f"{texts} (95 % intervals, the images of a patient together).")


def metrics(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Name the metrics of the audit."""
    if not case.models:
        return _unknown("there are no predictions")
    return Fact("", "AUC, and AUC within source and view (audit.csv). Others: cxrtool compare.")


def tests(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Name the tests and their adjustment."""
    number = len(case.family)
    return Fact(
        "yes" if number else "",
        f"{number} confirmatory tests against a margin of {case.margin:g} in AUC, adjusted by "
        f"Holm's procedure at {verdicts.ALPHA:g}; intervals by patient (audit.csv).",
    )


def _confirmatory(rows: Sequence[CheckRow], prefix: str = "") -> list[CheckRow]:
    return [r for r in rows if r.kind == CONFIRMATORY and r.name.startswith(prefix)]


def robustness(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """List the verdicts of the audit."""
    own = [f"{row.name}: {row.verdict}" for row in _confirmatory(rows)]
    return Fact("", f"Audit, overall {verdicts.overall(rows)}. {'; '.join(own)}.")


def heterogeneity(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Give AUC within sources and views."""
    own = [row.meaning for row in _confirmatory(rows, "within")]
    return Fact("", " ".join(own)) if own else _unknown("the check within was not run")


def confounding(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Tell which classes occur in which source."""
    own = [row.meaning for row in _confirmatory(rows, "overlap")]
    return Fact("", " ".join(own)) if own else _unknown("the check overlap was not run")


def power(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """Give the effects that these images show with a power of 80 %."""
    own = [f"{r.name}: {numbers.value(r.detectable)}" for r in rows if not np.isnan(r.detectable)]
    if not own:
        return _unknown("no check has a test")
    return Fact("", f"Smallest value shown with a power of 80 %: {'; '.join(own)}.")


def limitations(case: Case, rows: Sequence[CheckRow]) -> Fact:
    """List the checks that are shown, inconclusive, not identifiable or not assessed."""
    own = [f"{r.name} ({r.verdict}): {r.meaning}" for r in _confirmatory(rows)]
    own = [t for r, t in zip(_confirmatory(rows), own, strict=True) if r.verdict != EXCLUDED]
    return Fact("", " ".join(own) or "All confirmatory checks of the audit exclude an effect.")


FACTS: dict[str, Callable[[Case, Sequence[CheckRow]], Fact]] = {
    function.__name__: function
    for function in (
        sources,
        views,
        preprocessing,
        demographics,
        missing,
        classes,
        sample,
        models,
        partitions,
        disjoint,
        internal,
        external,
        shift,
        intervals,
        metrics,
        tests,
        robustness,
        heterogeneity,
        confounding,
        power,
        limitations,
    )
}
