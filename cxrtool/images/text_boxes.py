"""Burnt-in text: where it is in a radiograph, and a copy in which it is covered.

A network learns the hospital from a side marker, the word PORTABLE or an arrow long before it
learns a disease. Such glyphs are strokes that come close to the end of the grey scale within a
pixel or two, on a ground that is smooth; hardly anything in a body does.
"""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.files.boxes import Box
from cxrtool.files.image import Grey, to8

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


# The longer side on which glyphs are looked for: those of ten pixels in 1024 still have five.
SIDE = 544
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
# No text has more glyphs; noise has thousands, and looking at each takes time.
MOST_GLYPHS, MOST_PLATES = 150, 25
# By how much an even plate's levels differ from their median: those of noisy films do by ten.
TOLERANCE = 12
# The share of an image that may be covered.
MOST_COVERED = 0.12
# The width of the frame whose median covers a box, and of the margin around a glyph.
FRAME, MARGIN = 5, 2

# A logistic regression on the 17,000 strokes of 72 radiographs from three collections, whose text
# was marked by hand: the constant, and a weight for each column of `_columns`.
CONSTANT = -19.7
WEIGHTS = np.array([15.8, 5.3, -0.4, -0.8, -1.4, 4.8, -1.9])
# What a sure neighbour and a plate add to a glyph's odds, and the odds from which it counts.
NEIGHBOUR, ON_PLATE, ENOUGH = 2.0, 4.0, 1.5
# What a glyph loses in the middle of the picture: better an arrow left than a vessel covered.
CENTRAL = 1.5


def find(grey: Grey) -> list[Box]:
    """Find glyphs, side markers and arrows that were burnt in, those of a line in one box.

    Parameters
    ----------
    grey
        The image; one of 16 bits is looked at in 8.

    Returns
    -------
    The boxes, the most certain first; together they cover at most `MOST_COVERED`.
    """
    if min(grey.shape) < 2 * FRAME:
        return []
    small = _reduced(to8(grey))
    lines = _lines(small, *_glyphs(small))
    return _limited([_enlarged(box, small.shape, grey.shape) for box in lines], grey.size)


def _reduced(grey: Bytes) -> Bytes:
    height, width = grey.shape
    scale = SIDE / max(height, width)
    if scale >= 1:
        return grey
    if scale < 0.7:
        # So a hairline keeps its level; the mean of its pixels and their neighbours would drown
        # three of four letters that are ten pixels high in 1024.
        grey = np.asarray(cv2.dilate(grey, _square(2)), np.uint8)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(box: Box, small: tuple[int, ...], large: tuple[int, ...]) -> Box:
    down, across = large[0] / small[0], large[1] / small[1]
    left, top = int(box.x * across), int(box.y * down)
    right = min(large[1], int(np.ceil((box.x + box.width) * across)))
    bottom = min(large[0], int(np.ceil((box.y + box.height) * down)))
    return Box(left, top, right - left, bottom - top)


def _limited(boxes: list[Box], pixels: int) -> list[Box]:
    kept, left = [], MOST_COVERED * pixels
    for box in boxes:
        if _area(box) <= left:
            kept.append(box)
            left -= _area(box)
    return kept


def _glyphs(grey: Bytes) -> tuple[Whole, list[Box | None]]:
    """Return the boxes of the strokes that are glyphs, the surest first, and their plates."""
    dark, wide = _candidates(cv2.bitwise_not(grey), DARK, WIDE), _candidates(grey, BRIGHT, WIDE)
    narrow = _candidates(grey, BRIGHT, NARROW)
    boxes = np.concatenate([dark[0], wide[0], narrow[0]])
    odds = np.concatenate([dark[1], wide[1], narrow[1]])
    best = np.argsort(-odds, kind="stable")[:MOST_GLYPHS]
    boxes, odds = boxes[best], odds[best]
    plates = _plates(grey, dark[2] | narrow[2], boxes, odds)
    odds += [ON_PLATE if plate else 0.0 for plate in plates]
    odds += NEIGHBOUR * _company(boxes, odds)
    odds -= CENTRAL * (_places(boxes, grey.shape)[0] < 0.5)
    order = [i for i in np.argsort(-odds, kind="stable").tolist() if odds[i] > ENOUGH]
    return boxes[order], [plates[i] for i in order]


