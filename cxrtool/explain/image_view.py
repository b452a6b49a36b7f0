"""An image as it is looked at: what networks get of it, what is drawn, its lungs and lesions.

This runs in the workers, which need no PyTorch for it unless they have to find the lungs.
"""

import hashlib
import json
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
class Drawn:
    """One image whose picture is there, what was found when it was made, and what is to be said."""

    place: PictureTarget
    cells: Row
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Region:
    """A part of an image: its mask in the shape of the picture, and its share of the image."""

    mask: Mask
    fraction: float


@dataclass(frozen=True)
class View:
    """One image, ready to be looked at."""

    place: PictureTarget
    framed: tuple[Bytes, ...]  # (channels, size, size), for each network
    picture: Bytes  # grey, to be drawn upon
    shape: tuple[int, int]  # of the image itself
    lungs: Region | None
    lesion: Region | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Viewing:
    """The work on one row: `Drawn` where its picture is there and whole, else a `View`."""

    frames: tuple[pixel_cache.Frame, ...]  # of each network
    folder: manifest.ImageFolder
    steps: str  # all that changes the pictures, whatever the image
    here: str  # what paths are relative to; workers may run in another folder
    mask: str = "column"  # auto, none
    lesion: str = "column"  # none
    by_label: bool = False  # the label decides which class is looked for
    force: bool = False

    @property
    def modules(self) -> tuple[str, ...]:
        """What the workers import before they begin."""
        return ("cxrtool.preprocess.segmenters.lungs",) if self.mask == "auto" else ()

    def __call__(self, row: Row) -> View | Drawn | Skip:
        """Look at the image of a row, or say why not."""
        try:
            encoded = image.load(os.path.join(self.here, image.checked(row["path"])))
            warnings: list[str] = []
            drawn = self._drawn(row, "mask", self.mask, warnings)
            lesion = self._drawn(row, "lesion", self.lesion, warnings)
            place = self._place(row, encoded, drawn, lesion)
            result = None if self.force else image.recorded_findings(place.file, place.made_with)
            if result is not None:
                return Drawn(place, json.loads(result))
            return self._viewed(place, image.decode(encoded), drawn, lesion, warnings)
        except Unreadable as e:
            return Skip(row["path"], e.reason, e.remedy, e.failed)

    def _drawn(
        self, row: Row, column: str, wanted: str, warnings: list[str]
    ) -> image.Picture | None:
        """Read the mask that the row has in a column."""
        if wanted == "none" or not row.get(column):
            return None
        try:
            return image.read_beside(os.path.join(self.here, row[column]))
        except Unreadable as e:
            warnings.append(f"its {column} {row[column]} cannot be read: {e.reason}")
            return None

    def _place(
        self, row: Row, encoded: image.Encoded, *drawn: image.Picture | None
    ) -> PictureTarget:
        name = file_name(row["path"], row.get("raw", ""), encoded.is_dicom)
        label = row.get("label", "") if self.by_label else ""
        # As a digest, for the names of classes need not be ASCII.
        digests = [one.sha256 if one else "" for one in drawn]
        text = "\0".join((self.steps, encoded.sha256, *digests, label))
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return PictureTarget(*self.folder.file(f"{name}.png"), f"cam {__version__} {digest}")

    def _viewed(
        self,
        place: PictureTarget,
        picture: image.Picture,
        drawn: image.Picture | None,
        lesion: image.Picture | None,
        text: list[str],
    ) -> View:
        height, width = picture.grey.shape[:2]
        small = shrunk(grey_levels.to8(picture.grey))
        text += [picture.warning] * bool(picture.warning)
        lungs = _read(drawn)
        if lungs is None and self.mask == "auto":
            lungs = registry.module("segmenters", "lungs").segment(picture.grey)
        inside, ill = (_region(whole, small.shape) for whole in (lungs, _read(lesion)))
        framed = tuple(frame.of(picture) for frame in self.frames)
        return View(place, framed, small, (height, width), inside, ill, tuple(text))


def _read(drawn: image.Picture | None) -> Mask | None:
    return None if drawn is None else grey_levels.to_mask(drawn.grey, drawn.grey.shape)


def _region(whole: Mask | None, shape: tuple[int, ...]) -> Region | None:
    """Fit a mask to the picture; its share is of the mask as it was."""
    if whole is None:
        return None
    fitted = grey_levels.to_mask(whole.view(np.uint8), shape)
    return Region(fitted, masks.fraction(whole))


def shrunk(grey: Bytes) -> Bytes:
    """Make a picture smaller where it is larger than is drawn."""
    scale = LARGEST / max(grey.shape)
    if scale >= 1:
        return grey
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
