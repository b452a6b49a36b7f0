"""AUC matched for the case mix: pairs of images alike in age, sex and view at once.

Ill patients are often older, and imaged lying. A model may gain by that, whether it uses the
disease or not, and AUC in another hospital differs by it. So AUC over matched pairs stands beside
AUC of all, and beside it AUC in sources with training images and in sources without.

It decides nothing: age and sex belong to many diseases, and are no fault of the data.
"""

from dataclasses import dataclass

import numpy as np

from cxrtool.audit import source_aucs, source_tables
from cxrtool.audit.case import AGE_BAND, Case, ModelScores
from cxrtool.audit.source_aucs import WithBounds, with_bounds
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, NotAssessed, not_assessed
from cxrtool.figures import numbers
from cxrtool.figures.numbers import listed
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
COUNTS, LESS = ("positive images", "negative images"), "AUC of all less this"


def assess(case: Case) -> list[CheckRow]:
    """Return a row for each model."""
    if case.models and not any(case.images.has(column) for column in COLUMNS):
        remedy = "Add one or more of the columns age, sex and view."
        raise NotAssessed("age, sex, view: absent", remedy)
    return [_row(case, model) for model in case.models]


@dataclass(frozen=True)
class MatchedAucs:
    """AUC over pairs of images with equal values in some columns, all of them known."""

    columns: list[str]
    keep: Marks  # of the rows of the model
    strata: Ints  # of all rows of the model
    parts: Decomposition
    per_positive: Auc | None
    patients: int
    partners: int  # patients who have one
    images: tuple[int, int]  # positive and negative ones that have one
    all_images: tuple[int, int]

    @property
    def has_pairs(self) -> bool:
        """Whether any pair is matched."""
        return self.parts.is_defined and self.parts.share > 0


def _row(case: Case, model: ModelScores) -> CheckRow:
    name = case.title(NAME, model)
    columns = [c for c in COLUMNS if _is_known(case, model, c)]
    if not columns:
        why = f"{listed(COLUMNS)} are known for less than half of the images of a class"
        return not_assessed(name, why, "Complete these columns.", DESCRIPTIVE)
    matched = _matched(case, model, columns)
    if not matched.has_pairs or matched.partners < FEWEST_MATCHED:
        why = (
            f"{matched.partners} of {matched.patients} patients have a partner of the other class "
            f"that is alike in {listed(columns)}; an interval needs at least {FEWEST_MATCHED}"
        )
        remedy = "Add images of both classes from patients who are alike."
        return not_assessed(name, why, remedy, DESCRIPTIVE)
    sources = source_aucs.of_sources(case, model, matched.strata, matched.keep)
    row = CheckRow(name, DESCRIPTIVE, value=matched.parts.value, patients=matched.patients)
    row.low, row.high = matched.parts.bounds(LEVEL)
    row.meaning = _meaning(matched)
    row.blocks = [_table(case, model, matched)]
    if sources:
        row.sources = len(sources)
        row.blocks.append(source_tables.of_each(case, model, sources))
    if all(source_aucs.sides(sources)):
        pairs = source_tables.over_pairs(case, model, sources, matched.keep, matched.strata)
        row.meaning += f" {source_tables.in_words(pairs)}"
        row.blocks.append(source_tables.of_sides(model, sources, pairs))
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
    paired = matching.have_partner(positive, groups)
    counts = len(np.unique(patients)), len(np.unique(patients[paired]))
    images = int(positive[paired].sum()), int((~positive)[paired].sum())
    everything = int(positive.sum()), int((~positive).sum())
    own = _per_positive(parts, positive, scores, groups)
    return MatchedAucs(columns, keep, strata, parts, own, *counts, images, everything)


def _per_positive(
    parts: Decomposition, positive: Marks, scores: Floats, groups: Ints
) -> Auc | None:
    if not parts.is_defined or not parts.share > 0:
        return None
    effects = parts.strata.design_effects(scores)
    return Auc(matching.auc_per_positive(positive, scores, groups), parts.strata, effects)


