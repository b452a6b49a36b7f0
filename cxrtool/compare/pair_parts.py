"""AUC within and between the groups of a column, such as hospitals (result -> parts of its AUC).

The intervals keep the images of a patient together, as those of `stats.within` do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cxrtool.compare.comparison import Figure, Result, Shown
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note
from cxrtool.figures import numbers
from cxrtool.figures.tables import Cell, ReportTable
from cxrtool.files.predictions import Predictions
from cxrtool.files.text_columns import Coded
from cxrtool.stats import cluster_bootstrap, within
from cxrtool.stats.weighted_metrics import Ints
from cxrtool.stats.within import Auc, Decomposition

# The figures, as programs and as readers have them.
SHARE = "pairs_within"
HEADINGS = {
    "auc_all": "AUC",
    "auc_within": "AUC within",
    "auc_between": "AUC between",
    "auc_minus_within": "AUC - within",
    "between_minus_within": "between - within",
}


@dataclass(frozen=True)
class PairParts:
    """The AUC of one class against the rest, divided by a column."""

    column: str
    label: str
    number: int  # of images whose value is known
    share: float  # of the pairs that are within a group
    figures: dict[str, Figure]  # by the names of HEADINGS

    def named(self) -> Iterator[tuple[str, Figure]]:
        """Yield all figures by names that tell the column, for tidy rows."""
        yield f"{SHARE}_{self.column}", Figure(self.share)
        for name, figure in self.figures.items():
            yield f"{name}_{self.column}", figure


def check(predictions: Predictions, columns: Sequence[str]) -> None:
    """Refuse a column by which there are no pairs to tell apart."""
    for column in columns:
        coded = predictions.coded[column]
        there = {coded.names[k] for k in np.unique(coded.codes).tolist()}
        if len(there - {""}) < 2:
            what = f"--by-pairs {column}: it is '{''.join(there)}' in every row"
            if "" in there and len(there) > 1:
                what = f"--by-pairs {column}: it is '{max(there)}' in every row where it is known"
            raise CxrtoolError(what, "There are no pairs of different groups: leave it out.")
        unknown = int((coded.codes == coded.names.index("")).sum()) if "" in there else 0
        if unknown:
            note(f"--by-pairs {column}: {unknown} rows without {column} are left out")


def add(results: Sequence[Result], level: float) -> None:
    """Divide the AUC of each result by the columns that were read for it."""
    for result in results:
        result.pairs = [
            _parts(result, name, column, view, level)
            for name, column in result.pair_columns.items()
            for view in result.judged.views
        ]


def _parts(result: Result, name: str, column: Coded, view: int, level: float) -> PairParts:
    """Divide the AUC of one class."""
    empty = np.array([text == "" for text in column.names], bool)
    rows: Ints = np.flatnonzero(~empty[column.codes])
    judged, label = result.judged, result.classes[view]
    clusters = cluster_bootstrap.numbered(result.clusters[rows])
    groups = np.unique(column.codes[rows], return_inverse=True)[1]
    whole = Decomposition(
        judged.labels[rows] == view, judged.probabilities[rows, view], groups, clusters
    )
    if not whole.is_defined:
        return PairParts(name, label, len(rows), np.nan, dict.fromkeys(HEADINGS, Figure(np.nan)))
    figures = [
        *(_figure(part, level) for part in (whole.whole, whole.within, whole.across)),
        Figure(whole.value, *whole.bounds(level)),
        Figure(
            whole.between - whole.within.value,
            *within.difference_bounds(whole.across, whole.within, level),
        ),
    ]
    named = dict(zip(HEADINGS, figures, strict=True))
    return PairParts(name, label, len(rows), whole.share, named)


def _figure(part: Auc, level: float) -> Figure:
    return Figure(part.value, *part.bounds(level))


def table(results: Sequence[Shown], group: str) -> ReportTable:
    """Build a row per result, column and class."""
    rows: list[list[Cell]] = [
        [
            result.model,
            result.group,
            parts.column,
            parts.label,
            parts.number,
            "" if np.isnan(parts.share) else numbers.value(parts.share),
            *((f.value, f.low, f.high) for f in parts.figures.values()),
        ]
        for result in results
        for parts in result.pairs
    ]
    names = ["model", group or "group", "pairs by", "class", "n", "pairs within"]
    return ReportTable([*names, *HEADINGS.values()], rows)
