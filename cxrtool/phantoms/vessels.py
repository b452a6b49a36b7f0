"""The branching shadows of the lungs' vessels."""

import cv2
import numpy as np

from cxrtool.phantoms.body import Body
from cxrtool.phantoms.canvas import blank, blur, fill, trace
from cxrtool.phantoms.shapes import Array, ribbons

TRUNK, *TWIGS = 0.019, 0.011, 0.006  # widths
ALONG = np.linspace(0, 1, 9)  # the points of a vessel


def vessels(body: Body, rng: np.random.Generator) -> Array:
    """Return the shadows as an 8-bit canvas."""
    canvas = blank(body.size)
    trunks, *twigs = _trees(rng)
    for lines, width in reversed(list(zip(twigs, TWIGS, strict=True))):
        trace(canvas, body.place(lines[:, ::2]), 100, 1.2 * body.length(width))
    width = body.length(TRUNK)
    outlines = ribbons(body.place(trunks), width * (1 - 0.65 * ALONG))
    fill(canvas, outlines, min(255.0, 75 * (1 + width)))
    return np.asarray(cv2.add(canvas, _hila(body)))


def _trees(rng: np.random.Generator) -> list[Array]:
    """Draw the vessels' lines (n, k, 2) from trunks to twigs: each bears two, in body units."""
    side = np.repeat([-1.0, 1.0], 11)
    toward = np.tile(np.linspace(-1.25, 1.35, 11), 2) + rng.normal(0, 0.1, 22)
    roots = np.stack([0.17 * side, -0.1 - 0.03 * side + 0.1 * np.sin(toward)], -1)
    roots += rng.normal(0, 0.02, (22, 2))
    far = rng.uniform(0.2, 0.42, 22)
    trees = []
    for _ in (TRUNK, *TWIGS):
        bend = toward[:, None] + rng.normal(0, 0.6, (len(roots), 1)) * ALONG
        step = np.stack([side[:, None] * np.cos(bend), np.sin(bend)], -1) * far[:, None, None] / 8
        lines = roots[:, None] + np.cumsum(step, axis=1) - step[:, :1]
        trees.append(lines)
        side, lines = np.repeat(side, 2), np.repeat(lines, 2, axis=0)
        roots = lines[np.arange(len(lines)), rng.integers(3, 8, len(lines))]
        toward = np.repeat(toward, 2) + rng.normal(0, 0.55, len(lines))
        far = np.repeat(far, 2) * rng.uniform(0.4, 0.8, len(lines))
    return trees


def _hila(body: Body) -> Array:
    """Return the haze where the vessels enter the lungs."""
    canvas = blank(body.size // 4)
    for side in (-1, 1):
        cv2.ellipse(canvas, body.ellipse(side * 0.17, -0.09, 0.06, 0.13, 4), 130, -1)
    return np.asarray(cv2.resize(blur(canvas, 0.014 * body.size), (body.size, body.size)))
