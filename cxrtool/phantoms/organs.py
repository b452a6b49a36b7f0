"""Lungs, heart and soft tissue: the parts that fill a chest."""

from typing import Any

import cv2
import numpy as np

from cxrtool.phantoms.body import Body
from cxrtool.phantoms.canvas import blank, blur, depth, fill, grow, level
from cxrtool.phantoms.shapes import APEX, SIDES, Array, ribbons, shape

WALL = slice(16, 57)  # the part of a lung's outline that runs along the chest wall


def lungs(body: Body) -> Array:
    """Return the outlines of the lungs (2, k, 2), in body units, the image's left one first."""
    n = body.numbers
    wide = [n["width"] * (1 - n["uneven"]), n["width"] * (1 + n["uneven"])]
    high = 1.02 * n["height"] * n["breath"]
    stretch = np.stack([wide, [high, high + n["dome"]]], -1)[:, None]
    return body.along(shape("wall", "dome", "inner") * SIDES * stretch + [0, APEX])


def wall(outlines: Array, side: int, y: Any) -> Array:
    """Return |x| of the chest wall at height y; side is -1 or 1."""
    x, height = outlines[(side + 1) // 2, WALL].T
    return np.asarray(np.interp(y, height, np.abs(x)))


def spot(outlines: Array, side: int, across: float, down: float) -> tuple[float, float]:
    """Return the point of a lung at fractions of its width (from the middle) and its height."""
    floor = outlines[(side + 1) // 2, WALL.stop - 1, 1] - 0.1
    y = APEX + down * (floor - APEX)
    return side * (0.14 + across * (float(wall(outlines, side, y)) - 0.14)), float(y)


def chest_depth(body: Body, outlines: Array) -> Array:
    """Return, at half size, the chest's depth: it thins at the wall, not at the diaphragm."""
    left, right = outlines[:, WALL]
    outline = np.concatenate([left[::-1], right, [[0.72, 1.2], [-0.72, 1.2]]])
    canvas = blank(body.size // 4)
    fill(canvas, body.place(outline[None], 4), 255)
    return 0.3 + 0.7 * grow(depth(canvas, body.length(0.24, 4)), body.size // 2)


def heart(body: Body) -> Array:
    """Return, at half size, heart, aorta and mediastinum as 0..1."""
    n, canvas = body.numbers, blank(body.size // 2)
    sink = 0.8 * (n["height"] * n["breath"] - 1)
    stretch = {"mediastinum": (1.0, 0.0), "heart": (n["heart"], sink), "knob": (n["knob"], 0.0)}
    for part, (wide, down) in stretch.items():
        outline = body.along(shape(part) * [wide, 1] + [0, down], 1.5)
        fill(canvas, body.place(outline[None], 2), 255)
    near, far = blur(canvas, 0.0035 * body.size), blur(canvas, 0.025 * body.size)
    return level(near, 0.8) + level(far, 0.2)


def soft(body: Body, sex: str) -> Array:
    """Return, at half size, the soft tissue of trunk, arms and breasts, less the air in it."""
    total = _trunk(body)
    if sex == "F":
        total += _breasts(body)
    total -= _gas(body)
    return total


def _trunk(body: Body) -> Array:
    n, canvas = body.numbers, blank(body.size // 2)
    edge = shape("trunk").copy()
    edge[:, 0] += (0.12 * n["fat"] + n["width"] - 1) * np.clip(5 * edge[:, 1] + 1.7, 0, 1)
    edge[:, 1] -= n["shoulder"] * (edge[:, 0] > 0.5) * (edge[:, 1] < -0.4)
    fill(canvas, body.place(np.concatenate([edge, (edge * [-1, 1])[::-1]])[None], 2), 255)
    arms = (shape("arm") - [0, n["shoulder"]]) * SIDES
    fill(canvas, body.place(ribbons(arms, 0.24 + 0.08 * n["fat"]), 2), 255)
    rows = np.linspace(-1, 1, len(canvas), dtype=np.float32)[:, None]
    belly = 0.16 / (1 + np.exp(3.8 - 9 * rows))
    return np.asarray(depth(canvas, body.length(0.5, 2)) * (0.9 + 0.14 * n["fat"] + belly))


def _breasts(body: Body) -> Array:
    fullness, canvas = body.numbers["breast"], blank(body.size // 2)
    r, y = 0.22 + 0.08 * fullness, 0.17 + 0.07 * fullness
    for side in (-1, 1):
        cv2.ellipse(canvas, body.ellipse(side * 0.47, y, r, 0.95 * r, 2), 255, -1)
    return level(blur(canvas, 0.03 * len(canvas)), 0.08 + 0.07 * fullness)


def _gas(body: Body) -> Array:
    """Return the air in stomach and airways."""
    bubble, canvas = body.numbers["bubble"], blank(body.size // 2)
    if bubble > 0:
        stomach = body.ellipse(0.34, 0.58, 0.13, 0.05 + 0.05 * bubble, 2)
        cv2.ellipse(canvas, stomach, 180 * bubble, -1)
    fill(canvas, body.place(body.along(shape("airway"), 1.3)[None], 2), 110)
    return level(blur(canvas, 0.008 * len(canvas)), 0.3)
