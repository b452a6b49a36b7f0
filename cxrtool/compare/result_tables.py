"""Results as tables (results -> tables): figures side by side, tests, and a matrix."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cxrtool.compare import pair_parts
from cxrtool.compare import published_figures as printed
from cxrtool.compare.comparison import PRINTED, Figure, Shown, Test
from cxrtool.compare.confusion_tables import confusions
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.display import Shows
from cxrtool.compare.records import as_csv, as_json, gap_of, keys
from cxrtool.figures import numbers, tables
from cxrtool.figures.tables import Cell, PValue, ReportTable
from cxrtool.stats.intervals import Summary
from cxrtool.stats.weighted_metrics import Key

METRIC = 2  # The place of this column in the table of figures.
Place = tuple[str, str, str]  # group, class, metric
Column = tuple[str, str]  # a model, and what its figures are a summary of, if of folds
OWN = "own"  # the column of one's own figures in a table with a row per model


def of_comparison(shows: Shows, kind: str, *, with_confusion: bool = False) -> str:
    """Write a comparison: its matrix, if it has one, or its results beside those of papers."""
    if shows.matrix is not None:
        return written_matrix(shows.matrix, kind)
    group = ", ".join(shows.question.by)
    return written(
        shows.results, shows.metrics, kind, group, shows.papers, with_confusion=with_confusion
    )


def written(
    results: Sequence[Shown],
    metrics: Sequence[str],
    kind: str,
    group: str,
    papers: Sequence[Shown],
    *,
    with_confusion: bool = False,
) -> str:
    """Write one's own figures, those of papers beside them, and the confusion matrices."""
    if papers:
        metrics = printed.metrics_of(metrics)
    if kind == "csv":
        return as_csv([*results, *papers], metrics, bool(papers), with_confusion)
    if kind == "json":
        return as_json([*results, *papers], metrics)
    if len(papers) > printed.MOST:
        main = by_model(results, papers, metrics, group)
    else:
        main = figures([*results, *printed.beside(papers, results)], metrics, group)
    text = main.without_empty().as_text(kind)
    if any(result.tests for result in results):
        text += "\n" + tests(results, group).without_empty().as_text(kind)
    if any(result.pairs for result in results):
        text += "\n" + pair_parts.table(results, group).without_empty().as_text(kind)
    matrices = confusions([*results, *papers]) if with_confusion else []
    return "\n".join([text, *(matrix.as_text(kind) for matrix in matrices)])


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
    if not math.isnan(figure.std):
        return f"{numbers.as_printed(figure.value)} ± {numbers.as_printed(figure.std)}"
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
            cells.setdefault((result.group, "", "n"), {})[result.model, ""] = result.number
        for label, metric in keys(result, metrics):
            place, figure = (result.group, label, word(metric)), result.figures[label, metric]
            row = cells.setdefault(place, {})
            row[result.model, ""] = cell(figure)
            notes.setdefault(place, []).append(figure.note)
            if result.folds is not None:
                summary = spread(result.folds.figures[label, metric])
                row[result.model, mean_over(result.folds.column)] = summary
    columns = _columns(results)
    rows = [
        [*place, *(row.get(column) for column in columns), _joined(notes.get(place, ()))]
        for place, row in cells.items()
    ]
    names = [": ".join(filter(None, column)) for column in columns]
    return ReportTable([group or "group", "class", "metric", *names, "note"], rows)


def mean_over(column: str) -> str:
    """Name what is shown of folds, or of repeats."""
    return f"mean ± std over {'folds' if column == 'fold' else 'repeats'}"


def _columns(results: Sequence[Shown]) -> list[Column]:
    """List the columns of every model: its figures and, where there are folds, those over them."""
    columns: dict[str, dict[str, None]] = {}
    for result in results:
        parts = columns.setdefault(result.model, {"": None})
        if result.folds is not None:
            parts[mean_over(result.folds.column)] = None
    return [(model, part) for model, parts in columns.items() for part in parts]


def by_model(
    results: Sequence[Shown], papers: Sequence[Shown], metrics: Sequence[str], group: str
) -> ReportTable:
    """Build a row per figure and model: one's own, and the paper's of the same name beside it."""
    cells: dict[Place, dict[str, dict[str, Cell]]] = {}
    notes: dict[tuple[Place, str], list[str]] = {}

    def put(result: Shown, model: str, column: str) -> None:
        for (label, metric), part, content, note in _parts(result, metrics):
            place = (result.group, label, metric)
            row = cells.setdefault(place, {}).setdefault(model, {})
            row[": ".join(filter(None, [column, part]))] = content
            notes.setdefault((place, model), []).append(note)

    for result in results:
        put(result, result.model, OWN)
    for name in dict.fromkeys(result.group for result in results):
        mine = [result for result in results if result.group == name]
        for entry in papers:
            own = next((r for r in mine if printed.same_model(entry, r.model)), None)
            model = own.model if own else entry.model.partition(": ")[2]
            theirs = replace(printed.placed(entry, own or mine[0]), group=name)
            put(theirs, model, printed.column_of(entry))
    pooled = [f"{OWN}: {mean_over(r.folds.column)}" for r in results if r.folds]
    columns = [OWN, *dict.fromkeys(pooled), *printed.columns_of(papers)]
    rows = [
        [*place, model, *map(row.get, columns), _joined(notes[place, model])]
        for place, models in cells.items()
        for model, row in models.items()
    ]
    return ReportTable([group or "group", "class", "metric", "model", *columns, "note"], rows)


def _parts(result: Shown, metrics: Sequence[str]) -> Iterator[tuple[Key, str, Cell, str]]:
    """Yield the cells of a result: of what, over which folds if any, the content, and a note."""
    yield ("", "n"), "", result.number, ""
    for key in keys(result, metrics):
        yield key, "", cell(result.figures[key]), result.figures[key].note
        if result.folds is not None:
            summary = spread(result.folds.figures[key])
            yield key, mean_over(result.folds.column), summary, ""


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
