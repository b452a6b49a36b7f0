"""The cross-dataset matrix: trained on one data set (rows), tested on another (columns).

A model that learned the disease does as well on other data sets. The gap between the diagonal and
the other cells measures how much worse it does.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxrtool.compare import comparison, groups
from cxrtool.compare.comparison import Figure, Question, Result
from cxrtool.core import commas
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note
from cxrtool.files.failures import Failures
from cxrtool.files.predictions import SAME, Predictions
from cxrtool.files.text_columns import Coded
from cxrtool.stats import cluster_bootstrap
from cxrtool.stats.metrics import Floats
from cxrtool.stats.weighted_metrics import Ints

# What stands for a column that the predictions of a run do not have.
INSTEAD = {"train": "model", "test": "source"}
TRAINED = ("train", "val")


@dataclass
class Matrix:
    """The cells, and the mean of the diagonal minus that of the others."""

    metric: str
    rows: list[str]
    columns: list[str]
    names: tuple[str, str]
    cells: dict[tuple[str, str], Result] = field(default_factory=dict)
    left_out: dict[tuple[str, str], int] = field(default_factory=dict)
    gap: Figure = field(default_factory=lambda: Figure(np.nan))

    def figure(self, row: str, column: str) -> Figure | None:
        """Return the figure of a cell, unless it has no images."""
        cell = self.cells.get((row, column))
        return None if cell is None else cell.figures[cell.key(self.metric)]


def place_of(cell: Result) -> str:
    """Name a cell in a sentence."""
    return f"the cell trained on {cell.model} and tested on {cell.group}"


def columns_of(text: str, there: Collection[str]) -> tuple[str, str]:
    """Read --matrix ROWS,COLUMNS; `there` are the columns that the predictions have."""
    names = commas.split(text)
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise CxrtoolError(f"--matrix '{text}' is not two columns", "Write it as train,test.")
    row, column = (n if n in there else INSTEAD.get(n, n) for n in names)
    return row, column


def cross(
    predictions: Predictions, names: tuple[str, str], question: Question, skipped: Failures
) -> Matrix:
    """Judge every cell, leaving out what a model has seen of another data set in training."""
    predictions = groups.once(predictions, [*names, "split"], skipped)
    trained, tested = (predictions.coded[name] for name in names)
    matrix = Matrix(question.metrics[0], _there(trained), _there(tested), names)
    split = predictions.coded["split"]
    seen = np.isin(split.codes, [k for k, s in enumerate(split.names) if s in TRAINED])
    unknown = np.isin(split.codes, [k for k, s in enumerate(split.names) if not s])
    for row in matrix.rows:
        mine = trained.codes == trained.names.index(row)
        home = _is(tested, row)
        # Of unknown part an image of that data set may have been trained on.
        twins = _twins(predictions, predictions.take(np.flatnonzero(home & (seen | unknown))))
        for column in matrix.columns:
            there = mine & _is(tested, column) & ~seen
            if row != column:
                matrix.left_out[row, column] = int((there & twins).sum())
                there &= ~twins
            if there.any():
                rows = np.flatnonzero(there)
                cell = comparison.judge(predictions, rows, row, column, question)
                matrix.cells[row, column] = cell
    matrix.gap = _gap(matrix, question)
    _note_omissions(matrix)
    return matrix


def _there(column: Coded) -> list[str]:
    return sorted({column.names[k] for k in np.unique(column.codes).tolist()} - {""})


def _is(column: Coded, name: str) -> NDArray[np.bool_]:
    place = column.names.index(name) if name in column.names else -1
    return np.asarray(column.codes == place)


def _twins(predictions: Predictions, known: Predictions) -> NDArray[np.bool_]:
    """Mark the images that show the same picture as a known one."""
    result = np.zeros(len(predictions), bool)
    for name in SAME:
        mine, theirs = predictions.same[name], known.same[name]
        result |= (mine != 0) & np.isin(mine, theirs)
    # A raw file may stand as the path of another table.
    for one, other in (("path", "raw"), ("raw", "path")):
        mine = predictions.same[one]
        result |= (mine != 0) & np.isin(mine, known.same[other])
    return result


def _gap(matrix: Matrix, question: Question) -> Figure:
    """Subtract the mean of the other cells from that of the diagonal, with its interval.

    Patients are drawn once for all cells, so that one who stands in several counts in each.
    """
    cells = [
        (place, cell)
        for place, cell in matrix.cells.items()
        if not np.isnan(cell.figures[cell.key(matrix.metric)].value)
    ]
    home = np.array([row == column for (row, column), _ in cells], bool)
    if home.all() or not home.any():
        return Figure(np.nan)
    values = np.array([cell.figures[cell.key(matrix.metric)].value for _, cell in cells])
    value = float(_difference(values[:, None], home)[0])
    if not question.resamples:
        return Figure(value)
    patients = np.concatenate([cell.patient for _, cell in cells])
    numbers = cluster_bootstrap.numbered(patients)
    bounds = np.cumsum([0, *(len(cell.patient) for _, cell in cells)])
    parts = []
    for weights in cluster_bootstrap.resamples(numbers, question.resamples, question.seed):
        result = [
            cell.judged.of(weights[:, start:end], [matrix.metric])[cell.key(matrix.metric)]
            for (_, cell), start, end in zip(cells, bounds[:-1], bounds[1:], strict=True)
        ]
        parts.append(_difference(np.stack(result), home))
    low, high = cluster_bootstrap.interval(np.concatenate(parts), question.level)
    return Figure(value, low, high, "" if np.isnan(low) else "bootstrap")


def _difference(values: Floats, home: Ints) -> Floats:
    with np.errstate(invalid="ignore"):
        gap: Floats = values[home].mean(axis=0) - values[~home].mean(axis=0)
    return gap


def _note_omissions(matrix: Matrix) -> None:
    """Say which images were left out, and whether there is a diagonal."""
    for (row, column), number in matrix.left_out.items():
        if number:
            note(
                f"trained on {row}, tested on {column}: left out {number} images that duplicate "
                f"images of {row}"
            )
    if not set(matrix.rows) & set(matrix.columns):
        rows, columns = ", ".join(matrix.rows), ", ".join(matrix.columns)
        note(f"warning: no row ({rows}) is also a column ({columns}): there is no diagonal")
