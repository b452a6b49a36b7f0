"""AUC matched for the case mix: pairs of images alike in age, sex and view at once.

Ill patients are often older, and imaged lying. A model may gain by that, whether it uses the
disease or not, and AUC in another hospital differs by it. So AUC over matched pairs stands beside
AUC of all, and beside it AUC in sources with training images and in sources without.

It decides nothing: age and sex belong to many diseases, and are no fault of the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrtool.audit import source_aucs
from cxrtool.audit.case import AGE_BAND, Case, ModelScores
from cxrtool.audit.source_aucs import ExternalDifference, SourceAuc
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, NotAssessed, not_assessed
from cxrtool.figures import numbers
from cxrtool.stats import matching
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Auc, Decomposition, Marks, difference_bounds

NAME = "case mix"
TITLE = "AUC matched for age, sex and view"
KIND = "descriptive"
NEEDS = ("predictions",)
REFERENCE = (
    "H. Janes and M. S. Pepe, Adjusting for covariate effects on classification accuracy using the "
    "covariate-adjusted receiver operating characteristic curve, Biometrika 96, 2009."
)
COLUMNS = (AGE_BAND, "sex", "view")
# A column that is known of fewer images of a class would leave most of them out.
LEAST_KNOWN = 0.5
# With fewer patients who have a partner the interval of the difference is wider than 0.6, and tells
# nothing (tests/benchmarks/audit_case_mix.py).
FEWEST_MATCHED = 10
LEVEL = 0.95


def assess(case: Case) -> list[CheckRow]:
    """Return a row for each model."""
    if case.models and not any(case.images.has(column) for column in COLUMNS):
        remedy = "Add one or more of the columns age, sex and view."
        raise NotAssessed("age, sex, view: absent", remedy)
    return [_row(case, model) for model in case.models]


@dataclass(frozen=True)
class MatchedAucs:
    """AUC over pairs that are alike in some columns, of the images of which these are known."""

    columns: list[str]
    keep: Marks  # of the rows of the model
    strata: Ints  # of all rows of the model
    parts: Decomposition
    per_positive: Auc | None
    patients: int
    partners: int  # patients who have one

    @property
    def has_pairs(self) -> bool:
        """Whether any pair is matched."""
        return self.parts.is_defined and self.parts.share > 0


def _row(case: Case, model: ModelScores) -> CheckRow:
    name = case.title(NAME, model)
    columns = [c for c in COLUMNS if _is_known(case, model, c)]
    if not columns:
        why = f"{_listed(COLUMNS)} are known for less than half of the images of a class"
        return not_assessed(name, why, "Complete these columns.", DESCRIPTIVE)
    matched = _matched(case, model, columns)
    if not matched.has_pairs or matched.partners < FEWEST_MATCHED:
        why = (
            f"{matched.partners} of {matched.patients} patients have a partner of the other class "
            f"that is alike in {_listed(columns)}; an interval takes {FEWEST_MATCHED}"
        )
        remedy = "Add images of both classes from patients who are alike."
        return not_assessed(name, why, remedy, DESCRIPTIVE)
    sources = source_aucs.of_sources(case, model, matched.strata, matched.keep)
    row = CheckRow(name, DESCRIPTIVE, value=matched.parts.value, patients=matched.patients)
    row.low, row.high = matched.parts.bounds(LEVEL)
    row.meaning = f"{_meaning(case, matched)}{_external(case, model, matched, sources)}"
    row.blocks = [_table(case, model, matched)]
    if sources:
        row.sources = len(sources)
        row.blocks.append(_source_table(case, model, sources))
    return row


def _is_known(case: Case, model: ModelScores, column: str) -> bool:
    """Tell whether a column is known of enough images of both classes."""
    if not len(model.rows) or not case.images.has(column):
        return False
    known, positive = case.images.known(column)[model.rows], case.images.positive[model.rows] == 1
    groups = [known[positive == k] for k in (True, False)]
    return all(len(group) and group.mean() >= LEAST_KNOWN for group in groups)


def _matched(case: Case, model: ModelScores, columns: list[str]) -> MatchedAucs:
    """Match the images of a model whose columns are known."""
    keep = np.logical_and.reduce([case.images.known(c)[model.rows] for c in columns])
    strata = matching.joint_strata([case.images.columns[c].codes[model.rows] for c in columns])
    rows, scores, groups = model.rows[keep], model.scores[keep], strata[keep]
    positive = case.images.positive[rows] == 1
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    parts = Decomposition(positive, scores, groups, patients)
    partners = patients[matching.have_partner(positive, groups)]
    counts = len(np.unique(patients)), len(np.unique(partners))
    own = _per_positive(parts, positive, scores, groups)
    return MatchedAucs(columns, keep, strata, parts, own, *counts)


def _per_positive(
    parts: Decomposition, positive: Marks, scores: Floats, groups: Ints
) -> Auc | None:
    if not parts.is_defined or not parts.share > 0:
        return None
    effects = parts.strata.design_effects(scores)
    return Auc(matching.auc_per_positive(positive, scores, groups), parts.strata, effects)


def _listed(columns: Sequence[str], word: str = "and") -> str:
    return f" {word} ".join(filter(None, [", ".join(columns[:-1]), columns[-1]]))


def _meaning(case: Case, matched: MatchedAucs) -> str:
    parts, names = matched.parts, _listed(matched.columns)
    missing = int((~matched.keep).sum())
    unknown = _listed(matched.columns, "or")
    left_out = f"Without {missing} images of unknown {unknown}, " if missing else ""
    unused = [column for column in COLUMNS if column not in matched.columns]
    low, high = parts.bounds(LEVEL)
    sentences = [
        f"{left_out}AUC is {numbers.value(parts.whole.value)}; over pairs of images alike in "
        f"{names} ({numbers.share(parts.share)} of all pairs) it is "
        f"{numbers.value(parts.within.value)}, a difference of "
        f"{numbers.interval(parts.value, low, high)}: {_comparison(low, high)}.",
        f"{matched.patients - matched.partners} of {matched.patients} patients have no partner.",
    ]
    if unused:
        sentences.append(f"Not matched, as unknown for many or all images: {_listed(unused)}.")
    return " ".join(sentences)


def _comparison(low: float, high: float) -> str:
    """Say what the interval of the difference means."""
    if low > 0:
        return "part of the AUC is owed to the case mix"
    if high < 0:
        return "patients who are alike are told apart better than others"
    return "the case mix is not shown to change the AUC"


def _external(
    case: Case, model: ModelScores, matched: MatchedAucs, sources: list[SourceAuc]
) -> str:
    """Compare sources with training images and others, as they are and matched."""
    raw = source_aucs.external_difference(case, model, sources)
    if raw is None:
        return ""
    strata = matched.strata, matched.keep
    alike = source_aucs.external_difference(case, model, sources, strata)
    return (
        f" Sources with training images against sources without: AUC {_words(raw)}; "
        f"{f'matched, {_words(alike)}' if alike is not None else 'too few images are matched'}."
    )


def _words(difference: ExternalDifference) -> str:
    return (
        f"{numbers.value(difference.internal)} against {numbers.value(difference.external)}, a "
        f"difference of {numbers.interval(difference.value, *difference.bounds)}"
    )


def _table(case: Case, model: ModelScores, matched: MatchedAucs) -> dict[str, object]:
    """Show AUC over all pairs and over matched ones."""
    parts, names = matched.parts, _listed(matched.columns)
    rows = [["all pairs", 1.0, _with_bounds(parts.whole), None], _cells(f"alike in {names}", parts)]
    if matched.per_positive is not None:
        own = matched.per_positive
        difference = parts.whole.value - own.value
        bounds = difference_bounds(parts.whole, own, LEVEL)
        counted = [parts.share, _with_bounds(own), (difference, *bounds)]
        rows.append(["the same, each positive image counts once", *counted])
    if case.images.has("source"):
        closer = _matched(case, model, [*matched.columns, "source"])
        if closer.has_pairs and closer.partners >= FEWEST_MATCHED:
            rows.append(_cells(f"alike in {_listed(closer.columns)}", closer.parts))
    return {
        "kind": "table",
        "columns": ["pairs", "share of all pairs", "AUC [95 % interval]", "AUC of all less this"],
        "rows": rows,
        "caption": f"AUC of {model.name} by pairs of a positive and a negative image. Where each "
        "pair counts once, large groups of patients alike weigh most; where each positive image "
        "counts once, it is AUC for the case mix of the positive images. A patient has a partner "
        "if one of the other class is alike.",
    }


def _cells(name: str, parts: Decomposition) -> list[object]:
    own = (parts.value, *parts.bounds(LEVEL))
    return [name, parts.share, _with_bounds(parts.within), own]


def _with_bounds(auc: Auc) -> tuple[float, float, float]:
    return (auc.value, *auc.bounds(LEVEL))


def _source_table(case: Case, model: ModelScores, sources: list[SourceAuc]) -> dict[str, object]:
    """Show AUC of each source, and over its matched pairs."""
    learned = source_aucs.internal_sources(case)
    rows = []
    for source in sorted(sources, key=lambda s: -len(s.whole.strata)):
        strata, parts = source.whole.strata, source.matched
        kind = ("yes" if source.is_internal else "no") if learned else "not known"
        matched = _with_bounds(parts.within) if parts is not None and parts.share > 0 else None
        counts = len(strata), strata.patients
        rows.append([source.name, kind, *counts, _with_bounds(source.whole), matched])
    return {
        "kind": "table",
        "columns": ["source", "training images", "images", "patients", "AUC", "AUC matched"],
        "rows": rows,
        "caption": f"AUC of {model.name} within each source that has {source_aucs.FEWEST} patients "
        "of both classes or more: of all its pairs, and of those matched as above, for which the "
        "columns must be known. Training images are those of the manifest. AUC of sources with and "
        "without them is over pairs of one source, and its interval about new patients of these "
        f"sources; not matched, of {source_aucs.ENOUGH_SOURCES} sources or more on both sides, it "
        "is the random-effects mean, and the interval about such sources.",
    }
