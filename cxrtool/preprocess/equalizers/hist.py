"""Global histogram equalisation, as OpenCV's equalizeHist defines it, also for 16 bits."""

import cv2
import numpy as np

from cxrtool.files.grey_levels import Grey
from cxrtool.preprocess.equalizers import _levels


def equalize(image: Grey, bits: int = 8) -> Grey:
    """Spread the grey levels so that their cumulative share rises evenly.

    With C(v) the number of pixels of level v or less, N that of all and n that of the lowest level
    that occurs, v becomes top * (C(v) - n) / (N - n), rounded. 16 bits are ranked on their own
    levels before they become 8.
    """
    if _levels.is_constant(image):
        return _levels.kept(image, bits)
    if image.dtype == np.uint8:
        equalized: Grey = cv2.equalizeHist(image)
        return equalized
    counts = _levels.counts(image)
    below = np.cumsum(counts)
    lowest = counts[np.flatnonzero(counts)[0]]
    top = _levels.top(image, bits)
    table = np.rint((below - lowest) * (top / (image.size - lowest))).clip(0)
    return _levels.looked_up(image, table.astype(np.uint8 if top == 255 else np.uint16))
