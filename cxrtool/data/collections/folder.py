"""Any tree of images in which a folder is a class.

The class is the first folder below the root, `train`, `val`, `test` and `images` passed over;
images in the root itself have no label. Nothing is known of patients. In collections such as the
COVID-19 Radiography Database (COVID/images/ beside COVID/masks/), the masks are no images of the
class: each becomes the `mask` of the image that has its name.
"""

import os
from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.files.tree import images

# Folders that name a part of a published split, or just what is in them, but not a class.
PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}
IMAGES, MASKS = "images", "masks"


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image below the folder."""
    for path in images(root):
        if isinstance(path, Skip):
            yield path
        elif MASKS in _folders(path, root):
            yield Skip(path, f"in a folder {MASKS}", failed=False)
        else:
            yield {"path": path, "label": label(path, root), "mask": _mask(path, root)}


def label(path: str, root: str) -> str:
    """Name the class of an image by its folder."""
    return next(iter(named_folders(path, root)), "")


def named_folders(path: str, root: str) -> list[str]:
    """List the folders of an image that may name its class: no parts of a split, no `images`."""
    return [f for f in _folders(path, root) if f.lower() not in PARTS and f != IMAGES]


def _folders(path: str, root: str) -> list[str]:
    return os.path.relpath(path, root).split(os.sep)[:-1]


def _mask(path: str, root: str) -> str:
    folder, name = os.path.split(path)
    if _folders(path, root)[-1:] != [IMAGES]:
        return ""
    mask = os.path.join(os.path.dirname(folder), MASKS, name)
    return mask if os.path.isfile(mask) else ""