def _meaning(matched: MatchedAucs) -> str:
    parts, names = matched.parts, listed(matched.columns)
    missing = int((~matched.keep).sum())
    unknown = listed(matched.columns, "or")
    images = numbers.counted(missing, "image")
    left_out = f"Without {images} of unknown {unknown}, " if missing else ""
    unused = [column for column in COLUMNS if column not in matched.columns]
    low, high = parts.bounds(LEVEL)
    sentences = [
        f"{left_out}AUC is {numbers.value(parts.whole.value)}; over pairs of images alike in "
        f"{names} ({_pairs(matched):,} pairs, {numbers.share(parts.share)} of all) it is "
        f"{numbers.value(parts.within.value)}, a difference of "
        f"{numbers.interval(parts.value, low, high)}: over these pairs "
        f"{_comparison(matched, low, high)}{_counted_once(matched)}.",
        f"{matched.patients - matched.partners} of {matched.patients} patients have no partner.",
    ]
    if unused:
        sentences.append(f"Not matched, as unknown for many or all images: {listed(unused)}.")
    return " ".join(sentences)


def _pairs(matched: MatchedAucs) -> int:
    """Return the number of matched pairs."""
    positive, negative = matched.all_images
    return round(matched.parts.share * positive * negative)


def _comparison(matched: MatchedAucs, low: float, high: float) -> str:
    """Say what the interval of the difference means."""
    if low > 0:
        return "part of the AUC comes from the case mix"
    if high < 0:
        return f"AUC is higher among patients of the same {listed(matched.columns)}"
    return "the case mix is not shown to change the AUC"


def _counted_once(matched: MatchedAucs) -> str:
    """Say what the AUC in which each positive image counts once tells, if that is another thing."""
    if matched.per_positive is None:
        return ""
    value, low, high = _less(matched, matched.per_positive)
    words = _comparison(matched, low, high)
    if words == _comparison(matched, *matched.parts.bounds(LEVEL)):
        return ""
    return (
        f"; where each positive image with a partner ({matched.images[0]} of "
        f"{matched.all_images[0]}) counts once, the difference is "
        f"{numbers.interval(value, low, high)}: there {words}"
    )


def _less(matched: MatchedAucs, own: Auc) -> WithBounds:
    """Return AUC of all pairs less another one."""
    whole = matched.parts.whole
    return whole.value - own.value, *difference_bounds(whole, own, LEVEL)


def _table(case: Case, model: ModelScores, matched: MatchedAucs) -> dict[str, object]:
    """Show AUC over all pairs and over matched ones."""
    parts, names = matched.parts, listed(matched.columns)
    rows = [
        ["all pairs", 1.0, *matched.all_images, with_bounds(parts.whole), None],
        _cells(f"alike in {names}", matched, parts.within),
    ]
    if matched.per_positive is not None:
        name = "the same, each positive image counts once"
        rows.append(_cells(name, matched, matched.per_positive))
    if case.images.has("source"):
        closer = _matched(case, model, [*matched.columns, "source"])
        if closer.has_pairs and closer.partners >= FEWEST_MATCHED:
            rows.append(_cells(f"alike in {listed(closer.columns)}", closer, closer.parts.within))
    return {
        "kind": "table",
        "columns": ["pairs", "share of all pairs", *COUNTS, "AUC [95 % interval]", LESS],
        "rows": rows,
        "caption": f"AUC of {model.name} by pairs of a positive and a negative image, and the "
        "images that are in such pairs: those with a "
        "partner, an image of the other class that is alike. Where each pair counts once, large "
        "groups of patients alike weigh most; where each positive image counts once, it is AUC for "
        f"the case mix of the positive images that have a partner, {matched.images[0]} of "
        f"{matched.all_images[0]}. With few images of a class an AUC tells little.",
    }


def _cells(name: str, matched: MatchedAucs, own: Auc) -> list[object]:
    difference = _less(matched, own)
    if own is matched.parts.within:
        difference = (matched.parts.value, *matched.parts.bounds(LEVEL))
    return [name, matched.parts.share, *matched.images, with_bounds(own), difference]
