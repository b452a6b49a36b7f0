"""CSV in and out: strict about what would shift or lose a cell, silent about style.

The csv module is used directly: it streams, and it never guesses a type, so that patient `007`
stays `007` and `NA` stays `NA`.
"""

import codecs
import csv
import io
import itertools
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from cxrtool.artifacts import files
from cxrtool.errors import CxrtoolError

# A cell longer than this is a lost quotation mark, not a value.
LONGEST_CELL = 1 << 20
csv.field_size_limit(LONGEST_CELL)
LONGEST_LINE = 1 << 24
BLOCK = 1 << 18

SPREADSHEET = "Save it again as CSV, UTF-8."


class Table:
    """A CSV file with a header, read row by row.

    Rows are numbered as in a spreadsheet: the header is row 1. With `again`, standard input is
    kept in memory, so that the rows can be read more than once.
    """

    def __init__(self, path: str, *, again: bool = False) -> None:
        self.path = path
        self.name = "standard input" if path == "-" else files.shown(path)
        self._bytes: bytes | None = None
        if path == "-" and again:
            self._bytes = files.open_input(path).read()
        self._started = self._start()
        self.columns = self._header(self._started)

    def _start(self) -> Iterator[list[str]]:
        stream: BinaryIO
        stream = files.open_input(self.path) if self._bytes is None else io.BytesIO(self._bytes)
        return self._records(stream)

    def _records(self, stream: BinaryIO) -> Iterator[list[str]]:
        row = 0
        lines = itertools.chain.from_iterable(self._blocks(stream))
        try:
            for row, record in enumerate(csv.reader(lines, strict=True), 1):
                yield record
        except csv.Error as e:
            raise self.error(row + 1, _explain(e), "Mend the quotation marks there.") from e
        finally:
            if self.path != "-":
                stream.close()

    def _blocks(self, stream: BinaryIO) -> Iterator[io.StringIO]:
        """Read blocks that end where a line ends; a block is the iterable of its lines."""
        lines, rest = 0, b""
        read = getattr(stream, "read1", stream.read)  # read1 takes what a pipe has so far.
        while block := read(BLOCK):
            head, newline, tail = block.rpartition(b"\n")
            if newline:
                whole, rest = rest + head + newline, tail
                yield io.StringIO(self._decode(whole, lines), newline="")
                lines += whole.count(b"\n")
            else:
                rest += block
            if len(rest) > LONGEST_LINE:
                raise self.error(lines + 1, "it never ends", "This is not a CSV file.")
        if rest:
            yield io.StringIO(self._decode(rest, lines), newline="")

    def _decode(self, block: bytes, lines: int) -> str:
        if not lines:
            block = block.removeprefix(codecs.BOM_UTF8)
        nul = block.find(b"\0")
        if nul >= 0:
            row = lines + block.count(b"\n", 0, nul) + 1
            raise self.error(row, "it holds a NUL byte", SPREADSHEET)
        try:
            return block.decode()
        except UnicodeDecodeError as e:
            row = lines + block.count(b"\n", 0, e.start) + 1
            raise self.error(row, "it is not UTF-8", SPREADSHEET) from None

    def _header(self, records: Iterator[list[str]]) -> list[str]:
        header = next((r for r in records if r), None)
        if header is None:
            raise CxrtoolError(f"{self.name}: empty, without even a header", "Check what made it.")
        double = next((c for c in header if header.count(c) > 1), None)
        if double is not None:
            raise self.error(1, f"column '{double}' stands twice in the header", "Rename one.")
        return header

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows, each as long as the header; blank lines are passed over."""
        return map(operator.itemgetter(1), self.numbered())

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows with their numbers."""
        records, self._started = self._started, None  # type: ignore[assignment]
        if records is None:
            records = self._start()
            next(r for r in records if r)
        columns, first = len(self.columns), self.columns[0]
        for number, row in enumerate(records, 2):
            if len(row) == columns:
                # `cat a.csv b.csv` brings a second header along, which is no row.
                if row[0] != first or row != self.columns:
                    yield number, row
            elif row:
                raise self._ragged(number, row)

    def _ragged(self, number: int, row: list[str]) -> CxrtoolError:
        if row[0] == self.columns[0]:
            return self.error(
                number,
                "a second header with other columns",
                "Join manifests with: cxrtool ingest A.csv B.csv",
            )
        what = f"{len(row)} cells where the header has {len(self.columns)}"
        return self.error(number, what, "A comma in a cell needs quotation marks around the cell.")

    def error(self, row: int, what: str, remedy: str) -> CxrtoolError:
        """Name the file and the row of a mistake."""
        return CxrtoolError(f"{self.name}: row {row}: {what}", remedy)

    def index(self, column: str, remedy: str = "") -> int:
        """Find a column that must be there."""
        try:
            return self.columns.index(column)
        except ValueError:
            there = ", ".join(c for c in self.columns if c)
            raise CxrtoolError(
                f"{self.name}: no column '{column}' among: {there}",
                remedy or self._separator_hint(),
            ) from None

    def _separator_hint(self) -> str:
        if len(self.columns) == 1:
            for character, name in ((";", "semicolons"), ("\t", "tabs")):
                if character in self.columns[0]:
                    return f"Its cells are separated by {name}: save it with commas."
        return "Check the header."


def _explain(e: csv.Error) -> str:
    text = str(e)
    if "unexpected end of data" in text or "field larger" in text:
        return "a quotation mark opens here or before and never closes"
    return f"not CSV ({text})"


def records(path: str, *columns: str) -> Iterator[dict[str, str]]:
    """Read a collection's own CSV as dictionaries, after checking that `columns` are there."""
    table = Table(path)
    for column in columns:
        table.index(column)
    for row in table.rows():
        yield dict(zip(table.columns, row, strict=True))


class Writer:
    """Writes CSV rows to an open byte stream, the header first."""

    def __init__(self, stream: BinaryIO, columns: Sequence[str]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self.row(columns)

    def row(self, row: Sequence[str]) -> None:
        """Write one row."""
        line = ",".join(row)
        # Joining is four times as fast as the csv module, which few rows need.
        plain = line.count(",") < len(row) > 1 and '"' not in line
        if not plain or "\n" in line or "\r" in line:
            line = _quoted(row)
        self._lines.append(line)
        if len(self._lines) == 1024:
            self.flush()

    def flush(self) -> None:
        """Hand on what has been written so far, so that a reader down the pipe can begin."""
        self._lines.append("")
        self._stream.write("\n".join(self._lines).encode())
        self._stream.flush()
        self._lines.clear()


def _quoted(row: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="").writerow(row)
    return buffer.getvalue()


def write(output: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table to FILE (whole or not at all) or standard output (`-`)."""
    with files.open_output(output) as stream:
        writer = Writer(stream, columns)
        for row in rows:
            writer.row(row)
        writer.flush()
