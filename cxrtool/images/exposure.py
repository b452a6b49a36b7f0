"""Contrast and clipped pixels of a whole image (image -> named numbers).

These numbers describe and do not judge: lungs and disease are in them, and ill patients are imaged
with other exposures.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.files.grey_levels import Grey, to8

# Networks see 8 bits. JPEG leaves clipped pixels a level or two from the end of the scale.
BLACK, WHITE = 2, 253
NAMES: tuple[str, ...] = ("contrast", "black_pixels", "white_pixels")


def exposure(image: Grey) -> NDArray[np.float64]:
    """Measure the grey levels of an image, in the order of `NAMES`.

    `contrast` is the 95th percentile less the 5th, as a share of the grey scale; the others are
    the shares of pixels at its ends.

    >>> exposure(np.array([[0, 0, 128, 255]], np.uint8)).tolist()
    [1.0, 0.5, 0.25]
    """
    if image.ndim != 2 or not image.size:
        raise ValueError(f"an image of shape {image.shape} is not 2-D with pixels in it")
    levels = np.ascontiguousarray(to8(image))
    counts = cv2.calcHist([levels], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    below = np.cumsum(counts) / counts.sum()
    low, high = np.searchsorted(below, [0.05, 0.95])
    black, white = below[BLACK], 1 - below[WHITE - 1]
    return np.array([(high - low) / 255, black, max(0.0, white)])
