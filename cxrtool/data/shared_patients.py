"""Whether patients of joined manifests are one person by their name only (rows -> a warning)."""

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from cxrtool.core import registry
from cxrtool.core.progress import note
from cxrtool.data.packed_rows import PackedRows, Row


class _Part:
    """The rows of one source in one table: its patients in doubt, its images, its folder."""

    def __init__(self) -> None:
        self.patients: set[str] = set()
        self.images: set[int] = set()
        self.folders: set[str] = set()

    def folder(self) -> str:
        """Return the folder above all images."""
        return os.path.realpath(os.path.commonpath(self.folders))

    def is_strange_to(self, other: "_Part") -> bool:
        """Whether the two share no image, and neither folder is the other or lies in it."""
        if self.images & other.images:
            return False
        ours, theirs = self.folder(), other.folder()
        return os.path.commonpath([ours, theirs]) not in (ours, theirs)


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
    if not shared:
        return
    parts = _parts(rows, listed, root, shared)
    example, patients = "", set[tuple[str, str]]()
    for (source, table), (other_source, other) in combinations(parts, 2):
        one, two = parts[source, table], parts[other_source, other]
        both = one.patients & two.patients
        if source != other_source or not both or not one.is_strange_to(two):
            continue
        patients |= {(source, patient) for patient in both}
        places = f"{table} ({_shown(one)}) and {other} ({_shown(two)})"
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


def _parts(
    rows: PackedRows, listed: str, root: str | None, shared: set[int]
) -> dict[tuple[str, str], _Part]:
    """Gather what each table has of each source."""
    parts: dict[tuple[str, str], _Part] = defaultdict(_Part)
    published = set(registry.names("collections"))
    for row in rows:
        source, patient = row.get("source", ""), row.get("patient", "")
        # A published collection numbers its patients once, in however many parts it is ingested.
        if listed not in row or source in published:
            continue
        part = parts[source, row[listed]]
        part.folders.add(_top(row, root))
        if hash((source, patient)) in shared:
            part.patients.add(patient)
            # Hashes take less memory than the names of a million images.
            names = (row.get("sha256"), row.get("raw") or row["path"])
            part.images.update(map(hash, filter(None, names)))
    return parts


def _top(row: Row, root: str | None) -> str:
    """Return the folder of an image, or the one above it that its source, class or person names.

    Where a manifest was split by class and joined again, the folders of the classes are one place.
    Only what the manifest says counts: the working folder may have the name of a class.
    """
    parts = os.path.dirname(row.get("raw") or row["path"]).split(os.sep)
    source, within = row.get("source", "").split("/"), set(_names_within(row))
    ends = range(len(parts), 0, -1)
    named = (end for end in ends if source != [""] and parts[:end][-len(source) :] == source)
    above = (end - 1 for end in ends if parts[end - 1].lower() in within)
    end = next(named, next(above, len(parts)))
    top = os.sep.join(parts[:end]) or (os.sep if parts[0] == "" and len(parts) > 1 else "")
    return os.path.abspath(os.path.join(root or "", top))


def _names_within(row: Row) -> Iterator[str]:
    """Yield what folders below that of a data set are called after: classes, patients, parts."""
    for column in ("label", "finding", "folder", "patient", "split"):
        if cell := row.get(column, ""):
            yield cell.lower()
            yield cell.lower().removeprefix(f"{row.get('source', '').lower()}/")
