"""Put a phantom together: the sum of what weakens the beam, put through a film curve.

Tissue, bone and heart are added, the air of the lungs is taken away: shadows then overlap as they
do on a radiograph. Full-size arrays are changed in place: to fetch fresh memory takes longer than
to add.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cxrtool.phantoms.body import Body, posed
from cxrtool.phantoms.bones import frame, ribs
from cxrtool.phantoms.canvas import add, blank, blur, clouds, fill, grow
from cxrtool.phantoms.cases import PhantomCase
from cxrtool.phantoms.chance import generator
from cxrtool.phantoms.disease import AIR, VISIBLE, opacity
from cxrtool.phantoms.hospitals import develop, signature
from cxrtool.phantoms.organs import chest_depth, heart, lungs, soft
from cxrtool.phantoms.shapes import Array
from cxrtool.phantoms.vessels import vessels

NOISE = 0.00026  # of the detector


class Phantom(NamedTuple):
    """An image and its truth, all uint8 of the same shape; the masks hold 0 and 255."""

    image: Array
    mask: Array
    lesion: Array


def render(case: PhantomCase, size: int = 256) -> Phantom:
    """Draw a case as `size` x `size` pixels; the bytes depend on nothing but the case."""
    if size < 16:
        raise ValueError(f"size {size} is under 16 pixels")
    total, mask, lesion = beam(case, size)
    rays = _expose(total, generator(case.seed, "noise", case.patient, case.index))
    rng = generator(case.seed, "source", case.patient, case.index)
    return Phantom(develop(rays, signature(case.source), rng), mask, lesion)


def beam(case: PhantomCase, size: int) -> tuple[Array, Array, Array]:
    """Return the attenuation of the body, the mask of the lungs and that of the opacity."""
    rng = generator(case.seed, "anatomy", case.patient)
    body = posed(case, size, rng)
    outlines, centre, filled = lungs(body), heart(body), blank(size)
    fill(filled, body.place(outlines), 255)
    air = grow(chest_depth(body, outlines) * (1 - 0.82 * centre), size)
    cv2.multiply(air, blur(filled, 0.004 * size), air, 1 / 255, cv2.CV_32F)
    branches = vessels(body, rng)
    total = grow(soft(body, case.sex) + 0.12 * centre - body.numbers["dose"], size)
    total -= _lucency(body, air, branches, rng)
    _add_bones(total, body, outlines, air)
    mask, lesion = cv2.threshold(filled, 127, 255, cv2.THRESH_BINARY)[1], blank(size)
    if case.label != "normal":
        added = opacity(case, body, outlines, air, branches)
        lesion = cv2.compare(added, VISIBLE, cv2.CMP_GT) & mask
        total += added
    return total, mask, lesion


def _lucency(body: Body, air: Array, branches: Array, rng: np.random.Generator) -> Array:
    """Return what the air takes from the attenuation, less the vessels in it."""
    n, size = body.numbers, body.size
    field = grow(AIR * (1.06 - 0.16 * n["fat"]) - 0.025 * clouds(rng, size // 2, 24), size)
    add(field, branches, -n["vessels"])
    field *= air
    return field


def _add_bones(total: Array, body: Body, outlines: Array, air: Array) -> None:
    # Overlying tissue scatters the beam, and so ribs show best over air.
    shown = 0.85 * air
    shown += 0.32
    shown *= ribs(body, outlines)
    total += shown
    add(total, frame(body), 0.18 * body.numbers["bone"])


def _expose(total: Array, rng: np.random.Generator) -> Array:
    """Add the detector's blur and quantum noise, which grows where less gets through."""
    size = len(total)
    # Uniform bytes are ten times faster than normal numbers, and normal enough once blurred.
    grain = np.frombuffer(rng.bytes(size * size), np.uint8).reshape(size, size)
    noise = cv2.GaussianBlur(grain, (0, 0), 0.6) - np.float32(127.5)
    noise *= NOISE
    noise *= total + np.float32(0.4)
    noise += cv2.GaussianBlur(total, (0, 0), 0.0022 * size + 0.1)
    return np.asarray(noise)
