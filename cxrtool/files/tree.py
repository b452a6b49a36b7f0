"""Finding files below a folder, whatever a hospital export has in it."""

import os
import stat
import unicodedata
from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, NoImage, Skip
from cxrtool.files import dicom_recognition

# A file with such an ending claims to be an image; one without it must begin like one.
ENDINGS = frozenset(
    {
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jp2",
        ".j2k",
        ".jpx",
        ".tif",
        ".tiff",
        ".bmp",
        ".dib",
        ".gif",
        ".webp",
        ".pgm",
        ".ppm",
        ".pnm",
        ".pbm",
        ".pcx",
        ".sgi",
        ".avif",
        ".mpo",
        ".dcm",
        ".dicom",
        ".dic",
    }
)

_MAGIC = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"GIF8",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
)


def looks_like_image(path: str) -> bool:
    """Whether a file is an image by its ending, or by its first bytes (DICOM may have none)."""
    if _claims_image(path):
        return True
    with open(path, "rb") as file:
        head = file.read(dicom_recognition.HEAD)
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return webp or head.startswith(_MAGIC) or dicom_recognition.begins(head)


def _claims_image(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in ENDINGS


def images(root: str) -> Iterator[str | Skip]:
    """Yield the image files below a folder in the order of their names, and what is wrong there.

    Links to folders are followed, each real folder once, so that a loop ends. A file that neither
    has an image's ending nor begins like one is a `NoImage`.
    """
    for path in files(root):
        if isinstance(path, Skip):
            yield path
        elif (reason := _unusable(path)) is not None:
            claims = _claims_image(path)
            yield Skip(path, reason, "Repair or remove it.") if claims else NoImage(path)
        else:
            try:
                yield path if looks_like_image(path) else NoImage(path)
            except OSError as e:
                # It may be an image.
                yield Skip(path, (e.strerror or "unreadable").lower(), "Check its rights.")


def files(root: str) -> Iterator[str | Skip]:
    """Yield every path below a folder that is not itself a folder, in the order of the names."""
    if not os.path.isdir(root):
        what = "not a folder" if os.path.exists(root) else "no such folder"
        raise CxrtoolError(f"{root}: {what}", "Name the folder that holds the images.")
    seen: set[tuple[int, int]] = set()
    # A stack of what is left in the folders that are open: trees may be deeper than calls.
    open_folders = [iter([(root, True)])]
    while open_folders:
        path, is_folder = next(open_folders[-1], ("", False))
        if not path:
            open_folders.pop()
        elif _is_shadow(path) and path != root:
            yield NoImage(path)
        elif not is_folder:
            yield path
        else:
            entered = _enter(path, seen)
            if isinstance(entered, Skip):
                yield entered
            else:
                open_folders.append(iter(entered))


def _is_shadow(path: str) -> bool:
    """Whether a path is one of those that macOS archives add for every file."""
    name = os.path.basename(path)
    return name.startswith("._") or name == "__MACOSX"


def _enter(folder: str, seen: set[tuple[int, int]]) -> list[tuple[str, bool]] | Skip:
    """List what is in a folder, in the order of the names, and which of it are folders."""
    try:
        about = os.stat(folder)
        if (about.st_dev, about.st_ino) in seen:
            return Skip(folder, "a link to a folder that is read already", failed=False)
        seen.add((about.st_dev, about.st_ino))
        with os.scandir(folder) as listing:
            # Bytes sort the same in every locale.
            entries = sorted(listing, key=lambda e: os.fsencode(e.name))
    except OSError as e:
        reason = f"unreadable folder: {(e.strerror or '').lower()}"
        return Skip(folder, reason, "Check its rights.")
    return [(e.path, _is_folder(e)) for e in entries]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _unusable(path: str) -> str | None:
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    try:
        about = os.stat(path)
    except OSError as e:
        broken = os.path.islink(path)
        return "a link that leads nowhere" if broken else (e.strerror or "unreadable").lower()
    return None if stat.S_ISREG(about.st_mode) else "not a regular file"


class Index:
    """Finds the files that a collection's metadata names, wherever below some folders they lie.

    A name is looked up as it is, then without its folder, then without its ending: copies
    of a collection differ in all three.
    """

    def __init__(self, *roots: str) -> None:
        self.roots = roots
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._root: dict[str, str] = {}
        self._skips: list[tuple[str, Skip]] = []
        # A folder may be named twice, or lie in another that is named.
        seen: set[str] | None = set() if len(roots) > 1 else None
        for root in roots:
            for path in images(root):
                if isinstance(path, Skip):
                    self._skips.append((root, path))
                elif seen is None or _is_new(path, seen):
                    self._add(path, root)

    def _add(self, path: str, root: str) -> None:
        name = _plain(os.path.basename(path))
        self._by_name.setdefault(name, []).append(path)
        self._by_stem.setdefault(os.path.splitext(name)[0], []).append(path)
        self._root[path] = root

    def root_of(self, path: str) -> str:
        """Return the folder below which a file was found."""
        return self._root[path]

    def paths(self) -> Iterator[tuple[str, str | Skip]]:
        """Yield every image below the folders, and what is wrong there, each with its folder."""
        yield from self._skips
        yield from ((root, path) for path, root in self._root.items())

    def find(self, name: str) -> str | None:
        """Return the file of that name, or None; `name` may hold folders."""
        return next(iter(self.candidates(name)), None)

    def candidates(self, name: str) -> list[str]:
        """Return the files that a name may mean: of several, those whose folders agree best."""
        want = _plain(name.replace("\\", "/"))
        base = want.rpartition("/")[2]
        named = self._by_name.get(base) or self._by_stem.get(base)
        named = named or self._by_stem.get(os.path.splitext(base)[0])
        shared = {path: _shared_tail(_plain(path), want) for path in named or ()}
        return [path for path, same in shared.items() if same == max(shared.values())]


def _is_new(path: str, seen: set[str]) -> bool:
    place = os.path.realpath(path)
    new = place not in seen
    seen.add(place)
    return new


def _plain(name: str) -> str:
    """Fold what file systems write in different ways: case, and letters with marks."""
    return unicodedata.normalize("NFC", name).lower()


def _shared_tail(path: str, want: str) -> int:
    same = 0
    ours, theirs = path.split(os.sep)[-2::-1], want.split("/")[-2::-1]
    for a, b in zip(ours, theirs, strict=False):
        if a != b:
            break
        same += 1
    return same
