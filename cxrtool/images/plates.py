"""Plates: even rectangles or discs that side markers are on."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.files.boxes import Box
from cxrtool.images.strokes import Bytes

# By how much an even plate's levels differ from their median: those of noisy films do by ten.
TOLERANCE = 12


def plate_under(grey: Bytes, mask: Bytes, box: Box) -> Box | None:
    """Return the even plate that a glyph is on, if there is one.

    One hospital puts its side markers on plates that are a little darker or brighter than the
    body. Such a letter is fainter than many bones, and is recognised by the plate alone.
    """
    window = box.grown(max(6, box.width, box.height)).clipped(grey.shape)
    part, strokes = grey[window.slices], mask[window.slices]
    inner = Box(box.x - window.x, box.y - window.y, box.width, box.height)
    labels, name = _even_region(part, strokes, inner.grown(1).clipped(part.shape).slices)
    if not name:
        return None
    alone = (labels == name).astype(np.uint8)
    plate = Box(*cv2.boundingRect(alone))
    here = Box(plate.x + window.x, plate.y + window.y, plate.width, plate.height)
    filled = cv2.countNonZero((alone | strokes)[plate.slices])
    # A disc fills 0.78 of its box.
    whole = filled >= 0.72 * plate.area and plate.holds(inner)
    return here if whole and _ends(here, window, grey.shape) else None


def _even_region(
    part: Bytes, strokes: Bytes, inside: tuple[slice, slice]
) -> tuple[NDArray[np.int32], int]:
    """Return labels of regions as bright as the ground of a glyph, and which one is its ground."""
    ground = part[inside][strokes[inside] == 0]
    level = int(np.median(ground)) if ground.size else 0
    even = cv2.inRange(part, max(level - TOLERANCE, 0), level + TOLERANCE)
    _, labels = cv2.connectedComponents(even, connectivity=4)
    sizes = np.bincount(labels[inside].ravel())
    sizes[0] = 0
    return labels, int(sizes.argmax()) if ground.size else 0


def _ends(box: Box, window: Box, shape: tuple[int, ...]) -> bool:
    """Whether a box ends within a window, or where the image does."""
    right, bottom = window.x + window.width, window.y + window.height
    return (
        (box.x > window.x or window.x == 0)
        and (box.y > window.y or window.y == 0)
        and (box.x + box.width < right or right == shape[1])
        and (box.y + box.height < bottom or bottom == shape[0])
    )
