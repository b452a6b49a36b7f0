"""Whether sources of joined manifests are one by the name of their folders (rows -> a warning).

Two hospitals often keep their images in folders of the same name. Given together, each is a source
of its own; ingested one by one, both have the folder's last name, and once joined nothing tells
them apart: neither the split nor the audit would see that each has a class of its own.
"""

import os
from collections.abc import Iterator
from itertools import combinations

from cxrtool.core import registry
from cxrtool.core.progress import note
from cxrtool.data.packed_rows import PackedRows
from cxrtool.data.shared_patients import folder_of_source

Places = dict[tuple[str, str], set[str]]  # the folders of a source, in one table


def warn(rows: PackedRows, listed: str, root: str | None) -> None:
    """Warn of sources that two tables call after folders which have nothing in common.

    A source that was named by hand (`--source`) is meant as it is. `listed` is the cell of a row
    that names its manifest, and `root` the folder that paths are relative to.
    """
    for first, second in _namesakes(_places(rows, listed, root or "")):
        if _images(rows, listed, first) & _images(rows, listed, second):
            continue
        (source, one), (_, two) = first, second
        note(
            f"warning: '{source}' of {one} and '{source}' of {two} are folders of the same name, "
            "and count as one source; if they are two, ingest both folders in one command, or one "
            "of them again with --source NAME"
        )


def _places(rows: PackedRows, listed: str, root: str) -> Places:
    """Gather the folders that each source of each table is called after."""
    published = set(registry.names("collections"))
    cells: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if listed in row and row.get("source", "") not in published:
            cells.setdefault((row["source"], row[listed]), set()).add(folder_of_source(row))
    # Of a source that was named by hand, the folder is not known.
    return {
        key: {os.path.realpath(os.path.join(root, folder)) for folder in folders}
        for key, folders in cells.items()
        if "" not in folders
    }


def _namesakes(places: Places) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Yield the pairs of tables that have a source of the same name in other folders."""
    for first, second in combinations(places, 2):
        if first[0] == second[0] and not places[first] & places[second]:
            yield first, second


def _images(rows: PackedRows, listed: str, key: tuple[str, str]) -> set[int]:
    """Return the digests of the images of a source in a table: a copy of them is no other one."""
    return {
        hash(digest)
        for row in rows
        if (row.get("source", ""), row.get(listed, "")) == key
        for digest in filter(None, [row.get("sha256")])
    }
