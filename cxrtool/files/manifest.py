"""The manifest: one row an image, strings all of it, columns that pass through untouched."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cxrtool.core import commas, outputs
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.filenames import stems
from cxrtool.core.progress import detail, note
from cxrtool.files.table import Table

# What `ingest` writes, in this order; a collection's own columns follow. `finding` is the
# collection's word for what the image shows, `folder` the part of a published split it lies in.
COLUMNS = (
    "path",
    "raw",
    "label",
    "patient",
    "source",
    "view",
    "age",
    "sex",
    "width",
    "height",
    "sha256",
    "dhash",
    "dhash_square",
    "fingerprint",
    "dup_group",
    "mask",
    "finding",
    "folder",
)

# The masks of single lungs, which some collections have in place of `mask`.
HALVES = ("mask_left", "mask_right")

MOST_HEADER = 1 << 16
PARTS = ("train", "val", "test", "unseen")


@dataclass(frozen=True)
class Where:
    """One condition on rows: COLUMN=V[,V...] or COLUMN!=V[,V...]; an empty V means unknown."""

    column: str
    values: frozenset[str]
    negated: bool

    @classmethod
    def parse(cls, text: str) -> "Where":
        """Read a condition; a value with a comma, or with a leading =, is in quotation marks."""
        column, equals, values = text.partition("=")
        if values.startswith("="):
            raise ValueError(f"'{text}' has two signs '=', as a comparison in a program has")
        column, negated = column.removesuffix("!").strip(), column.endswith("!")
        if not equals or not column:
            raise ValueError(f"'{text}' is not COLUMN=VALUE or COLUMN!=VALUE")
        return cls(column, frozenset(commas.split(values)), negated)

    def holds(self, value: str) -> bool:
        """Whether a cell fulfils the condition."""
        return (value in self.values) != self.negated

    def __str__(self) -> str:
        return f"{self.column}{'!=' if self.negated else '='}{','.join(sorted(self.values))}"


class Manifest(Table):
    """A manifest to read: `rows()` yields the rows for which all conditions hold.

    A manifest that is not read `alone` may lack values of the conditions: another may have them.
    """

    def __init__(
        self, path: str, where: Sequence[Where] = (), *, again: bool = False, alone: bool = True
    ) -> None:
        super().__init__(path, again=again)
        # Is given every row that is read, and whether all conditions hold for it.
        self.watch: Callable[[list[str], bool], None] | None = None
        self.where = [(self.index(w.column), w) for w in where]
        # The values that no row has had yet: a value that none has is likely misspelled. An empty
        # one means unknown, and need not occur.
        self._unmet = [(i, w, set(w.values) - {""}) for i, w in self.where if alone]
        self._is_told = False  # how many rows are kept
        self.index(
            "path",
            "A manifest has path, label, patient and more: rename yours, or use cxrtool ingest.",
        )
        if outputs.current().may_collide:
            self._check_images()

    def _check_images(self) -> None:
        """Refuse to make an image of one row where another row has an input."""
        for number, row in self.numbered():
            cells = dict(zip(self.columns, row, strict=True))
            whose = f"{self.name}: row {number}"
            outputs.current().check_images(stems(cells["path"], cells.get("raw", "")), whose)

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that all conditions hold for, with their numbers."""
        read = kept = 0
        for number, row in super().numbered():
            read += 1
            self._meet([row])
            holds = not self.where or self._holds(row)
            if self.watch:
                self.watch(row, holds)
            if holds:
                kept += 1
                yield number, row
        self._end_reading(read, kept)

    def every_row(self) -> Iterator[list[str]]:
        """Yield all rows, whatever the conditions."""
        return (row for _, row in super().numbered())

    def chunks(self) -> Iterator[list[list[str]]]:
        """Yield the rows that all conditions hold for, many at a time."""
        read = kept = 0
        for chunk in super().chunks():
            read += len(chunk)
            if self.where:
                self._meet(chunk)
                chunk = list(filter(self._holds, chunk))
            kept += len(chunk)
            yield chunk
        self._end_reading(read, kept)

    def _holds(self, row: list[str]) -> bool:
        return all(w.holds(row[i]) for i, w in self.where)

    def _meet(self, rows: list[list[str]]) -> None:
        """Note which values of the conditions are there."""
        for i, _, values in self._unmet:
            if values:
                values.difference_update(row[i] for row in rows)

    def _end_reading(self, read: int, kept: int) -> None:
        """Refuse a manifest of which no row was used, and warn of values that no row has."""
        if not read:
            raise CxrtoolError(
                f"{self.name}: no rows after the header", "Check how it was created."
            )
        if not kept:
            raise self._nothing_kept()
        if self.where and not self._is_told:
            self._is_told = True
            detail(f"{self.name}: kept {kept} of {read} rows")
        for _, where, values in self._unmet:
            for value in sorted(values):
                note(f"warning: {self.name}: no row has {where.column} '{value}' ({where})")
            values.clear()

    def _nothing_kept(self) -> CxrtoolError:
        what = f"{self.name}: no row fulfils {' and '.join(str(w) for _, w in self.where)}"
        return CxrtoolError(what, self._values_there())

    def _values_there(self) -> str:
        if self.path == "-" and self._bytes is None:
            return "Check the values."
        index, where = self.where[0]
        there = Counter(row[index] for _, row in super().numbered())
        common = ", ".join(f"'{v}' ({n})" for v, n in there.most_common(8))
        return f"The values of {where.column} are: {common}."


