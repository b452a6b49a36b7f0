"""Columns that give the label away without any image: the trap of data sets that were joined.

If one class comes from one hospital and the other class from another one, a network that knows the
hospitals apart looks like one that detects the disease. Two findings are made of columns alone: a
class that occurs in one source only, and a column (source, file format, image size) from which the
label of new patients can be predicted.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import shortened
from cxrtool.data import label_columns
from cxrtool.data.label_columns import SIZE, SOURCE, LabelColumns
from cxrtool.files.text_columns import Coded

if TYPE_CHECKING:
    from cxrtool.files.run_fields import LabelTrapsAbout

Ints = NDArray[np.integer]
Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]

# A column predicts the label if it attains such an AUC, and surely more than the lower one. Chosen
# by the simulation in tests/benchmarks/label_traps.py: small clean sets stay silent.
STRONG, SURE = 0.9, 0.8
# A class is confined to a source if that is less likely than this where sources are independent of
# the label.
CHANCE = 0.001
# More patients on either side make an AUC no clearer; they would take time alone.
MOST = 10_000
LISTED = 3  # At most so many classes are named in one sentence.
AUDIT = "see cxrtool audit"


@dataclass(frozen=True)
class ColumnPredictor:
    """The AUC that a column alone attains for new patients."""

    label: str  # the class against all others; empty where there are two classes
    auc: float
    low: float
    high: float


@dataclass(frozen=True)
class LabelTraps:
    """What gives the label away."""

    one_source: dict[str, str] = field(default_factory=dict)  # the only source of each such class
    predictors: dict[str, ColumnPredictor] = field(default_factory=dict)  # by column

    def __bool__(self) -> bool:
        return bool(self.one_source or self.predictors)

    def record(self) -> "LabelTrapsAbout":
        """Return it for run.json; empty if there is nothing."""
        if not self:
            return {}
        about = {column: asdict(one) for column, one in self.predictors.items()}
        record = {"one_source": dict(self.one_source), "predicted_by": about}
        return cast("LabelTrapsAbout", record)

    @property
    def facts(self) -> str:
        """What was found, in words."""
        return ", and ".join(
            filter(None, [_confined(self.one_source), _predictable(self.predictors)])
        )


def of_record(record: "LabelTrapsAbout") -> LabelTraps:
    """Read what `record` returned."""
    predictors = {
        column: ColumnPredictor(p["label"], p["auc"], p["low"], p["high"])
        for column, p in record.get("predicted_by", {}).items()
    }
    return LabelTraps(record.get("one_source", {}), predictors)


def _confined(one_source: Mapping[str, str]) -> str:
    """Say which classes occur in one source only."""
    named = list(one_source.items())[:LISTED]
    if not named:
        return ""
    (label, source), *others = named
    more = [f"'{other}' only in '{place}'" for other, place in others]
    rest = len(one_source) - len(named)
    more += [f"{rest} other class{'es'[: 2 * (rest > 1)]} in one source only"] if rest else []
    return ", ".join([f"'{label}' occurs only in source '{source}'", *more])


def _predictable(predictors: Mapping[str, ColumnPredictor]) -> str:
    """Say from which columns the label can be predicted."""
    texts = []
    for column, one in predictors.items():
        which = f" for '{one.label}'" if one.label else ""
        texts.append(f"the {column} (AUC {one.auc:.2f}{which})")
    if not texts:
        return ""
    named = " or ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))
    return f"the label can be predicted from {named} alone"


def warning_of_images(traps: LabelTraps) -> str:
    """Warn of images, before a network learns from them; empty if nothing was found."""
    if not traps:
        return ""
    return f"warning: {traps.facts}: a network can learn this instead of the disease; {AUDIT}"


def warning_of_run(run: str, record: "LabelTrapsAbout") -> str:
    """Warn of the images that a run learned from; empty if nothing was found in them."""
    if not record:
        return ""
    facts = shortened(of_record(record).facts, 500)
    return (
        f"warning: {run}: in its training images {facts}: it may have learned this instead of the "
        f"disease; {AUDIT}"
    )


def warning_of_auc(traps: LabelTraps, across: float) -> str:
    """Say what an AUC on such images cannot tell; `across` is the share of pairs across sources."""
    if not traps:
        return ""
    if SOURCE not in traps.predictors and across < 1:
        return f"{traps.facts}: the AUC may rest on this; {AUDIT}"
    # Less than all is never written as 100 %.
    share = "all" if across >= 1 else f"{math.floor(100 * across)} % of the"
    pairs = f"{share} pairs of images of different classes are across sources"
    return f"{pairs} ({traps.facts}): the AUC cannot tell disease from data set; {AUDIT}"


def of_rows(rows: LabelColumns, used: Marks | None = None) -> LabelTraps:
    """Look at all rows, or at those used."""
    return find(*rows.columns(used))


def find(labels: Coded, patients: Ints, columns: Mapping[str, Coded]) -> LabelTraps:
    """Look for columns that give the label away, on the rows whose label is known.

    Parameters
    ----------
    labels
        The class of each row; an empty name is unknown.
    patients
        The number of each row's patient.
    columns
        By what they are called in sentences; empty names are unknown.
    """
    known = _known(labels)
    one_source: dict[str, str] = {}
    predictors = {}
    for name, column in columns.items():
        rows = np.flatnonzero(known & _known(column))
        own, values, who = labels.take(rows), column.take(rows), patients[rows]
        if len(np.unique(own.codes)) < 2 or len(np.unique(values.codes)) < 2:
            continue
        if name == SOURCE:
            one_source = _only_sources(own, values, who)
        codes = _common_sizes(values) if name == SIZE else values.codes
        if (best := _best(own, codes, who)) is not None:
            predictors[name] = best
    return LabelTraps(one_source, predictors)


def across(labels: Coded, sources: Coded) -> float:
    """Return the share of the pairs of images of different classes that are across sources."""
    rows = np.flatnonzero(_known(labels) & _known(sources))
    counts = np.zeros((len(labels.names), len(sources.names)))
    np.add.at(counts, (labels.codes[rows], sources.codes[rows]), 1)
    pairs = _pairs(counts.sum(axis=1))
    return 1 - sum(map(_pairs, counts.T)) / pairs if pairs else math.nan


def _pairs(counts: Floats) -> float:
    """Count the pairs of different classes."""
    return float(counts.sum() ** 2 - (counts**2).sum()) / 2


def _known(column: Coded) -> Marks:
    marks: Marks = np.array([name != "" for name in column.names], bool)[column.codes]
    return marks


def _common_sizes(column: Coded) -> Ints:
    """Number the sizes that many images have; all others together are one."""
    common = label_columns.common(column)
    places = np.where(common, np.cumsum(common), 0)
    return places[column.codes]


def _only_sources(labels: Coded, sources: Coded, patients: Ints) -> dict[str, str]:
    """Name the only source of each class that occurs in one, where this is no chance."""
    units = np.unique(np.column_stack([labels.codes, sources.codes, patients]), axis=0)
    per_source = np.bincount(units[:, 1], minlength=len(sources.names))
    result = {}
    for code in sorted(np.unique(units[:, 0]).tolist(), key=labels.names.__getitem__):
        own = units[units[:, 0] == code, 1]
        if (own == own[0]).all() and _chance(len(own), int(per_source[own[0]]), len(units)):
            result[labels.names[code]] = sources.names[own[0]]
    return result


def _chance(drawn: int, there: int, total: int) -> bool:
    """Tell whether so many that are drawn of all are rarely all of those `there`."""
    fewer = math.lgamma(there + 1) - math.lgamma(there - drawn + 1)
    all_draws = math.lgamma(total + 1) - math.lgamma(total - drawn + 1)
    return fewer - all_draws < math.log(CHANCE)


def _best(labels: Coded, values: Ints, patients: Ints) -> ColumnPredictor | None:
    """Return the class that a column predicts best; None where it predicts none."""
    classes = np.unique(labels.codes).tolist()
    sides = classes[1:] if len(classes) == 2 else classes
    predictors = (_predictor(labels.codes == side, values, patients) for side in sides)
    several = zip(sides, predictors, strict=True)
    best = [
        replace(one, label=labels.names[side] if len(sides) > 1 else "")
        for side, one in several
        if one
    ]
    return max(best, key=lambda one: one.auc, default=None)


def _predictor(positive: Marks, values: Ints, patients: Ints) -> ColumnPredictor | None:
    if not fitted_auc(positive, values, patients) > STRONG:
        return None
    # What is clean is clean at the first look, and does not wait for SciPy.
    from cxrtool.stats import cross_fit

    rows = np.flatnonzero(_of_some(positive, patients))
    who = np.unique(patients[rows], return_inverse=True)[1]
    codes = np.unique(values[rows], return_inverse=True)[1]
    auc = cross_fit.attainable(codes, positive[rows], who).auc
    if auc is None or not auc.value > STRONG:
        return None
    low, high = auc.bounds(0.95)
    return ColumnPredictor("", auc.value, low, high) if low > SURE else None


def fitted_auc(positive: Marks, values: Ints, patients: Ints) -> float:
    """Return the AUC of a column on the images that it was fitted to, each patient counting once.

    It is above what the column attains for new patients.
    """
    _, place = np.unique(patients * 2 + positive, return_inverse=True)
    weights = 1.0 / np.bincount(place)[place]
    number = int(values.max()) + 1
    sums = [np.bincount(values[k], weights[k], number) for k in (~positive, positive)]
    theirs, ours = (np.asarray(part, np.float64) for part in sums)
    return _auc_of(theirs, ours)


def _auc_of(theirs: Floats, ours: Floats) -> float:
    """Return the AUC of values that are ordered by their share of positives."""
    order = np.argsort(ours / np.maximum(ours + theirs, 1e-12), kind="stable")
    ours, theirs = ours[order], theirs[order]
    below = np.cumsum(theirs) - theirs / 2
    return float(ours @ below / (ours.sum() * theirs.sum()))


def _of_some(positive: Marks, patients: Ints) -> Marks:
    """Mark the rows of at most so many patients on either side, drawn at random."""
    keep = np.zeros(len(positive), bool)
    for side in (positive, ~positive):
        there = np.unique(patients[side])
        if len(there) > MOST:
            there = np.random.default_rng(0).permutation(there)[:MOST]
        keep |= side & np.isin(patients, there)
    return keep
