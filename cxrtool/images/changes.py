"""Change a radiograph where no lung is: letters, corners, borders (image -> image).

Every function returns a new image of the same type. Images are (H, W), or (H, W, 3) where three
versions of one radiograph are stacked. Lengths are shares of the shorter side.
"""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.files.boxes import Box
from cxrtool.images import covering

Bytes = NDArray[np.uint8]

CORNERS = ("upper left", "upper right", "lower left", "lower right")
# A side marker is about so large; it stands a little off the edge.
LETTER_BOX, OFFSET = 0.10, 0.02
# Marks, names and dates are rarely farther from the corner.
CORNER = 0.15
BORDER = 0.06


def box_in(corner: str, shape: tuple[int, ...], side: float, offset: float = 0.0) -> Box:
    """Return a square box in a corner of an image."""
    height, width = shape[:2]
    pixels = max(1, round(side * min(height, width)))
    away = round(offset * min(height, width))
    vertical, horizontal = corner.split()
    x = away if horizontal == "left" else width - away - pixels
    y = away if vertical == "upper" else height - away - pixels
    return Box(x, y, pixels, pixels).clipped(shape)


def covered(pixels: Bytes, boxes: Iterable[Box]) -> Bytes:
    """Give each box the median of the frame around it, as `equalize --conceal` does."""
    boxes = list(boxes)
    if pixels.ndim == 2:
        return np.asarray(covering.cover(pixels, boxes), np.uint8)
    layers = [covering.cover(pixels[..., k], boxes) for k in range(pixels.shape[-1])]
    return np.stack(layers, axis=-1).astype(np.uint8)


def lettered(pixels: Bytes, box: Box, letter: str = "R") -> Bytes:
    """Draw a white letter that fills most of a box."""
    result = pixels.copy()
    if not box.area:
        return result
    # The capitals of this font are 21 pixels high at scale 1.
    layer = np.zeros(pixels.shape[:2], np.uint8)
    height = 0.7 * box.height
    origin = round(box.x + 0.2 * box.width), round(box.y + 0.15 * box.height + height)
    thickness = max(1, round(height / 6))
    cv2.putText(layer, letter, origin, cv2.FONT_HERSHEY_SIMPLEX, height / 21, 255, thickness)
    part = layer[box.slices]
    result[box.slices] = np.maximum(
        result[box.slices], part if pixels.ndim == 2 else part[..., None]
    )
    return result


def whitened(pixels: Bytes, box: Box) -> Bytes:
    """Make a box white, with a margin of a tenth of its side."""
    result = pixels.copy()
    margin = round(0.1 * min(box.width, box.height))
    result[box.grown(-margin).clipped(pixels.shape).slices] = 255
    return result


def mirrored(pixels: Bytes, boxes: Iterable[Box]) -> Bytes:
    """Mirror what is inside of each box: the same grey levels and marks, another picture."""
    result = pixels.copy()
    for box in boxes:
        result[box.slices] = pixels[box.slices][:, ::-1]
    return result


def without_border(pixels: Bytes, share: float = BORDER) -> Bytes:
    """Cut a strip off each side."""
    height, width = pixels.shape[:2]
    cut = min(round(share * min(height, width)), (min(height, width) - 1) // 2)
    return np.ascontiguousarray(pixels[cut : height - cut, cut : width - cut])


def masked(pixels: Bytes, kept: NDArray[Any]) -> Bytes:
    """Make what is outside of a mask black."""
    weights = kept != 0
    return np.asarray(pixels * (weights if pixels.ndim == 2 else weights[..., None]), np.uint8)
