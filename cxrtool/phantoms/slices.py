"""Draw an axial CT slice through the chest, in Hounsfield units, as a hospital would show it.

The patient lies on the back: the spine is below, the patient's right side on the image's left.
Lengths are in halves of the image's side; x goes to the right and y down from the middle.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cxrtool.phantoms.canvas import SHIFT, blank, clouds, fill, fixed
from cxrtool.phantoms.cases import PhantomCase
from cxrtool.phantoms.chance import Numbers, draw, generator
from cxrtool.phantoms.hospitals import signature
from cxrtool.phantoms.rendering import Phantom
from cxrtool.phantoms.shapes import Array, curve

# Hounsfield units.
AIR, LUNG, FAT, SOFT, BLOOD, BONE = -1000, -840, -90, 40, 60, 420
VISIBLE = 90  # the least rise that counts as lesion

# What stays with a patient, as ranges of uniform draws.
ANATOMY = {
    "width": (0.82, 0.92),
    "depth": (0.56, 0.68),
    "fat": (0.03, 0.1),
    "lungs": (0.94, 1.06),
    "heart": (0.85, 1.15),
    "uneven": (-0.05, 0.05),
}
# What differs between two slices of a patient; `height` is 0 at the tops of the lungs.
POSE = {
    "height": (0.15, 0.9),
    "right": (-0.03, 0.03),
    "down": (-0.03, 0.03),
    "turn": (-4.0, 4.0),
}
# The outline of a lung, from its front edge round its outer side: x outward and y down from its
# middle, in halves of its width and of its depth. The dent at its inner side is the hilum.
LUNG_OUTLINE = [
    [-0.75, -0.55],
    [-0.2, -0.97],
    [0.4, -0.85],
    [0.85, -0.35],
    [1.0, 0.2],
    [0.82, 0.7],
    [0.35, 1.0],
    [-0.3, 0.95],
    [-0.68, 0.6],
    [-0.5, 0.12],
    [-0.75, -0.2],
    [-0.75, -0.55],
]

Patches = list[tuple[float, float, float, float, float]]  # x, y, two radii, share of air replaced


class Chest(NamedTuple):
    """The numbers of a slice, and the map from lengths to pixels."""

    numbers: Numbers
    size: int

    def place(self, points: Array) -> Array:
        """Turn lengths into pixels."""
        n, turn = self.numbers, np.deg2rad(self.numbers["turn"])
        about = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        moved = np.asarray(points, np.float64) @ about + [n["right"], n["down"]]
        return np.asarray((moved + 1) * self.size / 2 - 0.5)

    def ellipse(self, canvas: Array, x: float, y: float, rx: float, ry: float) -> None:
        """Fill an ellipse."""
        angle = np.linspace(0, 2 * np.pi, 73)
        outline = np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], -1)
        fill(canvas, self.place(outline)[None], 255)


def render_slice(case: PhantomCase, size: int = 256) -> Phantom:
    """Draw a slice of a case as `size` x `size` pixels; it depends on nothing but the case."""
    numbers = draw(generator(case.seed, "anatomy", case.patient), ANATOMY)
    numbers |= draw(generator(case.seed, "pose", case.patient, case.index), POSE)
    chest = Chest(numbers, size)
    lungs = _lungs(chest)
    units = _body(chest)
    bones = _bones(chest)
    air = cv2.subtract(_part(chest, lungs), bones)
    _put(units, air, LUNG)
    _put(units, _vessels(chest, lungs, case), BLOOD - 250, air)
    centre = _centre(chest)
    _put(units, centre, BLOOD)
    mask = _two_largest((air > 127) & (centre < 128))
    added = _opacity(case, chest, lungs) * (mask > 0)
    lesion = np.where(added > VISIBLE, 255, 0).astype(np.uint8)
    units += np.minimum(added, np.maximum(SOFT - units, 0))
    _put(units, bones, BONE)
    _put(units, _canal(chest), SOFT)
    return Phantom(_shown(units, case), mask, lesion)


def _two_largest(parts: Array) -> Array:
    """Return a mask of the two lungs, without what ribs cut off."""
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(parts.astype(np.uint8))
    largest = 1 + np.argsort(stats[1:, cv2.CC_STAT_AREA])[-2:]
    return np.where(np.isin(numbers, largest), 255, 0).astype(np.uint8)


def _put(units: Array, canvas: Array, value: float, within: Array | None = None) -> None:
    """Replace what is there, in place, as far as a canvas is filled."""
    share = canvas.astype(np.float32) / 255
    if within is not None:
        share *= within.astype(np.float32) / 255
    units += share * (np.float32(value) - units)


def _body(chest: Chest) -> Array:
    """Return air, the table, fat and flesh."""
    n, size = chest.numbers, chest.size
    units = np.full((size, size), AIR, np.float32)
    table = blank(size)
    line = curve([[-0.8, n["depth"] + 0.02], [0, n["depth"] + 0.09], [0.8, n["depth"] + 0.02]])
    thick = max(1, round(0.012 * size))
    cv2.polylines(table, [fixed(chest.place(line))], False, 255, thick, cv2.LINE_AA, SHIFT)
    _put(units, table, -300)
    for inset, value in ((0.0, FAT), (n["fat"], SOFT)):
        canvas = blank(size)
        chest.ellipse(canvas, 0, 0, n["width"] - inset, n["depth"] - inset)
        _put(units, canvas, value)
    return units


def _lungs(chest: Chest) -> Array:
    """Return the outlines (2, k, 2), the image's left one first: widest below the middle."""
    n = chest.numbers
    grown = n["lungs"] * (0.62 + 0.38 * np.sin(np.pi * (0.12 + 0.7 * n["height"])))
    inner = n["width"] - n["fat"] - 0.07
    wide, deep = 0.49 * inner * grown, (n["depth"] - n["fat"] - 0.07) * grown
    shape = curve(LUNG_OUTLINE)
    outlines = []
    for side in (-1, 1):
        half = wide * (1 + side * n["uneven"])
        middle = [side * (inner - half), 0.0]
        outlines.append(shape * [side * half, deep] + middle)
    return np.stack(outlines)


