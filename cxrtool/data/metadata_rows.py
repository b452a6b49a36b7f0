"""Rows of any metadata CSV, paired with the files below folders (table, folders -> rows)."""

import os
from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.core.progress import note
from cxrtool.data.collections.folder import label as folder_label
from cxrtool.data.folder_levels import FolderLevels
from cxrtool.data.packed_rows import Row
from cxrtool.files import unread_columns
from cxrtool.files.table import Table
from cxrtool.files.tree import Index

# Whose numbers the patient of a row has, if not its source's, under a name that no column has.
NUMBERING = "\0numbering"
# Columns of a metadata CSV that are taken under their own name without being asked for.
OBVIOUS = ("label", "patient", "source", "view", "age", "sex", "mask", "split", "fold")
# Rows of a metadata CSV by which the column that names the files is found.
SAMPLE = 200


def described(
    folders: list[str], metadata: str, columns: list[tuple[str, str]]
) -> Iterator[tuple[str, Row | Skip]]:
    """Pair the rows of any metadata CSV with the files below the folders."""
    table = Table(metadata, again=True)
    taken = _taken_columns(table, columns)
    files = Index(*folders)
    naming = taken.pop("path", None)
    if naming is None:
        naming = _naming_column(table, files)
    _note_unused(table, {naming, *taken.values()})
    unread_columns.warn([table], OBVIOUS, taken, "add --column {column}={name}")
    used = set()
    numbering = _numbering(metadata, folders)
    levels = {folder: FolderLevels(folder) for folder in files.roots}
    for row in table.rows():
        path = _only_file(files, row[naming], metadata, folders)
        if isinstance(path, Skip):
            yield folders[0], path
            continue
        used.add(path)
        folder = files.root_of(path)
        cells = {new: row[i] for new, i in taken.items()}
        # Where the table has no class, the folder gives it.
        label = folder_label(path, folder)
        levels[folder].add(path)
        yield folder, {"label": label, **cells, "path": path, NUMBERING: numbering}
    if "label" not in taken:
        for below in levels.values():
            below.warn()
    yield from _unlisted(files, used, metadata)


def _taken_columns(table: Table, columns: list[tuple[str, str]]) -> dict[str, int]:
    """Return the places of the columns that are taken, by their names in the manifest."""
    taken = {new: table.index(old) for old, new in columns}
    for name in OBVIOUS:
        if name in table.columns:
            taken.setdefault(name, table.columns.index(name))
    return taken


def _numbering(metadata: str, folders: list[str]) -> str:
    """Name whose patient numbers they are: of one table, in however many folders images are."""
    several = len({os.path.realpath(folder) for folder in folders}) > 1
    return os.path.splitext(os.path.basename(metadata))[0] if several else ""


def _only_file(files: Index, name: str, metadata: str, folders: list[str]) -> str | Skip:
    """Find the file that a row names; none, or several, are a Skip."""
    candidates = files.candidates(name)
    if len(candidates) == 1:
        return candidates[0]
    # Of several folders, it is unknown in which one a file is missing.
    listed = os.path.join(*folders[: len(folders) == 1], name)
    if not candidates:
        return Skip(listed, f"listed in {metadata} but absent", "Complete the folder.")
    both = " or ".join(candidates[:2])
    return Skip(listed, f"it may be {both}", f"Write the folder in {metadata} too.")


def _unlisted(files: Index, used: set[str], metadata: str) -> Iterator[tuple[str, Skip]]:
    """Yield the files that no row names."""
    for folder, path in files.paths():
        if isinstance(path, Skip):
            yield folder, path
        elif path not in used:
            yield folder, Skip(path, f"not listed in {metadata}", failed=False)


def _note_unused(table: Table, used: set[int]) -> None:
    left = [name for i, name in enumerate(table.columns) if i not in used and name]
    if left:
        note(f"{table.name}: columns that are not used: {', '.join(left)}")


def _naming_column(table: Table, files: Index) -> int:
    """Find the column whose cells name files that are there."""
    matches = [0] * len(table.columns)
    for _, row in zip(range(SAMPLE), table.rows(), strict=False):
        for i, cell in enumerate(row):
            matches[i] += bool(cell) and files.find(cell) is not None
    if not any(matches):
        there = ", ".join(table.columns)
        what = f"{table.name}: no column names files below {' or '.join(files.roots)}: {there}"
        remedy = "Check the folder, or name the column: NAME=path."
        raise CxrtoolError(what, remedy, settings=["column"])
    return matches.index(max(matches))
