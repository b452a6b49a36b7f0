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
    """A source of which AUC is known; of matched pairs too, if enough of its images have a stratum.

    `matched` is of the images whose stratum is known alone.
    """

    name: str
    code: int
    is_internal: bool
    whole: Auc
    matched: Decomposition | None


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


@dataclass(frozen=True)
class ExternalDifference:
    """AUC in sources with training images minus AUC in sources without.

    With `ENOUGH_SOURCES` on both sides these are random-effects means, and the interval is about
    such sources; otherwise AUC over pairs of one source, and it is about new patients of these.
    """

    internal: float
    external: float
    bounds: Bounds
    is_of_sources: bool

    @property
    def value(self) -> float:
        """The difference."""
        return self.internal - self.external


def external_difference(
    case: Case,
    model: ModelScores,
    sources: Sequence[SourceAuc],
    strata: tuple[Ints, Marks] | None = None,
) -> ExternalDifference | None:
    """Compare the sources with training images and those without; None where a side is empty.

    With `strata` and where they are known, only pairs of one stratum are compared.
    """
    sides = [[s for s in sources if s.is_internal == internal] for internal in (True, False)]
    if not all(sides):
        return None
    if strata is None and min(map(len, sides)) >= ENOUGH_SOURCES:
        means = [pooled([source.whole for source in side]) for side in sides]
        return _difference(means[0], means[1], True)
    aucs = [_within_sources(case, model, side, strata) for side in sides]
    first, second = aucs
    if first is None or second is None or np.isnan([first.value, second.value]).any():
        return None
    return _difference(first, second, False)


def _difference(first: Estimate, second: Estimate, is_of_sources: bool) -> ExternalDifference:
    values = first.value, second.value
    bounds = independent_difference(values, (first.bounds(LEVEL), second.bounds(LEVEL)))
    return ExternalDifference(*values, bounds, is_of_sources)


def _within_sources(
    case: Case,
    model: ModelScores,
    side: Sequence[SourceAuc],
    strata: tuple[Ints, Marks] | None,
) -> Auc | None:
    """Return AUC over the pairs of one source (and stratum) of some sources."""
    codes = case.images.columns["source"].codes[model.rows]
    there = np.isin(codes, [source.code for source in side])
    if strata is None:
        parts = of_group(case, model, there, codes)
    else:
        numbers, known = strata
        parts = of_group(case, model, there & known, matching.joint_strata([codes, numbers]))
    return parts.within if parts is not None else None
