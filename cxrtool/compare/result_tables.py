"""Results as tables (results -> tables): figures side by side, tests, and a matrix."""

from collections.abc import Callable, Sequence

from cxrtool.compare.comparison import PRINTED, Figure, Shown, Test
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.published_figures import beside
from cxrtool.compare.records import as_csv, as_json, gap_of, keys
from cxrtool.figures import numbers, tables
from cxrtool.figures.tables import Cell, PValue, ReportTable
from cxrtool.stats.intervals import Summary

METRIC = 2  # The place of this column in the table of figures.
Place = tuple[str, str, str]  # group, class, metric
Column = tuple[str, bool]  # a model, and whether these are its figures over folds


def written(
    results: Sequence[Shown], metrics: Sequence[str], kind: str, group: str, papers: Sequence[Shown]
) -> str:
    """Write one's own figures, and those of papers beside them."""
    if kind == "csv":
        return as_csv([*results, *papers], metrics, bool(papers))
    if kind == "json":
        return as_json([*results, *papers], metrics)
    everything = [*results, *beside(papers, results)]
    text = figures(everything, metrics, group).without_empty().as_text(kind)
    if any(result.tests for result in results):
        text += "\n" + tests(results, group).without_empty().as_text(kind)
    return text


def written_matrix(matrix: Matrix, kind: str) -> str:
    """Write a cross-dataset matrix: as such, or as results of its cells and of the gap."""
    if kind in ("csv", "json"):
        results: list[Shown] = [*matrix.cells.values(), gap_of(matrix)]
        return written(results, [matrix.metric, f"{matrix.metric}_gap"], kind, "", [])
    name = f"{matrix.metric}: diagonal - others"
    gap = ReportTable(["gap", "value"], [[name, cell(matrix.gap)]])
    corner = " \\ ".join(matrix.names)
    return cross(matrix, corner).as_text(kind) + "\n" + gap.as_text(kind)


def cell(figure: Figure | None) -> Cell:
    """Return the cell of a figure, with its interval."""
    if figure is None:
        return None
    bounded = figure.value, figure.low, figure.high
    if figure.method == PRINTED:
        return numbers.interval(*bounded, write=numbers.as_printed)
    return bounded


def text_of(figure: Figure | None) -> str:
    """Write a figure with its interval."""
    return tables.written(cell(figure))


def spread(result: Summary) -> str:
    """Write the mean over folds, its standard deviation and its range."""
    mean, std, low, high = map(
        numbers.value, (result.mean, result.std, result.minimum, result.maximum)
    )
    return f"{mean} ± {std} ({low} to {high})" if mean and std else mean


def figures(
    results: Sequence[Shown],
    metrics: Sequence[str],
    group: str,
    *,
    word: Callable[[str], str] = str,
    with_counts: bool = True,
) -> ReportTable:
    """Build a row per figure and a column per model.

    Parameters
    ----------
    group : what the groups are made of, for the heading.
    word : how the name of a metric is written.
    with_counts : whether each group begins with its number of images.
    """
    cells: dict[Place, dict[Column, Cell]] = {}
    notes: dict[Place, list[str]] = {}
    for result in results:
        if with_counts:
            cells.setdefault((result.group, "", "n"), {})[result.model, False] = result.number
        for label, metric in keys(result, metrics):
            place, figure = (result.group, label, word(metric)), result.figures[label, metric]
            row = cells.setdefault(place, {})
            row[result.model, False] = cell(figure)
            notes.setdefault(place, []).append(figure.note)
            if result.folds is not None:
                row[result.model, True] = spread(result.folds.figures[label, metric])
    columns = _columns(results)
    rows = [
        [*place, *(row.get(column) for column in columns), _joined(notes.get(place, ()))]
        for place, row in cells.items()
    ]
    names = [f"{model}: mean ± std over folds" if folded else model for model, folded in columns]
    return ReportTable([group or "group", "class", "metric", *names, "note"], rows)


def _columns(results: Sequence[Shown]) -> list[Column]:
    """List the columns of every model: its figures and, where there are folds, those over them."""
    models = dict.fromkeys(result.model for result in results)
    folded = {result.model for result in results if result.folds is not None}
    return [(m, part) for m in models for part in (False, True) if m in folded or not part]


def _joined(notes: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, notes)))


def tests(results: Sequence[Shown], group: str, *, word: Callable[[str], str] = str) -> ReportTable:
    """Build a row per test between two models; either of them has it, and it is shown once."""
    names = ["class", "test", "metric", "difference", "p", "p (Holm)"]
    rows: list[list[Cell]] = []
    seen = set()
    for result in results:
        for test in result.tests:
            if (test.against, result.model, result.group) not in seen:
                seen.add((result.model, test.against, result.group))
                rows.append([result.model, test.against, result.group, *_test(test, word)])
    return ReportTable(["model", "against", group or "group", *names], rows)


def _test(test: Test, word: Callable[[str], str]) -> list[Cell]:
    chance = PValue(test.p), PValue(test.adjusted)
    return [test.label, test.name, word(test.metric), cell(test.difference), *chance]


def cross(matrix: Matrix, corner: str) -> ReportTable:
    """Build a row per training set and a column per test set; `corner` names both."""
    rows = [[row, *(cell(matrix.figure(row, c)) for c in matrix.columns)] for row in matrix.rows]
    return ReportTable([corner, *matrix.columns], rows)
