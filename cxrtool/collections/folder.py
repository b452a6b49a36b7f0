"""Any tree of images in which a folder is a class.

The class is the first folder below the root, `train`, `val` and `test` passed over; images in the
root itself have no label. Nothing is known of patients.
"""

import os
from collections.abc import Iterator

from cxrtool.artifacts.tree import images
from cxrtool.errors import Skip

EXTRA = ()

# Folders that name a part of a published split, not a class.
PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image below the folder."""
    for path in images(root):
        yield path if isinstance(path, Skip) else {"path": path, "label": label(path, root)}


def label(path: str, root: str) -> str:
    """Name the class of an image by its folder."""
    folders = os.path.relpath(path, root).split(os.sep)[:-1]
    return next((f for f in folders if f.lower() not in PARTS), "")
