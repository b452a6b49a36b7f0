"""Results as tables: side by side for people, and as records."""

import math
import re
from collections.abc import Sequence

import tabulate

from cxrtool.compare.comparison import PRINTED, Figure, Shown, Test
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.published_figures import beside
from cxrtool.compare.records import Rows, as_csv, as_json, gap_of, keys
from cxrtool.core.errors import one_line
from cxrtool.stats.intervals import Summary


def formats() -> list[str]:
    """List what a table can be written as."""
    return ["csv", "json", *tabulate.tabulate_formats]


def written(
    results: Sequence[Shown], metrics: Sequence[str], kind: str, group: str, papers: Sequence[Shown]
) -> str:
    """Write one's own figures, and those of papers beside them."""
    if kind == "csv":
        return as_csv([*results, *papers], metrics, bool(papers))
    if kind == "json":
        return as_json([*results, *papers], metrics)
    return table([*results, *beside(papers, results)], metrics, kind, group)


def written_matrix(matrix: Matrix, kind: str) -> str:
    """Write a cross-dataset matrix: as such, or as results of its cells and of the gap."""
    if kind not in ("csv", "json"):
        return matrix_table(matrix, kind)
    results: list[Shown] = [*matrix.cells.values(), gap_of(matrix)]
    return written(results, [matrix.metric, f"{matrix.metric}_gap"], kind, "", [])


def shown(value: float) -> str:
    """Write a number to be read."""
    if math.isnan(value):
        return ""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def spoken(figure: Figure | None) -> str:
    """Write a figure with its interval to be read."""
    if figure is None or math.isnan(figure.value):
        return ""
    # No digit is added to what a paper prints.
    write = "{:g}".format if figure.method == PRINTED else shown
    unknown = math.isnan(figure.low) or math.isnan(figure.high)
    interval = "" if unknown else f" [{write(figure.low)}, {write(figure.high)}]"
    return write(figure.value) + interval


def spread(result: Summary) -> str:
    """Write the mean over folds, its standard deviation and its range."""
    if math.isnan(result.mean):
        return ""
    if math.isnan(result.std):
        return shown(result.mean)
    ends = f"{shown(result.minimum)} to {shown(result.maximum)}"
    return f"{shown(result.mean)} ± {shown(result.std)} ({ends})"


def table(results: Sequence[Shown], metrics: Sequence[str], kind: str, group: str) -> str:
    """Write a row a figure and a column a model, and the tests below."""
    text = render(*_figures(results, metrics, group), kind)
    tested = [(result, test) for result in results for test in result.tests]
    if tested:
        text += "\n" + render(*_tests(tested, group), kind)
    return text


def _figures(
    results: Sequence[Shown], metrics: Sequence[str], group: str
) -> tuple[list[str], Rows]:
    models = list(dict.fromkeys(r.model for r in results))
    folded = {r.model for r in results if r.folds is not None}
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    notes: dict[tuple[str, str, str], list[str]] = {}
    for result in results:
        number = "" if result.number is None else str(result.number)
        cells.setdefault((result.group, "", "n"), {})[result.model] = number
        for label, metric in keys(result, metrics):
            place = (result.group, label, metric)
            figure = result.figures[label, metric]
            cells.setdefault(place, {})[result.model] = spoken(figure)
            notes.setdefault(place, []).extend(filter(None, [figure.note]))
            if result.folds is not None:
                folds = spread(result.folds.figures[label, metric])
                cells[place][f"{result.model}\0"] = folds
    header, rows = [group or "group", "class", "metric"], []
    for model in models:
        header += [model, f"{model}: mean ± std over folds"] if model in folded else [model]
    columns = [c for m in models for c in ([m, f"{m}\0"] if m in folded else [m])]
    for place, outcome in cells.items():
        said = "; ".join(dict.fromkeys(notes.get(place, ())))
        rows.append([*place, *(outcome.get(c, "") for c in columns), said])
    return _without_empty([*header, "note"], rows)


def _without_empty(header: list[str], rows: Rows) -> tuple[list[str], Rows]:
    """Drop the columns that tell nothing."""
    kept = [k for k in range(len(header)) if any(row[k] for row in rows)]
    return [header[k] for k in kept], [[row[k] for k in kept] for row in rows]


def _tests(tested: Sequence[tuple[Shown, Test]], group: str) -> tuple[list[str], Rows]:
    header = [
        "model",
        "against",
        group or "group",
        "class",
        "test",
        "metric",
        "difference",
        "p",
        "p (Holm)",
    ]
    rows, seen = [], set()
    for result, test in tested:
        # Either model has the test: once is enough.
        if (test.against, result.model, result.group) in seen:
            continue
        seen.add((result.model, test.against, result.group))
        rows.append(
            [
                result.model,
                test.against,
                result.group,
                test.label,
                test.name,
                test.metric,
                spoken(test.difference),
                chance(test.p),
                chance(test.adjusted),
            ]
        )
    return _without_empty(header, rows)


def chance(p: float) -> str:
    """Write a p to be read."""
    return "" if math.isnan(p) else f"{p:.3g}"


def matrix_table(matrix: Matrix, kind: str) -> str:
    """Write a row a training set and a column a test set, and the gap below."""
    header = [f"{matrix.names[0]} \\ {matrix.names[1]}", *matrix.columns]
    rows = [[r, *(spoken(matrix.figure(r, c)) for c in matrix.columns)] for r in matrix.rows]
    text = render(header, rows, kind)
    gap = [[f"{matrix.metric}: diagonal - others", spoken(matrix.gap)]]
    return text + "\n" + render(["gap", "value"], gap, kind)


def render(header: Sequence[str], rows: Rows, kind: str) -> str:
    """Lay a table out; names are data, and break no format."""
    pipes = kind in ("github", "pipe", "orgtbl", "jira", "presto", "psql")
    head, *body = [[_tame(text, pipes) for text in row] for row in [header, *rows]]
    text: str = tabulate.tabulate(body, head, tablefmt=kind, disable_numparse=True)
    if kind.startswith("latex") and kind != "latex_raw":
        # After a line's end LaTeX takes a bracket for an option.
        text = re.sub(r"(?m)^(\s*)\[", r"\1{[}", text)
    return text + "\n"


def _tame(text: str, pipes: bool) -> str:
    text = one_line(text)
    return text.replace("|", "\\|") if pipes else text
