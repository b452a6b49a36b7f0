"""Reduce radiographs to thumbnails and difference hashes (images -> hashes).

Thumbnail and hash of an image of 1024 x 1024 take 0.26 ms; of 1000 x 1010, whose sides 64 does not
divide, 0.74 ms. Measured by ``tests/benchmarks/hashing.py``.
"""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8 | np.uint16 | np.float32]

SIDE = 64
REDUCED = 256


def reduced(image: Image) -> Image:
    """Average whole blocks of pixels, so that the shorter side keeps `REDUCED` pixels or more.

    Up to a block of pixels at the right and at the lower edge is left out. Whoever needs several
    thumbnails of an image makes them from this: averaging areas that cut pixels in two is slow.
    """
    if image.ndim != 2 or not image.size:
        raise ValueError(f"an image of shape {image.shape} is not 2-D with pixels in it")
    if image.dtype not in (np.uint8, np.uint16):
        image = image.astype(np.float32)
    factor = min(image.shape) // REDUCED
    if factor < 2:
        return image
    height, width = (side // factor for side in image.shape)
    whole = image[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))


def thumbnail(image: Image, size: int = SIDE) -> Image:
    """Reduce a picture to a square by averaging areas; the aspect ratio is not kept.

    Parameters
    ----------
    image
        Grey, 2-D, uint8 or uint16 (these types are kept); any other becomes float32.
    size
        Side of the square.
    """
    return np.asarray(cv2.resize(reduced(image), (size, size), interpolation=cv2.INTER_AREA))


def square(image: Image) -> Image:
    """Cut a picture to its central square, as collections do for networks that take squares."""
    side = min(image.shape)
    top, left = ((length - side) // 2 for length in image.shape)
    return image[top : top + side, left : left + side]


def _lanczos(size: int) -> npt.NDArray[np.float32]:
    """Return the (size, SIDE) matrix that shrinks a thumbnail's axis with a 3-lobed Lanczos window.

    Duchon, "Lanczos filtering in one and two dimensions", J. Appl. Meteorol. 18 (1979).
    """
    scale = SIDE / size
    centre = (np.arange(size) + 0.5) * scale
    x = (np.arange(SIDE) + 0.5 - centre[:, np.newaxis]) / scale
    weight = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float32)


_ROWS, _COLUMNS = _lanczos(16), _lanczos(17).T


def dhash(image: Image) -> str:
    """Hash a picture by which of its coarse pixels is brighter than its left neighbour.

    The thumbnail shrinks to 16 rows of 17; bit 16 * row + column says whether pixel (row, column +
    1) is brighter than pixel (row, column), and bit 0 is the highest bit of the first hex digit:
    the layout, and up to 4.5 bits on average the value, of ``imagehash.dhash(hash_size=16)``.
    A thumbnail of `SIDE` has its image's hash, so that who has one need not keep the image.

    References
    ----------
    Krawetz, "Kind of Like That", The Hacker Factor Blog, 2013-01-21.
    """
    small = _ROWS @ thumbnail(image).astype(np.float32) @ _COLUMNS
    # The tolerance is above the rounding of the two products, so that a constant image hashes to 0.
    floor = 1e-5 * float(np.abs(small).max())
    return np.packbits(small[:, 1:] - small[:, :-1] > floor).tobytes().hex()