def _candidates(grey: Bytes, least: int, stroke: float) -> tuple[Whole, Floats, Bytes]:
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


def _company(boxes: Whole, odds: Floats) -> Floats:
    """Return how likely the likeliest glyph next to each one is: letters come in words."""
    if len(boxes) < 2:
        return np.zeros(len(boxes))
    start, size = boxes[:, :2], boxes[:, 2:]
    gaps = np.maximum(start, start[:, None]) - np.minimum(start + size, (start + size)[:, None])
    near = gaps.max(axis=2) < 0.8 * size.max(axis=1)[:, None]
    np.fill_diagonal(near, False)
    return np.asarray(np.where(near, 1 / (1 + np.exp(-odds)), 0).max(axis=1))


def _strokes(grey: Bytes, least: int, stroke: float) -> tuple[Bytes, Bytes, Bytes]:
    """Return the ground without bright strokes, how far they rise over it, and their mask.

    A stroke ends at half its height, as seen in its neighbourhood: a level for the whole image
    would tie the letters on a shoulder to its bones.
    """
    around = _square(max(5, round(stroke * max(grey.shape)) | 1))
    ground = cv2.morphologyEx(grey, cv2.MORPH_OPEN, around)
    rise = cv2.subtract(grey, ground)
    half = cv2.convertScaleAbs(cv2.dilate(rise, around), alpha=0.5)
    faint = cv2.convertScaleAbs(cv2.bitwise_not(ground), alpha=FAINT / 2, beta=0)
    floor = cv2.max(half, cv2.max(faint, np.full_like(half, least)))
    mask = cv2.compare(rise, floor, cv2.CMP_GT)
    return ground, rise, mask & 1


def _square(side: int) -> Bytes:
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
    height, ends = np.maximum(means.of(rise), 1), _places(boxes, grey.shape)
    longest = boxes[:, 2:].max(axis=1, initial=1) / max(grey.shape)
    bright = cv2.dilate(grey, _square(3))
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
    outline = mask & ~cv2.erode(mask, _square(3))
    step = cv2.subtract(bright, cv2.erode(grey, _square(3)))
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


