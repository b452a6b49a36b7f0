"""One table of predictions to read: its classes, its columns, its probabilities."""

import itertools
import shlex
from collections.abc import Iterator, Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import foreign_columns
from cxrtool.files.manifest import Manifest, Where

CHANCE = foreign_columns.CHANCE

Floats = NDArray[np.float64]
BATCH = 4096
# Rows by which columns with names of other tools are recognised.
SAMPLE = 50
# Columns that ingest makes, and no table of predictions has of itself.
OF_MANIFEST = {"raw", "sha256", "dhash"}
REMEDY = "Predictions have the columns path, label and one p_CLASS for each class."


class PredictionsTable(Manifest):
    """One table of predictions."""

    def __init__(
        self, path: str, where: Sequence[Where], model: str, alone: bool, labelled: bool = True
    ) -> None:
        super().__init__(path, where, again=True, alone=alone)
        self.model = model
        if labelled:
            self.index("label")
        self.classes = [c[len(CHANCE) :] for c in self.columns if is_chance(c)]
        if len(self.classes) < 2:
            raise self._too_few_classes()

    def index(self, column: str, remedy: str = "", settings: Sequence[str] = ()) -> int:
        """Find a column that must be there."""
        if column in ("path", "label") and column not in self.columns:
            renamed = foreign_columns.renamings(self.columns, self._first_rows())
            if column in renamed.values():
                self.close()
                what = f"{self.name}: no column '{column}' among: {self._listed()}"
                raise CxrtoolError(what, foreign_columns.sentence(renamed))
        return super().index(column, REMEDY if column in ("path", "label") else "", settings)

    def _listed(self) -> str:
        return ", ".join(c for c in self.columns if c)

    def _first_rows(self) -> list[list[str]]:
        """Read the first rows, whatever the conditions; a damaged table has none here."""
        try:
            return list(itertools.islice(self.every_row(), SAMPLE))
        except CxrtoolError:
            return []

    def _too_few_classes(self) -> CxrtoolError:
        """Say that there are no predictions of two classes, and how they may be had."""
        rows = self._first_rows()
        self.close()
        renamed = foreign_columns.renamings(self.columns, rows)
        foreign = foreign_columns.sentence(renamed) or foreign_columns.score(self.columns, rows)
        if not self.classes and not foreign and OF_MANIFEST & {*self.columns}:
            what = f"{self.name}: is a manifest, without predictions (columns p_CLASS)"
            images = f"cxrtool evaluate RUN {shlex.quote(self.path)} -o predictions.csv"
            return CxrtoolError(what, f"Predict the images first: {images}")
        what = f"{len(self.classes) or 'no'} column{'s' * (not self.classes)} p_CLASS"
        there = f"{self.name}: {what} among: {self._listed()}"
        return CxrtoolError(there, foreign if not self.classes and foreign else self._more())

    def _more(self) -> str:
        """Say where the column of another class may come from."""
        needed = "It needs one probability column for each class"
        for column in self.columns:
            if not is_chance(column) and is_chance(small := column[:1].lower() + column[1:]):
                return f"{needed}: rename '{column}' to '{small}' (they begin with a small p_)."
        if not self.classes:
            return f"{needed}."
        (known,) = self.classes
        other = "normal" if known.casefold() != "normal" else "abnormal"
        return (
            f"{needed}: add that of the other class, such as {CHANCE}{other} = 1 - {CHANCE}{known}."
        )

    def close(self) -> None:
        """Close the file, of which no more is read."""
        self._close()

    def batches(self) -> Iterator[list[list[str]]]:
        """Yield the rows, thousands at a time."""
        waiting: list[list[str]] = []
        for chunk in self.chunks():
            waiting += chunk
            if len(waiting) >= BATCH:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def texts(self, rows: list[list[str]], column: str, missing: str = "") -> list[str]:
        """Take a column that need not be there."""
        if column not in self.columns:
            return [missing] * len(rows)
        texts = map(itemgetter(self.columns.index(column)), rows)
        return [text or missing for text in texts] if missing else list(texts)

    def probabilities(self, rows: list[list[str]], classes: Sequence[str]) -> Floats:
        """Read the probabilities (rows, classes); what is not a number is nan."""
        probabilities = [_column(self.texts(rows, CHANCE + name)) for name in classes]
        return np.array(probabilities, np.float64).T


def is_chance(column: str) -> bool:
    """Whether a column has the probabilities of a class."""
    return column.startswith(CHANCE) and len(column) > len(CHANCE)


def _column(texts: list[str]) -> list[float]:
    try:
        return list(map(float, texts))
    except ValueError:
        return [_number(text) for text in texts]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