def _part(chest: Chest, outlines: Array) -> Array:
    canvas = blank(chest.size)
    fill(canvas, chest.place(outlines), 255)
    return canvas


def _centre(chest: Chest) -> Array:
    """Return heart and great vessels; the heart lies before the patient's left lung."""
    n, canvas = chest.numbers, blank(chest.size)
    low = np.clip((n["height"] - 0.3) / 0.4, 0, 1)
    chest.ellipse(canvas, 0, -0.12, 0.13, 0.34 * n["depth"] / 0.6)
    chest.ellipse(canvas, 0.1 * low, -0.1, (0.14 + 0.12 * low) * n["heart"], 0.2 + 0.06 * low)
    chest.ellipse(canvas, 0.12, 0.3 * n["depth"] / 0.6, 0.075, 0.075)
    return canvas


def _vessels(chest: Chest, outlines: Array, case: PhantomCase) -> Array:
    """Return the vessels, which thin out from the hilum to the chest wall."""
    rng, canvas = generator(case.seed, "anatomy", case.patient, case.index), blank(chest.size)
    for outline in outlines:
        middle, reach = outline.mean(axis=0), np.ptp(outline, axis=0) / 2
        hilum = middle - [np.sign(middle[0]) * 0.45 * reach[0], 0]
        for _ in range(46):
            far, angle = np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
            end = middle + 0.92 * far * reach * [np.cos(angle), np.sin(angle)]
            start = end + rng.uniform(0.02, 0.16) * (hilum - end)
            width = 0.016 * (1.15 - far) * chest.size
            pixels = max(1, round(width))
            line = fixed(chest.place(np.stack([start, end])))
            value = int(235 * min(1.0, width / pixels))
            cv2.polylines(canvas, [line], False, value, pixels, cv2.LINE_AA, SHIFT)
    return canvas


def _opacity(case: PhantomCase, chest: Chest, outlines: Array) -> Array:
    """Return how far fluid raises the units; nothing for healthy lungs."""
    if case.label == "normal":
        return np.zeros((chest.size, chest.size), np.float32)
    rng = generator(case.seed, "disease", case.patient, case.index)
    pneumonia = case.label == "pneumonia"
    patches = (_consolidation if pneumonia else _ground_glass)(rng, outlines)
    texture = cv2.resize(clouds(rng, 48, 10), (chest.size, chest.size)).astype(np.float32)
    total = np.zeros((chest.size, chest.size), np.float32)
    grid = np.stack(np.meshgrid(*[np.arange(chest.size, dtype=np.float32)] * 2))
    for x, y, wide, tall, share in patches:
        (px, py), scale = chest.place(np.array([x, y])), chest.size / 2
        far = ((grid[0] - px) / (wide * scale)) ** 2 + ((grid[1] - py) / (tall * scale)) ** 2
        far = far * np.maximum(1 + 0.25 * texture, 0.2)
        # A consolidation ends sharper than ground glass.
        total += np.float32(share) * np.exp(-(far**2 if pneumonia else far))
    return np.minimum(total, 0.95) * np.float32(SOFT - LUNG)


