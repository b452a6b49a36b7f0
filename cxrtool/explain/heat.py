"""A heat map laid over the image that it is of, and what is measured there.

The heat of a place is the positive part of the map: what speaks against the class is no heat.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]

# Where a map is hottest within this share of the side from the border, it is flagged.
EDGE = 0.05


@dataclass(frozen=True)
class Window:
    """The part of an image that a network sees, in shares of the image's height and width.

    Where the image was padded the window is larger than the image.
    """

    top: float
    left: float
    height: float
    width: float


def window(shape: tuple[int, int], fit: str) -> Window:
    """Find what a network sees of an image; `pixel_cache.framed_by` cuts it out."""
    height, width = shape
    if fit == "crop":
        side = max(1, min(height, width) * 7 // 8)
        top, left = (height - side) // 2, (width - side) // 2
    elif fit == "pad":
        side = max(height, width)
        top, left = -((side - height) // 2), -((side - width) // 2)
    else:
        return Window(0, 0, 1, 1)
    return Window(top / height, left / width, side / height, side / width)


def placed(result: Floats, shape: tuple[int, int], seen: Window) -> NDArray[np.float32]:
    """Lay a map over an image of a shape, interpolated linearly; it is 0 where nothing is seen."""
    rows = _blend(result.shape[0], shape[0], seen.top, seen.height)
    columns = _blend(result.shape[1], shape[1], seen.left, seen.width)
    return np.asarray(rows @ result.astype(np.float32) @ columns.T, np.float32)


def _blend(cells: int, pixels: int, start: float, span: float) -> NDArray[np.float32]:
    """Return how much of each cell every pixel takes along one axis (pixels, cells)."""
    at = ((np.arange(pixels) + 0.5) / pixels - start) / span
    middle = np.clip(at * cells - 0.5, 0, cells - 1)
    shares = np.maximum(0, 1 - np.abs(middle[:, None] - np.arange(cells)))
    return np.asarray(shares * ((at > 0) & (at < 1))[:, None], np.float32)


def beside(result: Floats, seen: Window) -> float:
    """Return the share of a map's heat that lies on what the image was padded with."""
    heat = np.maximum(result, 0)
    rows = _inside(result.shape[0], seen.top, seen.height)
    columns = _inside(result.shape[1], seen.left, seen.width)
    total = float(heat.sum())
    return 1 - float(rows @ heat @ columns) / total if total > 0 else 0.0


def _inside(cells: int, start: float, span: float) -> NDArray[np.float64]:
    """Return how much of every cell lies in the image along one axis."""
    edges = np.clip(start + np.arange(cells + 1) * span / cells, 0, 1)
    return np.diff(edges) * cells / span


def share(heat: Floats, mask: Mask) -> float:
    """Return the share of the heat that lies in a mask; nan where there is no heat."""
    warm = np.maximum(heat, 0)
    total = float(warm.sum(dtype=np.float64))
    return float(warm[mask].sum(dtype=np.float64)) / total if total > 0 else float("nan")


def peak(heat: Floats, shape: tuple[int, int]) -> tuple[int, int]:
    """Return x and y of the hottest place, in pixels of an image of a shape."""
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    y = int((int(row) + 0.5) * shape[0] / heat.shape[0])
    x = int((int(column) + 0.5) * shape[1] / heat.shape[1])
    return x, y


def is_at_edge(place: tuple[int, int], shape: tuple[int, int]) -> bool:
    """Tell whether a place is close to the border of an image, where markers are."""
    x, y = place
    across, down = (x + 0.5) / shape[1], (y + 0.5) / shape[0]
    return min(across, 1 - across, down, 1 - down) < EDGE


def wrong(result: Floats) -> str:
    """Say why a map shows nothing; empty where it does."""
    if not np.isfinite(result).all() or not np.ptp(result):
        return "empty map"
    return "" if result.max() > 0 else "nothing for the class"
