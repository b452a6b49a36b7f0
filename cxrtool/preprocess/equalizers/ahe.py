"""Adaptive histogram equalisation: each pixel is ranked in the disk, or the tile, around it.

scikit-image's rank.equalize slides one histogram along the image. Here the pixels of a block, 4 x 4
for the usual disk, share one: that of the blocks which all of their disks hold, added up for all
blocks and a grey level at a time. Of the 5,025 pixels of a disk it counts 4,176; the other 849 are
compared one by one, for all blocks at once. Measured on radiographs of 1024 x 1024 pixels and 8
bits, on one core: 2.5 times as fast as scikit-image or more, to the same bit (100 ms for 260 ms);
comparing all 5,025 takes 1.1 times as long as scikit-image. Images of 12 bits, nearly all of whose
levels occur, take half of scikit-image's time, which does not spread the result over 16 bits;
those of 16 bits take 410 ms, as all is compared there.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np

from cxrtool.core.registry import Between
from cxrtool.files.grey_levels import Grey
from cxrtool.preprocess.equalizers import _disk_plan, _levels, clahe
from cxrtool.preprocess.equalizers._disk_plan import Column, Compared, Counts, DiskPlan


class Strip(NamedTuple):
    """Some rows of blocks, flat: `planes[i]` holds pixel i of every block, margins included."""

    planes: Counts
    first: int
    length: int
    pitch: int


def equalize(
    image: Grey,
    bits: int = 8,
    *,
    disk: Annotated[int, Between(1, 200)] = 40,
    tiles: Annotated[int | None, Between(1, 64)] = None,
) -> Grey:
    """Replace every pixel by the share of its neighbourhood that is not brighter.

    out(x) = floor(top * #{y in D(x): I(y) <= I(x)} / #D(x)), where D(x) is the digital disk of the
    radius `disk` around x, dx^2 + dy^2 <= disk^2, as far as it lies in the image. 8 bits equal
    `skimage.filters.rank.equalize`; 16 bits are ranked on their own levels. With `tiles` the
    neighbourhood is one of tiles x tiles parts, with OpenCV's interpolation between them: CLAHE
    whose contrast is not limited.
    """
    if _levels.is_constant(image):
        return _levels.kept(image, bits)
    if tiles is not None:
        return clahe.equalize(image, bits, clip=0, tiles=tiles)
    return _sliding(image, disk, _levels.top(image, bits))


def _ranks(image: Grey) -> tuple[Grey, int]:
    """Number the levels that occur, from 0 without gaps, and count them."""
    table = np.cumsum(np.bincount(image.ravel()) > 0) - 1
    levels = int(table[-1]) + 1
    if levels <= 256:
        return table.astype(np.uint8)[image], levels
    return table.astype(np.uint16)[image], levels


def _sliding(image: Grey, radius: int, top: int) -> Grey:
    height, width = image.shape
    ranks, levels = _ranks(image)
    plan, rows = _disk_plan.cheapest(radius, levels, width)
    area = _Areas(radius, image.shape, top)
    out = np.empty(image.shape, np.uint8 if top == 255 else np.uint16)
    for y in range(0, height, rows * plan.side):
        strip = _strip(ranks, y, min(rows, -(-(height - y) // plan.side)), plan)
        counts = _whole(_counts(strip, plan, levels, radius), strip, plan.side, width)
        y_end = min(height, y + len(counts))
        share = counts[: y_end - y] * area.dtype(top)
        share //= area.rows(y, y_end)
        out[y:y_end] = share
    # The padding is as bright as the brightest pixels, which alone count it; their share is 1.
    out[ranks == levels - 1] = top
    return out


def _strip(ranks: Grey, top: int, rows: int, plan: DiskPlan) -> Strip:
    """Cut rows of blocks out, with margins in the brightest level, and part their pixels."""
    (height, width), side, margin = ranks.shape, plan.side, plan.margin
    # The margin left of a row of blocks is the one right of the row before.
    pitch, high = _disk_plan.pitch(side * margin, side, width), rows + 2 * margin + 2
    padded = np.full((high * side, pitch * side), ranks.max(), ranks.dtype)
    start = top - margin * side
    low, end = max(0, start), min(height, start + high * side)
    padded[low - start : end - start, margin * side :][:, :width] = ranks[low:end]
    planes = padded.reshape(high, side, pitch, side).transpose(1, 3, 0, 2)
    return Strip(planes.reshape(side * side, -1), margin * pitch + margin, rows * pitch, pitch)


def _counts(strip: Strip, plan: DiskPlan, levels: int, radius: int) -> Counts:
    """Count what is not brighter, for every pixel of every block."""
    kind = _disk_plan.count_type(radius)
    if plan.columns:
        counts = _shared(strip, plan.columns, levels, kind)
    else:
        counts = np.zeros((len(strip.planes), strip.length), kind)
    _compare(strip, plan.ring, counts)
    return counts


def _shared(
    strip: Strip, columns: list[Column], levels: int, kind: type[np.unsignedinteger[Any]]
) -> Counts:
    """Look up how many pixels of the blocks that a block's disks share are not brighter."""
    size = strip.planes.shape[1]
    table = _histograms(strip.planes, levels, kind)
    below: Counts = np.zeros(size, kind)
    for row in table:
        below += row
        _sum_core(below, strip, columns, row[: strip.length])
    flat, place = table.ravel(), np.arange(strip.length)
    counts: Counts = np.empty((len(strip.planes), strip.length), kind)
    for plane, count in zip(strip.planes, counts, strict=True):
        pixels = plane[strip.first : strip.first + strip.length]
        # The indices are in range; the mode spares take() a copy of the result.
        np.take(flat, pixels * np.int64(size) + place, out=count, mode="clip")
    return counts


def _histograms(planes: Counts, levels: int, kind: type) -> Counts:
    """Count the levels of every block: a row a level."""
    size = planes.shape[1]
    table: Counts = np.zeros((levels, size), kind)
    flat, place = table.ravel(), np.arange(size)
    for plane in planes:
        flat[plane * np.int64(size) + place] += 1
    return table


def _sum_core(below: Counts, strip: Strip, columns: list[Column], out: Counts) -> None:
    """Add the blocks of the core up around every block, each taller column from the last."""
    reach = max(abs(x) for _, places in columns for x in places)
    start, length, pitch = strip.first - reach, strip.length + 2 * reach, strip.pitch
    column = below[start : start + length].copy()
    out[:] = 0
    height = 0
    for half, places in columns:
        while height < half:
            height += 1
            column += below[start + height * pitch :][:length]
            column += below[start - height * pitch :][:length]
        for x in places:
            out += column[reach + x :][: strip.length]


def _compare(strip: Strip, ring: list[Compared], counts: Counts) -> None:
    """Compare the rest of the disks pixel by pixel; bytes count to 255 before they are added."""
    planes, first, length, pitch = strip
    middle = planes[:, first : first + length]
    less = np.empty(middle.shape, bool)
    ones = less.view(np.uint8)
    tally = np.zeros(middle.shape, np.uint8)
    for number, (y, x, pixel, runs) in enumerate(ring, 1):
        start = first + y * pitch + x
        other = planes[pixel, start : start + length]
        for a, b in runs:
            np.less_equal(other, middle[a:b], out=less[a:b])
            np.add(tally[a:b], ones[a:b], out=tally[a:b])
        if number % 255 == 0 or number == len(ring):
            counts += tally
            tally[:] = 0


def _whole(counts: Counts, strip: Strip, side: int, width: int) -> Counts:
    """Put the pixels of the blocks back in their places."""
    blocks = counts.reshape(side, side, -1, strip.pitch).transpose(2, 0, 3, 1)
    return blocks.reshape(-1, strip.pitch * side)[:, :width]


class _Areas:
    """The number of pixels of every disk that lie in the image."""

    def __init__(self, radius: int, shape: tuple[int, ...], top: int) -> None:
        self.radius, (self.height, width) = radius, shape
        x, half = np.arange(width), _disk_plan.half_widths(radius)[:, None]
        rows = np.minimum(x + half, width - 1) - np.maximum(x - half, 0) + 1
        # 64 bits divide slower; they are needed for deep images and large disks only.
        fits = rows.sum(axis=0).max() * top < 1 << 32
        self.dtype: type[np.unsignedinteger[Any]] = np.uint32 if fits else np.uint64
        self.sums = np.zeros((len(rows) + 1, width), self.dtype)
        np.cumsum(rows, axis=0, out=self.sums[1:])

    def rows(self, start: int, end: int) -> Counts:
        """Count them around the pixels of some rows."""
        y = np.arange(start, end)
        last = np.minimum(self.radius, self.height - 1 - y)
        areas: Counts = (
            self.sums[last + self.radius + 1] - self.sums[np.maximum(self.radius - y, 0)]
        )
        return areas
