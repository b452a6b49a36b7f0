"""Patients and pictures in more than one part of a split: figures on them flatter.

Of every cell eight bytes are kept, so that a million rows take a few dozen megabytes.
"""

from array import array
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from cxrtool.artifacts.predictions import digest
from cxrtool.errors import CxrtoolError
from cxrtool.progress import note

Digests = NDArray[np.int64]
Row = Mapping[str, str]

# What may stand in one part only, and how one and several of it are called.
PATIENT = {"patient": ("patient", "patients")}
PICTURE = {
    "sha256": ("file (sha256)", "files (sha256)"),
    "dup_group": ("duplicate group", "duplicate groups"),
}
BOUND = PATIENT | PICTURE


class Cells:
    """Digests of the cells of some columns, row by row; that of an empty cell is 0."""

    def __init__(self, columns: Iterable[str]) -> None:
        self._values = {column: array("q") for column in columns}

    def add(self, row: Row) -> None:
        """Take the cells of a row."""
        for column, values in self._values.items():
            values.frombytes(digest(row.get(column, "")))

    def __getitem__(self, column: str) -> Digests:
        return np.frombuffer(self._values[column], np.int64)


class Overlap:
    """What stands in more than one part of a manifest."""

    def __init__(self, columns: Iterable[str]) -> None:
        there = set(columns)
        self.columns = [column for column in BOUND if column in there]
        self._cells, self._codes = Cells(self.columns), array("q")
        self._parts: dict[str, int] = {}

    def add(self, row: Row, part: str) -> None:
        """Take a row of a part."""
        self._cells.add(row)
        self._codes.append(self._parts.setdefault(part, len(self._parts)))

    def counts(self) -> dict[str, int]:
        """Count the values of each column that stand in more than one part."""
        codes = np.frombuffer(self._codes, np.int64)
        return {column: _shared(self._cells[column], codes) for column in self.columns}


def _shared(values: Digests, codes: Digests) -> int:
    known = values != 0
    pairs = np.unique(np.column_stack([values[known], codes[known]]), axis=0)
    return int((np.unique(pairs[:, 0], return_counts=True)[1] > 1).sum())


def listed(counts: Mapping[str, int]) -> str:
    """Write down what was counted: `2 patients and 1 duplicate group`; empty if there is none."""
    texts = [f"{number} {BOUND[column][number > 1]}" for column, number in counts.items() if number]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def tell(manifest: str, counts: Mapping[str, int], strict: bool) -> None:
    """Say what stands in more than one part of a manifest; with `strict`, refuse it."""
    if found := listed(counts):
        what, remedy = f"{manifest}: {found} in more than one part", "See: cxrtool split --check"
        if strict:
            raise CxrtoolError(what, f"{remedy}.")
        note(f"warning: {what}: the figures flatter. {remedy}.")
