"""From gathered rows to a manifest: measure every image, find the duplicates, write the rows."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from cxrtool.core import parallel
from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.core.parallel import Crew
from cxrtool.core.progress import bar, note
from cxrtool.data import (
    duplicates,
    lesion_boxes,
    measurement,
    packed_rows,
    shared_patients,
    shared_sources,
    sources,
)
from cxrtool.data.ingestion_summary import IngestionSummary
from cxrtool.data.label_columns import LabelColumns
from cxrtool.data.measurement import MeasurementSettings
from cxrtool.data.packed_rows import Row
from cxrtool.data.sources import FILE, LISTED, Selection
from cxrtool.data.thumbnails import Index, Thumbnails
from cxrtool.figures.numbers import counted, counted_that
from cxrtool.files import disk
from cxrtool.files.failures import Failures
from cxrtool.images import fingerprints

Pseudonym = Callable[[str], str]
HASHES = ("sha256", "dhash", "dhash_square")
HASH = re.compile("[0-9a-f]{64}")


def _hash(cell: str) -> bytes | None:
    return bytes.fromhex(cell) if HASH.fullmatch(cell) else None


class Measured:
    """The rows of the manifest to be, and what duplicates are looked for by."""

    def __init__(self, columns: list[str], root: str | None, crew: Crew, progress: str) -> None:
        self.columns, self.root, self.crew, self.progress = columns, root, crew, progress
        self._rows = packed_rows.PackedRows()
        self._digests = {c: packed_rows.Digests(32, _hash, bytes.hex) for c in HASHES}
        self._digests["fingerprint"] = packed_rows.Digests(
            fingerprints.BYTES, fingerprints.packed, fingerprints.written
        )
        self._thumbnails = Thumbnails(self._read_again)
        self.label_columns = LabelColumns()
        self.summary = IngestionSummary()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row, thumbnail: bytes = b"") -> None:
        """Keep one row, and the thumbnail of its image."""
        if thumbnail:
            self._thumbnails.keep(len(self), thumbnail)
        cells = {c: row.get(c, "") for c in self.columns}
        self.label_columns.add([cells])
        for column, kept in self._digests.items():
            cells[column] = kept.add(cells[column])
        self._rows.add(cells)

    def rows(self) -> Iterator[list[str]]:
        """Find the duplicates, and yield the rows with their group."""
        groups = self._duplicates()
        for i, row in enumerate(self._rows.taken()):
            row["dup_group"] = groups.get(i, "")
            for column, kept in self._digests.items():
                row[column] = kept.text(i, row[column])
            self.summary.count(row)
            yield [row[c] for c in self.columns]

    def _duplicates(self) -> dict[int, str]:
        arrays = {column: kept.array() for column, kept in self._digests.items()}
        before = [row["dup_group"] for row in self._rows]
        with contextlib.closing(self._thumbnails) as thumbnails:
            groups = duplicates.groups(
                digests=arrays["sha256"],
                hashes=arrays["dhash"],
                squares=arrays["dhash_square"],
                prints=arrays["fingerprint"],
                thumbnails=thumbnails,
                before=before,
                jobs=self.crew.jobs,
            )
        if thumbnails.absent:
            images = counted(thumbnails.absent, "image")
            what = f"possible duplicates: {images} cannot be read again and compared"
            note(f"warning: {what}; check the root folder")
        # An image of one grey level has no fingerprint, and a hash of zeros.
        plain = ~arrays["fingerprint"].any(axis=1) & arrays["dhash"].any(axis=1)
        if plain.any():
            have = counted_that(int(plain.sum()), "image", "has", "have")
            what = f"{have} no fingerprint in the manifest"
            note(f"warning: {what}: copies are not looked for as widely (ingest the images again)")
        if groups:
            number = counted(len(set(groups.values())), "group")
            note(f"{len(groups)} images are duplicates, in {number} (dup_group)")
        return groups

    def _read_again(self, numbers: Index) -> Iterator[bytes]:
        """Read images again for their thumbnails; the numbers are sorted."""
        here = os.path.abspath(self.root or ".")
        again = (os.path.join(here, path) for path in self._paths(numbers))
        thumbnails = parallel.each(measurement.thumbnail, again, self.crew.of(len(numbers)))
        for thumbnail in bar(thumbnails, len(numbers), "possible duplicates", self.progress):
            yield b"" if isinstance(thumbnail, parallel.Lost) else thumbnail

    def _paths(self, numbers: Index) -> Iterator[str]:
        """Yield the paths of some rows: a million of them would take a hundred megabytes."""
        wanted = iter(numbers.tolist())
        following = next(wanted, None)
        for number, row in enumerate(self._rows):
            if number == following:
                yield row["path"]
                following = next(wanted, None)


def collect(paths: list[str], selection: Selection, skipped: Failures) -> packed_rows.PackedRows:
    """List what is to be read; an empty list is an error."""
    rows = packed_rows.PackedRows()
    for row in sources.gather(paths, selection):
        if isinstance(row, Skip):
            skipped.add(row)
        else:
            rows.add(row)
    if not rows:
        skipped.close()
        what = f"{', '.join(paths)}: no image to read ({len(skipped)} left out)"
        if not len(skipped) and sources.are_class_folders(paths, selection):
            remedy = "Name a folder with one subfolder of images per class, or a collection."
            raise CxrtoolError(what, remedy, settings=["preset"])
        remedy = "Check the path, the preset and the views."
        raise CxrtoolError(what, remedy, settings=["preset", "view"])
    if len(set(paths)) > 1:
        shared_patients.warn(rows, LISTED, selection.root)
        shared_sources.warn(rows, LISTED, selection.root)
    return rows


def measure(
    rows: packed_rows.PackedRows,
    selection: Selection,
    settings: MeasurementSettings,
    pseudonym: Pseudonym,
    skipped: Failures,
    crew: Crew,
    progress: str,
) -> Measured:
    """Decode every image that no manifest has measured yet, and complete its row."""
    settings.check(rows)
    names = rows.columns()
    if settings.masks and lesion_boxes.COLUMN in names and "lesion" not in names:
        names.append("lesion")
    measured = Measured(sources.columns(names), selection.root, crew, progress)
    new = unmeasured(rows, settings)
    work = (settings.job(rows[i][FILE], rows[i]) for i in new)
    results = parallel.each(measurement.measure, work, crew.of(len(new)))
    try:
        counted = bar(results, len(new), "images", progress)
        for row in rows.taken():
            result = None if _is_done(row, settings) else next(counted)
            windowed = getattr(result, "is_windowed", None) if settings.window is not None else None
            _finish(row, result, measured, selection, pseudonym, skipped, windowed)
        next(counted, None)
    finally:
        # Stop the workers first: what they were writing is then nobody's.
        results.close()
        for folder in filter(None, (settings.folder, settings.masks)):
            disk.sweep(folder.place)
    if not len(measured):
        skipped.refuse()
    return measured


def unmeasured(rows: packed_rows.PackedRows, settings: MeasurementSettings) -> list[int]:
    """Return the numbers of the rows whose image has to be decoded."""
    return [i for i, row in enumerate(rows) if not _is_done(row, settings)]


def _finish(
    row: Row,
    result: Any,
    measured: Measured,
    selection: Selection,
    pseudonym: Pseudonym,
    skipped: Failures,
    windowed: bool | None,
) -> None:
    """Complete a row by what was measured, if anything was, and keep it or skip it."""
    skip = None if result is None else _take(row, result, selection, pseudonym)
    if not selection.exact_age:
        row["age"] = sources.coarse_age(row.get("age", ""))
    if row.pop("burned_in", ""):
        measured.summary.count_burned(row["path"])
    if (why := row.pop(measurement.LOST, "")) and skip is None:
        half = measurement.mask_halves(row)[0]
        skipped.add(Skip(half, why, "The image is read without a mask."))
    if skip is None:
        if windowed is not None:
            measured.summary.count_windowed(windowed)
        measured.add(row, getattr(result, "thumbnail", b""))
    else:
        skipped.add(skip)


def _take(row: Row, measured: Any, selection: Selection, pseudonym: Pseudonym) -> Skip | None:
    """Complete a row by what came of its image, or say why it is left out."""
    if isinstance(measured, parallel.Lost):
        return Skip(row["path"], measured.reason, "Remove it.")
    if isinstance(measured, Skip):
        return measured
    _complete(row, measured.cells, pseudonym)
    return sources.wrong_view(row, selection.views, known=True)


def _is_done(row: Row, settings: MeasurementSettings) -> bool:
    """Whether a row came complete from a manifest, and its image need not be converted."""
    if LISTED not in row or settings.folder or settings.joins(row):
        return False
    hashes = [row.get(c, "") for c in HASHES]
    return all(map(HASH.fullmatch, hashes if hashes[2] else hashes[:2]))


def _complete(row: Row, cells: dict[str, str], pseudonym: Pseudonym) -> None:
    """Add what was measured and read from the header; metadata take precedence."""
    if warning := cells.pop("warning", ""):
        note(f"{row['path']}: warning: {warning}")
    if patient := cells.pop("patient", ""):
        row["patient"] = row.get("patient") or f"{row['source']}/{pseudonym(patient)}"
    for column in ("view", "age", "sex", "mask", "lesion"):
        row[column] = row.get(column) or cells.pop(column, "")
        cells.pop(column, None)
    row.update(cells)
