"""Masks of lungs: whether one is plausible, what it frames, and how well two agree.

A mask is a 2-D bool array; other numbers count as set where they are not zero.
"""

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[Any]
Bits = NDArray[np.uint8]

# Of the 308 human lung outlines of COVID-ChestXRay that are not empty (its lateral views have
# none), the 1st percentile covers 0.21 of the image and the 99th 0.57. The limits leave slack, the
# more below: on radiographs that show the belly too, good masks cover as little as 0.12. All the
# limits together flag none of the outlines.
SMALLEST, LARGEST = 0.10, 0.65
SMALLER_LUNG = 0.25  # of both; the 1st percentile of the outlines is 0.38, the least 0.35
ON_BORDER = 0.15  # of the outline; the 99th percentile of the outlines is 0.11, the most 0.148
PIECE = 0.005  # of the image; what is smaller is a speck and not a piece
MOST_PIECES = 3  # two lungs, and a third where a device cuts one in two


class Agreement(NamedTuple):
    """How well a mask agrees with the truth; hd95 is in pixels."""

    dice: float
    iou: float
    hd95: float


def flag(mask: Mask) -> str:
    """Say what makes a mask implausible for the lungs of a frontal view; empty when nothing does.

    The reasons: empty, too small, too large, one lung, many pieces, touches the border.
    """
    bits = _bits(mask)
    if not bits.any():
        return "empty"
    share, areas = fraction(bits), _areas(bits)
    reasons = {
        "too small": share < SMALLEST,
        "too large": share > LARGEST,
        "one lung": _smaller_lung(bits, areas) < SMALLER_LUNG,
        "many pieces": _pieces(bits, areas) > MOST_PIECES,
        "touches the border": _on_border(bits) > ON_BORDER,
    }
    return "; ".join(reason for reason, holds in reasons.items() if holds)


def fraction(mask: Mask) -> float:
    """Return the share of the image that the mask covers."""
    return float(np.count_nonzero(mask) / mask.size) if mask.size else 0.0


def pieces(mask: Mask) -> int:
    """Count the connected pieces of a mask, without specks."""
    bits = _bits(mask)
    return _pieces(bits, _areas(bits)) if bits.size else 0


def box(mask: Mask, margin: float = 0.0) -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) of the mask, to be used as `image[top:bottom, left:right]`.

    Each side is moved out by `margin` of the box's own height or width, but not out of the image.
    An empty mask gives the whole image.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return 0, mask.shape[0], 0, mask.shape[1]
    return *_widened(rows, margin, mask.shape[0]), *_widened(columns, margin, mask.shape[1])


def dilated(mask: Mask, pixels: int) -> NDArray[np.bool_]:
    """Dilate by a square of (2 * pixels + 1)^2 ones.

    The published code of COVID-CXNet dilates by 5 x 5 ones three times, which is 6 pixels here.
    """
    if pixels <= 0 or not mask.size:
        return np.asarray(mask != 0)
    # Rows and then columns give the same as the square, in a time that grows with its side only.
    side = 2 * pixels + 1
    rows = cv2.dilate(_bits(mask), np.ones((1, side), np.uint8))
    return np.asarray(cv2.dilate(rows, np.ones((side, 1), np.uint8)) != 0)


def blurred(mask: Mask, kind: str, pixels: float) -> NDArray[np.float32]:
    """Soften the edge of a mask to weights from 0 to 1; outside the image it is mirrored.

    `gaussian` has the standard deviation `pixels` and ends at 4 of them, as the filter of SciPy;
    `box` is the mean of (2 * pixels + 1)^2 pixels. 0 pixels leave the edge hard.
    """
    if kind not in ("gaussian", "box"):
        raise ValueError(f"a blur is gaussian or box, not {kind}")
    weights = _bits(mask).astype(np.float32)
    radius = int(4 * pixels + 0.5) if kind == "gaussian" else round(pixels)
    if radius <= 0 or not mask.size:
        return weights
    # OpenCV mirrors once only, so that an image smaller than the kernel is mirrored here.
    padded = np.pad(weights, radius, mode="symmetric")
    side = (2 * radius + 1, 2 * radius + 1)
    soft = cv2.GaussianBlur(padded, side, pixels) if kind == "gaussian" else cv2.blur(padded, side)
    inner = soft[radius:-radius, radius:-radius]
    return np.asarray(np.clip(inner, 0, 1), np.float32)


