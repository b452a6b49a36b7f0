"""Measure every image file once (items -> measurements.csv, array).

`measurements.csv` has a row for each image, in the order of the items: its path, a key, and the
measurements of `bystanders`, `exposure` and `outside_lungs`. The key changes with the file, its
mask and the version of the measurements, so that the next run takes over every row that still
holds. What a killed run has measured is in the folder `measurements` beside the table.
"""

import contextlib
import csv
import hashlib
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxrtool.core import parallel
from cxrtool.core.errors import Skip, Unreadable
from cxrtool.core.parallel import Crew, Lost
from cxrtool.core.progress import bar, note
from cxrtool.files import disk, grey_levels, image, image_facts, table
from cxrtool.files import journal as journals
from cxrtool.files.failures import Failures
from cxrtool.files.journal import Journal
from cxrtool.images import bystanders, exposure, outside_lungs

TABLE, KEPT = "measurements.csv", "measurements"
# Those of `bystanders` are the first, by which the audit decides; those that need a mask the last.
NAMES: tuple[str, ...] = (
    *bystanders.NAMES,
    *exposure.NAMES,
    *outside_lungs.OUTSIDE,
    *outside_lungs.SHAPE,
    *outside_lungs.QUALITY,
)
COLUMNS = ("path", "key", *NAMES)
MOST_BYTES = 1 << 31


@dataclass(frozen=True)
class Item:
    """An image to measure."""

    path: str  # as the manifest and messages name it
    file: str  # where it is
    sha256: str = ""  # as the manifest has it
    mask: str = ""  # where the mask of the lungs is; empty if there is none

    @property
    def key(self) -> str:
        """A digest of what the measurements depend on."""
        depends = (
            bystanders.VERSION,
            NAMES,
            self.sha256,
            file_state(self.file),
            file_state(self.mask),
        )
        return hashlib.sha256(repr(depends).encode()).hexdigest()[:16]


def file_state(file: str) -> tuple[int, int] | None:
    """Return what changes with a file: its size and its time; None if it is not there."""
    try:
        about = os.stat(file)
    except (OSError, ValueError):
        return None
    return about.st_size, about.st_mtime_ns


class Row(NamedTuple):
    """The measurements of an image as CSV; the key is empty where something was not read."""

    key: str
    cells: str


NOTHING = Row("", "," * (len(NAMES) - 1))


@dataclass(frozen=True)
class MeasuredImages:
    """The measurements of all items; NaN where an image was not read or has no mask."""

    values: NDArray[np.float64]  # (items, NAMES)
    lost: dict[int, Skip]  # the items of which something was not read, and why


def measure(
    items: Sequence[Item], crew: Crew, folder: str, skipped: Failures, when: str = "auto"
) -> MeasuredImages:
    """Measure the images that `folder` has no measurements of, and write its table.

    An image that cannot be read is reported, and has NaN; one whose mask cannot be read is
    measured without it. Both are read again by the next run.
    """
    disk.make_folder(folder)
    keys = [item.key for item in items]
    rows, lost = _taken_over(items, keys, folder), dict[int, Skip]()
    new = [i for i, row in enumerate(rows) if not row.key]
    results = parallel.each(measured, (items[i] for i in new), crew.of(len(new)))
    journal = Journal(os.path.join(folder, KEPT), COLUMNS)
    with contextlib.closing(journal), contextlib.closing(results):
        for result, i in zip(bar(results, len(new), "images measured", when), new, strict=True):
            cells, skip = _judged(items[i], result)
            rows[i] = Row("" if skip else keys[i], cells)
            if rows[i].key:
                journal.add(_record(items[i].path, rows[i]))
            journal.write_due()
            if skip:
                lost[i] = skip
                skipped.add(skip)
    records = (_record(item.path, row) for item, row in zip(items, rows, strict=True))
    table.write(os.path.join(folder, TABLE), COLUMNS, records)
    journal.remove()
    return MeasuredImages(_parsed(rows), lost)


def measured(item: Item) -> tuple[str, Skip | None] | Skip:
    """Read and measure one image: its cells, and why it was measured without its mask."""
    try:
        encoded = image.load(item.file)
        grey, facts = image.decode(encoded).grey, image_facts.facts(encoded)
    except Unreadable as e:
        return Skip(item.path, e.reason, e.remedy, e.failed)
    values = [bystanders.measure(grey, facts), exposure.exposure(grey)]
    skip = None
    if item.mask:
        try:
            mask = grey_levels.to_mask(image.read_beside(item.mask).grey, grey.shape)
            values += [
                outside_lungs.outside_lungs(grey, mask),
                outside_lungs.mask_shape(mask),
                outside_lungs.mask_quality(mask),
            ]
        except Unreadable as e:
            why = f"its mask {item.mask}: {e.reason}"
            skip = Skip(item.path, why, "The image is measured without a mask.", e.failed)
    return _text(np.concatenate(values)), skip


def _text(values: NDArray[np.float64]) -> str:
    cells = ["" if math.isnan(value) else f"{value:.6g}" for value in values.tolist()]
    return ",".join(cells + [""] * (len(NAMES) - len(cells)))


def _judged(item: Item, result: Any) -> tuple[str, Skip | None]:
    if isinstance(result, Lost):
        return NOTHING.cells, Skip(item.path, result.reason, "Remove it.")
    if isinstance(result, Skip):
        return NOTHING.cells, result
    cells, skip = result
    return cells, skip


def _taken_over(items: Sequence[Item], keys: Sequence[str], folder: str) -> list[Row]:
    """Return the rows of earlier runs that still hold, and empty ones."""
    known: dict[str, Row] = {}
    for file in [os.path.join(folder, TABLE), *journals.parts(os.path.join(folder, KEPT))]:
        known.update(_read(file))
    there = (known.get(item.path, NOTHING) for item in items)
    return [row if row.key == key else NOTHING for row, key in zip(there, keys, strict=True)]


def _read(file: str) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a table that an earlier run wrote; what is damaged is measured again."""
    if os.path.islink(file):  # Somebody else put it there.
        return
    try:
        text = disk.read_bytes(file, MOST_BYTES).decode()
        records = csv.reader(io.StringIO(text, newline=""), strict=True)
        if tuple(next(records, ())) != COLUMNS:
            return
        for path, key, *cells in records:
            if key and len(cells) == len(NAMES) and all(map(_is_number, cells)):
                yield path, Row(key, ",".join(cells))
    except FileNotFoundError:
        return
    except (OSError, ValueError, csv.Error):
        note(f"warning: {file}: damaged; its images are measured again")


def _is_number(cell: str) -> bool:
    return not cell or math.isfinite(float(cell))


def _record(path: str, row: Row) -> list[str]:
    return [path, row.key, *row.cells.split(",")]


def _parsed(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Turn cells into numbers: those of a run that went on are those of one that did not stop."""
    values = np.full((len(rows), len(NAMES)), np.nan)
    for i, row in enumerate(rows):
        values[i] = [float(cell or "nan") for cell in row.cells.split(",")]
    return values
