"""Small text files beside the images: lists of names, clinical readings, tables of old."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import disk
from cxrtool.files.table import records

LONGEST = 1 << 20  # of a line
REMEDY = "Save it again as UTF-8."


def lines(path: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, stripped, with their numbers."""
    with disk.open_input(path) as stream:
        for row, line in enumerate(iter(lambda: stream.readline(LONGEST + 1), b""), 1):
            if len(line) > LONGEST:
                what = f"{disk.shown(path)}: row {row}: a line is too long"
                raise CxrtoolError(what, "This is not a list of lines.")
            try:
                text = line.decode("utf-8-sig" if row == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                what = f"{disk.shown(path)}: row {row}: it is not UTF-8"
                raise CxrtoolError(what, REMEDY) from None
            if text:
                yield row, text


def read_text(path: str, limit: int = 1 << 20, encodings: Sequence[str] = ("utf-8-sig",)) -> str:
    """Read a whole small file in the first of the encodings that fits it."""
    try:
        data = disk.read_bytes(path, limit)
    except OSError as e:
        what = f"{disk.shown(path)}: {(e.strerror or str(e)).lower()}"
        raise CxrtoolError(what, "Check the path.") from e
    except ValueError as e:
        raise CxrtoolError(f"{disk.shown(path)}: {e}", "Check what it is.") from None
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as e:
            row = data.count(b"\n", 0, e.start) + 1
    raise CxrtoolError(f"{disk.shown(path)}: row {row}: it is not UTF-8", REMEDY)


def read_json(path: str, limit: int = 1 << 26) -> Any:
    """Read a JSON file whole."""
    try:
        return json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as e:
        raise CxrtoolError(f"{disk.shown(path)}: not JSON ({e})", "Download it again.") from None


def old_records(path: str, *columns: str) -> Iterator[dict[str, str]]:
    """Read a collection's own small CSV as `table.records` does.

    Its bytes are UTF-8 or, failing that, what Windows wrote before it.
    """
    text = read_text(path, csv.field_size_limit(), ("utf-8-sig", "cp1252"))
    return records(path, *columns, content=text.encode())


def tab_records(path: str, *columns: str) -> Iterator[dict[str, str]]:
    """Read a collection's own table with tabs between the cells, as `table.records` reads a CSV.

    Empty cells at the end of a row may be absent, or too many.
    """
    text = read_text(path, 1 << 28)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    try:
        header = next(rows, [])
        for column in columns:
            if column not in header:
                what = f"{disk.shown(path)}: no column '{column}': {', '.join(header)}"
                raise CxrtoolError(what, "Check that it is the collection's own table.")
        for row in rows:
            if any(row[len(header) :]):
                what = f"{len(row)} cells where the header has {len(header)}"
                what = f"{disk.shown(path)}: row {rows.line_num}: {what}"
                raise CxrtoolError(what, "A tab in a cell needs quotation marks around the cell.")
            if row:
                yield dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=False))
    except csv.Error as e:
        what = f"{disk.shown(path)}: row {rows.line_num}: {e}"
        raise CxrtoolError(what, "Download it again.") from None
