"""How the pixels of a disk are counted for a block of pixels: what is shared, what is compared.

The cheapest plan is chosen by the estimated time of its additions, comparisons and calls.
"""

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[Any]

# The sides of a block that are weighed against each other.
SIDES = (2, 3, 4, 5, 6, 8, 10, 12, 16)
# The most blocks of a strip: many, as every call costs 0.4 us; where all is compared and no call
# is small, few, which stay in the cache.
STRIP, DIRECT = 131072, 32768
# The most bytes that the histograms of a strip may take.
MEMORY = 64 << 20
# What was measured, in ns: a comparison by whether 8 bits hold the ranks, the addition of a count,
# a count of a histogram made and read, a call.
COMPARISON, ADDITION, HISTOGRAM, CALL = {True: 0.07, False: 0.08}, 0.05, 1.25, 400


# A block by its distance, a pixel of it, and the runs of pixels that have that one in their disks.
Compared = tuple[int, int, int, list[tuple[int, int]]]
# Half the height of columns of blocks, and their places.
Column = tuple[int, list[int]]


class DiskPlan(NamedTuple):
    """What is counted how, for blocks of side x side pixels.

    The pixels of a block share the blocks that lie in the disks of all of them. They are counted
    off histograms, in columns, the lowest first. The others, a ring, are compared one by one.
    """

    side: int
    margin: int
    columns: list[Column]
    ring: list[Compared]


def cheapest(radius: int, levels: int, width: int) -> tuple[DiskPlan, int]:
    """Choose the side of the blocks, or to compare all, and the rows of blocks of a strip."""
    compared = COMPARISON[levels <= 256]
    direct = _area(radius) * compared, 2, False, max(1, DIRECT // pitch(radius, 2, width))
    shared = (_cost(radius, levels, width, side, compared) for side in SIDES)
    _, side, core, rows = min([direct, *(cost for cost in shared if cost)])
    return plan_of(radius, side, core), rows


def _cost(
    radius: int, levels: int, width: int, side: int, compared: float
) -> tuple[float, int, bool, int] | None:
    """Estimate the ns a pixel with blocks of a side; None where it does not fit in memory."""
    core, margin = _core(radius, side), -(-radius // side)
    across = pitch(radius, side, width)
    row = across * levels * np.dtype(count_type(radius)).itemsize
    rows = min(STRIP // across, MEMORY // row - 2 * margin - 2)
    if rows < 1 or not core.any():
        return None
    ring = _area(radius) - int(core.sum()) * side**2
    sums = int(core.any(axis=0).sum()) * 2
    call = CALL / (rows * across)
    shared = (sums * (ADDITION + call) + HISTOGRAM) * levels / side**2 * (1 + 2 * margin / rows)
    return ring * compared + shared, side, True, rows


def pitch(radius: int, side: int, width: int) -> int:
    """Return how many blocks a row of blocks has, one margin included."""
    return -(-width // side) - (-radius // side)


def count_type(radius: int) -> type[np.unsignedinteger[Any]]:
    """Return the type of number that holds the counts of a disk."""
    return np.uint16 if _area(radius) < 1 << 16 else np.uint32


def half_widths(radius: int) -> Counts:
    """Return half the width of every row of a disk, without its middle."""
    dy = range(-radius, radius + 1)
    return np.array([math.isqrt(radius * radius - y * y) for y in dy])


def _area(radius: int) -> int:
    return int((2 * half_widths(radius) + 1).sum())


def _core(radius: int, side: int) -> NDArray[np.bool_]:
    """Mark the blocks around a block that lie in the disks of all of its pixels."""
    margin = -(-radius // side)
    farthest = (abs(np.arange(-margin, margin + 1)) * side + side - 1) ** 2
    return farthest[:, None] + farthest <= radius * radius


def _columns(core: NDArray[np.bool_]) -> list[Column]:
    """Sort the columns of the core, which are centred on its middle row, by half their height."""
    margin = len(core) // 2
    heights = core.sum(axis=0)
    return [
        (int(h) // 2, [int(x) - margin for x in np.flatnonzero(heights == h)])
        for h in np.unique(heights[heights > 0])
    ]


@lru_cache(8)
def plan_of(radius: int, side: int, shared: bool) -> DiskPlan:
    """Divide the disks of the pixels of a block into what they share and what they do not."""
    core = _core(radius, side) & shared
    margin = len(core) // 2
    ring = [run for y in range(-margin, margin + 1) for run in _ring(radius, side, y, core)]
    return DiskPlan(side, margin, _columns(core), ring)


def _ring(radius: int, side: int, y: int, core: NDArray[np.bool_]) -> Iterator[Compared]:
    """List what is compared in one row of the blocks around a block."""
    margin, inside = len(core) // 2, np.arange(side)
    x = np.flatnonzero(~core[y + margin]) - margin
    dy = (inside - y * side - inside[:, None]) ** 2
    dx = (inside - x[:, None, None] * side - inside[:, None]) ** 2
    # The axes: block, row and column of the pixel in it, row and column of the block's own pixel.
    near = dy[:, None, :, None] + dx[:, None, :, None, :] <= radius * radius
    edges = np.diff(near.reshape(len(x), side**2, side**2), prepend=False, append=False)
    block, pixel, place = (indices.tolist() for indices in np.nonzero(edges))
    runs = zip(block[::2], pixel[::2], place[::2], place[1::2], strict=True)
    for (b, p), group in itertools.groupby(runs, lambda run: run[:2]):
        yield y, int(x[b]), p, [run[2:] for run in group]
