"""Whether patients of joined manifests are one person by their name only (rows -> a warning)."""

import os
from collections.abc import Iterator
from itertools import combinations

from cxrtool.core import registry
from cxrtool.core.progress import note
from cxrtool.data.packed_rows import PackedRows, Row


class _Part:
    """The rows of one source in one table: its patients in doubt, their images, its folder."""

    def __init__(self, source: str, table: str, root: str | None) -> None:
        self.source, self.table, self.root = source, table, root or ""
        self.patients: set[str] = set()
        self.images: set[int] = set()
        self.folders: set[str] = set()

    def folder(self) -> str:
        """Return the folder above all images."""
        places = {os.path.abspath(os.path.join(self.root, folder)) for folder in self.folders}
        return os.path.realpath(os.path.commonpath(places))


Parts = dict[tuple[str, str], _Part]


def _are_strangers(parts: Parts, first: tuple[str, str], second: tuple[str, str]) -> bool:
    """Whether two tables share patients of a source, and no folder is the other or lies in it."""
    one, two = parts[first], parts[second]
    if one.source != two.source or not one.patients & two.patients:
        return False
    folders = one.folder(), two.folder()
    return os.path.commonpath(folders) not in folders


def warn(rows: PackedRows, listed: str, root: str | None) -> None:
    """Warn of patients whom two tables name alike, but whose images have nothing in common.

    Parameters
    ----------
    rows
        All rows that were gathered.
    listed
        The cell of a row that names its manifest; rows without it are passed over.
    root
        The folder that paths are relative to.
    """
    shared = _shared(rows, listed)
    parts = _parts(rows, listed, root, shared) if shared else {}
    pairs = [pair for pair in combinations(parts, 2) if _are_strangers(parts, *pair)]
    if not pairs:
        return
    _add_images(rows, listed, parts)
    example, patients = "", set[tuple[str, str]]()
    for one, two in ((parts[first], parts[second]) for first, second in pairs):
        if one.images & two.images:
            continue
        both = one.patients & two.patients
        patients |= {(one.source, patient) for patient in both}
        places = " and ".join(f"{part.table} ({_shown(part)})" for part in (one, two))
        example = example or f"'{min(both)}' in {places}"
    if patients:
        _say(len(patients), example)


def _say(count: int, example: str) -> None:
    who = "1 patient is" if count == 1 else f"{count} patients are"
    note(
        f"warning: {who} in more than one table, with images of different folders, and "
        f"{'counts' if count == 1 else 'count'} as one person{' each' * (count > 1)}, for example "
        f"{example}; if they are different people, ingest one of them again with --source NAME"
    )


def _shown(part: _Part) -> str:
    """Write a folder as the user would: from here, if it lies here."""
    folder = part.folder()
    inside = os.path.relpath(folder)
    return folder if inside.startswith(os.pardir) else inside


def _shared(rows: PackedRows, listed: str) -> set[int]:
    """Return hashes of the patients that two tables have: most often there are none."""
    seen: dict[str, set[int]] = {}
    for row in rows:
        if listed in row and row.get("patient"):
            seen.setdefault(row[listed], set()).add(hash((row.get("source"), row["patient"])))
    shared = set[int]()
    for one, two in combinations(seen.values(), 2):
        shared |= one & two
    return shared


def _parts(rows: PackedRows, listed: str, root: str | None, shared: set[int]) -> Parts:
    """Gather the patients that each table shares, and where its images are, by source."""
    parts: Parts = {}
    published = set(registry.names("collections"))
    for row in rows:
        source, patient = row.get("source", ""), row.get("patient", "")
        # A published collection numbers its patients once, in however many parts it is ingested.
        if listed not in row or source in published:
            continue
        key = (source, row[listed])
        if key not in parts:
            parts[key] = _Part(source, row[listed], root)
        part = parts[key]
        part.folders.add(_top(row))
        if hash((source, patient)) in shared:
            part.patients.add(patient)
    return parts


def _add_images(rows: PackedRows, listed: str, parts: Parts) -> None:
    """Add the images of the patients in doubt."""
    for row in rows:
        part = parts.get((row.get("source", ""), row.get(listed, "")))
        if part is not None and row.get("patient", "") in part.patients:
            # Hashes take less memory than the names of a million images.
            names = (row.get("sha256"), row.get("raw") or row["path"])
            part.images.update(map(hash, filter(None, names)))


def _top(row: Row) -> str:
    """Return the folder of an image, or the one above it that its source, class or person names.

    Where a manifest was split by class and joined again, the folders of the classes are one place.
    Only what the manifest says counts: the working folder may have the name of a class.
    """
    parts = os.path.dirname(row.get("raw") or row["path"]).split(os.sep)
    end = _end_of_source(parts, row.get("source", "")) or _end_above(parts, row)
    # Nothing before the first slash is the root itself.
    return os.sep.join(parts[:end]) or (os.sep if len(parts) > 1 and not parts[0] else "")


def folder_of_source(row: Row) -> str:
    """Return the folder of an image that its source is called after; empty if there is none."""
    parts = os.path.dirname(row.get("raw") or row["path"]).split(os.sep)
    return os.sep.join(parts[: _end_of_source(parts, row.get("source", ""))])


def _end_of_source(parts: list[str], name: str) -> int:
    """Count the parts of a path down to the folder that the source is called after; 0 if none."""
    source = name.split("/")
    # Most paths are done with by the first comparison.
    if not name or source[-1] not in parts:
        return 0
    ends = range(len(parts), len(source) - 1, -1)
    return next((end for end in ends if parts[end - len(source) : end] == source), 0)


def _end_above(parts: list[str], row: Row) -> int:
    """Count the parts of a path above the folder of its class or person; all if there is none."""
    within = set(_names_within(row))
    ends = range(len(parts), 0, -1)
    return next((end - 1 for end in ends if parts[end - 1].lower() in within), len(parts))


def _names_within(row: Row) -> Iterator[str]:
    """Yield what folders below that of a data set are called after: classes, patients, parts."""
    for column in ("label", "finding", "folder", "patient", "split"):
        if cell := row.get(column, ""):
            yield cell.lower()
            yield cell.lower().removeprefix(f"{row.get('source', '').lower()}/")
