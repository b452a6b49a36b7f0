"""Ribs, spine, shoulders and arms."""

from typing import Any

import cv2
import numpy as np

from cxrtool.phantoms.body import Body
from cxrtool.phantoms.canvas import add, blank, fill, level, trace
from cxrtool.phantoms.organs import wall
from cxrtool.phantoms.shapes import SIDES, Array, ribbons, shape

RIBS = 11  # a side
REAR = np.linspace(0.02, 0.5, 11)  # how far round its ring, in half turns, a rib runs behind
FORE = np.linspace(0.5, 0.87, 11)  # and in front
VERTEBRA = np.array([[-1, 0], [-0.86, 0.05], [-1, 0.1], [1, 0.1], [0.86, 0.05], [1, 0], [-1, 0]])


def ribs(body: Body, outlines: Array) -> Array:
    """Return the attenuation of the ribs."""
    n, size = body.numbers, body.size
    rear, fore, wide = blank(size), blank(size), np.linspace(0.042, 0.054, 11)
    lines = _rings(body, outlines)
    _bones(rear, body, lines[:, : len(REAR)], wide, 240)
    _bones(fore, body, lines[:, len(REAR) :], wide + 0.012, 240)
    # The front ends are cartilage, which the beam hardly sees.
    middle = (size - 1) / 2 + body.length(n["oblique"] + n["right"])
    aside = np.abs(np.arange(size, dtype=np.float32) - middle) * (2 / size)
    total = level(fore, 0.16 * n["bone"])
    total *= np.clip(aside * 2.6 - 0.8, 0, 1)
    add(total, rear, 0.23 * n["bone"])
    return total


def frame(body: Body) -> Array:
    """Return the shadows of spine, scapulae, arms and clavicles as an 8-bit canvas."""
    canvas = blank(body.size)
    _spine(canvas, body)
    _shoulders(canvas, body)
    _collar(canvas, body)
    return canvas


def _rings(body: Body, outlines: Array) -> Array:
    """Return the lines (22, 22, 2) of the ribs, in body units.

    A rib is a tilted ring seen from the front: it leaves the spine level, falls along the wall
    and comes forward lower and steeper than it left.
    """
    n, number = body.numbers, np.arange(RIBS)[:, None]
    start = -0.78 + n["ribs"] * n["breath"] * number
    drop = 0.2 + 0.06 * np.minimum(number, 4)
    reach = np.stack([wall(outlines, side, start + drop / 2) for side in (-1, 1)]) - 0.03
    angle = np.pi * np.concatenate([REAR, FORE])
    y = start + drop * (1 - np.cos(angle)) / 2 - 0.025 * np.sin(2 * angle)
    x = SIDES[..., :1] * (0.05 + reach * np.sin(angle) ** 0.9) + body.middle(y)
    return np.stack([x, np.broadcast_to(y, x.shape)], -1).reshape(2 * RIBS, len(angle), 2)


def _bones(canvas: Array, body: Body, lines: Array, widths: Any, value: float) -> None:
    """Draw bones along lines (n, k, 2): soft inside, with the bright edges of their cortex."""
    outlines = body.place(ribbons(lines, widths))
    half = lines.shape[1]
    for first in (0, 1):  # every second bone lies over its neighbours
        fill(canvas, outlines[first::2], 0.62 * value)
    edges = np.concatenate([outlines[:, :half], outlines[:, half:]])
    trace(canvas, edges, value, max(1.0, body.length(0.009)))


def _spine(canvas: Array, body: Body) -> None:
    y = -1.1 + 0.118 * np.arange(19)[:, None]
    x = body.middle(y) + (0.084 + 0.014 * y) * VERTEBRA[:, 0]
    boxes = body.place(np.stack([x, y + VERTEBRA[:, 1]], -1))
    fill(canvas, boxes, 55)
    trace(canvas, boxes, 85, body.length(0.012))


def _shoulders(canvas: Array, body: Body) -> None:
    n = body.numbers
    # Bedside views leave the shoulder blades over the lungs.
    blades = body.place((shape("scapula") - [0.1 * n["bedside"] - 0.08, 0]) * SIDES)
    fill(canvas, blades, 55)
    trace(canvas, blades, 110, body.length(0.014))
    _bones(canvas, body, (shape("humerus") - [0, n["shoulder"]]) * SIDES, 0.1, 180)
    for side in (-1, 1):
        head = body.ellipse(side * 0.88, -0.5 - n["shoulder"], 0.09, 0.1)
        cv2.ellipse(canvas, head, 130, -1, cv2.LINE_AA)


def _collar(canvas: Array, body: Body) -> None:
    n, line = body.numbers, shape("clavicle").copy()
    line[:, 1] -= n["shoulder"] * np.clip(2 * line[:, 0] - 0.4, 0, 1)
    wide = np.linspace(0.07, 0.05, len(line))
    _bones(canvas, body, line * SIDES + [n["oblique"], 0], wide, 200)
