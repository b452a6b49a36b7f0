"""Draw the disease and other causes into images, for the benchmarks of the audit.

The positive images get an opacity in the lungs; a cue (a marker, a border, a gamma curve,
resampling, another JPEG quality) is what a data set may have beside the disease.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrtool.files import image

Bytes = NDArray[np.uint8]
Change = Callable[[Bytes, np.random.Generator], Bytes]

SIDE, QUALITY = 256, 90


def opacity(pixels: Bytes, rng: np.random.Generator) -> Bytes:
    """Draw a soft opacity into one of the lungs: the disease."""
    height, width = pixels.shape
    x = width * (rng.uniform(0.22, 0.36) if rng.random() < 0.5 else rng.uniform(0.64, 0.78))
    y, size = height * rng.uniform(0.35, 0.65), min(height, width) * rng.uniform(0.06, 0.1)
    rows, columns = np.mgrid[:height, :width]
    blob = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * size**2))
    return np.clip(pixels + rng.uniform(35, 60) * blob, 0, 255).astype(np.uint8)


def marker(pixels: Bytes, rng: np.random.Generator) -> Bytes:
    changed = pixels.copy()
    place = (int(0.04 * pixels.shape[1]), int(0.1 * pixels.shape[0]))
    cv2.putText(changed, "R", place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 235, 2)
    return changed


def gamma(pixels: Bytes, rng: np.random.Generator) -> Bytes:
    return (255 * (pixels / 255.0) ** 0.7).round().astype(np.uint8)


def border(pixels: Bytes, rng: np.random.Generator) -> Bytes:
    changed, width = pixels.copy(), max(2, round(0.03 * min(pixels.shape)))
    changed[:width] = changed[-width:] = 0
    changed[:, :width] = changed[:, -width:] = 0
    return changed


def resampling(pixels: Bytes, rng: np.random.Generator) -> Bytes:
    small = cv2.resize(pixels, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, pixels.shape[::-1], interpolation=cv2.INTER_CUBIC)


def unchanged(pixels: Bytes, rng: np.random.Generator) -> Bytes:
    return pixels


CUES: dict[str, Change] = {
    "marker": marker,
    "gamma": gamma,
    "border": border,
    "resampling": resampling,
    "jpeg": unchanged,  # saved with another quality
    "source": lambda pixels, rng: border(gamma(pixels, rng), rng),  # and the column `source`
}


def states(pixels: Bytes, number: int, cues: list[str]) -> Iterator[tuple[int, str, bytes]]:
    """Yield an image, healthy (0) and ill (1), with each cue or none, as a JPEG file."""
    for ill in (0, 1):
        rng = np.random.default_rng([number, ill])
        state = opacity(pixels, rng) if ill else pixels
        for cue in ["", *cues]:
            changed = CUES[cue](state, rng) if cue else state
            data = io.BytesIO()
            quality = 60 if cue == "jpeg" else QUALITY
            Image.fromarray(changed).save(data, "JPEG", quality=quality)
            yield ill, cue, data.getvalue()


def radiographs(manifest: str, number: int) -> tuple[list[Bytes], list[str]]:
    """Read images of a manifest, scaled to one size: what they are saved as is the same for all."""
    with open(manifest, newline="") as file:
        rows = list(csv.DictReader(file))[:number]
    pictures = [image.to8(image.read(row["path"]).grey) for row in rows]
    scaled = [cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in pictures]
    return scaled, [row["patient"] for row in rows]


def phantoms(number: int) -> tuple[list[Bytes], list[str]]:
    """Draw healthy phantoms of three hospitals, each with a signature of its own."""
    import subprocess
    import sys

    with tempfile.TemporaryDirectory() as folder:
        what = ["phantom", str(number), "--labels", "normal", "--size", str(SIDE)]
        call = [*what, "-d", folder, "-q"]
        table = subprocess.run(
            [sys.executable, "-m", "cxrtool", *call], check=True, capture_output=True, text=True
        ).stdout
        path = Path(folder) / "all.csv"
        path.write_text(table)
        return radiographs(str(path), number)
