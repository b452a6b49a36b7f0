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

SHOWN = 5  # At most so many tables are named.
Key = tuple[str, str]  # a source, and the table that it is in
Places = dict[Key, set[str]]  # the folders that it is called after


def warn(rows: PackedRows, listed: str, root: str | None) -> None:
    """Warn of sources that several tables call after folders which have nothing in common.

    A source that was named by hand (`--source`), and not as its folder is, is meant as it is.
    `listed` is the cell of a row that names its manifest, and `root` the folder that paths are
    relative to.
    """
    pairs = list(_namesakes(_places(rows, listed, root or "")))
    images = _images(rows, listed, {key for pair in pairs for key in pair})
    tables: dict[str, dict[str, None]] = {}
    for first, second in pairs:
        # A copy of the same images is no other source.
        if images[first].isdisjoint(images[second]):
            tables.setdefault(first[0], {}).update(dict.fromkeys((first[1], second[1])))
    for source, names in tables.items():
        shown = ", ".join(list(names)[:SHOWN])
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        note(
            f"warning: '{source}' is another folder in each of {shown}{more}, and counts as one "
            "source; if they are several, ingest these folders in one command, or each with a "
            "--source of its own"
        )


def _places(rows: PackedRows, listed: str, root: str) -> Places:
    """Gather the folders that each source of each table is called after."""
    published = set(registry.names("collections"))
    cells: Places = {}
    for row in rows:
        if listed in row and row.get("source", "") not in published:
            cells.setdefault((row["source"], row[listed]), set()).add(folder_of_source(row))
    # Of a source that was named by hand, the folder is not known.
    return {
        key: {os.path.realpath(os.path.join(root, folder)) for folder in folders}
        for key, folders in cells.items()
        if "" not in folders
    }


def _namesakes(places: Places) -> Iterator[tuple[Key, Key]]:
    """Yield the pairs of tables that have a source of the same name in other folders."""
    for first, second in combinations(places, 2):
        if first[0] == second[0] and not places[first] & places[second]:
            yield first, second


def _images(rows: PackedRows, listed: str, keys: set[Key]) -> dict[Key, set[int]]:
    """Return the digests of the images of each source in a table."""
    result: dict[Key, set[int]] = {key: set() for key in keys}
    for row in rows if keys else ():
        key = row.get("source", ""), row.get(listed, "")
        if key in keys and row.get("sha256"):
            result[key].add(hash(row["sha256"]))
    return result
