"""Predictions: one row an image, one probability column a class, as any tool may write them."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import foreign_columns
from cxrtool.files.manifest import header
from cxrtool.files.predictions_table import CHANCE, SAMPLE, Floats, is_chance
from cxrtool.files.table import Table
from cxrtool.files.text_columns import Coded, Ints, Texts

COLUMNS = ("path", "label", "patient", "source", "split", "fold", "model", "pred")

# Of several findings there is a row for each image and finding, which this column names. Whether
# the image has it is answered so, or by the name of a label and the word for all others.
FINDING = "finding"
ANSWERS, OTHER = ("absent", "present"), "other"

# Columns whose equal values mean that two rows show the same picture.
SAME = ("path", "raw", "sha256", "dup_group")


def columns(classes: Sequence[str], kept: Sequence[str] = ()) -> list[str]:
    """List the columns: the fixed ones, the probabilities, then what is kept of the manifest."""
    fixed = [*COLUMNS, *(CHANCE + name for name in classes)]
    if alike := next((n for n in kept if n.startswith(CHANCE) and n not in fixed), ""):
        what = f"the kept column '{alike}' would be read as the probability of a class"
        raise CxrtoolError(what, "Rename it in the manifest.", settings=["keep_columns"])
    return [*fixed, *(name for name in kept if name not in fixed)]


def cells(classes: Sequence[str], probabilities: Sequence[float]) -> dict[str, str]:
    """Write the probabilities, so that they still sum to 1 as they are read."""
    return {CHANCE + c: _written(p) for c, p in zip(classes, probabilities, strict=True)}


def _written(p: float) -> str:
    """Write seven digits of p or, near 1, of 1 - p: they tell the surest predictions apart."""
    rest = 1 - p
    if not 0 < rest < 1e-4:
        return f"{p:.7g}"
    decimals = min(16, 6 - math.floor(math.log10(rest)))
    return f"{p:.{decimals}f}".rstrip("0")


@dataclass(frozen=True)
class Predictions:
    """What a comparison needs of every row, as arrays; `same` are digests, 0 where unknown.

    After the classes that have a probability come those that only labels name.
    """

    classes: list[str]
    unpredicted: list[str]  # those at the end of `classes` that no p_ column is of
    row: Ints  # of `paths`
    label: Ints
    predicted: Ints  # -1 where the table has none
    p: Floats
    patient: NDArray[np.int64]  # a digest; an image without a patient is one of its own
    same: dict[str, NDArray[np.int64]]
    coded: dict[str, Coded]  # model, and what was asked for
    paths: Texts = field(repr=False)

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: Ints) -> "Predictions":
        """Keep some rows."""
        return replace(
            self,
            **{n: getattr(self, n)[rows] for n in ("row", "label", "predicted", "p", "patient")},
            same={name: values[rows] for name, values in self.same.items()},
            coded={name: column.take(rows) for name, column in self.coded.items()},
        )

    def path(self, at: int) -> str:
        """Name the image of a row."""
        return self.paths[int(self.row[at])]


def is_predictions(path: str) -> bool:
    """Whether a table has predictions and is not a manifest, by its columns."""
    return any(map(is_chance, header(path)))


def seems_predictions(path: str) -> bool:
    """Whether a table has probabilities in columns that lack p_ before the class."""
    if not header(path):
        return False
    try:
        table = Table(path)
        rows = list(itertools.islice(table.rows(), SAMPLE))
    except CxrtoolError:
        return False
    return bool(foreign_columns.chances(table.columns, rows))


def is_of_findings(path: str) -> bool:
    """Whether a table of predictions has a row for each image and finding, by its columns."""
    there = header(path)
    classes = {name[len(CHANCE) :] for name in filter(is_chance, there)}
    return FINDING in there and len(classes) == 2 and (classes == {*ANSWERS} or OTHER in classes)
