"""One table of predictions to read: its classes, its columns, its probabilities."""

from collections.abc import Iterator, Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError
from cxrtool.files.manifest import Manifest, Where

CHANCE = "p_"

Floats = NDArray[np.float64]
BATCH = 4096
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
            self.close()
            what = f"{len(self.classes) or 'no'} column{'s' * (not self.classes)} p_CLASS"
            there = ", ".join(c for c in self.columns if c)
            raise CxrtoolError(f"{self.name}: {what} among: {there}", self._more_classes())

    def index(self, column: str, remedy: str = "", settings: Sequence[str] = ()) -> int:
        """Find a column that must be there."""
        return super().index(column, REMEDY if column in ("path", "label") else "", settings)

    def _more_classes(self) -> str:
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
