"""Burnt-in text: where it is in a radiograph (image -> boxes).

A network learns the hospital from a side marker, the word PORTABLE or an arrow long before it
learns a disease. Such glyphs are strokes that come close to the end of the grey scale within a
pixel or two, on a ground that is smooth; hardly anything in a body does.
"""

import cv2
import numpy as np

from cxrtool.files.boxes import Box
from cxrtool.files.grey_levels import Grey, to8
from cxrtool.images import strokes
from cxrtool.images.plates import plate_under
from cxrtool.images.strokes import Bytes, Floats, Whole

# The longer side on which glyphs are looked for: those of ten pixels in 1024 still have five.
SIDE = 544
# No text has more glyphs; noise has thousands, and looking at each takes time.
MOST_GLYPHS, MOST_PLATES = 150, 25
# The share of an image that may be covered.
MOST_COVERED = 0.12
MARGIN = 2  # The width of the margin around a glyph.
SMALLEST = 10  # The shorter side of an image that may have text.

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
    if min(grey.shape) < SMALLEST:
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
        grey = np.asarray(cv2.dilate(grey, strokes.square(2)), np.uint8)
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
        if box.area <= left:
            kept.append(box)
            left -= box.area
    return kept


def _glyphs(grey: Bytes) -> tuple[Whole, list[Box | None]]:
    """Return the boxes of the strokes that are glyphs, the surest first, and their plates."""
    dark, wide = (
        strokes.candidates(cv2.bitwise_not(grey), strokes.DARK, strokes.WIDE),
        strokes.candidates(grey, strokes.BRIGHT, strokes.WIDE),
    )
    narrow = strokes.candidates(grey, strokes.BRIGHT, strokes.NARROW)
    boxes = np.concatenate([dark[0], wide[0], narrow[0]])
    odds = np.concatenate([dark[1], wide[1], narrow[1]])
    best = np.argsort(-odds, kind="stable")[:MOST_GLYPHS]
    boxes, odds = boxes[best], odds[best]
    plates = _plates(grey, dark[2] | narrow[2], boxes, odds)
    odds += [ON_PLATE if plate else 0.0 for plate in plates]
    odds += NEIGHBOUR * _company(boxes, odds)
    odds -= CENTRAL * (strokes.places(boxes, grey.shape)[0] < 0.5)
    order = [i for i in np.argsort(-odds, kind="stable").tolist() if odds[i] > ENOUGH]
    return boxes[order], [plates[i] for i in order]


def _company(boxes: Whole, odds: Floats) -> Floats:
    """Return how likely the likeliest glyph next to each one is: letters come in words."""
    if len(boxes) < 2:
        return np.zeros(len(boxes))
    start, size = boxes[:, :2], boxes[:, 2:]
    gaps = np.maximum(start, start[:, None]) - np.minimum(start + size, (start + size)[:, None])
    near = gaps.max(axis=2) < 0.8 * size.max(axis=1)[:, None]
    np.fill_diagonal(near, False)
    return np.asarray(np.where(near, 1 / (1 + np.exp(-odds)), 0).max(axis=1))


def _lines(grey: Bytes, glyphs: Whole, plates: list[Box | None]) -> list[Box]:
    """Join neighbouring glyphs and the plates they are on, with a margin; the surest first."""
    near = np.zeros_like(grey)
    for box, plate in zip(glyphs.tolist(), plates, strict=True):
        near[_reach(Box(*box)).clipped(grey.shape).slices] = 1
        if plate:
            near[plate.slices] = 1
    _, labels = cv2.connectedComponents(near, connectivity=8)
    # The order of `glyphs` is that of their odds, so the first glyph of a line is its surest.
    lines: dict[int, list[Box]] = {}
    for (x, y, width, height), plate in zip(glyphs.tolist(), plates, strict=True):
        line = lines.setdefault(int(labels[y + height // 2, x + width // 2]), [])
        line += [Box(x, y, width, height)] + ([plate] if plate else [])
    joined = [box for boxes in lines.values() for box in _joined(boxes)]
    return [box.grown(MARGIN).clipped(grey.shape) for box in joined]


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
    filled = sum(box.grown(MARGIN).area for box in boxes)
    return [around] if around.area < 2.5 * filled else boxes


def _plates(grey: Bytes, mask: Bytes, boxes: Whole, odds: Floats) -> list[Box | None]:
    """Return the plate under each of the likelier glyphs; others cannot be saved by one."""
    likely = np.flatnonzero(odds > ENOUGH - ON_PLATE - NEIGHBOUR)[:MOST_PLATES].tolist()
    there = {i: plate_under(grey, mask, Box(*boxes[i].tolist())) for i in likely}
    return [there.get(i) for i in range(len(boxes))]
