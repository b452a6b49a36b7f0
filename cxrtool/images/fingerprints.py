"""Keep of a radiograph what its altered copies have in common (image -> thumbnail -> fingerprint).

The borders are trimmed, the rest is reduced to a thumbnail, and its grey levels become ranks. What
is left does not depend on the size of the image, on its borders, or on a change of contrast that
keeps the order of the grey levels. For the fingerprint, the local mean and spread become the same
everywhere: it hardly depends on changes of local contrast either. It holds 12 x 12 coefficients of
the discrete cosine transform in 4 bits each. A mirror image and a negative have those of the
original but for signs, and `duplicate_candidates` computes from them what a crop looks like.
"""

import base64
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.images import hashing
from cxrtool.images.hashing import Image

Floats = NDArray[np.float32]
Thumbnail = NDArray[np.uint8]  # (SIDE, SIDE)
Prints = NDArray[np.uint8]  # (n, BYTES)

SIDE = 2 * hashing.SIDE
ORDER = 12
VERSION = 1
BYTES = 3 + ORDER * ORDER // 2
PATTERN = re.compile(f"[A-Za-z0-9+/]{{{BYTES // 3 * 4}}}")

FLAT = 0.03  # A border varies by no more than this share of the image's range of grey levels.
MOST_BORDER = 0.4  # of a side, at either end
_SPREAD = hashing.SIDE / 13  # of the local mean
_LEVELS = 7  # of a coefficient on either side of zero, in steps that widen outwards
# The highest level of each coefficient: 4 times its spread in radiographs, to within a half.
_HIGHEST = (4 * 13.4 / (1 + np.hypot(*np.indices((ORDER, ORDER)))) ** 0.66).astype(np.float32)


def cosines(order: int, size: int) -> Floats:
    """Return the first rows of the orthonormal matrix of the discrete cosine transform (DCT-II)."""
    row, column = np.arange(order)[:, np.newaxis], np.arange(size) + 0.5
    matrix = np.cos(np.pi * row * column / size) * np.sqrt(2 / size)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


_TRANSFORM = cosines(ORDER, hashing.SIDE)


def hashed(image: Image) -> tuple[str, str, Thumbnail]:
    """Return the difference hash of an image, its fingerprint, and its ranked thumbnail.

    The fingerprint is empty for an image of one grey level, which is the copy of none.
    """
    image = hashing.reduced(image)
    inner = content(image)
    picture = ranked(hashing.thumbnail(inner, SIDE))
    return hashing.dhash(image), encode(picture, inner.shape), picture


def thumbnail(image: Image) -> Thumbnail:
    """Return the ranked thumbnail of an image."""
    return hashed(image)[2]


def halved(picture: NDArray[Any]) -> Floats:
    """Reduce a thumbnail to half its sides."""
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    return np.asarray(cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA))


def content(image: Image) -> Image:
    """Trim the borders of an image: rows and columns at its edges that are of one grey level.

    A border that is thinner than a 64th of the image may stay.
    """
    small = hashing.thumbnail(image).astype(np.float32)
    floor = FLAT * float(np.ptp(small))
    top, bottom = _trimmed(image, small, floor)
    first, last = top * len(small) // len(image), -(-bottom * len(small) // len(image))
    left, right = _trimmed(image[top:bottom].T, small[first:last].T, floor)
    return np.ascontiguousarray(image[top:bottom, left:right])


def _trimmed(image: Image, small: Floats, floor: float) -> tuple[int, int]:
    """Return the first row of the content, and the one after its last."""
    length, most = len(image), int(MOST_BORDER * len(image))
    flat = np.ptp(small, axis=1) <= floor
    if flat.all():
        return 0, length
    above, below = int(np.argmin(flat)), int(np.argmin(flat[::-1]))
    top = _edge(image, above, len(small), floor) if above else 0
    bottom = _edge(image[::-1], below, len(small), floor) if below else 0
    return min(top, most), length - min(bottom, most)


def _edge(image: Image, first: int, rows: int, floor: float) -> int:
    """Find to the pixel where a border ends: in the first small row that varies."""
    start, stop = first * len(image) // rows, -(-(first + 1) * len(image) // rows)
    low, high = np.percentile(image[start:stop], [1, 99], axis=1)
    flat = high - low <= floor
    return start + int(len(flat) if flat.all() else np.argmin(flat))


def ranked(picture: NDArray[Any]) -> Thumbnail:
    """Replace grey levels by their ranks, from 0 to 255; equal ones stay equal."""
    if picture.dtype.kind != "u":
        _, place = np.unique(picture, return_inverse=True)
        picture = place.reshape(picture.shape)
    count = np.bincount(picture.ravel())
    middle = np.maximum(np.cumsum(count) - (count + 1) / 2, 0)
    ranks = np.rint(middle * (255 / max(picture.size - 1, 1))).astype(np.uint8)
    return np.asarray(ranks[picture])


def encode(picture: Thumbnail, shape: tuple[int, ...]) -> str:
    """Write the fingerprint of the ranked thumbnail of a content of a shape."""
    if picture.min() == picture.max():
        return ""
    coefficients = _TRANSFORM @ _normalized(halved(picture)) @ _TRANSFORM.T
    share = np.minimum(np.abs(coefficients) / _HIGHEST, 1)
    steps = np.rint(np.sqrt(share) * np.sign(coefficients) * _LEVELS).ravel() + 8
    steps[0] = 8
    high, low = steps.astype(np.uint8).reshape(-1, 2).T
    aspect = np.float16(np.clip(shape[1] / shape[0], 1 / 64, 64))
    return written(bytes([VERSION]) + aspect.tobytes() + (high << 4 | low).tobytes())


def _normalized(picture: Floats) -> Floats:
    """Bring the local mean and spread of a picture to 0 and 1, where it is not flat."""
    high = picture - cv2.GaussianBlur(picture, (0, 0), _SPREAD)
    power = cv2.GaussianBlur(high * high, (0, 0), _SPREAD)
    values = high / np.sqrt(power + 7**2)  # levels of 255
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-6), np.float32)


def packed(text: str) -> bytes | None:
    """Return the bytes of a fingerprint; None if it is none, or one of another version."""
    data = base64.b64decode(text) if PATTERN.fullmatch(text) else b""
    return data if data[:1] == bytes([VERSION]) else None


def written(data: bytes) -> str:
    """Return the text of a fingerprint's bytes."""
    return base64.b64encode(data).decode()


def coefficients(prints: Prints) -> Floats:
    """Unpack fingerprints into their coefficients, (n, ORDER * ORDER); zeros where none is."""
    pairs = prints[:, 3:]
    steps = np.stack([pairs >> 4, pairs & 15], axis=2).reshape(len(prints), ORDER * ORDER)
    share = (steps.astype(np.float32) - 8) / _LEVELS
    values = share * np.abs(share) * _HIGHEST.ravel()
    values[prints[:, 0] != VERSION] = 0
    return np.asarray(values, np.float32)


def aspects(prints: Prints) -> Floats:
    """Return the width over the height of the content of each fingerprint; 1 where none is."""
    ratio = np.ascontiguousarray(prints[:, 1:3]).view(np.float16).ravel().astype(np.float32)
    return np.where(prints[:, 0] == VERSION, ratio, np.float32(1))