def _places(boxes: Whole, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return how far from the centre boxes are, up to 1, and whether they touch the edge."""
    size, start, end = np.array(shape[::-1]), boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    off: Floats = np.asarray(np.abs((start + end) / size - 1).max(axis=1))
    cut = (boxes[:, :2] <= 0) | (end >= size)
    return off, np.asarray(cut.any(axis=1), np.float64)


def _lines(grey: Bytes, glyphs: Whole, plates: list[Box | None]) -> list[Box]:
    """Join neighbouring glyphs and the plates they are on, with a margin; the surest first."""
    near = np.zeros_like(grey)
    for box, plate in zip(glyphs.tolist(), plates, strict=True):
        near[_slices(_clipped(_reach(Box(*box)), grey.shape))] = 1
        if plate:
            near[_slices(plate)] = 1
    _, labels = cv2.connectedComponents(near, connectivity=8)
    # The order of `glyphs` is that of their odds, so the first glyph of a line is its surest.
    lines: dict[int, list[Box]] = {}
    for (x, y, width, height), plate in zip(glyphs.tolist(), plates, strict=True):
        line = lines.setdefault(int(labels[y + height // 2, x + width // 2]), [])
        line += [Box(x, y, width, height)] + ([plate] if plate else [])
    joined = [box for boxes in lines.values() for box in _joined(boxes)]
    return [_clipped(_grown(box, MARGIN), grey.shape) for box in joined]


def _reach(box: Box) -> Box:
    """Widen a box to where the next letter of a word begins."""
    reach = max(2, round(0.35 * min(max(box.width, box.height), 2 * box.height)))
    return Box(box.x - reach, box.y - 1, box.width + 2 * reach, box.height + 2)


def _joined(boxes: list[Box]) -> list[Box]:
    """Return the box around boxes, unless most of it is empty, as with cables that cross."""
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right = max(box.x + box.width for box in boxes)
    bottom = max(box.y + box.height for box in boxes)
    around = Box(left, top, right - left, bottom - top)
    filled = sum(_area(_grown(box, MARGIN)) for box in boxes)
    return [around] if _area(around) < 2.5 * filled else boxes


def _plates(grey: Bytes, mask: Bytes, boxes: Whole, odds: Floats) -> list[Box | None]:
    """Return the plate under each of the likelier glyphs; others cannot be saved by one."""
    likely = np.flatnonzero(odds > ENOUGH - ON_PLATE - NEIGHBOUR)[:MOST_PLATES].tolist()
    plates = {i: _plate(grey, mask, Box(*boxes[i].tolist())) for i in likely}
    return [plates.get(i) for i in range(len(boxes))]


def _plate(grey: Bytes, mask: Bytes, box: Box) -> Box | None:
    """Return the even plate that a glyph is on, if there is one.

    One hospital puts its side markers on plates that are a little darker or brighter than the
    body. Such a letter is fainter than many bones, and is recognised by the plate alone.
    """
    window = _clipped(_grown(box, max(6, box.width, box.height)), grey.shape)
    part, strokes = grey[_slices(window)], mask[_slices(window)]
    inner = Box(box.x - window.x, box.y - window.y, box.width, box.height)
    labels, name = _even(part, strokes, _slices(_clipped(_grown(inner, 1), part.shape)))
    if not name:
        return None
    alone = (labels == name).astype(np.uint8)
    plate = Box(*cv2.boundingRect(alone))
    here = Box(plate.x + window.x, plate.y + window.y, plate.width, plate.height)
    filled = cv2.countNonZero((alone | strokes)[_slices(plate)])
    # A disc fills 0.78 of its box.
    whole = filled >= 0.72 * _area(plate) and _holds(plate, inner)
    return here if whole and _ends(here, window, grey.shape) else None


def _even(
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


def _holds(outer: Box, inner: Box) -> bool:
    right, bottom = inner.x + inner.width, inner.y + inner.height
    across = outer.x <= inner.x and right <= outer.x + outer.width
    return across and outer.y <= inner.y and bottom <= outer.y + outer.height


def _ends(box: Box, window: Box, shape: tuple[int, ...]) -> bool:
    """Whether a box ends within a window, or where the image does."""
    right, bottom = window.x + window.width, window.y + window.height
    return (
        (box.x > window.x or window.x == 0)
        and (box.y > window.y or window.y == 0)
        and (box.x + box.width < right or right == shape[1])
        and (box.y + box.height < bottom or bottom == shape[0])
    )


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)


def _area(box: Box) -> int:
    return box.width * box.height


def _grown(box: Box, by: int) -> Box:
    return Box(box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by)


def _clipped(box: Box, shape: tuple[int, ...]) -> Box:
    left, top = min(max(box.x, 0), shape[1]), min(max(box.y, 0), shape[0])
    right = max(left, min(box.x + box.width, shape[1]))
    bottom = max(top, min(box.y + box.height, shape[0]))
    return Box(left, top, right - left, bottom - top)


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
    inside = sorted({clipped for box in boxes if _area(clipped := _clipped(box, grey.shape))})
    hidden = np.zeros(grey.shape, bool)
    for box in inside:
        hidden[_slices(box)] = True
    covered = grey.copy()
    for box in inside:
        covered[_slices(box)] = _level(grey, hidden, box)
    return covered


def _level(grey: Grey, hidden: NDArray[np.bool_], box: Box) -> int:
    window = _clipped(_grown(box, FRAME), grey.shape)
    part, open_ = grey[_slices(window)], ~hidden[_slices(window)]
    frame = np.ones(part.shape, bool)
    frame[_slices(Box(box.x - window.x, box.y - window.y, box.width, box.height))] = False
    if (frame & open_).any():
        frame &= open_
    values = part[frame] if frame.any() else grey
    return int(np.rint(np.median(values)))
