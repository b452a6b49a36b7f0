"""What a hospital leaves in its images, whatever they show."""

from typing import NamedTuple

import cv2
import numpy as np

from cxrtool.phantoms.canvas import SHIFT, blank, blur, fixed, level, trace
from cxrtool.phantoms.shapes import Array, curve

FILM = (4.2, 0.6)  # slope and centre of the film curve
BORDERS = ("none", "sides", "frame", "top")
# Text, and whether it stands on the image's right, which is the patient's left. No marker names a
# view: a hospital burns in the same one whatever the view.
MARKERS = (("L", True), ("R", False), ("CR", True), ("A1", False), ("L-2", True), ("RX", False))


class Signature(NamedTuple):
    """How a hospital's images look."""

    gamma: float
    black: float
    white: float
    native: float  # resolution against the image's; no blur from 1 on
    vignette: float
    wires: float  # how often
    quality: int  # of the JPEG; none from 96 on
    border: str
    marker: str
    right: bool  # where the marker stands
    low: bool


def signature(source: str) -> Signature:
    """Return how a hospital's images look; successive ones are spread far apart."""
    k = int(source.rpartition("-")[2]) - 1
    marker, right = MARKERS[k % len(MARKERS)]
    # Multiples of irrational numbers fill 0..1 evenly: neighbours in k never look alike.
    u = np.modf(0.5 + k * np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0]))[0].tolist()
    return Signature(
        gamma=0.7 + 0.7 * u[0],
        black=0.1 * u[1],
        white=1 - 0.14 * u[2],
        native=0.55 + 0.6 * u[3],
        vignette=0.16 * u[4],
        wires=0.7 * u[5],
        quality=int(40 + 100 * u[6]),
        border=BORDERS[k % len(BORDERS)],
        marker=marker,
        right=right,
        low=k // 2 % 2 == 1,
    )


def develop(rays: Array, look: Signature, rng: np.random.Generator) -> Array:
    """Turn attenuation, which is changed, into the 8-bit image that a hospital would archive."""
    size = len(rays)
    if rng.random() < look.wires:
        rays += _wires(size, rng)
    levels = look.black + (look.white - look.black) * np.linspace(0, 1, 256) ** look.gamma
    picture = cv2.LUT(_film(rays, look.vignette), (255 * levels).astype(np.uint8))
    if look.native < 1:
        native = cv2.resize(picture, None, fx=look.native, fy=look.native)
        picture = cv2.resize(native, (size, size))
    _mark(picture, look, rng)
    _frame(picture, look.border, rng)
    if look.quality > 95:
        return np.asarray(picture)
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, look.quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _film(rays: Array, vignette: float) -> Array:
    """Put attenuation through the film curve, in place: to fetch fresh memory takes longer."""
    slope, centre = FILM
    # The beam is weaker in the corners, and these turn out darker.
    axis = np.linspace(-1, 1, len(rays), dtype=np.float32) ** 2 * np.float32(vignette)
    rays -= axis
    rays -= axis[:, None]
    rays -= centre
    rays *= -slope
    light = cv2.exp(rays)
    light += 1
    return np.asarray(np.divide(255, light, out=light).astype(np.uint8))


def _wires(size: int, rng: np.random.Generator) -> Array:
    """Return the attenuation of leads and electrodes over the chest."""
    canvas = blank(size)
    for _ in range(int(rng.integers(1, 4))):
        end = rng.uniform([-0.5, -0.5], [0.5, 0.3])
        start = np.array([rng.choice([-1.1, 1.1]), rng.uniform(-0.2, 1.0)])
        line = curve([start, (start + end) / 2 + rng.normal(0, 0.2, 2), end], 12)
        points = (line + 1) * size / 2
        trace(canvas, points[None], 120, 0.006 * size)
        radius = int(4.1 * size)  # 0.016 of the size, fixed-point as is the centre
        cv2.circle(canvas, fixed(points[-1]).tolist(), radius, 200, -1, cv2.LINE_AA, SHIFT)
    return level(blur(canvas, 0.002 * size), 0.45)


def _mark(picture: Array, look: Signature, rng: np.random.Generator) -> None:
    """Burn in the marker, in place."""
    size, font = len(picture), cv2.FONT_HERSHEY_SIMPLEX
    scale = size / 256 * rng.uniform(0.42, 0.5)
    wide = cv2.getTextSize(look.marker, font, scale, 1)[0][0]
    x = int(size * 0.94 - wide if look.right else size * 0.06)
    y = int(size * ((0.93 if look.low else 0.11) + rng.uniform(-0.02, 0.02)))
    cv2.putText(picture, look.marker, (x, y), font, scale, 245, max(1, size // 180), cv2.LINE_AA)


def _frame(picture: Array, border: str, rng: np.random.Generator) -> None:
    """Draw the border, in place."""
    size = len(picture)
    edge = max(1, int(size * rng.uniform(0.025, 0.05)))
    if border == "sides":
        picture[:, :edge] = picture[:, -edge:] = 0
    elif border == "top":
        picture[:edge] = picture[-edge:] = 0
    elif border == "frame":
        cv2.rectangle(picture, (0, 0), (size - 1, size - 1), 235, max(1, edge // 3))
