"""Strokes of a radiograph, and the odds that each is a glyph of burnt-in text."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
# A glyph's longer side, as a share of the image's.
LEAST, MOST = 0.0085, 0.2
# Strokes are thinner than this share of the longer side. The narrow one finds the letter on a
# plate that is itself as narrow as the wide one, which finds arrows and thick letters.
WIDE, NARROW = 0.045, 0.02
# How far a bright stroke must rise, of 255. A dark one must fall from almost white to almost
# black, as do scores in a figure's white boxes: gas and the spaces between ribs are dark, too.
BRIGHT, DARK = 12, 140
# Of the room above its ground, up to `ROOM`, a glyph takes at least this share.
ROOM, FAINT = 265, 0.15
# A logistic regression on the 17,000 strokes of 72 radiographs from three collections, whose text
# was marked by hand: the constant, and a weight for each column of `_columns`.
CONSTANT = -19.7
WEIGHTS = np.array([15.8, 5.3, -0.4, -0.8, -1.4, 4.8, -1.9])


def candidates(grey: Bytes, least: int, stroke: float) -> tuple[Whole, Floats, Bytes]:
    """Return the boxes of bright strokes, the odds that they are glyphs, and the strokes' mask."""
    ground, rise, mask = _strokes(grey, least, stroke)
    boxes, at, which = _components(mask, ground, rise)
    means = _Means(at, which, len(boxes))
    odds = _columns(grey, ground, rise, mask, means, boxes) @ WEIGHTS + CONSTANT
    inside = ~_strips(boxes, grey.shape)
    return boxes[inside], odds[inside], mask


def _strips(boxes: Whole, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the remains of a film's border: strips that run along the edge they touch."""
    x, y, width, height = boxes.T
    aside = (x == 0) | (x + width == shape[1])
    above = (y == 0) | (y + height == shape[0])
    return np.asarray((aside & (height > 2 * width)) | (above & (width > 2 * height)))


def _strokes(grey: Bytes, least: int, stroke: float) -> tuple[Bytes, Bytes, Bytes]:
    """Return the ground without bright strokes, how far they rise over it, and their mask.

    A stroke ends at half its height, as seen in its neighbourhood: a level for the whole image
    would tie the letters on a shoulder to its bones.
    """
    around = square(max(5, round(stroke * max(grey.shape)) | 1))
    ground = cv2.morphologyEx(grey, cv2.MORPH_OPEN, around)
    rise = cv2.subtract(grey, ground)
    half = cv2.convertScaleAbs(cv2.dilate(rise, around), alpha=0.5)
    faint = cv2.convertScaleAbs(cv2.bitwise_not(ground), alpha=FAINT / 2, beta=0)
    floor = cv2.max(half, cv2.max(faint, np.full_like(half, least)))
    mask = cv2.compare(rise, floor, cv2.CMP_GT)
    return ground, rise, mask & 1


def square(side: int) -> Bytes:
    """Return the structuring element of a square."""
    return np.ones((side, side), np.uint8)


class _Means:
    """Means over the pixels of each component."""

    def __init__(self, at: Whole, which: Whole, count: int) -> None:
        self.at, self.which, self.count = at, which, count
        self.area = np.bincount(which, minlength=count)

    def of(self, values: Bytes) -> Floats:
        return self._mean(values.ravel()[self.at])

    def spread(self, values: Bytes) -> Floats:
        taken = values.ravel()[self.at].astype(np.float64)
        return np.sqrt(np.maximum(self._mean(taken**2) - self._mean(taken) ** 2, 0))

    def _mean(self, taken: NDArray[Any]) -> Floats:
        return np.bincount(self.which, taken, self.count) / self.area


def _columns(
    grey: Bytes, ground: Bytes, rise: Bytes, mask: Bytes, means: _Means, boxes: Whole
) -> Floats:
    """Return the features that distinguish glyphs from other strokes.

    They are the share of the room above the ground that a stroke takes, which discriminates best;
    how sharp its edge is; how uneven the ground and the stroke are; how far its size is from the
    usual; how far it is from the centre; and whether the image's edge cuts it.
    """
    height, ends = np.maximum(means.of(rise), 1), places(boxes, grey.shape)
    longest = boxes[:, 2:].max(axis=1, initial=1) / max(grey.shape)
    bright = cv2.dilate(grey, square(3))
    slope = _slope(grey, bright, mask, means)
    columns = [
        height / (ROOM - means.of(ground)),
        np.minimum(slope / height, 1.3),
        np.log(means.spread(ground) / height + 0.02),
        np.log(means.spread(bright) / height + 0.02),
        np.abs(np.log(longest / 0.03)),
        *ends,
    ]
    return np.stack(columns, axis=1)


def _slope(grey: Bytes, bright: Bytes, mask: Bytes, means: _Means) -> Floats:
    outline = mask & ~cv2.erode(mask, square(3))
    step = cv2.subtract(bright, cv2.erode(grey, square(3)))
    return means.of(cv2.multiply(step, outline)) / np.maximum(means.of(outline), 0.01)


def _components(mask: Bytes, ground: Bytes, rise: Bytes) -> tuple[Whole, Whole, Whole]:
    """Return the boxes of components that may be glyphs, their pixels, and whose these are."""
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    longest, side = stats[:, 2:4].max(axis=1), max(mask.shape)
    good = (longest >= LEAST * side) & (longest <= MOST * side) & (stats[:, 4] >= 4)
    good[0] = False  # The ground.
    at = np.flatnonzero(mask.view(bool))
    which = labels.ravel()[at]
    # Most strokes of a body are faint. The few others are all that is measured in detail.
    total = np.bincount(which, rise.ravel()[at], count)
    room = np.bincount(which, ROOM - ground.ravel()[at].astype(np.float64), count)
    good &= total > FAINT * room
    inside = good[which]
    renamed = np.cumsum(good) - 1
    return stats[good, :4].astype(np.int64), at[inside], renamed[which[inside]]


def places(boxes: Whole, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return how far from the centre boxes are, up to 1, and whether they touch the edge."""
    size, start, end = np.array(shape[::-1]), boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    off: Floats = np.asarray(np.abs((start + end) / size - 1).max(axis=1))
    cut = (boxes[:, :2] <= 0) | (end >= size)
    return off, np.asarray(cut.any(axis=1), np.float64)
