"""CSV in and out: strict about what would shift or lose a cell, silent about style.

The csv module is used directly: it streams, and it never guesses a type, so that patient `007`
stays `007` and `NA` stays `NA`.
"""

import contextlib
import csv
import io
import itertools
import operator
import os
import tempfile
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, TypeVar

from cxrtool.core import outputs
from cxrtool.core.errors import CxrtoolError
from cxrtool.files import csv_records, disk, misspelled_columns
from cxrtool.files.csv_records import Damaged, Records

# Rows that are checked and written together: C loops over them, and they stay in the cache.
CHUNK = 128

Kept = TypeVar("Kept", bound=BinaryIO)


class Table:
    """A CSV file with a header, read row by row.

    Rows are numbered as in a spreadsheet: the header is row 1. With `again` the rows can be read
    more than once: what cannot be opened twice (standard input, a pipe) is kept in memory.
    `content` are the bytes to read instead of the file's own.
    """

    def __init__(self, path: str, *, again: bool = False, content: bytes | None = None) -> None:
        self.path = path
        self.name = "standard input" if path == "-" else disk.shown(path)
        self._bytes, self._copy = content, -1
        self._state: tuple[int, int] | None = None
        if not self.is_repeatable:
            if again:
                self._bytes = self._gathered(io.BytesIO()).getvalue()
            elif outputs.current().fills:
                self._copy = self._copied()
        self._started: Iterator[list[str]] | None = self._start()
        with self._closed_on_error():
            self.columns = self._header(self._started)
            self._files = self._naming()

    @property
    def is_repeatable(self) -> bool:
        """Whether the rows can be read more than once."""
        kept = self._bytes is not None or self._copy >= 0
        return kept or (self.path != "-" and os.path.isfile(self.path))

    def _copied(self) -> int:
        """Copy a stream to a file without a name: its rows are compared before any is worked on."""
        with tempfile.TemporaryFile() as copy:
            descriptor = os.dup(self._gathered(copy).fileno())
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    def _gathered(self, kept: Kept) -> Kept:
        """Keep what cannot be opened twice, up to a row that no table has."""
        self._stream, unfinished, quoted = disk.open_input(self.path), 0, 0
        with self._closed_on_error():
            while block := self._stream.read(csv_records.BLOCK):
                kept.write(block)
                # A row ends where a line ends outside of quotation marks.
                ends = any(b"\n" in piece for piece in block.split(b'"')[quoted::2])
                unfinished = 0 if ends else unfinished + len(block)
                quoted ^= block.count(b'"') & 1
                if unfinished > csv_records.LONGEST_LINE:
                    self._check_end(kept)
                    # A mark inside a cell was taken for one around it.
                    unfinished = quoted = 0
        self._close()
        kept.flush()
        return kept

    def _check_end(self, kept: BinaryIO) -> None:
        """Refuse a beginning whose last row is too long."""
        stream = self._stream
        kept.seek(0)
        try:
            deque(self._records(io.BytesIO(kept.read())), maxlen=0)
        except CxrtoolError as e:
            # It may well be cut in the middle of a cell.
            if csv_records.ENDLESS[0] in str(e):
                raise
        finally:
            self._stream = stream

    def _naming(self) -> list[tuple[int, str]]:
        """Compare the files that the rows name with the outputs; return the columns yet to be.

        The rows of a stream are compared as they pass.
        """
        if not outputs.current().watches:
            return []
        named = [(i, c) for i, c in enumerate(self.columns) if c in outputs.COLUMNS]
        if not self.is_repeatable:
            return named
        self._files = named
        for _ in Table.numbered(self):
            pass
        return []

    def _protect(self, number: int, row: list[str]) -> None:
        """Refuse the outputs that are files of a row."""
        reservation, seen = outputs.current(), ""
        for i, column in self._files:
            # In most rows the path is the raw file as well.
            if row[i] and row[i] != seen:
                seen = row[i]
                why = f"which row {number} of {self.name} names ({column})"
                reservation.protect(os.path.join(reservation.root, seen), why)

    def _start(self) -> Iterator[list[str]]:
        if self._bytes is not None:
            return self._records(io.BytesIO(self._bytes))
        if self._copy >= 0:
            os.lseek(self._copy, 0, os.SEEK_SET)
            return self._records(os.fdopen(os.dup(self._copy), "rb"))
        stream = disk.open_input(self.path)
        if self.path != "-":
            self._check_unchanged(stream)
        return self._records(stream)

    def _check_unchanged(self, stream: BinaryIO) -> None:
        about = os.fstat(stream.fileno())
        state = about.st_size, about.st_mtime_ns
        if self._state not in (None, state):
            stream.close()
            what = f"{self.name}: it changed while it was read"
            raise CxrtoolError(what, "Run the command again when nothing writes to it.")
        self._state = state

    @contextlib.contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        # The traceback of the error would keep the file open.
        try:
            yield
        except CxrtoolError:
            self._close()
            raise

    def _close(self) -> None:
        disk.close_input(self._stream)

    def _records(self, stream: BinaryIO) -> Iterator[list[str]]:
        self._stream = stream
        try:
            yield from Records(stream)
        except Damaged as e:
            raise self.error(*e.args) from e.__cause__
        finally:
            disk.close_input(stream)

    def _header(self, records: Iterator[list[str]]) -> list[str]:
        header = next((r for r in records if r), None)
        if header is None:
            remedy = "Check how it was created."
            if self.path == "-":
                # A job without a terminal reads nothing where no file is named.
                remedy = "Name a file, or check the command that writes into the pipe."
            raise CxrtoolError(f"{self.name}: empty, without even a header", remedy)
        for character, name in ((";", "semicolons"), ("\t", "tabs")):
            if len(header) == 1 and character in header[0]:
                what = f"its cells are separated by {name}"
                raise self.error(1, what, "Save it with commas (CSV UTF-8).")
        double = next((c for c in header if header.count(c) > 1), None)
        if double is not None:
            raise self.error(1, f"column '{double}' occurs twice in the header", "Rename one.")
        return header

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows, each as long as the header; blank lines are passed over."""
        return map(operator.itemgetter(1), self.numbered())

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows with their numbers."""
        with self._closed_on_error():
            yield from self._checked(2, self._below_header())

    def chunks(self) -> Iterator[list[list[str]]]:
        """Yield the rows many at a time, which is twice as fast where all are needed."""
        records, number = self._below_header(), 2
        while chunk := list(itertools.islice(records, CHUNK)):
            read = len(chunk)
            if set(map(len, chunk)) != {len(self.columns)} or self.columns in chunk:
                with self._closed_on_error():
                    chunk = [row for _, row in self._checked(number, chunk)]
            elif self._files:
                for at, row in enumerate(chunk, number):
                    self._protect(at, row)
            number += read
            yield chunk

    def _below_header(self) -> Iterator[list[str]]:
        records, self._started = self._started, None
        if records is None:
            records = self._start()
            next(r for r in records if r)
        return records

    def _checked(
        self, number: int, records: Iterable[list[str]]
    ) -> Iterator[tuple[int, list[str]]]:
        columns, first = len(self.columns), self.columns[0]
        for at, row in enumerate(records, number):
            if len(row) == columns:
                # `cat a.csv b.csv` brings a second header along, which is no row.
                if row[0] != first or row != self.columns:
                    if self._files:
                        self._protect(at, row)
                    yield at, row
            elif row:
                raise self._ragged(at, row)

    def _ragged(self, number: int, row: list[str]) -> CxrtoolError:
        if row[0] == self.columns[0]:
            return self.error(
                number,
                "a second header with other columns",
                "Join manifests with: cxrtool ingest A.csv B.csv",
            )
        what = f"{len(row)} cells where the header has {len(self.columns)}"
        fewer = len(row) < len(self.columns)
        remedy = "A comma in a cell needs quotation marks around the cell."
        return self.error(number, what, "Complete the row." if fewer else remedy)

    def error(self, row: int, what: str, remedy: str) -> CxrtoolError:
        """Name the file and the row of a mistake."""
        return CxrtoolError(f"{self.name}: row {row}: {what}", remedy)

    def index(self, column: str, remedy: str = "", settings: Sequence[str] = ()) -> int:
        """Find a column that must be there."""
        try:
            return self.columns.index(column)
        except ValueError:
            self._close()
            there = ", ".join(c for c in self.columns if c)
            if meant := misspelled_columns.remedy(column, self.columns):
                remedy, settings = meant, ()
            raise CxrtoolError(
                f"{self.name}: no column '{column}' among: {there}",
                remedy or "Check the header.",
                settings=settings,
            ) from None


