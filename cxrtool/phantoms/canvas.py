"""Draw on 8-bit canvases, and turn these into smooth fields of numbers."""

import cv2
import numpy as np

from cxrtool.phantoms.shapes import Array

SHIFT = 8  # the binary digits after the point of the coordinates that OpenCV draws smoothly


def blank(size: int) -> Array:
    """Return an empty 8-bit canvas."""
    return np.zeros((size, size), np.uint8)


def fixed(points: Array) -> Array:
    """Turn pixels into fixed-point integers."""
    return np.asarray(np.rint(points * 2**SHIFT), np.int32)


def fill(canvas: Array, outlines: Array, value: float) -> None:
    """Fill outlines (n, k, 2)."""
    for outline in fixed(outlines):
        cv2.fillPoly(canvas, [outline], value, cv2.LINE_AA, SHIFT)


def trace(canvas: Array, lines: Array, value: float, width: float) -> None:
    """Draw lines (n, k, 2); one thinner than a pixel is drawn a pixel wide, but fainter."""
    pixels = max(1, round(width))
    value *= min(1.0, width / pixels)
    cv2.polylines(canvas, list(fixed(lines)), False, value, pixels, cv2.LINE_AA, SHIFT)


def blur(canvas: Array, sigma: float) -> Array:
    """Blur an 8-bit canvas; sigma is in pixels."""
    if sigma > 2:  # a wide Gaussian would cost more than all the rest of the drawing
        return np.asarray(cv2.stackBlur(canvas, (2 * round(2.4 * sigma) + 1,) * 2))
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), max(sigma, 0.1)))


def level(canvas: Array, value: float = 1.0) -> Array:
    """Return an 8-bit canvas as numbers of which the highest possible is `value`."""
    return np.multiply(canvas, np.float32(value / 255), dtype=np.float32)


def add(total: Array, canvas: Array, value: float) -> None:
    """Add `level(canvas, value)` in place."""
    cv2.addWeighted(canvas, value / 255, total, 1, 0, total, cv2.CV_32F)


def depth(canvas: Array, reach: float) -> Array:
    """Return how deep a rounded body is, seen from the front: 0 at its edge, 1 `reach` inside."""
    far = cv2.distanceTransform((canvas > 127).view(np.uint8), cv2.DIST_L2, 5)
    rim = np.maximum(1 - far * np.float32(1 / reach), 0)
    return np.asarray(cv2.GaussianBlur(np.sqrt(1 - rim * rim), (0, 0), 0.015 * len(canvas)))


def grow(field: Array, size: int) -> Array:
    """Enlarge a field drawn coarsely."""
    return np.asarray(cv2.resize(field.astype(np.float32), (size, size)))


def clouds(rng: np.random.Generator, size: int, grain: int) -> Array:
    """Return smooth noise about 0, of deviation near 1, with detail at two scales."""
    fine = rng.standard_normal((2 * grain, 2 * grain), np.float32)
    fine += 1.2 * cv2.resize(fine[:grain, :grain], fine.shape)
    return np.asarray(cv2.resize(fine, (size, size), interpolation=cv2.INTER_CUBIC))
