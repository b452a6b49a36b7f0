"""What collections have in common whose folders name the classes of the images."""

import os
from collections.abc import Iterator, Mapping

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.files.tree import files, images

# The path of an image, the folder that names its class, and the class.
Classed = tuple[str, str, str]
ARCHIVES = (".zip", ".tgz", ".tar", ".gz", ".7z", ".rar")


def classed(
    root: str, classes: Mapping[str, str], *, expected: str, remedy: str
) -> Iterator[Classed | Skip]:
    """Yield every image below a folder of a class.

    Parameters
    ----------
    root : the collection's folder; it may itself be one of a class.
    classes : the class by the folder's name, in small letters.
    expected : what the collection holds, for the message if it does not.
    remedy : what to do then.
    """
    some = False
    for path in images(root):
        if isinstance(path, Skip):
            yield path
        elif folder := _folder(path, root, classes):
            some = True
            yield path, folder, classes[folder.lower()]
        else:
            yield Skip(path, f"not in a folder of {expected}", failed=False)
    if not some:
        raise CxrtoolError(f"{root}: no images in {expected}{_packed(root)}", remedy)


def _folder(path: str, root: str, classes: Mapping[str, str]) -> str:
    """Find the nearest folder above an image that names a class."""
    top = os.path.dirname(os.path.abspath(root))
    folders = os.path.relpath(os.path.abspath(path), top).split(os.sep)[:-1]
    return next((f for f in reversed(folders) if f.lower() in classes), "")


def _packed(root: str) -> str:
    """Say that archives are still packed, which is why images are missing."""
    for path in files(root):
        if isinstance(path, str) and path.lower().endswith(ARCHIVES):
            return f", but archives such as {os.path.basename(path)}: unpack them"
    return ""
