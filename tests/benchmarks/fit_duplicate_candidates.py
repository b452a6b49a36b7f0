"""Learn from phantoms in which directions fingerprints differ between pictures, not copies.

    python tests/benchmarks/fit_duplicate_candidates.py [-o FILE] [COUNT]

COUNT phantoms of as many patients are drawn (2000 by default), each is changed at random, and a
linear discriminant analysis is done on the differences: the within-class covariance is that of a
copy from the best look at its original. The even and the odd coefficients are kept apart, so that
mirror images and negatives differ in signs alone. The same COUNT gives the same file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from safetensors.numpy import save_file

sys.path.insert(0, str(Path(__file__).parents[1]))
import changes

from cxrtool.data import duplicate_candidates
from cxrtool.images import fingerprints
from cxrtool.phantoms import plan, render

HALF = 48  # directions of each kind
ROUNDS = 3  # The best look at an original depends on the directions, and they on it.
RIDGE = 0.01

Floats = NDArray[np.float32]


def changed(image: changes.Image, random: changes.Random) -> changes.Image:
    """Crop, turn, change the contrast and burn text in, each by chance."""
    if random.random() < 0.4:
        image = changes.cropped(image, *[random.uniform(0, 0.08)] * 4)
    else:
        image = changes.cropped_at_random(image, 0.08, random)
    if random.random() < 0.5:
        edge = cv2.BORDER_CONSTANT if random.random() < 0.5 else cv2.BORDER_REPLICATE
        image = changes.turned(image, random.uniform(-3, 3), edge)
    contrast = random.integers(5)
    if contrast == 0:
        image = cv2.equalizeHist(image)
    elif contrast < 3:
        image = changes.clahe(image, 2.0 * contrast)
    elif contrast == 3:
        image = changes.gamma(image, random.uniform(0.5, 2))
    return changes.lettered(image, random) if random.random() < 0.3 else image


def coefficients(images: list[changes.Image]) -> Floats:
    packed = [fingerprints.packed(fingerprints.hashed(image)[1]) for image in images]
    prints = np.frombuffer(b"".join(packed), np.uint8).reshape(len(images), -1)
    return fingerprints.coefficients(prints)


def discriminants(total: Floats, within: Floats) -> Floats:
    """Return the directions that vary most in total, in units of the variation within."""
    within = within + RIDGE * np.diag(np.diag(within))
    values, axes = scipy.linalg.eigh(total + within, within)
    values, axes = values[::-1][:HALF], axes[:, ::-1][:, :HALF]
    # Each direction counts by the share of its variation that is between pictures.
    return axes * np.sqrt((1 - 1 / values) / values)


def fit(originals: Floats, copies: Floats) -> Floats:
    """Return the directions, (144, 2 HALF)."""
    looks = np.stack(
        [originals @ duplicate_candidates._cropped(crop) for crop in duplicate_candidates.LOOKS],
        axis=1,
    )
    odd = np.arange(originals.shape[1]) % fingerprints.ORDER % 2 == 1
    directions = np.diag(1 / np.maximum(originals.std(axis=0), 1e-6))
    for _ in range(ROUNDS):
        apart = np.linalg.norm((looks - copies[:, np.newaxis]) @ directions, axis=2)
        differ = copies - looks[np.arange(len(copies)), apart.argmin(axis=1)]
        directions = np.zeros((originals.shape[1], 2 * HALF))
        for columns, part in ((~odd, slice(HALF)), (odd, slice(HALF, None))):
            some = np.flatnonzero(columns)[1 if columns[0] else 0 :]  # The first is always zero.
            mean = originals[:, some].mean(axis=0) if part.start is None else np.zeros(len(some))
            total = np.cov(originals[:, some].T) if part.start is None else None
            if total is None:
                total = originals[:, some].T @ originals[:, some] / len(originals)
            within = differ[:, some].T @ differ[:, some] / (2 * len(differ))
            found = discriminants(total, within)
            # All chests have much in common: that direction tells nothing.
            common = mean @ found
            if common.any():
                common /= np.linalg.norm(common)
                found = found - np.outer(found @ common, common)
            directions[some, part] = found
    return directions.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("count", nargs="?", type=int, default=2000)
    parser.add_argument("-o", "--output", default=str(duplicate_candidates.WEIGHTS))
    options = parser.parse_args()
    random = np.random.default_rng(0)
    images = [render(case, 256).image for case in plan(options.count, per_patient=1)]
    directions = fit(coefficients(images), coefficients([changed(x, random) for x in images]))
    save_file({"directions": directions.astype(np.float16)}, options.output)
    print(f"{options.output}: {directions.shape[0]} x {directions.shape[1]}")


if __name__ == "__main__":
    main()
