"""The papers' tables, which are part of the package.

NAME.csv has the figures: a row a figure, with its averaging, standard deviation, number of images,
table and note. NAME.counts.csv has what is counted: the compositions of the data sets, and the
confusion matrices (where `predicted` is filled in).
"""

import os

from cxrtool import published
from cxrtool.files.table import Table

COUNTS = ".counts"
# What follows the keys (model, task, ...) in a table of figures.
TAIL = (
    "class",
    "averaging",
    "metric",
    "value",
    "std",
    "low",
    "high",
    "n",
    "table",
    "note",
)
# What an average is of: one class of two, all images, one class of several, or the classes.
AVERAGINGS = ("positive", "overall", "class", "macro", "weighted")


def names() -> list[str]:
    """List the papers."""
    files = (name.removesuffix(".csv") for name in os.listdir(_folder()) if name.endswith(".csv"))
    return sorted(name for name in files if not name.endswith(COUNTS))


def read(name: str) -> tuple[list[str], list[dict[str, str]]]:
    """Read a paper's columns and rows."""
    table = Table(os.path.join(_folder(), f"{name}.csv"))
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows()]
    return table.columns, rows


def counts(name: str) -> list[dict[str, str]]:
    """Read what a paper counts: images of a class in a part, and confusion matrices."""
    return read(name + COUNTS)[1]


def confusion(name: str, model: str, chosen: str) -> tuple[list[str], list[list[int]]]:
    """Return the classes and the confusion matrix of a model; empty where none is printed.

    Parameters
    ----------
    name : the paper.
    model : the model.
    chosen : its task, test set or scenario: the last key of the figures.
    """
    cells = {
        (row["actual"], row["predicted"]): int(row["images"])
        for row in counts(name)
        if row["predicted"] and (row["model"], row["set"]) == (model, chosen)
    }
    classes = list(dict.fromkeys(actual for actual, _ in cells))
    return classes, [[cells[actual, predicted] for predicted in classes] for actual in classes]


def _folder() -> str:
    return os.path.dirname(published.__file__)
