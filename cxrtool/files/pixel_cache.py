"""Images decoded and resized once, in a memory-mapped file that every later run reads.

An epoch asks for the same pixels again, and a decoder is a hundred times slower than memory. The
file is named by what is in it: the frame, and for every image its path, what the file system says
of the file, and the manifest's digest of it. A checksum of every image follows the pixels; a file
that does not agree with them is made again.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from cxrtool.core import outputs, parallel
from cxrtool.core.errors import CxrtoolError, Skip, Unreadable
from cxrtool.core.parallel import Crew, Lost
from cxrtool.core.progress import bar, note
from cxrtool.files import disk, grey_levels, image

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """How images are brought to one shape."""

    size: int
    channels: int = 1  # 3 for images of stacked channels
    fit: str = "squash"
    root: str = ""
    mask: bool = False  # What is read is black and white: white is the mask.

    def __call__(self, path: str) -> Bytes | Skip:
        """Read one image as (channels, size, size)."""
        try:
            return self.of(image.read(os.path.join(self.root, image.checked(path))))
        except Unreadable as e:
            return Skip(path, e.reason, e.remedy, e.failed)

    def of(self, picture: image.Picture) -> Bytes:
        """Bring a picture to what a network takes (channels, size, size)."""
        if picture.stack is not None and self.channels == 1:
            why = "it is a stack of three channels among grey images"
            raise Unreadable(why, "Use images of one kind.")
        levels = white(picture.grey) if self.mask else grey_levels.to8(picture.pixels)
        framed = framed_by(levels, self.size, self.fit)
        if framed.ndim == 3:
            return np.ascontiguousarray(framed.transpose(2, 0, 1))
        return np.broadcast_to(framed, (self.channels, self.size, self.size))


def white(grey: grey_levels.Grey) -> Bytes:
    """Make what is white in a mask as white as can be, whatever levels it was saved with."""
    return grey_levels.to_mask(grey, grey.shape).view(np.uint8) * np.uint8(255)


def framed_by(pixels: Bytes, size: int, fit: str) -> Bytes:
    """Bring an image to size x size: squashed, its central square, or padded with black.

    `crop` takes the central 7/8 of the shorter side, as Resize(256) and CenterCrop(224) do.
    """
    height, width = pixels.shape[:2]
    if fit == "crop":
        side = max(1, min(height, width) * 7 // 8)
        top, left = (height - side) // 2, (width - side) // 2
        pixels = pixels[top : top + side, left : left + side]
    elif fit == "pad":
        side = max(height, width)
        above, before = (side - height) // 2, (side - width) // 2
        padding = (above, side - height - above), (before, side - width - before)
        pixels = np.pad(pixels, (*padding, *((0, 0),) * (pixels.ndim - 2)))
    shrinks = size <= min(pixels.shape[:2])
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=method), np.uint8)


def named(rows: Sequence[Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """Return the paths of rows of a manifest, and the digests that it has of the files."""
    return [row["path"] for row in rows], [row.get("sha256", "") for row in rows]


def gathered(
    paths: Sequence[str],
    frame: Frame,
    folder: str,
    crew: Crew,
    progress: str = "auto",
    digests: Sequence[str] = (),
) -> tuple[Bytes, dict[int, Skip]]:
    """Return all images as one memory-mapped array, and which of them cannot be read and why.

    Where one cannot be read the array is black. The digests are those that the manifest has of the
    files; a file that it has none of has an empty one.
    """
    if not paths:
        raise CxrtoolError("no images to read", "Check the conditions on rows.", settings=["where"])
    disk.make_folder(folder)
    place = os.path.join(folder, _key(paths, frame, digests) + ".npy")
    outputs.current().check([place])
    shape = (len(paths), frame.channels, frame.size, frame.size)
    there = _mapped(place, shape)
    if there is not None:
        return there, {}
    return _filled(place, shape, paths, frame, crew, progress)


class _Gaps(Exception):
    """An array lacks images; as they may be repaired before the next run, it is not kept."""


def _filled(
    place: str, shape: tuple[int, ...], paths: Sequence[str], frame: Frame, crew: Crew, when: str
) -> tuple[Bytes, dict[int, Skip]]:
    """Write the array under its name, and return it; one with gaps never has a name."""
    skips: dict[int, Skip] = {}
    sums = np.zeros(len(paths), "<u4")
    results = parallel.each(frame, paths, crew.of(len(paths)))
    try:
        with contextlib.suppress(_Gaps), disk.atomic(place) as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "|u1", "fortran_order": False, "shape": shape}
            )
            start = file.tell()
            blank = np.zeros(shape[1:], np.uint8)
            for number, pixels in enumerate(bar(results, len(paths), "images read", when)):
                if isinstance(pixels, Lost):
                    pixels = Skip(paths[number], pixels.reason, "Remove it.")
                if isinstance(pixels, Skip):
                    skips[number] = pixels
                    pixels = blank
                image_bytes = np.ascontiguousarray(pixels).data
                sums[number] = isal_zlib.crc32(image_bytes)
                file.write(image_bytes)
            file.write(sums.data)
            file.flush()
            # Mapped before it has a name: what another run puts there meanwhile is not this array.
            array = np.memmap(file, np.uint8, "r", start, shape)
            if skips:
                raise _Gaps
    finally:
        results.close()
    return array, skips


def _mapped(place: str, shape: tuple[int, ...]) -> Any:
    """Map the array of an earlier run, if it is there and every image agrees with its checksum."""
    try:
        about = os.lstat(place)
    except OSError:
        return None
    if not stat.S_ISREG(about.st_mode):
        # A link that somebody planted must not be written through, nor a FIFO waited for.
        with contextlib.suppress(OSError):
            os.unlink(place)
        return None
    try:
        array = np.lib.format.open_memmap(place, mode="r")
        if _is_whole(place, about.st_size, array, shape):
            return array
    except (OSError, ValueError, EOFError):
        pass
    note(f"warning: {place}: damaged; the images are read again")
    return None


def _is_whole(place: str, size: int, array: Any, shape: tuple[int, ...]) -> bool:
    fits = array.shape == shape and array.dtype == np.uint8 and array.flags.c_contiguous
    end = size - 4 * shape[0]
    if not fits or array.offset + array.nbytes != end:
        return False
    sums = np.fromfile(place, "<u4", offset=end)
    return all(isal_zlib.crc32(image) == wanted for image, wanted in zip(array, sums, strict=True))


def _key(paths: Sequence[str], frame: Frame, digests: Sequence[str]) -> str:
    """Name the array by what it holds; a file that changes makes another.

    A file that is replaced by one of the same length and time has another inode or change time.
    """
    kind = f"2 {frame.size} {frame.channels} {frame.fit}" + " mask" * frame.mask
    key = hashlib.sha256(kind.encode())
    for path, digest in zip(paths, digests or [""] * len(paths), strict=True):
        place = os.path.abspath(os.path.join(frame.root, path))
        try:
            about = os.stat(place)
            state = f"{about.st_size} {about.st_mtime_ns} {about.st_ctime_ns} {about.st_ino}"
        except OSError:
            state = "absent"
        key.update(f"\n{place} {state} {digest}".encode("utf-8", "surrogateescape"))
    return key.hexdigest()[:32]


def default_folder() -> str:
    """Return the user's cache."""
    return os.path.join(disk.user_cache(), "pixels")
