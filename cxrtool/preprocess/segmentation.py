"""What segment does to one picture: find the lungs, keep what was asked for, judge the mask."""

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool import __version__
from cxrtool.core import registry
from cxrtool.core.errors import Skip, Unreadable
from cxrtool.core.filenames import file_name
from cxrtool.figures import numbers
from cxrtool.files import grey_levels, image, manifest
from cxrtool.files.grey_levels import Grey
from cxrtool.images import masks
from cxrtool.preprocess.pipeline import Row, RowUpdate, after

JUDGEMENT = ("lung_fraction", "mask_flag")
SCORES = ("dice", "iou", "hd95")
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SegmentSettings:
    """What the user chose."""

    folder: str
    model: str
    keep: str = "lungs"
    blur: tuple[str, float] = ("gaussian", 0.0)  # kind and pixels
    dilate: int = 0
    margin: float = 0.0
    bits: int = 8
    root: str | None = None
    force: bool = False


class RowSegmenter:
    """The work on one row of a manifest; with `scores`, its mask is compared with the new one."""

    reads = ("path", "raw", "mask", "lesion", "preprocessing")

    def __init__(self, settings: SegmentSettings, scores: bool) -> None:
        self.settings, self.scores = settings, scores
        self.name, self.spec, self.given = _model(settings.model)
        self.modules = (registry.module("segmenters", self.name).__name__,)
        # Workers may run in another folder, on another machine.
        self.here = os.path.abspath(settings.root or ".")
        self.folder = manifest.ImageFolder(settings.folder, settings.root)
        self.adds = ("path", "mask", *JUDGEMENT, *(SCORES if scores else ()), "preprocessing")

    @property
    def steps(self) -> str:
        """Name what is done to every picture, in the words of the command line."""
        settings = self.settings
        kind, pixels = settings.blur
        return (
            f"segment --model {self.spec} --keep {settings.keep}"
            + f" --blur {kind}:{pixels:g}" * bool(pixels)
            + f" --dilate {settings.dilate}" * bool(settings.dilate)
            + f" --margin {settings.margin:g}" * bool(settings.margin)
            + f" --bits {settings.bits}" * (settings.bits != 8)
        )

    def __call__(self, row: Row) -> RowUpdate | Skip:
        """Make the picture and the mask of a row, unless they are there."""
        try:
            encoded = image.load(os.path.join(self.here, row["path"]))
            return self._update(row, encoded)
        except Unreadable as e:
            return Skip(row["path"], e.reason, e.remedy, e.failed)

    def _update(self, row: Row, encoded: image.Encoded) -> RowUpdate:
        warnings: list[str] = []
        truth = self._beside(row, "mask", "compared", warnings) if self.scores else None
        boxed = self.settings.keep == "box"
        lesion = self._beside(row, "lesion", "cut", warnings) if boxed else None
        name = file_name(row["path"], row.get("raw", ""), encoded.is_dicom)
        places = self._places(name, lesion is not None)
        made_with = f"{__version__} {self.steps} of {encoded.sha256}"
        for what, picture in (("against", truth), ("with", lesion)):
            made_with += f" {what} {picture.sha256}" if picture else ""
        judgement = None if self.settings.force else _recorded_cells(places, made_with)
        if judgement is None:
            picture = image.decode(encoded)
            warnings += [picture.warning] * bool(picture.warning)
            judgement, pictures = self._segmented(picture, truth, lesion)
            for kind, (target, _) in places.items():
                image.write_png(target, pictures[kind], made_with, json.dumps(judgement))
        cells = {kind: shown for kind, (_, shown) in places.items()}
        cells |= {"path": cells.get("path", cells["mask"]), "preprocessing": after(row, self.steps)}
        if boxed and lesion is None and row.get("lesion"):
            # The old one would lie beside the box.
            cells["lesion"] = ""
        return RowUpdate(cells | judgement, tuple(warnings))

    def _places(self, name: str, lesion: bool) -> dict[str, tuple[str, str]]:
        """Say which files are made, by the column that names them."""
        endings = {"path": ".png", "mask": "-mask.png", "lesion": "-lesion.png"}
        if self.settings.keep == "mask":
            del endings["path"]
        if not lesion:
            del endings["lesion"]
        return {column: self.folder.file(name + end) for column, end in endings.items()}

    def _beside(
        self, row: Row, column: str, purpose: str, warnings: list[str]
    ) -> image.Picture | None:
        """Read a picture that the row has beside its image: the true mask, or the lesion's."""
        if not row.get(column):
            return None
        try:
            return image.read_beside(os.path.join(self.here, row[column]))
        except Unreadable as e:
            warnings.append(f"its {column} {row[column]} cannot be {purpose}: {e.reason}")
            return None

    def _segmented(
        self, picture: image.Picture, truth: image.Picture | None, lesion: image.Picture | None
    ) -> tuple[Row, dict[str, Grey]]:
        """Find the lungs: the cells that describe the mask, and the pictures by column."""
        segment = registry.module("segmenters", self.name).segment
        lungs: Mask = segment(picture.grey, **self.given)
        judgement = {
            "lung_fraction": numbers.measure(masks.fraction(lungs)),
            "mask_flag": masks.flag(lungs),
            **(scored(lungs, truth) if self.scores else {}),
        }
        kept = masks.dilated(lungs, self.settings.dilate)
        pictures: dict[str, Any] = {"mask": white(kept)}
        if lesion is not None:
            pictures["lesion"] = white(grey_levels.to_mask(lesion.grey, lungs.shape))
        if self.settings.keep == "box":
            top, bottom, left, right = masks.box(kept, self.settings.margin)
            pictures["path"] = self._pixels(picture)
            return judgement, {c: pixels[top:bottom, left:right] for c, pixels in pictures.items()}
        if self.settings.keep != "mask":
            pictures["path"] = self._masked(self._pixels(picture), kept)
        return judgement, pictures

    def _pixels(self, picture: image.Picture) -> Grey:
        return picture.pixels if self.settings.bits == 16 else grey_levels.to8(picture.pixels)

    def _masked(self, pixels: Grey, mask: Mask) -> Grey:
        """Black out all but the lungs, or the lungs, softly where a blur is asked for."""
        kind, width = self.settings.blur
        weights: Any = masks.blurred(mask, kind, width) if width else mask
        if self.settings.keep == "background":
            weights = 1 - weights if width else ~weights
        if pixels.ndim == 3:
            weights = weights[..., None]
        product: Grey = (
            np.rint(pixels * weights).astype(pixels.dtype) if width else pixels * weights
        )
        return product


