"""Confusion matrices as tables (results -> tables): a row per class of the images."""

from collections.abc import Iterator, Sequence

from cxrtool.compare.comparison import Figure, Shown
from cxrtool.figures.tables import Cell, ReportTable
from cxrtool.stats.weighted_metrics import Key


def confusions(results: Sequence[Shown]) -> list[ReportTable]:
    """Build a table per result that has a matrix: one's own, and those that papers print."""
    return [_confusion(result) for result in results if result.confusion]


def _confusion(result: Shown) -> ReportTable:
    name = ", ".join(filter(None, [result.model, result.group]))
    rows: list[list[Cell]] = [
        [label, *counts]
        for label, counts in zip(result.classes, result.confusion or (), strict=False)
    ]
    size = len(rows)
    return ReportTable([f"{name}: class \\ predicted", *result.classes[:size]], rows)


def counts_of(result: Shown) -> Iterator[tuple[Key, Figure]]:
    """Yield the cells of a matrix as figures: the class, and `predicted CLASS` for a metric."""
    for label, counts in zip(result.classes, result.confusion or (), strict=False):
        for predicted, count in zip(result.classes, counts, strict=False):
            yield (label, f"predicted {predicted}"), Figure(count)
