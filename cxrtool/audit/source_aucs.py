"""AUC of single sources, and of those with training images beside those without."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from cxrtool.audit.case import LEARNED, Case, ModelScores
from cxrtool.stats import matching, random_effects
from cxrtool.stats.intervals import Bounds
from cxrtool.stats.metrics import Ints
from cxrtool.stats.random_effects import PooledMean
from cxrtool.stats.within import Auc, Decomposition, Estimate, Marks, independent_difference

# A group has at least so many patients of each class, else its AUC tells little.
FEWEST = 10
# From so many sources on they are a sample of sources; fewer are a range.
ENOUGH_SOURCES = 5
LEVEL = 0.95


def of_group(
    case: Case, model: ModelScores, there: Marks, strata: Ints | None = None
) -> Decomposition | None:
    """Return the AUC of some of a model's rows, and within strata; None of too few patients."""
    rows = model.rows[there]
    if not len(rows):
        return None
    positive, patients = case.images.positive[rows] == 1, case.images.patients[rows]
    if min(len(np.unique(patients[positive == k])) for k in (True, False)) < FEWEST:
        return None
    groups = np.zeros(len(rows), np.int64) if strata is None else strata[there]
    numbers = np.unique(patients, return_inverse=True)[1]
    return Decomposition(positive, model.scores[there], groups, numbers)


def pooled(aucs: Sequence[Auc]) -> PooledMean:
    """Return the random-effects mean of the AUCs of sources."""
    values = np.array([auc.value for auc in aucs])
    bounds = np.array([auc.bounds(LEVEL) for auc in aucs])
    errors = (bounds[:, 1] - bounds[:, 0]) / (2 * special.ndtri((1 + LEVEL) / 2))
    return random_effects.pooled(values, errors**2)


@dataclass(frozen=True)
class SourceAuc:
    """AUC of a source, and AUC of its matched pairs if enough of its images have a stratum.

    `matched` is of the images whose stratum is known alone.
    """

    name: str
    code: int
    is_internal: bool
    whole: Auc
    matched: Decomposition | None

    @property
    def has_pairs(self) -> bool:
        """Whether any of its pairs is matched."""
        return self.matched is not None and self.matched.share > 0


def of_sources(case: Case, model: ModelScores, strata: Ints, known: Marks) -> list[SourceAuc]:
    """Return the sources of a model's rows that have enough patients of both classes."""
    if not case.images.has("source"):
        return []
    column = case.images.columns["source"]
    codes, internal = column.codes[model.rows], internal_sources(case)
    result = []
    for code in np.unique(codes).tolist():
        name, there = column.names[code], codes == code
        if name and (parts := of_group(case, model, there)) is not None:
            matched = of_group(case, model, known & there, strata)
            result.append(SourceAuc(name, code, code in internal, parts.whole, matched))
    return result


def internal_sources(case: Case) -> set[int]:
    """Return the codes of the sources that training or validation images have."""
    if "split" not in case.images.columns or "source" not in case.images.columns:
        return set()
    learned = case.images.columns["split"].isin(LEARNED) & case.images.known("source")
    return set(np.unique(case.images.columns["source"].codes[learned]).tolist())


Sides = tuple[list[SourceAuc], list[SourceAuc]]
# A value and its interval.
WithBounds = tuple[float, float, float]


def with_bounds(estimate: Estimate) -> WithBounds:
    """Return a value and its interval."""
    return (estimate.value, *estimate.bounds(LEVEL))


def sides(sources: Sequence[SourceAuc]) -> Sides:
    """Part the sources into those with training images and those without."""
    return [s for s in sources if s.is_internal], [s for s in sources if not s.is_internal]


@dataclass(frozen=True)
class ExternalDifference:
    """AUC in sources with training images minus AUC in sources without."""

    internal: WithBounds
    external: WithBounds
    numbers: tuple[int, int]  # of sources

    @property
    def value(self) -> float:
        """The difference."""
        return self.internal[0] - self.external[0]

    @property
    def bounds(self) -> Bounds:
        """Its interval."""
        both = self.internal, self.external
        return independent_difference([one[0] for one in both], [one[1:] for one in both])


def difference_of_pairs(
    case: Case,
    model: ModelScores,
    sources: Sequence[SourceAuc],
    known: Marks,
    strata: Ints | None = None,
) -> ExternalDifference | None:
    """Compare AUC over pairs of one source, of images where `known`; None where a side has none.

    With `strata` only pairs of one stratum count. The interval is about new patients of the same
    sources.
    """
    both = sides(sources)
    aucs = [_within_sources(case, model, side, known, strata) for side in both]
    return _difference(aucs, both) if all(both) else None


def difference_of_means(sources: Sequence[SourceAuc]) -> ExternalDifference | None:
    """Compare the random-effects means; the interval is about such sources.

    None with fewer than `ENOUGH_SOURCES` on a side.
    """
    both = sides(sources)
    if min(map(len, both)) < ENOUGH_SOURCES:
        return None
    return _difference([pooled([source.whole for source in side]) for side in both], both)


def _difference(parts: Sequence[Estimate | None], both: Sides) -> ExternalDifference | None:
    known = [with_bounds(part) for part in parts if part is not None and not np.isnan(part.value)]
    if len(known) < len(both):
        return None
    return ExternalDifference(known[0], known[1], (len(both[0]), len(both[1])))


def _within_sources(
    case: Case,
    model: ModelScores,
    side: Sequence[SourceAuc],
    known: Marks,
    strata: Ints | None,
) -> Auc | None:
    """Return AUC over the pairs of one source (and stratum) of some sources."""
    codes = case.images.columns["source"].codes[model.rows]
    there = known & np.isin(codes, [source.code for source in side])
    groups = codes if strata is None else matching.joint_strata([codes, strata])
    parts = of_group(case, model, there, groups)
    return parts.within if parts is not None else None