def is_plugin(model: str) -> bool:
    """Whether a model is one of the package, not a folder."""
    return model.partition(":")[0].replace("_", "-") in registry.names("segmenters")


def _model(model: str) -> tuple[str, str, dict[str, Any]]:
    """Find what draws the masks: the plug-in, how it is called, and its options."""
    # A folder may be called as a plug-in is: its images, most likely. Then it is ./lungs.
    if is_plugin(model) or not os.path.isdir(model):
        name, plugin, given = registry.load("segmenters", model, "segment")
        return name, registry.canonical(name, plugin.segment, given), given
    from cxrtool.preprocess.segmenters import _run

    run = _run.opened(model)
    # Another run in the same folder makes other masks.
    spec = f"{run.name}@{run.about.weights[:12]}"
    return "_run", spec, {"folder": os.path.abspath(model)}


def _recorded_cells(places: dict[str, tuple[str, str]], made_with: str) -> Row | None:
    """Read the cells that were found when the files were made; None if one is to be made again."""
    notes = [image.recorded_findings(target, made_with) for target, _ in places.values()]
    if None in notes:
        return None
    cells: Row = json.loads(notes[0] or "{}")
    return cells


def scored(mask: Mask, truth: image.Picture | None) -> Row:
    """Compare a mask with the truth; what is undefined stays empty."""
    if truth is None:
        return dict.fromkeys(SCORES, "")
    agreement = masks.agreement(mask, grey_levels.to_mask(truth.grey, mask.shape))
    return {name: numbers.measure(getattr(agreement, name)) for name in SCORES}


def white(mask: Mask) -> NDArray[np.uint8]:
    """Draw a mask as a picture."""
    return mask.view(np.uint8) * np.uint8(255)
