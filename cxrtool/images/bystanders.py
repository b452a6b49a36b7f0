"""Measure what an image shows besides the patient (image, facts of its file -> named numbers).

Whatever predicts the label from these numbers does not need the lungs: borders, burnt-in markers,
sharpness, traces of JPEG and of grey-level changes, the file itself. Nothing here looks into the
lungs, and opacities drawn into lungs do not change the numbers more than chance does; what failed
that test (a thumbnail, grey quantiles, the bytes a pixel of the file) is left out.
"""

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.files.grey_levels import Grey, to8, to_grey
from cxrtool.files.image_facts import Facts
from cxrtool.images import processing_traces, text_boxes
from cxrtool.images.processing_traces import Bytes, Values

SIDES = ("top", "bottom", "left", "right")
CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")

# Changes with every change of a measurement: those of other versions are not comparable.
VERSION = 1

STRIP = 0.025  # of a side: the width of strips along the edges
FLAT = 10  # A border varies by no more than so many levels of 255.
MOST_BORDER = 0.25  # of a side, at either end
CORNER = 8  # corner patches have this part of the shorter side
STROKE = 0.045  # of the shorter side: letters have thinner strokes
OUTER = 0.7  # From here on, from the centre (0) to the edge (1), text is beside the lungs.
FORMATS = ("JPEG", "PNG", "DICOM")


def _named(prefix: str, kinds: Iterable[str], places: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}_{kind}_{place}" for kind in kinds for place in places)


GROUPS: dict[str, tuple[str, ...]] = {
    "border": _named("border", ("mean", "sd", "black", "white", "constant"), SIDES),
    "corners": (
        *_named("corner", ("mean", "sd", "edge", "stroke"), CORNERS),
        *_named("corner", ("stroke",), ("most", "next")),
    ),
    "text": ("text_count", "text_area"),
    "sharpness": processing_traces.SHARPNESS,
    "grid": processing_traces.GRID,
    "grey levels": processing_traces.LEVELS,
    "file": (
        "width",
        "height",
        "aspect",
        "quality",
        "bits",
        "channels",
        "is_jpeg",
        "is_png",
        "is_dicom",
    ),
}
NAMES: tuple[str, ...] = tuple(name for names in GROUPS.values() for name in names)
# The measurements that no anatomy reaches, by which the audit decides. The others see what lies at
# the edges of the chest: posture, shoulders, abdomen, tubes and the exposure of ill patients. On
# 1,000 images of one collection (pneumonia against normal) those predict the label with AUC 0.79.
SIGNATURE: tuple[str, ...] = (
    *_named("border", ("white", "constant"), SIDES),
    *_named("corner", ("edge",), CORNERS),
    *GROUPS["text"],
    "resampled_across",
    "resampled_down",
    "blocks_across",
    "blocks_down",
    "gaps",
    "step",
    *GROUPS["file"],
)


def measure(image: Grey, facts: Facts | None = None) -> NDArray[np.float64]:
    """Measure an image in the order of `NAMES`; NaN is what it does not have.

    Parameters
    ----------
    image
        Grey, 2-D. 16 bits are looked at in 8, as networks see them, but for the grey levels.
    facts
        What the file says; without it, only the size of the image is known.
    """
    if image.ndim != 2 or not image.size:
        raise ValueError(f"an image of shape {image.shape} is not 2-D with pixels in it")
    grey = to_grey(image)
    small = to8(grey)
    values = _border(small) | _corners(small) | _text(small)
    values |= processing_traces.sharpness(small) | processing_traces.grid(small)
    values |= processing_traces.grey_levels(grey) | _file(small.shape, facts)
    return np.array([values[name] for name in NAMES])


def edge_strips(image: Bytes) -> list[Bytes]:
    """Cut strips along the top, the bottom, the left and the right edge."""
    down, across = (max(1, round(STRIP * side)) for side in image.shape)
    return [image[:down], image[-down:], image[:, :across], image[:, -across:]]


def _border(image: Bytes) -> Values:
    values: Values = {}
    for side, strip in zip(SIDES, edge_strips(image), strict=True):
        mean, spread = cv2.meanStdDev(strip)
        values[f"border_mean_{side}"], values[f"border_sd_{side}"] = mean.item(), spread.item()
        values[f"border_black_{side}"] = float((strip <= 2).mean())
        values[f"border_white_{side}"] = float((strip >= 253).mean())
    turned = (image, image[::-1], image.T, image.T[::-1])
    for side, lines in zip(SIDES, turned, strict=True):
        values[f"border_constant_{side}"] = _constant(lines)
    return values