def records(path: str, *columns: str, content: bytes | None = None) -> Iterator[dict[str, str]]:
    """Read a collection's own CSV as dictionaries, after checking that `columns` are there."""
    table = Table(path, content=content)
    for column in columns:
        table.index(column)
    for row in table.rows():
        yield dict(zip(table.columns, row, strict=True))


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Write rows as CSV."""
    # Joining is ten times as fast as the csv module, which few rows need.
    text = "\n".join([*map(",".join, rows), ""])
    special = '"' in text or "\r" in text or text.count("\n") > len(rows)
    # A row of one empty cell would be a blank line.
    blank = text.startswith("\n") or "\n\n" in text
    if special or blank or text.count(",") > sum(map(len, rows)) - len(rows):
        return "".join(map(_quoted, rows))
    return text


def _quoted(row: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    # This line terminator makes every version of Python quote a cell with either character.
    csv.writer(buffer, lineterminator="\r\n").writerow(row)
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def write(
    output: str, columns: Sequence[str], rows: Iterable[Sequence[str]], chunk: int = CHUNK
) -> None:
    """Write a table to FILE (whole or not at all) or standard output (`-`).

    So many rows are written together; `chunk=1` lets a reader have each row as soon as it is made.
    Nothing is written when already the first row cannot be made.
    """
    waiting = iter(rows)
    first = list(itertools.islice(waiting, chunk))
    with disk.open_output(output) as stream:
        stream.write(lines([columns, *first]).encode())
        stream.flush()
        while block := list(itertools.islice(waiting, chunk)):
            stream.write(lines(block).encode())
            # A reader down the pipe can begin.
            stream.flush()