def _ground_glass(rng: np.random.Generator, outlines: Array) -> Patches:
    """Draw patches along the wall of both lungs, most of them behind."""
    share = rng.uniform(0.25, 0.5)
    patches: Patches = []
    for i in range(int(rng.integers(4, 9))):
        outline = outlines[i % 2]
        middle, reach = outline.mean(axis=0), np.ptp(outline, axis=0) / 2
        angle = np.pi * rng.beta(3, 2) - np.pi / 2.2  # from the front by the outer side to behind
        out = rng.uniform(0.6, 0.92)
        x = middle[0] + np.sign(middle[0]) * out * reach[0] * np.cos(angle)
        y = middle[1] + out * reach[1] * np.sin(angle)
        wide = rng.uniform(0.07, 0.14)
        patches.append((x, y, wide, wide * rng.uniform(0.8, 1.5), share * rng.uniform(0.7, 1.2)))
    return patches


def _consolidation(rng: np.random.Generator, outlines: Array) -> Patches:
    """Draw one dense segment of one lung."""
    outline = outlines[int(rng.integers(2))]
    middle, reach = outline.mean(axis=0), np.ptp(outline, axis=0) / 2
    x, y = middle + reach * rng.uniform(-0.4, 0.5, 2)
    wide = rng.uniform(0.13, 0.22)
    return [(x, y, wide, wide * rng.uniform(0.8, 1.3), rng.uniform(0.65, 0.95))]


def _bones(chest: Chest) -> Array:
    """Return the spine, the breastbone and the ribs."""
    n, canvas = chest.numbers, blank(chest.size)
    back = n["depth"] - n["fat"]
    chest.ellipse(canvas, 0, 0.62 * back, 0.13, 0.105)
    chest.ellipse(canvas, 0, 0.92 * back, 0.03, 0.07)
    chest.ellipse(canvas, 0, -0.95 * back, 0.11, 0.028)
    for side in (-1, 1):
        chest.ellipse(canvas, side * 0.19, 0.74 * back, 0.08, 0.03)
    thick = max(1, round(0.022 * chest.size))
    ring = np.array([n["width"] - n["fat"] - 0.035, back - 0.035])
    for start in np.deg2rad([-62, -28, 6, 38]):
        # A slice cuts ribs where they slope down through it.
        angle = np.linspace(start, start + 0.3, 9) + 0.2 * n["height"]
        arc = np.stack([np.cos(angle), np.sin(angle)], -1) * ring
        for mirrored in (arc, arc * [-1, 1]):
            line = fixed(chest.place(mirrored))
            cv2.polylines(canvas, [line], False, 255, thick, cv2.LINE_AA, SHIFT)
    return canvas


def _canal(chest: Chest) -> Array:
    """Return the canal of the spine."""
    canvas = blank(chest.size)
    back = chest.numbers["depth"] - chest.numbers["fat"]
    chest.ellipse(canvas, 0, 0.79 * back, 0.045, 0.04)
    return canvas


def _shown(units: Array, case: PhantomCase) -> Array:
    """Show the units through the window of a hospital, with the noise of its scanner."""
    look, size = signature(case.source), len(units)
    rng = generator(case.seed, "noise", case.patient, case.index)
    noise = rng.standard_normal(units.shape, np.float32) * np.float32(70 - 30 * look.gamma)
    # The kernel of the reconstruction smooths both.
    sigma = 0.25 + 0.0022 * size / max(look.native, 0.3)
    units = cv2.GaussianBlur(units + noise, (0, 0), sigma)
    low, width = -1400 + 400 * look.vignette, 1250 + 600 * look.gamma
    grey = (255 * np.clip((units - low) / width, 0, 1)).astype(np.uint8)
    if look.quality > 95:
        return grey
    coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, look.quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
