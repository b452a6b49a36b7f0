"""Move a picture by a fixed amount: turn, enlarge, shear (image -> image)."""

import math
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from cxrtool.core import commas, registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.files.grey_levels import Grey

# Columns of a manifest that name what was drawn for the picture as it was.
DRAWN = ("mask", "lesion")


@dataclass(frozen=True)
class Move:
    """By how much: both angles in degrees, counter-clockwise; a scale above 1 enlarges."""

    rotate: float = 0.0
    scale: float = 1.0
    shear: float = 0.0


KEYS = [f.name for f in fields(Move)]


def parse(text: str) -> Move:
    """Read `rotate=5,scale=1.02`; an empty text moves nothing."""
    move = Move()
    for pair in commas.split(text) if text else ():
        key, equals, value = pair.partition("=")
        registry.choose("--move", key, KEYS)
        number = _number(value)
        if not equals or not _is_possible(key, number):
            remedy = f"Write it as {key}=1.02." if key == "scale" else f"Write it as {key}=5."
            raise CxrtoolError(f"--move {pair}: no {key} that is possible", remedy)
        move = replace(move, **{key: number})
    if text and move == Move():
        raise CxrtoolError(f"--move {text} moves nothing", "Leave it out.")
    return move


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _is_possible(key: str, number: float) -> bool:
    limits = {"rotate": (-180, 180), "scale": (0.1, 10), "shear": (-80, 80)}
    low, high = limits[key]
    return low <= number <= high


def moved(grey: Grey, move: Move) -> Grey:
    """Resample a picture about its middle; what comes in at the edge continues the edge.

    The map from the picture to its result, in coordinates to the right and up, is a shear along x,
    then a rotation, then the scale.
    """
    height, width = grey.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    turn, slant = math.radians(move.rotate), math.tan(math.radians(move.shear))
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    upright = move.scale * rotation @ np.array([[1.0, -slant], [0.0, 1.0]])
    # Rows are counted downwards.
    flip = np.diag([1.0, -1.0])
    linear = flip @ upright @ flip
    matrix = np.column_stack([linear, middle - linear @ middle])
    result: Grey = cv2.warpAffine(
        np.ascontiguousarray(grey.astype(grey.dtype.newbyteorder("="))),
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return result
