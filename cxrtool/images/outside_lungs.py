"""Describe what surrounds the lungs, and the lung mask itself (image, mask -> named numbers).

These numbers describe and do not judge: heart, posture, tubes and effusions outside the lungs are
part of many diseases, and a mask follows what the disease hides.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.files.grey_levels import Grey, to8
from cxrtool.images import masks
from cxrtool.images.masks import Mask

MARGIN = 0.03  # of the shorter side: by how much the lungs are widened before they are left out
QUANTILES = (5, 25, 50, 75, 95)
CELLS = 8  # along a side of the thumbnail

OUTSIDE: tuple[str, ...] = (
    "outside_share",
    "outside_mean",
    "outside_sd",
    *(f"outside_p{q}" for q in QUANTILES),
    *(f"outside_{row}_{column}" for row in range(CELLS) for column in range(CELLS)),
)
SHAPE: tuple[str, ...] = (
    "mask_area",
    "mask_top",
    "mask_bottom",
    "mask_left",
    "mask_right",
    "mask_aspect",
    "mask_x",
    "mask_y",
    "mask_left_share",
    "mask_symmetry",
)
QUALITY: tuple[str, ...] = ("mask_pieces", "mask_flagged")


def outside_lungs(image: Grey, mask: Mask) -> NDArray[np.float64]:
    """Measure grey levels (0 to 1) outside the widened lungs, in the order of `OUTSIDE`.

    The share of the image, mean, standard deviation, quantiles, and a thumbnail; a cell of it that
    is all lung is NaN.
    """
    if image.shape != mask.shape:
        raise ValueError(f"an image of {image.shape} and a mask of {mask.shape} do not belong")
    lungs = masks.dilated(mask, max(1, round(MARGIN * min(mask.shape))))
    levels = np.divide(to8(image), 255, dtype=np.float32)
    outside = levels[~lungs].astype(np.float64)
    if not outside.size:
        return np.array([0.0, *[math.nan] * (len(OUTSIDE) - 1)])
    summary = outside.mean(), outside.std(), *np.percentile(outside, QUANTILES)
    return np.array([outside.size / levels.size, *summary, *_cells(levels, ~lungs).ravel()])


def _cells(levels: NDArray[np.float32], kept: NDArray[np.bool_]) -> NDArray[np.float32]:
    weights = kept.astype(np.float32)
    total, weight = (
        cv2.resize(array, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        for array in (levels * weights, weights)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weight > 0, total / weight, np.nan))


def mask_shape(mask: Mask) -> NDArray[np.float64]:
    """Measure a lung mask in the order of `SHAPE`; places are shares of the image's sides.

    The area, the box and its width over its height, the centroid, the share of the mask in the
    left half of its box, and Dice of the mask and its mirror image in the box.
    """
    values = np.full(len(SHAPE), math.nan)
    values[0] = masks.fraction(mask)
    if not values[0]:
        return values
    height, width = mask.shape
    top, bottom, left, right = masks.box(mask)
    inside = mask[top:bottom, left:right] != 0
    down, across = inside.nonzero()
    values[1:5] = top / height, bottom / height, left / width, right / width
    values[5] = (right - left) / (bottom - top)
    values[6] = (left + across.mean() + 0.5) / width
    values[7] = (top + down.mean() + 0.5) / height
    values[8] = (across + 0.5 < inside.shape[1] / 2).mean()
    values[9] = (inside & inside[:, ::-1]).sum() / inside.sum()
    return values


def mask_quality(mask: Mask) -> NDArray[np.float64]:
    """Measure whether a mask looks like that of lungs, in the order of `QUALITY`.

    The number of its pieces, and 1 where `masks.flag` says what makes it implausible.
    """
    return np.array([float(masks.pieces(mask)), float(bool(masks.flag(mask)))])
