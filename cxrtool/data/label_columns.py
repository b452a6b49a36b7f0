"""The columns in which data sets differ, of every row: label, patient, source, format and size.

Of a row two numbers are kept, so that a million rows take 16 MB.
"""

import array
import os
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.codes import Codes
from cxrtool.files.text_columns import Coded

SOURCE, FORMAT, SIZE = "source", "file format", "image size"
CELLS = ("label", "source", "patient", "path", "raw", "width", "height")
# A size that fewer images have than this share is one of the other sizes: in some collections most
# images have a size of their own.
COMMON = 0.05
SEPARATOR = "\0"  # No cell holds a NUL byte.


def file_format(raw: str, path: str) -> str:
    """Name the format of the file that an image began with, by its ending."""
    return os.path.splitext(raw or path)[1].lower().lstrip(".")


def common(sizes: Coded) -> NDArray[np.bool_]:
    """Mark the sizes that many images have."""
    counts = np.bincount(sizes.codes, minlength=len(sizes.names))
    marks: NDArray[np.bool_] = counts >= COMMON * len(sizes.codes)
    return marks


class LabelColumns:
    """Takes rows, and returns their columns as numbers."""

    def __init__(self) -> None:
        self._combinations, self._patients = Codes(), array.array("q")

    def __bool__(self) -> bool:
        return bool(self._combinations)

    def add(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Take the cells of some rows."""
        self._combinations.add(map(self._combination, rows))

    def _combination(self, row: Mapping[str, str]) -> str:
        # An image without a patient is one of its own.
        who = row.get("patient") or SEPARATOR + row.get("path", "")
        self._patients.append(hash(who))
        size = f"{row.get('width', '')}x{row.get('height', '')}"
        kind = file_format(row.get("raw", ""), row.get("path", ""))
        cells = (row.get("label", ""), row.get("source", ""), kind, size.strip("x"))
        return SEPARATOR.join(cells)

    def columns(
        self, used: NDArray[np.bool_] | None = None
    ) -> tuple[Coded, NDArray[np.int64], dict[str, Coded]]:
        """Return the labels, the patients and the other columns of all rows, or of those used."""
        names = [name.split(SEPARATOR) for name in self._combinations.known]
        codes, patients = self._combinations.codes(), self._patient_numbers()
        if used is not None and len(codes):
            codes, patients = codes[used], patients[used]
        label, *others = (Coded.of([cells[k] for cells in names], codes) for k in range(4))
        return label, patients, dict(zip((SOURCE, FORMAT, SIZE), others, strict=True))

    def _patient_numbers(self) -> NDArray[np.int64]:
        """Number the patients in the order of their first coming.

        Hashes differ from one process to the next, and the numbers must not.
        """
        hashes = np.array(self._patients, np.int64)
        _, first, place = np.unique(hashes, return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[place]
