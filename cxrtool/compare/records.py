"""Results as records (results -> CSV, JSON): tidy rows, and objects."""

import json
import math
from collections.abc import Sequence
from typing import Any

from cxrtool.compare.comparison import Figure, Shown, Test
from cxrtool.compare.confusion_tables import counts_of
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.pair_parts import SHARE, PairParts
from cxrtool.figures import numbers
from cxrtool.figures.tables import Cell, ReportTable
from cxrtool.stats import weighted_metrics
from cxrtool.stats.intervals import Summary
from cxrtool.stats.weighted_metrics import Key

TIDY = ("model", "group", "class", "metric", "value", "low", "high", "n")
# What is added where a paper's figures are among them.
OF_PAPERS = ("averaging", "std", "table", "note")
Rows = list[list[Cell]]


def plain(value: float) -> float | str | None:
    """Write a number for JSON, which has no word for what is infinite or undefined."""
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else numbers.exact(value)


def tidy(results: Sequence[Shown], metrics: Sequence[str], with_confusion: bool = False) -> Rows:
    """Write a row a figure, then the folds, the tests and the cells of the confusion matrices."""
    rows: Rows = []
    for result in results:
        for key in keys(result, metrics):
            rows.append(_row(result, *key, result.figures[key]))
        for test in result.tests:
            rows += _test_rows(result, test)
        for parts in result.pairs:
            rows += _pair_rows(result, parts)
        rows += _fold_rows(result, metrics)
        if with_confusion:
            rows += [_row(result, *key, figure) for key, figure in counts_of(result)]
    return rows


def keys(result: Shown, metrics: Sequence[str]) -> list[Key]:
    """List the figures that are to be shown."""
    return [key for key in result.figures if key[1] in metrics]


def _row(result: Shown, label: str, metric: str, figure: Figure) -> list[Cell]:
    bounded = figure.value, figure.low, figure.high
    averaging = figure.averaging or _averaging(result, label)
    more = averaging, figure.std, figure.table, figure.note
    return [result.model, result.group, label, metric, *bounded, result.number, *more]


def _averaging(result: Shown, label: str) -> str:
    """Say what one's own figure is an average of."""
    if label in (weighted_metrics.MACRO, weighted_metrics.WEIGHTED):
        return label
    if not label:
        return "overall"
    return "positive" if label == result.positive else "class"


def _pair_rows(result: Shown, parts: PairParts) -> Rows:
    """Write the parts of an AUC; n is the number of images whose group is known."""
    rows = [_row(result, parts.label, name, figure) for name, figure in parts.named()]
    return [[*row[:7], parts.number, *row[8:]] for row in rows]


def _test_rows(result: Shown, test: Test) -> Rows:
    """Write one test as rows whose model names both: the difference, p, and p after Holm."""
    name = f"{result.model} - {test.against}"
    rows = [_row(result, test.label, f"{test.metric}_difference", test.difference)]
    for ending, p in (("p", test.p), ("p_holm", test.adjusted)):
        rows.append(_row(result, test.label, f"{test.metric}_{test.name}_{ending}", Figure(p)))
    return [[name, *row[1:]] for row in rows]


def _fold_rows(result: Shown, metrics: Sequence[str]) -> Rows:
    """Write mean (with its t-interval), standard deviation and range over the folds."""
    if result.folds is None:
        return []
    column, rows = result.folds.column, []
    for (label, metric), outcome in result.folds.figures.items():
        if metric not in metrics:
            continue
        for what, figure in (
            ("mean", Figure(outcome.mean, outcome.low, outcome.high)),
            ("std", Figure(outcome.std)),
            ("min", Figure(outcome.minimum)),
            ("max", Figure(outcome.maximum)),
        ):
            row = _row(result, label, metric, figure)
            row[1] = ", ".join(filter(None, [result.group, f"{column} {what}"]))
            row[7] = outcome.number
            rows.append(row)
    return rows


def as_csv(
    results: Sequence[Shown],
    metrics: Sequence[str],
    notes: bool = False,
    with_confusion: bool = False,
) -> str:
    """Write the tidy rows as CSV."""
    width = len(TIDY) + notes * len(OF_PAPERS)
    rows = [row[:width] for row in tidy(results, metrics, with_confusion)]
    return ReportTable([*TIDY, *OF_PAPERS][:width], rows).as_csv()


def as_json(results: Sequence[Shown], metrics: Sequence[str]) -> str:
    """Write the results as a list of objects."""
    outcome = [_object(result, metrics) for result in results]
    return json.dumps(outcome, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _object(result: Shown, metrics: Sequence[str]) -> dict[str, Any]:
    """Write one result; `metrics` are those of all classes, as far as there are such."""
    main = {m: result.key(m) for m in metrics}
    text: dict[str, Any] = {
        "model": result.model,
        "group": result.group,
        "n": result.number,
        "classes": result.classes,
        "positive": result.positive,
        "confusion": result.confusion,
        "metrics": {m: _figure(result.figures[k]) for m, k in main.items() if k in result.figures},
    }
    each: dict[str, dict[str, Any]] = {}
    for label, metric in keys(result, metrics):
        if label and label != result.positive:
            each.setdefault(label, {})[metric] = _figure(result.figures[label, metric])
    if each:
        text["per_class"] = {c: each[c] for c in each if c in result.classes}
        text |= {
            c: each[c] for c in (weighted_metrics.MACRO, weighted_metrics.WEIGHTED) if c in each
        }
    if result.folds is not None:
        folds = result.folds
        text["folds"] = {
            "column": folds.column,
            "values": folds.names,
            "ddof": 1,
            "metrics": {
                m: _summary(folds.figures[k]) | {"values": [plain(v) for v in folds.values[k]]}
                for m, k in main.items()
                if k in folds.figures
            },
        }
    if result.pairs:
        text["pairs"] = [_pairs(parts) for parts in result.pairs]
    text["tests"] = [_test(test) for test in result.tests]
    return text


def _figure(figure: Figure) -> dict[str, Any]:
    text: dict[str, Any] = {n: plain(getattr(figure, n)) for n in ("value", "low", "high")}
    if not math.isnan(figure.std):
        text["std"] = plain(figure.std)
    text |= {n: getattr(figure, n) for n in ("averaging", "table") if getattr(figure, n)}
    text |= {"interval": figure.method} if figure.method else {}
    return text | ({"note": figure.note} if figure.note else {})


def _summary(result: Summary) -> dict[str, Any]:
    names = ("mean", "std", "low", "high", "minimum", "maximum")
    return {n[:3] if n.endswith("imum") else n: plain(getattr(result, n)) for n in names} | {
        "n": result.number
    }


def _pairs(parts: PairParts) -> dict[str, Any]:
    about = {"column": parts.column, "class": parts.label, "n": parts.number}
    figures = {name: _figure(figure) for name, figure in parts.figures.items()}
    return about | {SHARE: plain(parts.share)} | figures


def _test(test: Test) -> dict[str, Any]:
    figure = _figure(test.difference)
    return {
        "test": test.name,
        "against": test.against,
        "class": test.label,
        "metric": test.metric,
        "difference": figure.pop("value"),
        **figure,
        "p": plain(test.p),
        "p_holm": plain(test.adjusted),
    }


def gap_of(matrix: Matrix) -> Shown:
    """Write the gap as one more result."""
    figures = {("", f"{matrix.metric}_gap"): matrix.gap}
    cells = matrix.cells.values()
    some = next(iter(cells)) if cells else None
    classes, positive = (some.classes, some.positive) if some else ([], None)
    total = sum(len(c.judged) for c in cells)
    return Shown("", "diagonal - others", classes, positive, figures, total)
