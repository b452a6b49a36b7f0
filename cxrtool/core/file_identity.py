"""What a path is for the file system: links, `..` and the case of letters lead to the same file."""

import os
import stat
from collections.abc import Iterator

MOST_LINKS = 40  # as many as Linux follows
Identity = tuple[int, int]


def absolute(path: str) -> str:
    """Make a path absolute, but keep every `..`: after a link it leads elsewhere."""
    # There may be no working folder any more, which an absolute path does not need.
    return path if os.path.isabs(path) else os.path.join(os.getcwd(), path)


def unfollowed(path: str) -> str:
    """Resolve the folder of a path, but not the link that it may be."""
    head, name = os.path.split(path)
    return os.path.join(os.path.realpath(head), name)


def followed(path: str) -> str:
    """Follow the links of a path, except to a pipe that a shell names: /dev/fd/63 has no other."""
    place = os.path.realpath(path)
    return place if os.path.lexists(place) or not os.path.exists(path) else absolute(path)


def is_device_or_folder(place: str) -> bool:
    """Whether a path is a device or a folder."""
    return os.path.exists(place) and not os.path.isfile(place) and not os.path.islink(place)


def identity(path: str | int, kind: int) -> Identity | None:
    """Return what a path or descriptor is for the file system; None of what is of another kind."""
    try:
        about = os.stat(path)
    except (OSError, ValueError):
        return None
    return (about.st_dev, about.st_ino) if stat.S_IFMT(about.st_mode) == kind else None


def steps(path: str) -> Iterator[str]:
    """Yield a path, and what it leads to, link by link."""
    for _ in range(MOST_LINKS):
        yield path
        try:
            path = os.path.join(os.path.dirname(path), os.readlink(path))
        except (OSError, ValueError):
            return
