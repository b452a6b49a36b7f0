"""What ingest learns from the pixels of one image: size, digest, hash, and what DICOM may tell."""

import os
from dataclasses import dataclass

import numpy as np

from cxrtool import __version__, hashing
from cxrtool.artifacts import image, manifest
from cxrtool.errors import Skip, Unreadable
from cxrtool.naming import file_name


@dataclass(frozen=True)
class Making:
    """What is to be made besides the measurements."""

    folder: manifest.Folder | None = None  # of the converted images; None does not convert
    bits: int = 8
    force: bool = False
    root: str | None = None

    def job(self, file: str, row: dict[str, str]) -> "Job":
        """Describe the work on one row, whose image is in `file`."""
        halves = [row[c] for c in ("mask_left", "mask_right") if row.get(c) and not row.get("mask")]
        found = tuple(os.path.abspath(manifest.resolve(half, self.root)) for half in halves)
        return Job(os.path.abspath(file), row["path"], found, self)


@dataclass(frozen=True)
class Job:
    """One image to measure."""

    path: str  # where the file is
    shown: str  # how messages and the manifest name it
    mask_halves: tuple[str, ...]
    making: Making


def measure(job: Job) -> dict[str, str] | Skip:
    """Decode one image and return the manifest's cells that follow from it."""
    try:
        picture = image.read(job.path)
    except Unreadable as e:
        return Skip(job.shown, e.reason, e.remedy, e.failed)
    height, width = picture.grey.shape
    cells = {
        "width": str(width),
        "height": str(height),
        "sha256": picture.sha256,
        "dhash": hashing.dhash(picture.grey),
        "dhash_square": "" if height == width else hashing.dhash(hashing.square(picture.grey)),
        **picture.header,
        "warning": picture.warning,
    }
    if job.making.folder:
        cells["path"] = _convert(job, picture, job.making.folder)
        cells["mask"] = _join_masks(job, job.making.folder)
    return {k: v for k, v in cells.items() if v}


def _convert(job: Job, picture: image.Picture, folder: manifest.Folder) -> str:
    name = file_name(job.shown, anonymous=bool(picture.header))
    path, shown = folder.file(f"{name}.png")
    made_with = f"ingest {__version__} bits={job.making.bits} of={picture.sha256}"
    if job.making.force or not image.is_made(path, made_with):
        grey = picture.grey if job.making.bits == 16 else image.to8(picture.grey)
        image.write_png(path, grey, made_with)
    return shown


def _join_masks(job: Job, folder: manifest.Folder) -> str:
    """Join the masks of the two lungs, which some collections keep apart."""
    try:
        halves = [image.read(half) for half in job.mask_halves]
    except Unreadable:
        return ""
    if not halves or len({h.grey.shape for h in halves}) != 1:
        return ""
    path, shown = folder.file(file_name(job.shown) + "-mask.png")
    made_with = f"ingest {__version__} of={'+'.join(h.sha256[:16] for h in halves)}"
    if job.making.force or not image.is_made(path, made_with):
        white = np.any([h.grey > 0 for h in halves], axis=0)
        image.write_png(path, white.astype(np.uint8) * 255, made_with)
    return shown


def thumbnail(look: tuple[str, bool]) -> "np.ndarray[tuple[int, int], np.dtype[np.generic]] | None":
    """Read a file again for the thumbnail that proves a near duplicate; None if it cannot be.

    `look` is the file and whether its central square is meant.
    """
    path, square = look
    try:
        grey = image.read(path).grey
    except Unreadable:
        return None
    return hashing.thumbnail(hashing.square(grey) if square else grey)
