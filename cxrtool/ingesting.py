"""From gathered rows to a manifest: measure every image, find the duplicates, write the rows."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cxrtool import duplicates, gathering, measuring, parallel
from cxrtool.artifacts import files
from cxrtool.artifacts.failures import Failures
from cxrtool.errors import CxrtoolError, Skip
from cxrtool.gathering import FILE, LISTED, Row, Wish
from cxrtool.measuring import Making
from cxrtool.progress import bar, note

SEPARATOR = "\0"  # No cell holds a NUL byte.
Pseudonym = Callable[[str], str]
HASHES = ("sha256", "dhash", "dhash_square")


class Measured:
    """The rows of the manifest to be, kept as text: a million of them fit in 1 GiB."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self._lines: list[str] = []
        self._at = {c: columns.index(c) for c in (*HASHES, "dup_group")}
        self._files: list[str] = []

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, row: Row) -> None:
        """Keep one row."""
        self._lines.append(SEPARATOR.join(row.get(c, "") for c in self.columns))
        self._files.append(row[FILE])

    def _cells(self, column: str) -> list[str]:
        at = self._at[column]
        return [line.split(SEPARATOR, at + 1)[at] for line in self._lines]

    def rows(self, jobs: int, progress: str) -> Iterator[list[str]]:
        """Find the duplicates, and yield the rows with their group."""

        def thumbnails(looks: Sequence[tuple[int, bool]]) -> Iterator[Any]:
            again = ((self._files[i], square) for i, square in looks)
            found = parallel.each(measuring.thumbnail, again, min(jobs, len(looks) or 1))
            for t in bar(found, len(looks), "possible duplicates", progress):
                yield None if isinstance(t, parallel.Lost) else t

        digests, hashes, squares = (self._cells(c) for c in HASHES)
        names = duplicates.groups(digests, hashes, squares, thumbnails)
        _tell_duplicates(names)
        at = self._at["dup_group"]
        for line, name in zip(self._lines, names, strict=True):
            row = line.split(SEPARATOR)
            row[at] = name
            yield row


def _tell_duplicates(names: list[str]) -> None:
    copies, groups = sum(map(bool, names)), len(set(names) - {""})
    if copies:
        plural = "" if groups == 1 else "s"
        note(f"{copies} images are duplicates, in {groups} group{plural} (dup_group)")


def collect(paths: list[str], wish: Wish, skipped: Failures) -> list[Row]:
    """List what is to be read; an empty list is an error."""
    rows: list[Row] = []
    for found in gathering.gather(paths, wish):
        if isinstance(found, Skip):
            skipped.add(found)
        else:
            rows.append(found)
    if not rows:
        skipped.close()
        what = f"{', '.join(paths)}: no image to read ({len(skipped)} left out)"
        raise CxrtoolError(what, "Check the path, the --preset and the --view.")
    return rows


def measure(
    rows: list[Row],
    wish: Wish,
    making: Making,
    pseudonym: Pseudonym,
    skipped: Failures,
    jobs: int,
    progress: str,
) -> Measured:
    """Decode every image that no manifest has measured yet, and complete its row."""
    measured = Measured(gathering.columns(rows))
    new = [r for r in rows if not _is_done(r, making)]
    jobs = min(jobs, len(new) or 1)
    results = parallel.each(measuring.measure, (making.job(r[FILE], r) for r in new), jobs)
    try:
        counted = bar(results, len(new), "images", progress)
        for row in rows:
            skip = None if _is_done(row, making) else _take(row, next(counted), wish, pseudonym)
            if skip is None:
                measured.add(row)
            else:
                skipped.add(skip)
        next(counted, None)
    finally:
        # Stop the workers first: what they were writing is then nobody's.
        results.close()
        if making.folder:
            files.sweep(making.folder)
    if not len(measured):
        skipped.close()
        raise CxrtoolError("no image could be used", "See the reasons above.")
    return measured


def _take(row: Row, result: Any, wish: Wish, pseudonym: Pseudonym) -> Skip | None:
    """Complete a row by what came of its image, or say why it is left out."""
    if isinstance(result, parallel.Lost):
        return Skip(row["path"], result.reason, "Remove it.")
    if isinstance(result, Skip):
        return result
    _complete(row, result, pseudonym)
    return gathering.wrong_view(row, wish.views, known=True)


def _is_done(row: Row, making: Making) -> bool:
    """Tell a row that a manifest brought complete, of an image that need not be converted."""
    measured = bool(row.get("sha256")) and len(row.get("dhash", "")) == 64
    return LISTED in row and measured and not making.folder


def _complete(row: Row, cells: dict[str, str], pseudonym: Pseudonym) -> None:
    """Add what the pixels and the header tell; what the metadata say comes first."""
    if warning := cells.pop("warning", ""):
        note(f"{row['path']}: warning: {warning}")
    if patient := cells.pop("patient", ""):
        row["patient"] = row.get("patient") or f"{row['source']}/{pseudonym(patient)}"
    for column in ("view", "age", "sex", "mask"):
        row[column] = row.get(column) or cells.pop(column, "")
        cells.pop(column, None)
    row.update(cells)
