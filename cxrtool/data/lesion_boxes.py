"""Boxes that readers drew around a lesion, and the mask that they make (cells -> mask)."""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

# The column, and a box in it: left, top, width and height in pixels of the image.
COLUMN = "boxes"
Box = tuple[float, float, float, float]

_BOX = re.compile(r"\s+".join([r"(\d{1,6}(?:\.\d+)?)"] * 4))


def boxes_of(cell: str) -> list[Box]:
    """Read the cell of a row: `264 152 213 379;562 152 256 453`; no box where it is another.

    >>> boxes_of("264 152 213 379;562.5 152 256 453")
    [(264.0, 152.0, 213.0, 379.0), (562.5, 152.0, 256.0, 453.0)]
    >>> boxes_of("left lung")
    []
    """
    matches = [_BOX.fullmatch(text.strip()) for text in cell.split(";")] if cell else []
    if not all(matches):
        return []
    left, top, width, height = 1, 2, 3, 4
    return [
        (float(m[left]), float(m[top]), float(m[width]), float(m[height])) for m in matches if m
    ]


def cell_of(boxes: Iterable[Box]) -> str:
    """Write boxes into a cell.

    >>> cell_of([(264.0, 152.0, 213.0, 379.0)])
    '264 152 213 379'
    """
    return ";".join(" ".join(f"{number:g}" for number in box) for box in boxes)


def lesion_mask(boxes: Iterable[Box], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Draw boxes in white; what of them is outside of the image is left out.

    >>> lesion_mask([(1, 0, 2, 1)], (2, 4)).tolist()
    [[0, 255, 255, 0], [0, 0, 0, 0]]
    """
    mask = np.zeros(shape, np.uint8)
    for left, top, width, height in boxes:
        first, last = (round(top), round(left)), (round(top + height), round(left + width))
        mask[first[0] : last[0], first[1] : last[1]] = 255
    return mask
