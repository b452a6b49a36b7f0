"""What equalize does to one picture: cover text, resize, move, and enhance the grey levels."""

import os
from dataclasses import dataclass
from typing import Any

import cv2

from cxrtool import __version__
from cxrtool.core import choices, parallel, registry
from cxrtool.core.errors import CxrtoolError, Skip, Unreadable
from cxrtool.core.filenames import file_name
from cxrtool.core.parallel import Crew
from cxrtool.files import image, manifest
from cxrtool.files.boxes import Box
from cxrtool.files.grey_levels import Grey
from cxrtool.images import covering, text_boxes
from cxrtool.preprocess import moves
from cxrtool.preprocess.pipeline import Row, RowUpdate, after

INTERPOLATION = {n: getattr(cv2, f"INTER_{n.upper()}") for n in choices.INTERPOLATIONS}


@dataclass(frozen=True)
class EqualizeSettings:
    """What the user chose."""

    folder: str
    method: str
    size: int = 0  # of the sides; 0 keeps them
    interpolation: str = "area"
    move: str = ""  # by how much every picture is moved
    bits: int = 8
    conceal: bool = False  # what looks like burnt-in text
    boxes: dict[str, list[Box]] | None = None  # to conceal, by path
    root: str | None = None
    force: bool = False


class RowEqualizer:
    """The work on one row of a manifest."""

    reads = ("path", "raw", "preprocessing")

    def __init__(self, settings: EqualizeSettings) -> None:
        name, plugin, self.given = registry.load("equalizers", settings.method, "equalize")
        self.name, self.settings, self.modules = name, settings, (plugin.__name__,)
        self.spec = registry.canonical(name, plugin.equalize, self.given)
        # A changed reference makes other pictures, whatever its name.
        named = {k: v for k, v in self.given.items() if isinstance(v, registry.File)}
        self.of = [_digest(name, path) for path in named.values()]
        self.files = {k: os.path.abspath(v) for k, v in named.items()}
        # Workers may run in another folder, on another machine.
        self.here = os.path.abspath(settings.root or ".")
        self.folder = manifest.ImageFolder(settings.folder, settings.root)
        self.conceals = settings.conceal or settings.boxes is not None
        self.move = moves.parse(settings.move)
        # What was drawn for the picture as it was does not fit a moved one.
        self.drops = moves.DRAWN if settings.move else ()
        self.adds = ("path", "preprocessing", *["concealed"][: self.conceals], *self.drops)

    def __call__(self, row: Row) -> RowUpdate | Skip:
        """Make the picture of a row, unless it is there."""
        try:
            encoded = image.load(os.path.join(self.here, row["path"]))
            return self._update(row, encoded)
        except Unreadable as e:
            return Skip(row["path"], e.reason, e.remedy, e.failed)

    def _update(self, row: Row, encoded: image.Encoded) -> RowUpdate:
        name = file_name(row["path"], row.get("raw", ""), encoded.is_dicom) + ".png"
        target, shown = self.folder.file(name)
        boxes = self._listed(row)
        made_with = self._note(encoded.sha256, boxes)
        covered = None if self.settings.force else image.recorded_findings(target, made_with)
        warning = ""
        if covered is None:
            picture = image.decode(encoded)
            warning = picture.warning
            pixels, covered = self._equalized(picture, boxes)
            image.write_png(target, pixels, made_with, covered)
        cells = {
            "path": shown,
            "preprocessing": after(row, self.steps),
            "concealed": covered,
            **dict.fromkeys(self.drops, ""),
        }
        return RowUpdate(
            {k: v for k, v in cells.items() if k in self.adds}, (warning,) * bool(warning)
        )

    @property
    def steps(self) -> str:
        """Name what is done to every picture, in the words of the command line."""
        settings = self.settings
        size = f" --size {settings.size} --interpolation {settings.interpolation}"
        return (
            f"equalize --method {self.spec}"
            + size * bool(settings.size)
            + f" --move {settings.move}" * bool(settings.move)
            + f" --bits {settings.bits}" * (settings.bits != 8)
            + " --conceal" * self.conceals
        )

    def _note(self, digest: str, boxes: list[Box]) -> str:
        """Say what makes the picture, so that nothing else is taken for it."""
        covers = "auto" if self.settings.conceal else ";".join(",".join(map(str, b)) for b in boxes)
        files = " ".join(self.of)
        return f"{__version__} {self.steps} {covers} {files} of {digest}".encode(
            "ascii", "backslashreplace"
        ).decode()

    def _listed(self, row: Row) -> list[Box]:
        listed = self.settings.boxes or {}
        return listed.get(row["path"]) or listed.get(row.get("raw", "")) or []

    def _equalized(self, picture: image.Picture, boxes: list[Box]) -> tuple[Grey, str]:
        if picture.stack is not None:
            why = "it is a stack of three enhanced channels already"
            raise Unreadable(why, "Equalize the picture that it was made from.")
        grey, covered = picture.grey, ""
        if self.conceals:
            boxes = text_boxes.find(grey) if self.settings.conceal else boxes
            grey, covered = covering.cover(grey, boxes), str(len(boxes))
        if self.settings.size:
            grey = resized(grey, self.settings.size, self.settings.interpolation)
        if self.settings.move:
            grey = moves.moved(grey, self.move)
        method = registry.module("equalizers", self.name).equalize
        given: dict[str, Any] = {**self.given, **self.files}
        return method(grey, self.settings.bits, **given), covered


def resized(grey: Grey, size: int, interpolation: str) -> Grey:
    """Bring a picture to size x size pixels.

    Cubic, linear and nearest are those of OpenCV, which skip pixels as they shrink, as the papers'
    codes do; area takes all of them, and is cubic where it enlarges.
    """
    if interpolation == "area" and size > min(grey.shape):
        interpolation = "cubic"
    small: Grey = cv2.resize(grey, (size, size), interpolation=INTERPOLATION[interpolation])
    return small


def _digest(name: str, path: str) -> str:
    """Return the digest of a file that a method needs; a worker reads it, as it does any image."""
    (found,) = parallel.each(_read_digest, [path], Crew())
    if isinstance(found, str):
        return found
    remedy = found.remedy if isinstance(found, Skip) else "Name a smaller one."
    what = f"{path}, which {name} needs: {found.reason}"
    raise CxrtoolError(what, remedy, settings=["method"])


def _read_digest(path: str) -> str | Skip:
    try:
        return image.read(path).sha256
    except Unreadable as e:
        return Skip(path, e.reason, e.remedy)