def image_channels(preprocessing: str) -> int:
    """Return the channels of images that were prepared so: stacks have three, others one."""
    return 3 if "stack:" in preprocessing else 1


def is_manifest(path: str) -> bool:
    """Whether a file is a manifest and not an image, by its name or by its header."""
    # A shell names what a command writes as /dev/fd/63: <(cxrtool split ...).
    if path == "-" or path.startswith("/dev/") or path.lower().endswith(".csv"):
        return True
    return "path" in header(path)


def header(path: str) -> list[str]:
    """Read the names of the columns of a table; of what is no regular file there are none."""
    # A pipe cannot be looked into without taking from it.
    if not os.path.isfile(path):
        return []
    try:
        with open(path, "rb") as file:
            line = file.readline(MOST_HEADER)
    except OSError:
        return []
    return commas.split(line.decode("utf-8-sig", "replace"))


def input_or_stdin(manifest: str | None, missing: CxrtoolError | None = None) -> str:
    """Take the MANIFEST argument, or standard input when something is piped into it.

    `missing` is what to say where there is neither, if that is more than a missing manifest.
    """
    if manifest is not None:
        return manifest
    import sys

    if sys.stdin is None or sys.stdin.isatty():
        remedy = "Name one, or pipe one in: cxrtool ingest DIR | ..."
        raise missing or CxrtoolError("no manifest", remedy)
    return "-"


def relative(path: str, root: str | None) -> str:
    """Write a path as a manifest keeps it: as it was given, or relative to the root folder."""
    if root is None:
        return path
    inside = os.path.relpath(path, root)
    return os.path.abspath(path) if inside.startswith(os.pardir) else inside


def resolve(cell: str, root: str | None) -> str:
    """Find the file that a manifest's cell names."""
    return os.path.join(root, cell) if root and cell else cell


class ImageFolder:
    """A folder for files that are made: where it is for any process, and how cells name it."""

    def __init__(self, folder: str, root: str | None) -> None:
        self.place, self.shown = os.path.realpath(folder), relative(folder, root)

    def file(self, name: str) -> tuple[str, str]:
        """Return the path of a new file, and its cell in the manifest."""
        shown = name if self.shown == os.curdir else os.path.join(self.shown, name)
        return os.path.join(self.place, name), shown
