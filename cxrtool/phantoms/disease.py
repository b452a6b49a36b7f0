"""What a disease adds: fluid in place of air."""

import cv2
import numpy as np

from cxrtool.phantoms.body import Body
from cxrtool.phantoms.canvas import clouds, grow, level
from cxrtool.phantoms.cases import PhantomCase
from cxrtool.phantoms.chance import generator
from cxrtool.phantoms.organs import spot
from cxrtool.phantoms.shapes import Array

VISIBLE = 0.045  # the least added attenuation that counts as lesion
AIR = 0.74  # what a lung's full depth takes from the attenuation

Patches = list[tuple[float, float, float, float, float]]  # x, y, two radii, amount


def opacity(case: PhantomCase, body: Body, outlines: Array, air: Array, vessels: Array) -> Array:
    """Return the attenuation added, which is nothing where there is no air."""
    rng = generator(case.seed, "disease", case.patient)
    pneumonia = case.label == "pneumonia"
    patches = (_pneumonia if pneumonia else _covid)(rng, outlines)
    texture = clouds(rng, body.size // 4, 10)
    spread = _spread(body, patches, texture, pneumonia)
    field = grow(AIR * np.minimum(spread, 0.85), body.size)
    field *= air
    if pneumonia:
        # Airways stay open in consolidated lung and run beside the vessels: dark in white.
        field *= 1 - level(vessels, 0.35)
    return field


def _covid(rng: np.random.Generator, outlines: Array) -> Patches:
    """Draw patches along the walls of both lungs, most of them low."""
    severity = rng.uniform(0.18, 0.52)
    patches: Patches = []
    for i in range(int(rng.integers(4, 11))):
        side = 2 * (i % 2) - 1
        x, y = spot(outlines, side, rng.uniform(0.55, 0.98), rng.beta(3.5, 1.8))
        wide, longer = rng.uniform(0.09, 0.17), rng.uniform(1, 1.7)
        patches.append((x, y, wide, wide * longer, severity * rng.uniform(0.6, 1.1)))
    return patches


def _pneumonia(rng: np.random.Generator, outlines: Array) -> Patches:
    """Draw patches that make up one consolidated segment."""
    severity, side, wide = rng.uniform(0.34, 0.9), int(rng.choice([-1, 1])), rng.uniform(0.15, 0.27)
    lobe = float(rng.choice([0.25, 0.55, 0.8])) + rng.uniform(-0.06, 0.06)
    x, y = spot(outlines, side, rng.uniform(0.3, 0.7), lobe)
    patches: Patches = [(x, y, wide, wide * rng.uniform(0.7, 1.1), severity)]
    for right, down in rng.normal(0, 0.7 * wide, (2, 2)):
        patches.append((x + right, y + down, 0.6 * wide, 0.6 * wide, 0.4 * severity))
    return patches


def _spread(body: Body, patches: Patches, texture: Array, pneumonia: bool) -> Array:
    """Return, at a quarter of the size, how much of the air the patches replace."""
    across, down = body.grid(4)
    x, y, wide, tall, amount = np.array(patches, np.float32).T[..., None, None]
    far = ((across - x) / wide) ** 2 + ((down - y) / tall) ** 2
    far *= np.maximum(1 + 0.2 * texture, 0.2)
    if pneumonia:
        # Consolidation ends sharper than ground glass, and here keeps to its lung.
        far *= np.sqrt(far)
        far[:, across * np.sign(x[0]) < 0] = 99
    return np.asarray((amount * cv2.exp(-far)).sum(axis=0) * (1 + 0.14 * texture))
