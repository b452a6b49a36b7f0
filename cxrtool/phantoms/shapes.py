"""The curves that patients share, but for stretching and shifting, in body units.

Lengths are in body units: an image is about 2 wide and high, x goes to its right and y down from
the chest's centre. Coordinates are fitted by eye to real radiographs, those of the lungs to the
human outlines of Cohen's collection, which run along the spine, over the lung behind the heart.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

APEX = -0.66  # y of the lungs' tops
SIDES = np.array([[[-1.0, 1.0]], [[1.0, 1.0]]])  # mirrors a curve to both sides

# The lung's points (wall, dome, inner) are x from the midline and y from apex to floor; the paired
# parts are those of the image's right side.
POINTS = {
    "wall": [
        [0.14, 0.09],
        [0.18, 0.025],
        [0.27, 0],
        [0.4, 0.055],
        [0.52, 0.18],
        [0.62, 0.43],
        [0.67, 0.75],
        [0.7, 1.11],
    ],
    "dome": [[0.7, 1.11], [0.61, 1.02], [0.48, 0.965], [0.34, 0.95], [0.22, 0.97], [0.11, 1.02]],
    "inner": [[0.11, 1.02], [0.095, 0.8], [0.1, 0.5], [0.12, 0.25], [0.14, 0.09]],
    "heart": [
        [-0.09, -0.2],
        [-0.14, -0.04],
        [-0.18, 0.14],
        [-0.15, 0.34],
        [0.1, 0.55],
        [0.4, 0.46],
        [0.43, 0.3],
        [0.37, 0.12],
        [0.26, -0.06],
        [0.17, -0.17],
        [0.1, -0.25],
    ],
    "mediastinum": [
        [-0.05, -0.85],
        [-0.12, -0.5],
        [-0.1, -0.3],
        [-0.08, 0.5],
        [-0.08, 1.5],
        [0.08, 1.5],
        [0.08, 0.5],
        [0.1, -0.2],
        [0.12, -0.5],
        [0.05, -0.85],
    ],
    "knob": [
        [0.05, -0.42],
        [0.12, -0.43],
        [0.19, -0.36],
        [0.18, -0.28],
        [0.09, -0.24],
        [0.05, -0.3],
    ],
    "airway": [
        [-0.037, -1.3],
        [-0.037, -0.6],
        [-0.037, -0.33],
        [-0.09, -0.23],
        [-0.18, -0.13],
        [-0.17, -0.08],
        [-0.06, -0.18],
        [0, -0.235],
        [0.07, -0.175],
        [0.2, -0.09],
        [0.21, -0.13],
        [0.1, -0.23],
        [0.037, -0.33],
        [0.037, -0.6],
        [0.037, -1.3],
    ],
    "scapula": [
        [0.72, -0.5],
        [0.6, -0.45],
        [0.58, -0.2],
        [0.66, 0.04],
        [0.72, -0.1],
        [0.78, -0.4],
        [0.72, -0.5],
    ],
    "clavicle": [
        [0.06, -0.47],
        [0.16, -0.5],
        [0.3, -0.52],
        [0.47, -0.57],
        [0.62, -0.6],
        [0.8, -0.6],
    ],
    "humerus": [[0.9, -0.52], [0.97, -0.2], [1.02, 0.5]],
    "arm": [[0.86, -0.6], [1.0, -0.2], [1.06, 0.5]],
    "trunk": [
        [0.22, -1.4],
        [0.23, -0.95],
        [0.36, -0.82],
        [0.72, -0.72],
        [0.97, -0.56],
        [1.02, -0.3],
        [0.84, -0.12],
        [0.78, 0.2],
        [0.8, 0.6],
        [0.83, 1.4],
    ],
}


@cache
def shape(*names: str) -> Array:
    """Return the smooth curve (k, 2) through the points of the parts named; not to be changed."""
    return np.concatenate([curve(POINTS[name]) for name in names])


def curve(points: Any, steps: int = 8) -> Array:
    """Run a smooth (Catmull-Rom) curve through points."""
    p = np.array(points, np.float64)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    t = np.arange(steps)[:, None] / steps
    weights = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    bends = t ** np.arange(4) @ weights @ p[np.arange(len(p) - 3)[:, None] + np.arange(4)]
    return np.concatenate([bends.reshape(-1, 2), p[-2:-1]])


def ribbons(lines: Array, widths: Any) -> Array:
    """Thicken lines (n, k, 2) into outlines; widths is one for all or k along the line."""
    step = lines[:, 1:] - lines[:, :-1]
    along = np.concatenate([step[:, :1], step[:, 1:] + step[:, :-1], step[:, -1:]], axis=1)
    x, y = along[..., 0], along[..., 1]
    across = np.stack([-y, x], -1) * (np.asarray(widths) / (2 * np.hypot(x, y) + 1e-9))[..., None]
    return np.concatenate([lines + across, (lines - across)[:, ::-1]], axis=1)
