"""An image as it is looked at: what the network gets of it, what is drawn, where its lungs are.

This runs in the workers, which need no PyTorch for it unless they have to find the lungs.
"""

import hashlib
import json
import math
import os
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool import __version__
from cxrtool.core import registry
from cxrtool.core.errors import Skip, Unreadable
from cxrtool.core.filenames import file_name
from cxrtool.files import grey_levels, image, manifest, pixel_cache
from cxrtool.images import masks

Row = dict[str, str]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# Pictures are drawn, and maps measured, on no more pixels than these along a side.
LARGEST = 1024


@dataclass(frozen=True)
class PictureTarget:
    """Where the picture of a row goes: the file, its cell, and what is noted in it."""

    file: str
    shown: str
    made_with: str


@dataclass(frozen=True)
class Kept:
    """One image whose picture is there, and the cells that were found when it was made."""

    place: PictureTarget
    cells: Row


@dataclass(frozen=True)
class View:
    """One image, ready to be looked at."""

    place: PictureTarget
    framed: Bytes  # (channels, size, size), for the network
    picture: Bytes  # grey, to be drawn upon
    shape: tuple[int, int]  # of the image itself
    lungs: Mask | None  # in the shape of the picture
    lung_fraction: float
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Viewing:
    """The work on one row: `Kept` where its picture is there and whole, else a `View`."""

    frame: pixel_cache.Frame
    folder: manifest.ImageFolder
    steps: str  # all that changes the pictures, whatever the image
    here: str  # what paths are relative to; workers may run in another folder
    mask: str = "column"  # auto, none
    by_label: bool = False  # the label decides which class is looked for
    force: bool = False

    @property
    def modules(self) -> tuple[str, ...]:
        """What the workers import before they begin."""
        return ("cxrtool.preprocess.segmenters.lungs",) if self.mask == "auto" else ()

    def __call__(self, row: Row) -> View | Kept | Skip:
        """Look at the image of a row, or say why not."""
        try:
            encoded = image.load(os.path.join(self.here, image.checked(row["path"])))
            warnings: list[str] = []
            drawn = self._drawn(row, warnings)
            place = self._place(row, encoded, drawn)
            result = None if self.force else image.recorded_findings(place.file, place.made_with)
            if result is not None:
                return Kept(place, json.loads(result))
            return self._viewed(place, image.decode(encoded), drawn, warnings)
        except Unreadable as e:
            return Skip(row["path"], e.reason, e.remedy, e.failed)

    def _drawn(self, row: Row, warnings: list[str]) -> image.Picture | None:
        """Read the mask that the row has."""
        if self.mask == "none" or not row.get("mask"):
            return None
        try:
            return image.read(os.path.join(self.here, row["mask"]))
        except Unreadable as e:
            warnings.append(f"its mask {row['mask']} cannot be read: {e.reason}")
            return None

    def _place(
        self, row: Row, encoded: image.Encoded, drawn: image.Picture | None
    ) -> PictureTarget:
        name = file_name(row["path"], row.get("raw", ""), encoded.is_dicom)
        label = row.get("label", "") if self.by_label else ""
        # As a digest, for the names of classes need not be ASCII.
        text = "\0".join((self.steps, encoded.sha256, drawn.sha256 if drawn else "", label))
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return PictureTarget(*self.folder.file(f"{name}.png"), f"cam {__version__} {digest}")

    def _viewed(
        self,
        place: PictureTarget,
        picture: image.Picture,
        drawn: image.Picture | None,
        text: list[str],
    ) -> View:
        height, width = picture.grey.shape[:2]
        small = shrunk(grey_levels.to8(picture.grey))
        text += [picture.warning] * bool(picture.warning)
        lungs, fraction = None, math.nan
        if drawn is not None:
            whole = grey_levels.to_mask(drawn.grey, drawn.grey.shape)
        elif self.mask == "auto":
            whole = registry.module("segmenters", "lungs").segment(picture.grey)
        else:
            whole = None
        if whole is not None:
            lungs, fraction = (
                grey_levels.to_mask(whole.view(np.uint8), small.shape),
                masks.fraction(whole),
            )
        framed = self.frame.of(picture)
        return View(place, framed, small, (height, width), lungs, fraction, tuple(text))


def shrunk(grey: Bytes) -> Bytes:
    """Make a picture smaller where it is larger than is drawn."""
    scale = LARGEST / max(grey.shape)
    if scale >= 1:
        return grey
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
