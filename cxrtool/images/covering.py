"""Cover boxes of an image by the grey level around them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cxrtool.files.boxes import Box
from cxrtool.files.grey_levels import Grey

FRAME = 5  # The width of the frame whose median covers a box.


def cover(grey: Grey, boxes: Iterable[Box]) -> Grey:
    """Return a copy in which each box has the median of the frame around it.

    The frame is five pixels wide and ends at the image's edge. Pixels of it that lie in another
    box do not count unless there are no others. A box that is the whole image gets its median.

    Parameters
    ----------
    grey
        The image, of 8 or 16 bits; it stays as it is.
    boxes
        In any order; what lies outside the image is left out.
    """
    # One order for all, as boxes may overlap.
    inside = sorted({clipped for box in boxes if (clipped := box.clipped(grey.shape)).area})
    hidden = np.zeros(grey.shape, bool)
    for box in inside:
        hidden[box.slices] = True
    covered = grey.copy()
    for box in inside:
        covered[box.slices] = _level(grey, hidden, box)
    return covered


def _level(grey: Grey, hidden: NDArray[np.bool_], box: Box) -> int:
    window = box.grown(FRAME).clipped(grey.shape)
    part, open_ = grey[window.slices], ~hidden[window.slices]
    frame = np.ones(part.shape, bool)
    frame[Box(box.x - window.x, box.y - window.y, box.width, box.height).slices] = False
    if (frame & open_).any():
        frame &= open_
    values = part[frame] if frame.any() else grey
    return int(np.rint(np.median(values)))
