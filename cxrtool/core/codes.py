"""Equal texts as equal numbers."""

import array
import itertools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

FREE = -1  # In no part, or of unknown value.


class Codes:
    """Gives equal texts equal numbers: at first that of the row where the text came first."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self._rows = array.array("q")

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, texts: Iterable[str]) -> None:
        """Take the texts of the next rows; nothing here runs row by row in Python."""
        self._rows.extend(map(self.known.setdefault, texts, itertools.count(len(self._rows))))

    def _numbered(self, names: Iterable[str]) -> Ints:
        place = np.empty(len(self._rows), np.int64)
        place[[self.known[n] for n in names]] = np.arange(len(self.known))
        return place[np.frombuffer(self._rows, np.int64)]

    def ordered(self) -> tuple[list[str], Ints]:
        """Return the texts in alphabetical order and each row's number in that order."""
        names = sorted(self.known)
        return names, self._numbered(names)

    def codes(self) -> Ints:
        """Return each row's number, in the order of the first coming."""
        return self._numbered(self.known)

    def known_only(self, unknown: str = "") -> Ints:
        """Return each row's number, -1 for a text that begins as an unknown one does."""
        lonely = np.array([not n or n[0] == unknown for n in self.known])
        codes = self.codes()
        return np.where(lonely[codes], FREE, codes)
