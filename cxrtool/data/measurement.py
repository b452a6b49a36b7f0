"""Measure one image for ingest: size, digest, hashes, and the permitted DICOM fields."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cxrtool import __version__
from cxrtool.core import outputs
from cxrtool.core.errors import Skip, Unreadable
from cxrtool.core.filenames import file_name, stems
from cxrtool.data import lesion_boxes, thumbnails
from cxrtool.files import grey_levels, image, manifest
from cxrtool.files.hounsfield import HounsfieldWindow
from cxrtool.images import fingerprints, hashing

# The cell that says why the masks of both lungs make no mask.
LOST = "\0lost"


@dataclass(frozen=True)
class MeasurementSettings:
    """What is to be made besides the measurements."""

    folder: manifest.ImageFolder | None = None  # of the converted images; None does not convert
    masks: manifest.ImageFolder | None = None  # of masks: both lungs', of boxes of a lesion
    bits: int = 8
    force: bool = False
    root: str | None = None
    window: HounsfieldWindow | None = None  # of what is CT

    def check(self, rows: Iterable[dict[str, str]]) -> None:
        """Refuse to write an image in the place of one that is to be read."""
        made = (self.folder, ".png"), (self.masks, "-mask.png"), (self.masks, "-lesion.png")
        folders = [(folder, ending) for folder, ending in made if folder]
        for row in rows if folders else ():
            names = stems(row["path"])
            paths = (folder.file(name + ending)[0] for folder, ending in folders for name in names)
            outputs.current().check(paths, row["path"])

    def job(self, file: str, row: dict[str, str]) -> "Job":
        """Describe the work on one row, whose image is in `file`."""
        halves = [manifest.resolve(half, self.root) for half in mask_halves(row)]
        boxes = tuple(lesion_boxes_of(row))
        absolute = tuple(map(os.path.abspath, halves))
        return Job(os.path.abspath(file), row["path"], absolute, self, boxes)

    def joins(self, row: dict[str, str]) -> bool:
        """Whether a mask is to be made for a row."""
        return self.masks is not None and has_mask_to_make(row)


def mask_halves(row: dict[str, str]) -> list[str]:
    """List the masks of single lungs of a row that has no mask of both."""
    return [row[c] for c in manifest.HALVES if row.get(c)] if not row.get("mask") else []


def lesion_boxes_of(row: dict[str, str]) -> list[lesion_boxes.Box]:
    """List the boxes around the lesion of a row that has no mask of it."""
    return [] if row.get("lesion") else lesion_boxes.boxes_of(row.get(lesion_boxes.COLUMN, ""))


def has_mask_to_make(row: dict[str, str]) -> bool:
    """Tell whether a row has what a mask can be made of, and no mask."""
    return bool(mask_halves(row) or lesion_boxes_of(row))


@dataclass(frozen=True)
class Job:
    """One image to measure."""

    path: str  # where the file is
    shown: str  # how messages and the manifest name it
    mask_halves: tuple[str, ...]
    settings: MeasurementSettings
    boxes: tuple[lesion_boxes.Box, ...] = ()  # around a lesion


@dataclass(frozen=True)
class Measurement:
    """What was measured on an image."""

    cells: dict[str, str]  # of the manifest
    thumbnail: bytes  # to prove copies by
    is_windowed: bool = False


def measure(job: Job) -> Measurement | Skip:
    """Decode one image and measure it."""
    try:
        picture = image.read(job.path, job.settings.window)
    except Unreadable as e:
        return Skip(job.shown, e.reason, e.remedy, e.failed)
    height, width = picture.grey.shape
    grey = hashing.reduced(picture.grey)
    dhash, fingerprint, small = fingerprints.hashed(grey)
    cells = {
        "width": str(width),
        "height": str(height),
        "sha256": picture.sha256,
        "dhash": dhash,
        "dhash_square": "" if height == width else hashing.dhash(hashing.square(grey)),
        "fingerprint": fingerprint,
        **picture.header,
        "warning": picture.warning,
    }
    if job.settings.folder:
        cells["path"] = _convert(job, picture, job.settings.folder)
    if job.settings.masks and job.mask_halves:
        cells |= _join_masks(job, job.settings.masks)
    if job.settings.masks and job.boxes:
        cells["lesion"] = _draw_lesion(job, picture, job.settings.masks)
    known = {k: v for k, v in cells.items() if v}
    return Measurement(known, thumbnails.encode(small), picture.is_windowed)


def _convert(job: Job, picture: image.Picture, folder: manifest.ImageFolder) -> str:
    name = file_name(job.shown, anonymous=bool(picture.header))
    path, shown = folder.file(f"{name}.png")
    window = f" window={job.settings.window}" if picture.is_windowed else ""
    made_with = f"ingest {__version__} bits={job.settings.bits}{window} of={picture.sha256}"
    if job.settings.force or not image.is_made(path, made_with):
        grey = picture.grey
        if job.settings.bits == 8:
            grey = grey_levels.to8(grey, whole_range=picture.is_windowed)
        image.write_png(path, grey, made_with)
    return shown


def _join_masks(job: Job, folder: manifest.ImageFolder) -> dict[str, str]:
    """Join the masks of the two lungs, which some collections keep apart, or say why not."""
    if len(job.mask_halves) < len(manifest.HALVES):
        return {LOST: "the mask of the other lung is absent"}
    try:
        halves = [image.read_beside(half) for half in job.mask_halves]
    except Unreadable as e:
        return {LOST: f"it or the mask of the other lung cannot be read: {e.reason}"}
    if len({h.grey.shape for h in halves}) != 1:
        return {LOST: "the mask of the other lung has another size"}
    path, shown = folder.file(file_name(job.shown) + "-mask.png")
    made_with = f"ingest {__version__} of={'+'.join(h.sha256[:16] for h in halves)}"
    if job.settings.force or not image.is_made(path, made_with):
        white = np.any([h.grey > 0 for h in halves], axis=0)
        image.write_png(path, white.astype(np.uint8) * 255, made_with)
    return {"mask": shown}


def _draw_lesion(job: Job, picture: image.Picture, folder: manifest.ImageFolder) -> str:
    """Draw the boxes around a lesion as its mask."""
    name = file_name(job.shown, anonymous=bool(picture.header))
    path, shown = folder.file(f"{name}-lesion.png")
    boxes = lesion_boxes.cell_of(job.boxes)
    made_with = f"ingest {__version__} boxes={boxes} of={picture.sha256}"
    if job.settings.force or not image.is_made(path, made_with):
        image.write_png(path, lesion_boxes.lesion_mask(job.boxes, picture.grey.shape), made_with)
    return shown


def thumbnail(path: str) -> bytes:
    """Read a file again for the thumbnail that proves a copy; empty if it cannot be read."""
    try:
        return thumbnails.encode(fingerprints.thumbnail(image.read(path).grey))
    except Unreadable:
        return b""
