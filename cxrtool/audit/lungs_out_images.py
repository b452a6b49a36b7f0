"""Images for the controls of the training without the lungs (row -> image).

Each control blacks out something else than the lungs of the image, or shows their outline alone:
what a training reaches by it does not come from what is around the lungs.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cxrtool import __version__
from cxrtool.core.errors import Skip, Unreadable
from cxrtool.core.filenames import file_name
from cxrtool.files import grey_levels, image, manifest
from cxrtool.images import changes, masks
from cxrtool.images.changes import Bytes
from cxrtool.preprocess.pipeline import Row, RowUpdate, after

Mask = NDArray[np.bool_]

OTHER, SHAM, OUTLINE = "other-mask", "sham", "outline"
# The lungs are widened further, by these shares of the shorter side.
WIDER = {"dilation-3": 0.03, "dilation-6": 0.06, "dilation-12": 0.12}
# What a user asks for, and the trainings that it takes.
CONTROLS = {OTHER: [OTHER], SHAM: [SHAM], OUTLINE: [OUTLINE], "dilation": [*WIDER]}


def _blacked(pixels: Bytes, mask: Mask, _: str) -> Bytes:
    return changes.masked(pixels, ~mask)


def _sham(pixels: Bytes, mask: Mask, path: str) -> Bytes:
    """Black out a rectangle of the area of the lungs, at random."""
    return changes.masked(pixels, ~rectangle(mask, path))


def _outline(pixels: Bytes, mask: Mask, _: str) -> Bytes:
    """Show the mask alone: white lungs on black."""
    return changes.masked(np.full_like(pixels, 255), mask)


def _wider(pixels: Bytes, mask: Mask, _: str, share: float) -> Bytes:
    wide = masks.dilated(mask, round(share * min(mask.shape)))
    return changes.masked(pixels, ~wide)


CHANGES: dict[str, Callable[[Bytes, Mask, str], Bytes]] = {
    OTHER: _blacked,
    SHAM: _sham,
    OUTLINE: _outline,
    **{name: partial(_wider, share=share) for name, share in WIDER.items()},
}


def rectangle(mask: Mask, path: str) -> Mask:
    """Return a rectangle with the area and about the sides of a mask, at a place of its own."""
    result = np.zeros(mask.shape, bool)
    area = int(np.count_nonzero(mask))
    if not area:
        return result
    top, bottom, left, right = masks.box(mask)
    height, width = mask.shape
    tall = min(height, max(1, round((area * (bottom - top) / (right - left)) ** 0.5)))
    wide = min(width, max(1, round(area / tall)))
    tall = min(height, max(1, round(area / wide)))
    seed = int.from_bytes(hashlib.blake2b(path.encode(), digest_size=8).digest())
    rng = np.random.default_rng(seed)
    y, x = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
    result[y : y + tall, x : x + wide] = True
    return result


def exchanged(rows: Sequence[Row], seed: int) -> list[Row]:
    """Give each row the mask of another patient of the same part, where there is one."""
    number = len(rows)
    order = np.random.default_rng([seed, 5]).permutation(number)
    place = np.argsort(order)
    parts = [row.get("split", "") for row in rows]
    people = [row.get("patient", "") or row["path"] for row in rows]
    result = []
    for k, row in enumerate(rows):
        turned = (int(order[(place[k] + step) % number]) for step in range(1, number))
        others = [k]
        for j in turned:
            if people[j] == people[k]:
                continue
            others.append(j)
            if parts[j] == parts[k]:
                break
        # The last is of the same part, if any other patient is; else any other patient will do.
        result.append(row | {"mask": rows[others[-1]]["mask"]})
    return result


@dataclass(frozen=True)
class ControlImages:
    """The work on one row: read the image and the mask that it has been given, and change it."""

    control: str
    folder: manifest.ImageFolder
    here: str  # what paths are relative to; workers may run in another folder

    reads = ("path", "raw", "mask", "preprocessing")
    adds = ("path", "preprocessing")

    @property
    def steps(self) -> str:
        """Name what is done to every picture."""
        return f"audit --retrain-also {self.control}"

    def __call__(self, row: Row) -> RowUpdate | Skip:
        """Make the picture of a row, unless it is there."""
        try:
            encoded = image.load(os.path.join(self.here, row["path"]))
            mask = image.load(os.path.join(self.here, row["mask"]))
            name = file_name(row["path"], row.get("raw", ""), encoded.is_dicom)
            target, shown = self.folder.file(f"{name}.png")
            made_with = f"{__version__} {self.steps} of {encoded.sha256} with {mask.sha256}"
            if image.recorded_findings(target, made_with) is None:
                image.write_png(target, self._changed(row, encoded, mask), made_with)
            return RowUpdate({"path": shown, "preprocessing": after(row, self.steps)})
        except Unreadable as e:
            return Skip(row["path"], e.reason, e.remedy, e.failed)

    def _changed(self, row: Row, encoded: image.Encoded, mask: image.Encoded) -> Bytes:
        picture = image.decode(encoded)
        lungs = grey_levels.to_mask(image.decode(mask).grey, picture.grey.shape)
        pixels = grey_levels.to8(picture.pixels)
        return CHANGES[self.control](pixels, lungs, row["path"])
