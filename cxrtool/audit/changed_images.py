"""One image, and the same image changed, as a network takes them (file -> arrays).

This runs in the workers. Each kind of change is a function of the pixels and the lungs; the arrays
are framed as the run frames its images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.core import registry
from cxrtool.core.errors import Skip, Unreadable
from cxrtool.files import grey_levels, image, pixel_cache
from cxrtool.files.boxes import Box
from cxrtool.files.pixel_cache import Frame
from cxrtool.images import changes, masks, text_boxes
from cxrtool.images.changes import CORNERS, Bytes

Mask = NDArray[np.bool_]

PLAIN = "unchanged"
# The lungs are widened by this share of the shorter side before they are blacked out.
WIDER = 0.03


class Place(NamedTuple):
    """Where an image is, and its lung mask if there is one."""

    path: str  # as the manifest names it
    file: str
    mask: str


class Changed(NamedTuple):
    """An image in all its versions, as the network takes them."""

    versions: Bytes  # (versions, channels, size, size)
    lungs: Mask | None  # (size, size)


@dataclass(frozen=True)
class Changer:
    """Reads one image and makes all versions of it; pickled, it goes to the workers."""

    kind: str  # one of KINDS
    frame: Frame

    @property
    def modules(self) -> tuple[str, ...]:
        """What the workers import before they begin: the segmenter needs PyTorch."""
        return ("cxrtool.preprocess.segmenters.lungs",) if KINDS[self.kind].lungs else ()

    def __call__(self, place: Place) -> Changed | Skip:
        """Read and change an image, or say why not."""
        try:
            picture = image.read(image.checked(place.file))
            kind = KINDS[self.kind]
            lungs = self._lungs(place, picture.grey) if kind.lungs else None
            levels = grey_levels.to8(picture.pixels)
            versions = [self._framed(one) for one in kind.make(levels, lungs)]
            framed = None if lungs is None else self._framed_mask(lungs)
            return Changed(np.stack(versions), framed)
        except Unreadable as e:
            return Skip(place.path, e.reason, e.remedy, e.failed)

    def _lungs(self, place: Place, grey: grey_levels.Grey) -> Mask:
        """Read the mask of the lungs, or find them."""
        if place.mask:
            try:
                mask = image.read_beside(place.mask)
            except Unreadable as e:
                raise Unreadable(f"its mask {place.mask} cannot be read: {e.reason}") from e
            return grey_levels.to_mask(mask.grey, grey.shape)
        found: Mask = registry.module("segmenters", "lungs").segment(grey)
        return found

    def _framed(self, pixels: Bytes) -> Bytes:
        framed = pixel_cache.framed_by(pixels, self.frame.size, self.frame.fit)
        if framed.ndim == 3:
            return np.ascontiguousarray(framed.transpose(2, 0, 1))
        shape = (self.frame.channels, self.frame.size, self.frame.size)
        return np.broadcast_to(framed, shape)

    def _framed_mask(self, lungs: Mask) -> Mask:
        white = lungs.view(np.uint8) * np.uint8(255)
        framed = pixel_cache.framed_by(white, self.frame.size, self.frame.fit)
        return np.asarray(framed > 127)


def _markers(pixels: Bytes, _: Mask | None) -> list[Bytes]:
    """Paste marks into each corner, beside a blank patch there; cover and mirror all corners."""
    versions = [pixels]
    for corner in CORNERS:
        box = changes.box_in(corner, pixels.shape, changes.LETTER_BOX, changes.OFFSET)
        blank = changes.covered(pixels, [box])
        versions += [changes.lettered(blank, box), changes.whitened(blank, box), blank]
    corners = _corners(pixels)
    return [*versions, changes.covered(pixels, corners), changes.mirrored(pixels, corners)]


def _corners(pixels: Bytes) -> list[Box]:
    return [changes.box_in(corner, pixels.shape, changes.CORNER) for corner in CORNERS]


def _ablations(pixels: Bytes, lungs: Mask | None) -> list[Bytes]:
    """Take parts of the image away, or change its grey levels."""
    assert lungs is not None
    grey = grey_levels.luminance(pixels) if pixels.ndim == 3 else pixels
    wide = masks.dilated(lungs, round(WIDER * min(lungs.shape)))
    return [
        pixels,
        changes.without_border(pixels),
        changes.covered(pixels, _corners(pixels)),
        changes.covered(pixels, text_boxes.find(grey)),
        _equalized(pixels),
        changes.masked(pixels, lungs),
        changes.masked(pixels, ~wide),
    ]


def _equalized(pixels: Bytes) -> Bytes:
    if pixels.ndim == 2:
        return np.asarray(cv2.equalizeHist(pixels), np.uint8)
    layers = [cv2.equalizeHist(np.ascontiguousarray(pixels[..., k])) for k in range(3)]
    return np.stack(layers, axis=-1).astype(np.uint8)


def _plain(pixels: Bytes, _: Mask | None) -> list[Bytes]:
    return [pixels]


class Kind(NamedTuple):
    """The versions of a kind: their names, how they are made, and whether that takes the lungs."""

    names: Sequence[str]
    make: Callable[[Bytes, Mask | None], list[Bytes]]
    lungs: bool


MARKS, BLANK = ("letter", "white patch"), "blank"
COVERED, MIRRORED = "corners covered", "corners mirrored"
KINDS = {
    "plain": Kind([PLAIN], _plain, False),
    "lungs": Kind([PLAIN], _plain, True),
    "markers": Kind(
        [
            PLAIN,
            *(f"{what} {corner}" for corner in CORNERS for what in (*MARKS, BLANK)),
            COVERED,
            MIRRORED,
        ],
        _markers,
        False,
    ),
    "ablation": Kind(
        [
            PLAIN,
            "border removed",
            COVERED,
            "text covered",
            "histogram equalised",
            "lungs alone",
            "lungs out",
        ],
        _ablations,
        True,
    ),
}
