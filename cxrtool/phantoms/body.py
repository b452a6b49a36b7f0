"""A patient in one pose: the numbers that tell this body from others, and where it lies."""

from typing import Any, NamedTuple

import cv2
import numpy as np

from cxrtool.phantoms.cases import AGES, PhantomCase
from cxrtool.phantoms.chance import Numbers, draw, generator
from cxrtool.phantoms.shapes import Array

BEDSIDE = {"PA": 0.0, "AP": 0.6, "AP Supine": 1.0}  # how shallow, askew and near the view is

# What differs between patients and stays with a patient, as ranges of uniform draws.
ANATOMY = {
    "width": (0.92, 1.08),  # of the chest
    "height": (0.94, 1.08),  # of the lungs
    "fat": (0.0, 1.0),  # widens and thickens the trunk
    "heart": (0.86, 1.14),  # its width
    "knob": (0.85, 1.1),  # of the aorta
    "lean": (-0.03, 0.03),  # of the spine
    "uneven": (-0.04, 0.04),  # one lung against the other
    "dome": (0.02, 0.08),  # how much higher the right diaphragm stands
    "ribs": (0.112, 0.128),  # distance between two
    "bone": (0.6, 1.15),  # density
    "vessels": (0.18, 0.31),
    "shoulder": (-0.06, 0.06),  # rise
    "bubble": (-0.5, 1.0),  # air in the stomach; none below 0
    "breast": (0.0, 1.0),  # drawn for all, used for F
}
# What differs between two images of one patient.
POSE = {
    "turn": (-4.0, 4.0),  # degrees
    "scale": (1.04, 1.24),
    "right": (-0.05, 0.05),
    "down": (-0.04, 0.07),
    "breath": (0.92, 1.04),  # depth of inspiration
    "oblique": (-0.035, 0.035),  # shift of the midline when the patient stands askew
    "dose": (-0.05, 0.05),
}


class Body(NamedTuple):
    """The numbers drawn, and the map from body units to pixels.

    What blurs anyway is drawn on a canvas `coarse` times smaller than the image.
    """

    numbers: Numbers
    to_pixels: Array
    size: int

    def place(self, points: Any, coarse: int = 1) -> Array:
        """Turn body units into pixels."""
        points = np.asarray(points, np.float64)
        flat = points.reshape(-1, 2) @ self.to_pixels[:, :2].T + self.to_pixels[:, 2]
        return np.asarray(flat.reshape(points.shape) / coarse)

    def length(self, units: float, coarse: int = 1) -> float:
        """Turn a length in body units into pixels."""
        return units * self.size / 2 / coarse

    def ellipse(self, x: float, y: float, rx: float, ry: float, coarse: int = 1) -> Any:
        """Return an ellipse as OpenCV draws it."""
        axes = (2 * self.length(rx, coarse), 2 * self.length(ry, coarse))
        return self.place([x, y], coarse).tolist(), axes, self.numbers["turn"]

    def grid(self, coarse: int) -> Array:
        """Return x and y (2, k, k), in body units, of a canvas's pixels."""
        k = np.arange(self.size // coarse)
        pixels = np.stack(np.meshgrid(k, k), -1) * float(coarse) + (coarse - 1) / 2
        back = cv2.invertAffineTransform(self.to_pixels)
        units = pixels @ back[:, :2].T + back[:, 2]
        return np.asarray(np.moveaxis(units, -1, 0), np.float32)

    def middle(self, y: Array) -> Array:
        """Return x of the midline at height y: it leans, and shifts when the patient turns."""
        return np.asarray(self.numbers["lean"] * np.sin(2.5 * y) + self.numbers["oblique"])

    def along(self, curve: Array, shift: float = 1.0) -> Array:
        """Return a curve shifted with the midline, `shift` times as far."""
        moved = curve.copy()
        moved[..., 0] += shift * self.middle(curve[..., 1])
        return moved


def posed(case: PhantomCase, size: int, rng: np.random.Generator) -> Body:
    """Draw the patient from `rng` and the pose from its own stream."""
    n = draw(rng, ANATOMY)
    n |= draw(generator(case.seed, "pose", case.patient, case.index), POSE)
    n["bedside"] = BEDSIDE.get(case.view, 0.0)
    n["breath"] -= 0.1 * n["bedside"]
    n["turn"] *= 1 + n["bedside"]
    n["heart"] *= 1 + 0.16 * n["bedside"]
    # The aorta unfolds with age, whoever the patient is.
    n["knob"] *= 0.95 + 0.1 * (float(case.age or 50) - AGES[0]) / (AGES[1] - AGES[0])
    return Body(n, _to_pixels(n, size), size)


def _to_pixels(n: Numbers, size: int) -> Array:
    """Return the map (2, 3) that turns, scales and shifts."""
    turn, zoom = np.deg2rad(n["turn"]), n["scale"] * size / 2
    c, s = zoom * np.cos(turn), zoom * np.sin(turn)
    right, down = (1 + n["right"]) * size / 2 - 0.5, (1 + n["down"]) * size / 2 - 0.5
    return np.array([[c, -s, right], [s, c, down]])
