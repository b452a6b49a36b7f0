"""Thumbnails of many images, kept in a temporary file while duplicates are looked for."""

import io
from collections.abc import Callable, Iterator
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.files import disk
from cxrtool.images.fingerprints import Thumbnail

Index = NDArray[np.signedinteger[Any]]
Reader = Callable[[Index], Iterator[bytes]]

_IN_MEMORY = 32 << 20  # bytes; what is more goes to the disk
_QUALITY = 95
_UNKNOWN, _ABSENT = -1, -2


def encode(picture: Thumbnail) -> bytes:
    """Pack a thumbnail: JPEG takes a third of its bytes."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def _on_disk(memory: io.BytesIO) -> IO[bytes]:
    """Move a file that is in memory to the disk."""
    file = disk.temporary()
    file.write(memory.getbuffer())
    return file


class Thumbnails:
    """Thumbnails by the numbers of their images: those that were kept, and those read again.

    Parameters
    ----------
    read
        Reads images again: yields a packed thumbnail for each number, empty where it cannot.
    """

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._file: IO[bytes] = io.BytesIO()
        self._size = 0
        self._place = np.empty(0, np.int64)
        self._full = False
        self.absent = 0  # Images that were asked for and cannot be had.

    def keep(self, number: int, packed: bytes) -> None:
        """Keep the thumbnail of an image; an empty one is known to be absent."""
        if number >= len(self._place):
            more = np.full(max(1024, number + 1 - len(self._place), len(self._place)), _UNKNOWN)
            self._place = np.concatenate([self._place, more])
        self._place[number] = self._written(packed) if packed else _ABSENT

    def _written(self, packed: bytes) -> int:
        """Write at the end of the file, and return where; a full disk keeps no more."""
        if self._full:
            return _UNKNOWN
        place = self._size
        try:
            if place > _IN_MEMORY and isinstance(self._file, io.BytesIO):
                self._file = _on_disk(self._file)
            self._file.seek(place)
            self._size += self._file.write(len(packed).to_bytes(4, "little") + packed)
            # A disk that is full says so when the buffer is flushed.
            self._file.flush()
        except OSError:
            self._full = True
            return _UNKNOWN
        return place

    def load(self, numbers: Index) -> None:
        """Read again those of the images that are not kept."""
        wanted = np.unique(numbers)
        missing = wanted[self._states(wanted) == _UNKNOWN]
        if len(missing):
            for number, packed in zip(missing, self._read(missing), strict=True):
                self.keep(int(number), packed)
        self.absent = int((self._states(wanted) < 0).sum())

    def _states(self, numbers: Index) -> Index:
        there = numbers < len(self._place)
        states = np.full(len(numbers), _UNKNOWN, np.int64)
        states[there] = self._place[numbers[there]]
        return states

    def _state(self, number: int) -> int:
        return int(self._place[number]) if number < len(self._place) else _UNKNOWN

    def of(self, number: int) -> Thumbnail | None:
        """Return the thumbnail of an image; None where it is not known."""
        place = self._state(number)
        if place < 0:
            return None
        self._file.seek(place)
        packed = self._file.read(int.from_bytes(self._file.read(4), "little"))
        return np.asarray(cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_GRAYSCALE))

    def close(self) -> None:
        """Forget them all."""
        self._file.close()