def agreement(mask: Mask, truth: Mask) -> Agreement:
    """Compare a mask with the truth of the same shape.

    With A and B the two sets of pixels, Dice is 2|A & B| / (|A| + |B|) and IoU |A & B| / |A | B|.
    The boundary of a mask is its pixels that have a 4-neighbour outside it or lie on the image's
    border; hd95 is the larger of the 95th percentiles (linearly interpolated) of the distances
    from one boundary to the nearest pixel of the other, either way round. Where both are empty
    nothing is defined (nan); where one is, hd95 is infinite.
    """
    if mask.shape != truth.shape:
        raise ValueError(f"masks of {mask.shape} and {truth.shape} cannot be compared")
    one, other = _bits(mask), _bits(truth)
    both, total = cv2.countNonZero(one & other), cv2.countNonZero(one) + cv2.countNonZero(other)
    if not total:
        return Agreement(math.nan, math.nan, math.nan)
    return Agreement(2 * both / total, both / (total - both), _hd95(one, other))


def _bits(mask: Mask) -> Bits:
    return np.ascontiguousarray(mask != 0).view(np.uint8)


def _areas(bits: Bits) -> NDArray[np.int32]:
    stats = cv2.connectedComponentsWithStats(bits, connectivity=8)[2]
    return np.asarray(stats[1:, cv2.CC_STAT_AREA])


def _pieces(bits: Bits, areas: NDArray[np.int32]) -> int:
    return int((areas >= PIECE * bits.size).sum())


def _smaller_lung(bits: Bits, areas: NDArray[np.int32]) -> float:
    """Return the share of the smaller lung in both: by pieces or by sides of the image, the less.

    A single piece is no pair of lungs, and neither are two pieces on the same side.
    """
    largest = np.sort(areas)[-2:]
    by_piece = float(largest[0] / largest.sum()) if largest.size == 2 else 0.0
    middle = bits.shape[1] // 2
    sides = cv2.countNonZero(bits[:, :middle]), cv2.countNonZero(bits[:, middle:])
    return min(by_piece, min(sides) / sum(sides))


def _boundary(bits: Bits) -> Bits:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(bits, cross, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(bits - inner)


def _on_border(bits: Bits) -> float:
    """Return the share of the mask's boundary that lies on the border of the image."""
    boundary = _boundary(bits)
    whole = cv2.countNonZero(boundary)
    return (whole - int(boundary[1:-1, 1:-1].sum())) / whole


def _widened(places: NDArray[np.intp], margin: float, end: int) -> tuple[int, int]:
    low, high = int(places[0]), int(places[-1]) + 1
    more = round(margin * (high - low))
    return max(low - more, 0), min(high + more, end)


def _hd95(one: Bits, other: Bits) -> float:
    if not (one.any() and other.any()):
        return math.inf
    first, second = _boundary(one), _boundary(other)
    # All that is measured lies in the box of both, which spares half of the time.
    top, bottom, left, right = box(one | other)
    window = np.s_[top:bottom, left:right]
    first, second = first[window], second[window]
    return max(_distance95(first, second), _distance95(second, first))


def _distance95(start: Bits, goal: Bits) -> float:
    """Return the 95th percentile of the distances from one boundary to the other."""
    distances = cv2.distanceTransform(1 - goal, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(np.percentile(distances[start != 0].astype(np.float64), 95))
