"""AUC of sources as tables: each source, and those with training images beside the others."""

from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.source_aucs import (
    ENOUGH_SOURCES,
    FEWEST,
    ExternalDifference,
    SourceAuc,
    difference_of_means,
    difference_of_pairs,
    internal_sources,
    sides,
    with_bounds,
)
from cxrtool.figures import numbers
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Marks

PairDifferences = tuple[ExternalDifference | None, ExternalDifference | None]


def over_pairs(
    case: Case, model: ModelScores, sources: list[SourceAuc], keep: Marks, strata: Ints
) -> PairDifferences:
    """Compare sources with training images and others: all pairs of a source, and matched ones.

    Both are of the same images and weighted by pairs, as otherwise the step between the two would
    not be that of matching.
    """
    usable = [source for source in sources if source.has_pairs]
    return (
        difference_of_pairs(case, model, usable, keep),
        difference_of_pairs(case, model, usable, keep, strata),
    )


def in_words(pairs: PairDifferences) -> str:
    """Say what AUC is in sources with training images and in others, as it is and matched."""
    raw, alike = pairs
    lead = "Sources with training images against sources without"
    if raw is None or alike is None:
        return f"{lead}: too few images are matched."
    own, others = raw.numbers
    return (
        f"{lead}, over pairs of one source (new patients of these {own} and {others} sources): AUC "
        f"{_words(raw)}; matched, {_words(alike)}."
    )


def _words(difference: ExternalDifference) -> str:
    return (
        f"{numbers.value(difference.internal[0])} against {numbers.value(difference.external[0])}, "
        f"a difference of {numbers.interval(difference.value, *difference.bounds)}"
    )


def of_each(case: Case, model: ModelScores, sources: list[SourceAuc]) -> dict[str, object]:
    """Show AUC of each source, and over its matched pairs."""
    learned = internal_sources(case)
    rows = []
    for source in sorted(sources, key=lambda s: -len(s.whole.strata)):
        strata, parts = source.whole.strata, source.matched
        kind = ("yes" if source.is_internal else "no") if learned else "not known"
        matched = with_bounds(parts.within) if parts is not None and source.has_pairs else None
        counts = len(strata), strata.patients
        rows.append([source.name, kind, *counts, with_bounds(source.whole), matched])
    return {
        "kind": "table",
        "columns": ["source", "training images", "images", "patients", "AUC", "AUC matched"],
        "rows": rows,
        "caption": f"AUC of {model.name} within each source that has {FEWEST} patients "
        "of both classes or more: of all its pairs, and of those matched as above, for which the "
        "columns must be known. Training images are those of the manifest.",
    }


def of_sides(
    model: ModelScores, sources: list[SourceAuc], pairs: PairDifferences
) -> dict[str, object]:
    """Show AUC in sources with training images and in the others: over pairs, and over sources."""
    raw, alike = pairs
    rows: list[list[object]] = [
        [name, one.internal, one.external, (one.value, *one.bounds)]
        for name, one in (("pairs of one source", raw), ("the same, matched", alike))
        if one is not None
    ]
    both = sides(sources)
    if (means := difference_of_means(sources)) is not None:
        difference = (means.value, *means.bounds)
        rows.append(["mean of sources", means.internal, means.external, difference])
    else:
        rows.append(["range of sources", *map(_range, both), None])
    return {
        "kind": "table",
        "columns": ["AUC", "with training images", "without", "difference"],
        "rows": rows,
        "caption": f"AUC of {model.name} in sources with training images and in sources without. "
        "Over pairs large sources weigh most. Images of unknown columns and sources without a "
        "matched pair are left out there, and intervals are about new patients of these sources. "
        f"In the last row each of the {len(both[0])} and {len(both[1])} sources counts, with all "
        f"its images: with {ENOUGH_SOURCES} or more on both sides as a random-effects mean, whose "
        "interval is about such sources; with fewer as a range.",
    }


def _range(side: list[SourceAuc]) -> str:
    values = [source.whole.value for source in side]
    if len(values) == 1:
        return f"{numbers.value(values[0])} (one source)"
    return f"{numbers.value(min(values))} to {numbers.value(max(values))}"
