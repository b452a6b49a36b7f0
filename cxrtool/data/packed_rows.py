"""Rows and hashes kept small: a million rows of a manifest fit in 1 GiB."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Row = dict[str, str]

SEPARATOR = "\0"  # No cell holds a NUL byte.
KEPT = "\1"  # The place of a cell that is kept elsewhere.


class PackedRows:
    """Rows kept as text, in a fifth of the memory that they take as dictionaries."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, ...], int] = {}
        self._names: list[tuple[str, ...]] = []
        self._kept: list[tuple[int, str] | None] = []

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, number: int) -> Row:
        kept = self._kept[number]
        if kept is None:
            raise ValueError(f"row {number} has been taken")
        kind, text = kept
        return dict(zip(self._names[kind], text.split(SEPARATOR), strict=True))

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))

    def add(self, row: Row) -> None:
        """Keep one row."""
        names = tuple(row)
        if names not in self._kinds:
            self._kinds[names] = len(self._names)
            self._names.append(names)
        self._kept.append((self._kinds[names], SEPARATOR.join(row.values())))

    def taken(self) -> Iterator[Row]:
        """Yield the rows, and forget each when the next is asked for."""
        for number in range(len(self)):
            yield self[number]
            self._kept[number] = None

    def columns(self) -> list[str]:
        """List the names of all cells, in the order of their first coming."""
        return list(dict.fromkeys(name for names in self._names for name in names))


class Digests:
    """Cells that spell bytes of one length, kept as these bytes.

    Parameters
    ----------
    length
        The number of bytes.
    bytes_of
        Reads a cell; None for one that does not spell such bytes.
    text_of
        Writes a cell.
    """

    def __init__(
        self,
        length: int,
        bytes_of: Callable[[str], bytes | None],
        text_of: Callable[[bytes], str],
    ) -> None:
        self.length, self._bytes_of, self._text_of = length, bytes_of, text_of
        self._kept = bytearray()

    def add(self, cell: str) -> str:
        """Keep a cell, and return what takes its place among the other cells of its row."""
        data = self._bytes_of(cell)
        self._kept += bytes(self.length) if data is None else data
        return cell if data is None else KEPT

    def text(self, number: int, cell: str) -> str:
        """Return the original cell of a row; `cell` is what `add` returned for it."""
        if cell != KEPT:
            return cell
        start = number * self.length
        return self._text_of(bytes(self._kept[start : start + self.length]))

    def array(self) -> NDArray[np.uint8]:
        """Return all of them, a row each; zeros for other cells."""
        return np.frombuffer(self._kept, np.uint8).reshape(-1, self.length)
