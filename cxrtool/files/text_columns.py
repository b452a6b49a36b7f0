"""Columns of texts of a million rows in little memory: numbered, packed, or as digests."""

import array
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]


@dataclass(frozen=True)
class Coded:
    """A column of few values: each row has the number of its text."""

    names: list[str]
    codes: Ints

    def take(self, rows: Ints) -> "Coded":
        """Keep some rows."""
        return Coded(self.names, self.codes[rows])

    def isin(self, values: Sequence[str]) -> NDArray[np.bool_]:
        """Mark the rows that have one of some values."""
        wanted = np.array([name in values for name in self.names], bool)
        marks: NDArray[np.bool_] = wanted[self.codes]
        return marks

    @classmethod
    def of(cls, names: Sequence[str], codes: Ints) -> "Coded":
        """Make a column of names among which some may be equal: these become one."""
        known: dict[str, int] = {}
        place = np.array([known.setdefault(name, len(known)) for name in names], np.int64)
        return cls(list(known), place[codes])

    @classmethod
    def joined(cls, parts: Sequence["Coded"]) -> "Coded":
        """Put columns after one another."""
        names = [name for part in parts for name in part.names]
        starts = np.cumsum([0, *(len(part.names) for part in parts)])
        codes = [part.codes + start for part, start in zip(parts, starts.tolist(), strict=False)]
        return cls.of(names, np.concatenate(codes))


class Texts:
    """Texts of a million rows in little memory."""

    def __init__(self) -> None:
        self._bytes, self._ends = bytearray(), array.array("q", [0])

    def add(self, text: str) -> None:
        """Take one more."""
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))

    def __getitem__(self, row: int) -> str:
        return self._bytes[self._ends[row] : self._ends[row + 1]].decode()


def digest(text: str) -> bytes:
    """Make eight bytes of a text, the same in every run; of none, zeros."""
    return hashlib.blake2b(text.encode(), digest_size=8).digest() if text else b"\0" * 8


def digests(texts: Collection[str]) -> NDArray[np.int64]:
    """Make a number of every text."""
    return np.frombuffer(b"".join(map(digest, texts)), np.int64)
