"""The records of a CSV file, from its bytes: strict about what would shift or lose a cell."""

import codecs
import csv
import io
import itertools
from collections.abc import Iterator
from typing import BinaryIO

# A cell longer than this is a lost quotation mark, not a value.
LONGEST_CELL = 1 << 20
csv.field_size_limit(LONGEST_CELL)
LONGEST_LINE = 1 << 24
ENDLESS = ("a line is too long", "This is not a CSV file.")
BLOCK = 1 << 18
SPREADSHEET = "Save it again as CSV, UTF-8."
# How a file begins that is something else than text, and what it is then.
SIGNATURES = {
    b"\x1f\x8b": ("it is compressed (gzip)", "Unpack it first: gunzip -c FILE | cxrtool ..."),
    b"PK\x03\x04": ("it is a spreadsheet or a ZIP archive", SPREADSHEET),
    codecs.BOM_UTF16_LE: ("it is UTF-16", SPREADSHEET),
    codecs.BOM_UTF16_BE: ("it is UTF-16", SPREADSHEET),
}


class Damaged(Exception):
    """A record cannot be read: its number from 1 on, what is wrong, and what to do."""


class _BadLines(Exception):
    """The next lines cannot be read: what is wrong with them, and what to do."""


class Records:
    """The records of a stream, one after another."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._row = stream, 0

    def __iter__(self) -> Iterator[list[str]]:
        lines = itertools.chain.from_iterable(self._blocks())
        try:
            for record in csv.reader(lines, strict=True):
                self._row += 1
                yield record
        except csv.Error as e:
            remedy = "Correct the quotation marks there."
            raise Damaged(self._row + 1, _explain(e), remedy) from e
        except _BadLines as e:
            raise Damaged(self._row + 1, *e.args) from None

    def _blocks(self) -> Iterator[io.StringIO]:
        """Read blocks that end where a line ends; a block is the iterable of its lines."""
        rest, rows, unfinished = self._opening(), -1, 0
        # read1 takes what a pipe has so far.
        read = getattr(self._stream, "read1", self._stream.read)
        while block := read(BLOCK):
            head, newline, tail = block.rpartition(b"\n")
            if newline:
                whole, rest = rest + head + newline, tail
                yield from _decoded(whole)
            else:
                rest += block
            # Lines in quotation marks make one row, and so may lines without an end.
            unfinished = unfinished + len(block) if rows == self._row else 0
            rows = self._row
            if unfinished > LONGEST_LINE:
                raise _BadLines(*ENDLESS)
        if rest:
            yield from _decoded(rest)

    def _opening(self) -> bytes:
        opening = self._stream.read(4)
        for signature, explanation in SIGNATURES.items():
            if opening.startswith(signature):
                raise _BadLines(*explanation)
        return opening.removeprefix(codecs.BOM_UTF8)


def _decoded(block: bytes) -> Iterator[io.StringIO]:
    """Decode whole lines; those before a damaged one are still yielded, which numbers it right."""
    damage, at = "", block.find(b"\0")
    if at >= 0:
        damage, block = "it holds a NUL byte", _lines_before(block, at)
    try:
        text = block.decode()
    except UnicodeDecodeError as e:
        damage, text = "it is not UTF-8", _lines_before(block, e.start).decode()
    yield io.StringIO(text, newline="")
    if damage:
        raise _BadLines(damage, SPREADSHEET)


def _lines_before(block: bytes, at: int) -> bytes:
    return block[: block.rfind(b"\n", 0, at) + 1]


def _explain(e: csv.Error) -> str:
    text = str(e)
    if "unexpected end of data" in text:
        return "a quotation mark opens here or before and never closes"
    if "field larger" in text:
        return "a cell of over 1 MiB: a quotation mark opens here or before and never closes"
    return f"not CSV ({text})"
