"""What the equalizers share: how deep the result is, and the guard for constant images."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.files.grey_levels import Grey, to8

# OpenCV counts four times as fast as NumPy, in floats that are exact up to here.
EXACT = 1 << 24


def top(image: Grey, bits: int) -> int:
    """Return the highest grey level of the result."""
    return 65535 if bits == 16 and image.dtype == np.uint16 else 255


def kept(image: Grey, bits: int) -> Grey:
    """Bring an image to the depth of the result without any other change."""
    return image if bits == 16 else to8(image)


def counts(image: Grey) -> NDArray[np.int64]:
    """Count the pixels of every level: of all 256, or up to the highest of a deep image."""
    if image.dtype == np.uint8 and image.size <= EXACT:
        histogram = cv2.calcHist([image], [0], None, [256], [0, 256])
        return np.asarray(histogram, np.int64).ravel()
    return np.bincount(image.ravel(), minlength=256)


def looked_up(image: Grey, table: NDArray[Any]) -> Grey:
    """Replace every level by what the table holds for it."""
    if image.dtype == np.uint8 and table.dtype == np.uint8:
        replaced: Grey = cv2.LUT(image, table)
        return replaced
    deep: Grey = table[image]
    return deep


def is_constant(image: Grey) -> bool:
    """Whether an image has one grey level, for which no method is defined."""
    return not image.size or bool((image == image.flat[0]).all())


def spread(image: Grey) -> Grey:
    """Spread the levels of a 16-bit image over all 65,536, from the lowest to the highest."""
    low, high = int(image.min()), int(image.max())
    table = np.rint((np.arange(65536) - low) * (65535 / max(1, high - low)))
    return looked_up(image, table.clip(0, 65535).astype(np.uint16))
