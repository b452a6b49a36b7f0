"""How good the images and their lung masks are, class by class: sharpness, markers, cropped lungs.

Each measurement has one unit: AUC between the classes, the share of pairs in which the positive
image has the higher value. 0.5 is no difference. Where sources have both classes, the same stands
beside it for pairs of one source.

Differences may be medical: ill patients are imaged in bed, with other exposures, and their lungs
look smaller. So nothing here decides; `bystanders` asks what predicts the label without anatomy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cxrtool.audit.case import Case
from cxrtool.audit.image_measurements import NAMES
from cxrtool.audit.verdicts import ALPHA, DESCRIPTIVE, CheckRow, NotAssessed
from cxrtool.figures import numbers
from cxrtool.images import bystanders
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Auc, Decomposition, Marks

TITLE = "Quality of images and masks in each class"
KIND = "descriptive"
NEEDS = ("images",)
REFERENCE = (
    "B. Garcia Santa Cruz et al., Public Covid-19 X-ray datasets and their impact on model bias, "
    "Medical Image Analysis 74, 2021."
)
NAME = "image quality"
# Fewer patients of a class tell little.
FEWEST = 10
# Strokes of a corner that rise so many of 255 levels above their surroundings are a marker.
MARKER = 100
# Of the highest frequencies.
BANDS = ("across", "down", "diagonal")
# Of many measurements that differ, the clearest are named in the sentence.
NAMED = 3

Get = Callable[[str], Floats]


def _sharpness(get: Get) -> Floats:
    return np.asarray(np.mean([get(f"sharp_{band}") for band in BANDS], axis=0))


def _markers(get: Get) -> Floats:
    corners = [get(f"corner_stroke_{corner}") >= MARKER for corner in bystanders.CORNERS]
    return np.asarray(np.sum(corners, axis=0), np.float64)


def _black_edges(get: Get) -> Floats:
    return np.asarray(np.mean([get(f"border_black_{side}") for side in bystanders.SIDES], axis=0))


def _flat_border(get: Get) -> Floats:
    top, bottom, left, right = (get(f"border_constant_{side}") for side in bystanders.SIDES)
    inside: Floats = np.maximum(0, 1 - top - bottom) * np.maximum(0, 1 - left - right)
    return 1 - inside


def _touching(get: Get) -> Floats:
    low = np.minimum(get("mask_top"), get("mask_left"))
    high = np.maximum(get("mask_bottom"), get("mask_right"))
    return np.where(np.isnan(low), np.nan, (low <= 0) | (high >= 1))


@dataclass(frozen=True)
class ImageProperty:
    """A measurement of all images, and how it is summarised for each class."""

    name: str
    values: Callable[[Get], Floats]
    summary: str = "mean"
    write: Callable[[float], str] = numbers.share

    def of_class(self, values: Floats) -> str:
        """Return the summary of some images as text."""
        return self.write(float(np.median(values) if self.summary == "median" else values.mean()))


MEASUREMENTS = (
    ImageProperty("sharpness along the edges", _sharpness, "median", numbers.value),
    ImageProperty("contrast", lambda get: get("contrast"), "median"),
    ImageProperty("black pixels", lambda get: get("black_pixels")),
    ImageProperty("white pixels", lambda get: get("white_pixels")),
    ImageProperty("text boxes", lambda get: get("text_count"), write=numbers.value),
    ImageProperty("area of text boxes", lambda get: get("text_area")),
    ImageProperty("corners with a marker", _markers, write=numbers.value),
    ImageProperty("black edges", _black_edges),
    ImageProperty("flat border", _flat_border),
    ImageProperty("lungs touch the edge of the image", _touching, "share of images"),
    ImageProperty("area of the lungs", lambda get: get("mask_area"), "median"),
    ImageProperty("pieces of the lung mask", lambda get: get("mask_pieces"), write=numbers.value),
    ImageProperty("mask that looks wrong", lambda get: get("mask_flagged"), "share of images"),
)


def assess(case: Case) -> list[CheckRow]:
    """Return one row, with a table of the measurements."""
    measured = case.measured()
    if measured is None:
        remedy = "Give the manifest of the images (cxrtool audit MANIFEST)."
        raise NotAssessed("images are read of the rows of a manifest only", remedy)
    rows = case.judged[case.images.positive[case.judged] >= 0]
    readable = np.isfinite(measured[rows]).any(axis=1)
    unmeasured, rows = int((~readable).sum()), rows[readable]
    if _is_small(case, rows):
        why = f"fewer than {FEWEST} patients of a class have readable images"
        raise NotAssessed(why, "Add images of both classes.")
    row = CheckRow(NAME, DESCRIPTIVE, patients=len(np.unique(case.images.patients[rows])))
    row.sources = len(np.unique(_sources(case, rows)[1]))
    found = _compared(case, rows, measured[rows])
    level = 1 - ALPHA / max(1, sum(len(one.aucs) for one in found.compared))
    row.meaning = _meaning(case, found, level)
    if unmeasured:
        row.meaning += (
            f" Not measured: {unmeasured} of the judged images, which are not in the manifest or "
            "cannot be read."
        )
    row.blocks = [_table(case, found, level)] if found.compared else []
    return [row]


def _sources(case: Case, rows: Ints) -> tuple[Marks, Ints]:
    """Return which rows have a source, and the sources of these."""
    if not case.images.has("source"):
        return np.zeros(len(rows), bool), np.zeros(0, np.int64)
    known = case.images.known("source")[rows]
    return known, case.images.columns["source"].codes[rows[known]]


def _is_small(case: Case, rows: Ints) -> bool:
    positive, patients = case.images.positive[rows], case.images.patients[rows]
    return min(len(np.unique(patients[positive == k])) for k in (0, 1)) < FEWEST


class ClassComparison:
    """A measurement in both classes, over all pairs of images and over those of one source."""

    def __init__(self, case: Case, of: ImageProperty, rows: Ints, values: Floats) -> None:
        self.name, self.summary = of.name, of.summary
        positive = case.images.positive[rows] == 1
        self.of_classes = [of.of_class(values[positive == label]) for label in (True, False)]
        self.whole = _decomposition(case, rows, values, np.zeros(len(rows), np.int64)).whole
        self.within: Auc | None = None
        known, codes = _sources(case, rows)
        if len(np.unique(codes)) > 1 and not _is_small(case, rows[known]):
            parts = _decomposition(case, rows[known], values[known], codes)
            self.within = parts.within if parts.share > 0 else None

    @property
    def aucs(self) -> list[Auc]:
        """AUC over all pairs, and over those of one source where there are such pairs."""
        return [self.whole] if self.within is None else [self.whole, self.within]


@dataclass
class Comparisons:
    """What was compared, what too few images have, and what is the same in all images."""

    compared: list[ClassComparison] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    equal: list[str] = field(default_factory=list)


def _compared(case: Case, rows: Ints, measured: Floats) -> Comparisons:
    """Compare each measurement that both classes have."""
    found = Comparisons()
    for one in MEASUREMENTS:
        values = one.values(lambda column: measured[:, NAMES.index(column)])
        keep = np.isfinite(values)
        if _is_small(case, rows[keep]):
            found.absent.append(one.name)
        elif np.ptp(values[keep]) > 0:
            found.compared.append(ClassComparison(case, one, rows[keep], values[keep]))
        else:
            found.equal.append(one.name)
    return found


def _decomposition(case: Case, rows: Ints, values: Floats, groups: Ints) -> Decomposition:
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    return Decomposition(case.images.positive[rows] == 1, values, groups, patients)


def _meaning(case: Case, found: Comparisons, level: float) -> str:
    """Name what differs, over all pairs and within sources, and what was not measured."""
    sentences = ["No measurement varies among these images."]
    margin = f"the margin ({case.margin:g})"
    if found.compared:
        named = _named({one.name: one.whole for one in found.compared}, case, level)
        sentences = [
            f"These differ between the classes by more than {margin}: {named}. The cause may be "
            "medical (images in bed, other exposures)."
            if named
            else "No measurement of the pixels (sharpness, contrast, text, borders) and masks is "
            f"shown to differ between the classes by more than {margin}."
        ]
        inside = {one.name: one.within for one in found.compared if one.within is not None}
        if inside:
            sentences.append(f"Within sources: {_named(inside, case, level) or 'none'}.")
    if found.absent:
        sentences.append(
            f"{len(found.absent)} measurements exist for fewer than {FEWEST} patients of a class; "
            "those of lungs need the column 'mask'."
        )
    return " ".join(sentences)


def _named(aucs: Mapping[str, Auc], case: Case, level: float) -> str:
    """List the measurements whose interval excludes 0.5 by more than the margin."""
    beyond = []
    for name, auc in aucs.items():
        low, high = auc.bounds(level)
        if low > 0.5 + case.margin or high < 0.5 - case.margin:
            beyond.append((name, auc.value))
    beyond.sort(key=lambda pair: -abs(pair[1] - 0.5))
    texts = []
    for name, value in beyond[:NAMED]:
        side = "higher" if value > 0.5 else "lower"
        texts.append(f"{name} ({side} in {case.positive}, AUC {numbers.value(value)})")
    more = f" and {len(beyond) - NAMED} more" if len(beyond) > NAMED else ""
    return ", ".join(texts) + more


def _table(case: Case, found: Comparisons, level: float) -> dict[str, object]:
    has_sources = any(one.within is not None for one in found.compared)
    cells: list[list[object]] = []
    for one in found.compared:
        aucs = [one.whole, one.within] if has_sources else [one.whole]
        bounds = [None if auc is None else (auc.value, *auc.bounds(level)) for auc in aucs]
        cells.append([one.name, one.summary, *one.of_classes, *bounds])
    number = sum(len(one.aucs) for one in found.compared)
    others = "other classes" if len(case.negatives) > 1 else case.negatives[0]
    inside = ["AUC within sources"] if has_sources else []
    left_out = f" Equal in all images: {', '.join(found.equal)}." if found.equal else ""
    if found.absent:
        few = f"Measured in fewer than {FEWEST} patients of a class: {', '.join(found.absent)}."
        left_out = f"{left_out} {few}"
    return {
        "kind": "table",
        "columns": ["measurement", "summary", case.positive, others, "AUC", *inside],
        "rows": cells,
        "caption": "AUC of a measurement: the share of pairs in which the image of "
        f"{case.positive} has the higher value; 0.5 is no difference. Intervals keep the images of "
        f"a patient together and are adjusted for the {number} of this table (level "
        f"{numbers.level(level)}). Sharpness is the logarithm of the power of fine detail in the "
        "frame of the image, contrast a share of the grey scale. Lungs that touch the edge may be "
        f"cut by a crop. A marker is a stroke in a corner that rises {MARKER} of 255 levels or "
        f"more.{left_out}",
    }
