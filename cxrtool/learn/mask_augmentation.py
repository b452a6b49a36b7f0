"""Radiographs and their masks, changed at random: turned, negative, equalized, marked, clouded.

What a hospital, a device or another program does to an image is done here at random, so that a
network learns to find the lungs all the same.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Chance = np.random.Generator


@dataclass(frozen=True)
class Changes:
    """How far to move an image, and the chances (0 to 1) of what else is done to it."""

    turn: float = 20.0  # at most, in degrees either way
    scale: float = 1.3  # at most, times or by
    stretch: float = 1.15
    shear: float = 0.1
    shift: float = 0.12  # of the side
    mirrored: float = 0.4
    upside_down: float = 0.02
    clouded: float = 0.35
    toned: float = 1.0
    equalized: float = 0.3
    negative: float = 0.1
    marked: float = 0.4
    framed: float = 0.15
    spoilt: float = 0.4


def changed(
    image: Image, mask: Mask, chance: Chance, changes: Changes | None = None
) -> tuple[Image, Mask]:
    """Change a square image at random, and its mask as far as the lungs move."""
    changes = changes or Changes()
    image, mask = _moved(image, mask, len(image), changes, chance)
    levels: Floats = image.astype(np.float32) / np.float32(255)
    if chance.random() < changes.clouded and mask.any():
        levels = _clouded(levels, mask, chance)
    if chance.random() < changes.toned:
        levels = _toned(levels, chance)
    image = np.asarray(np.clip(levels * 255, 0, 255), np.uint8)
    if chance.random() < changes.marked:
        _mark(image, chance)
    if chance.random() < changes.equalized:
        image = _equalized(image, chance)
    if chance.random() < changes.negative:
        image = 255 - image
    if chance.random() < changes.framed:
        _frame(image, mask, chance)
    if chance.random() < changes.spoilt:
        image = _spoilt(image, chance)
    return image, mask


def _moved(
    image: Image, mask: Mask, size: int, changes: Changes, chance: Chance
) -> tuple[Image, Mask]:
    """Turn, scale, stretch, shear, shift and mirror; what comes in from outside has no lungs."""
    angle = np.deg2rad(chance.uniform(-changes.turn, changes.turn))
    scale = changes.scale ** chance.uniform(-1, 1)
    stretch = changes.stretch ** chance.uniform(-1, 1)
    flip = 1 - 2 * (chance.random(2) < (changes.mirrored, changes.upside_down))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lean = np.array([[1, chance.uniform(-changes.shear, changes.shear)], [0, 1]])
    matrix = turn @ lean @ np.diag(scale * flip * [stretch, 1 / stretch])
    sides = size / np.array(image.shape[::-1])
    centre = size * (0.5 + chance.uniform(-changes.shift, changes.shift, 2))
    matrix = matrix @ np.diag(sides)
    offset = centre - matrix @ (np.array(image.shape[::-1]) / 2)
    full = np.column_stack([matrix, offset])
    side = (size, size)
    border = cv2.BORDER_CONSTANT if chance.random() < 0.7 else cv2.BORDER_REPLICATE
    level = 0.0 if chance.random() < 0.8 else chance.uniform(0, 255)
    moved = cv2.warpAffine(image, full, side, borderMode=border, borderValue=level)
    lungs = cv2.warpAffine(mask.view(np.uint8) * np.uint8(255), full, side)
    return np.asarray(moved), np.asarray(lungs > 127)


def _clouded(levels: Floats, mask: Mask, chance: Chance) -> Floats:
    """Whiten parts of the lungs as disease does: soft patches, or one lung as a whole."""
    side, (rows, columns) = len(mask), np.nonzero(mask)
    thick = np.zeros((side, side), np.float32)
    for _ in range(chance.integers(1, 6)):
        k = chance.integers(len(rows))
        axes = (side * chance.uniform(0.03, 0.22, 2)).astype(int)
        spot = (int(columns[k]), int(rows[k]))
        cv2.ellipse(thick, spot, axes.tolist(), chance.uniform(0, 180), 0, 360, 1.0, cv2.FILLED)
    if chance.random() < 0.15:
        half = np.s_[:, : side // 2] if chance.random() < 0.5 else np.s_[:, side // 2 :]
        thick[half] = 1
    soft = cv2.GaussianBlur(thick * mask, (0, 0), side * chance.uniform(0.01, 0.05))
    white = float(np.quantile(levels, chance.uniform(0.7, 0.97)))
    return np.asarray(levels + soft * chance.uniform(0.2, 0.9) * np.maximum(white - levels, 0))


def _toned(levels: Floats, chance: Chance) -> Floats:
    """Change gamma, contrast and brightness; at times there is hardly any contrast left."""
    levels = levels ** np.float32(np.exp(chance.normal(0, 0.35)))
    contrast = chance.uniform(0.1, 0.4) if chance.random() < 0.08 else chance.uniform(0.6, 1.5)
    return np.asarray((levels - 0.5) * contrast + 0.5 + chance.normal(0, 0.1), np.float32)


def _equalized(image: Image, chance: Chance) -> Image:
    if chance.random() < 0.4:
        return np.asarray(cv2.equalizeHist(image))
    tiles = int(chance.integers(2, 13))
    return np.asarray(cv2.createCLAHE(chance.uniform(1, 6), (tiles, tiles)).apply(image))


def _mark(image: Image, chance: Chance) -> None:
    """Lay wires, letters and boxes over the image."""
    side = len(image)
    for _ in range(chance.integers(1, 5)):
        level, start = int(chance.choice([0, 180, 255, 255])), chance.integers(0, side, 2)
        kind = chance.random()
        if kind < 0.5:
            bend = np.cumsum(chance.normal(0, side / 8, (6, 2)), axis=0) + start
            points = [cv2.convexHull(bend.astype(np.int32)) if kind < 0.1 else bend.astype(int)]
            cv2.polylines(image, points, False, level, int(chance.integers(1, 4)), cv2.LINE_AA)
        elif kind < 0.8:
            text = "".join(chance.choice(list("LRAPSUEITC0123"), chance.integers(1, 8)))
            size = side / 256 * chance.uniform(0.3, 1)
            cv2.putText(image, text, start.tolist(), 0, size, level, int(chance.integers(1, 3)))
        elif kind < 0.9:
            radius = int(chance.integers(2, max(3, side // 16)))
            cv2.circle(image, start.tolist(), radius, level, -1)
        else:
            end = start + chance.integers(side // 32 + 1, side // 6 + 2, 2)
            cv2.rectangle(image, start.tolist(), end.tolist(), level, -1)


def _frame(image: Image, mask: Mask, chance: Chance) -> None:
    """Black or white margins beside the lungs, such as a shutter or a scanner leaves."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return
    level = 255 if chance.random() < 0.25 else 0
    ends = (rows[0], len(mask) - 1 - rows[-1], columns[0], len(mask) - 1 - columns[-1])
    top, bottom, left, right = (int(end * chance.choice([0, chance.random()])) for end in ends)
    image[:top] = level
    image[len(image) - bottom :] = level
    image[:, :left] = level
    image[:, image.shape[1] - right :] = level


def _spoilt(image: Image, chance: Chance) -> Image:
    """Blur, coarsen, add noise to or compress the image."""
    side, kind = len(image), chance.integers(4)
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), side / 256 * chance.uniform(0.4, 2)))
    if kind == 1:
        small = cv2.resize(image, None, fx=(f := chance.uniform(0.3, 0.8)), fy=f)
        return np.asarray(cv2.resize(small, (side, side)))
    if kind == 2:
        noise = chance.normal(0, chance.uniform(3, 20), image.shape)
        return np.asarray(np.clip(image + noise, 0, 255), np.uint8)
    packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(8, 60))])
    return np.asarray(cv2.imdecode(packed[1], cv2.IMREAD_GRAYSCALE))