def _constant(lines: Bytes) -> float:
    """Return the share of the lines, from the first one on, that are of one level each."""
    length, width = lines.shape
    # Every few pixels tell as much; the ends are those of the neighbouring borders.
    inside = lines[: math.ceil(MOST_BORDER * length), width // 10 : width - width // 10]
    some = inside[:, :: max(1, width // 128)]
    flat = np.ptp(some, axis=1) <= FLAT
    first = len(flat) if flat.all() else int(np.argmin(flat))
    return float(first / length)


def _corners(image: Bytes) -> Values:
    """Return grey levels and detail of the corners, and how bright the strokes in them are.

    A marker may be in any corner: `stroke_most` and `stroke_next` are the two brightest of four.
    """
    side = max(1, round(min(image.shape) / CORNER))
    thick = max(3, round(STROKE * min(image.shape)) | 1)
    values: Values = {}
    patches = image[:side, :side], image[:side, -side:], image[-side:, :side], image[-side:, -side:]
    for corner, patch in zip(CORNERS, patches, strict=True):
        mean, spread = cv2.meanStdDev(patch)
        values[f"corner_mean_{corner}"], values[f"corner_sd_{corner}"] = mean.item(), spread.item()
        values[f"corner_edge_{corner}"] = _edge_energy(patch.astype(np.float32))
        values[f"corner_stroke_{corner}"] = _stroke(patch, thick)
    *_, second, first = sorted(values[name] for name in _named("corner", ("stroke",), CORNERS))
    return values | {"corner_stroke_most": first, "corner_stroke_next": second}


def _stroke(patch: Bytes, thick: int) -> float:
    """Return how far the brightest fiftieth of a patch rises above what is wider than a stroke."""
    square = np.ones((thick, thick), np.uint8)
    rise = cv2.morphologyEx(np.ascontiguousarray(patch), cv2.MORPH_TOPHAT, square)
    return float(np.percentile(rise, 98, method="higher"))


def _edge_energy(patch: NDArray[np.float32]) -> float:
    if len(patch) < 2:
        return math.nan
    squares = [float((np.diff(patch, axis=axis) ** 2).mean()) for axis in (0, 1)]
    return math.log(sum(squares) + 0.1)


def _text(image: Bytes) -> Values:
    """Return how much burnt-in text there is near the edges."""
    height, width = image.shape
    boxes = [
        box
        for box in text_boxes.find(image)
        if abs(2 * box.x + box.width - width) > OUTER * width
        or abs(2 * box.y + box.height - height) > OUTER * height
    ]
    area = sum(box.width * box.height for box in boxes)
    return {"text_count": float(len(boxes)), "text_area": area / image.size}


def _file(shape: tuple[int, ...], facts: Facts | None) -> Values:
    height, width = shape
    values = dict.fromkeys(GROUPS["file"], math.nan)
    values |= {"width": math.log2(width), "height": math.log2(height)}
    values["aspect"] = math.log2(width / height)
    if facts is not None:
        values |= {"bits": float(facts.bits), "channels": float(facts.channels)}
        values["quality"] = quality(facts.quantization)
        values |= {f"is_{name.lower()}": float(facts.format == name) for name in FORMATS}
    return values


# The luminance table of ITU-T T.81, Annex K, which most encoders scale by a quality.
_LUMINANCE = np.array(
    [
        16,
        11,
        10,
        16,
        24,
        40,
        51,
        61,
        12,
        12,
        14,
        19,
        26,
        58,
        60,
        55,
        14,
        13,
        16,
        24,
        40,
        57,
        69,
        56,
        14,
        17,
        22,
        29,
        51,
        87,
        80,
        62,
        18,
        22,
        37,
        56,
        68,
        109,
        103,
        77,
        24,
        35,
        55,
        64,
        81,
        104,
        113,
        92,
        49,
        64,
        78,
        87,
        103,
        121,
        120,
        101,
        72,
        92,
        95,
        98,
        112,
        100,
        103,
        99,
    ]
)
_QUALITIES = np.arange(1, 101)
_SCALES = np.where(_QUALITIES < 50, 5000 // _QUALITIES, 200 - 2 * _QUALITIES)
_SUMS = np.clip((np.outer(_SCALES, _LUMINANCE) + 50) // 100, 1, 255).sum(axis=1)


def quality(table: tuple[int, ...]) -> float:
    """Return the JPEG quality, 1 to 100, that the sum of a luminance table belongs to."""
    return float(np.interp(-sum(table), -_SUMS, _QUALITIES)) if table else math.nan
