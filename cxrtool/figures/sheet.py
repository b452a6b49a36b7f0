"""Heat drawn over radiographs: one picture each, and many of them on one sheet.

The colour maps are perceptually even and can be told apart by colour-blind readers; heat changes
the lightness too, so that a print in grey still shows it.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.figures import numbers, plot
from cxrtool.files import image

Bytes = NDArray[np.uint8]
Floats = NDArray[np.floating]

# How much of the picture the hottest colour hides.
OPACITY = 0.6
# Of a sheet, in inches: a picture, with what is below and beside it, and the margins.
SIDE, CELL = 2.5, (2.62, 3.2)
LEFT, RIGHT, TOP = 0.2, 0.9, 0.6
MOST_COLUMNS, WORDS = 6, 24


def overlay(grey: Bytes, heat: Floats, colormap: str, threshold: float) -> Bytes:
    """Colour a picture (height, width) by the heat of every pixel, as (height, width, 3).

    The colour is of the heat's share in the hottest, and covers the more the hotter it is. A line
    goes round all that has at least the threshold, which is such a share.
    """
    shares = np.maximum(heat, 0, dtype=np.float32)
    hottest = float(shares.max())
    if not 0 < hottest < math.inf:
        return np.repeat(grey[..., None], 3, axis=2)
    shares /= hottest
    levels = np.rint(255 * shares).astype(np.uint8)
    colours, left = _colours(colormap)
    drawn = colours[levels]
    drawn += (grey * left[levels])[..., None]
    picture: Bytes = np.rint(drawn, out=drawn).astype(np.uint8)
    if 0 < threshold <= 1:
        _outline(picture, shares >= threshold)
    return picture


def _outline(picture: Bytes, region: NDArray[np.bool_]) -> None:
    """Draw a white line with a dark edge, which is seen on any ground."""
    bits = region.view(np.uint8)
    lines = cv2.findContours(bits, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    width = max(1, max(bits.shape) // 300)
    if max(bits.shape) >= 200:
        cv2.drawContours(picture, lines, -1, (0, 0, 0), 3 * width, cv2.LINE_AA)
    cv2.drawContours(picture, lines, -1, (255, 255, 255), width, cv2.LINE_AA)


@cache
def _colours(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what every level of heat adds to a picture, and the share that it leaves of it."""
    from matplotlib import colormaps

    cover = OPACITY * np.linspace(0, 1, 256, dtype=np.float32)
    colours = 255 * np.asarray(colormaps[name](np.arange(256))[:, :3], np.float32)
    return colours * cover[:, None], 1 - cover


@dataclass(frozen=True)
class Print:
    """One picture of a sheet, with the text below it."""

    file: str
    label: str
    pred: str
    of: str  # the class that is looked for
    score: str
    flag: str


def write(
    path: str | os.PathLike[str],
    prints: Sequence[Print],
    title: str,
    colormap: str,
    threshold: float,
) -> None:
    """Write a sheet of pictures that are there, in rows; the ending of the path is its kind."""
    columns = min(MOST_COLUMNS, math.ceil(math.sqrt(len(prints) * 1.5)))
    rows = math.ceil(len(prints) / columns)
    columns = math.ceil(len(prints) / rows)
    width, height = CELL[0] * columns + LEFT + RIGHT, CELL[1] * rows + TOP
    with plot.drawing(path, width, height) as figure:
        # The places are given in inches, for pictures of any shape to stand in rows.
        figure.set_layout_engine("none")
        for number, one in enumerate(prints):
            row, column = divmod(number, columns)
            left, bottom = LEFT + CELL[0] * column, CELL[1] * (rows - row) - SIDE
            place = (left / width, bottom / height, SIDE / width, SIDE / height)
            _draw(figure.add_axes(place), one)
        top = height - TOP
        figure.text(
            LEFT / width,
            (top + 0.2) / height,
            plot.text(title, 40 * columns),
            ha="left",
            va="bottom",
            fontsize=12,
            weight="bold",
        )
        long = min(3 * SIDE / 2, top - 0.8)
        place = ((width - RIGHT + 0.1) / width, (top - long) / height, 0.16 / width, long / height)
        _scale(figure.add_axes(place), colormap, threshold)


def _draw(axes: Any, one: Print) -> None:
    picture = image.read(one.file)
    axes.imshow(picture.pixels, cmap="gray", vmin=0, vmax=255, interpolation="lanczos")
    axes.set_axis_off()
    axes.set_anchor("S")  # The words below stand in a row, whatever the shape of the pictures.
    for line, (words, colour) in enumerate(_words(one)):
        axes.annotate(
            words,
            (0.5, 0),
            (0, -4 - 13 * line),
            xycoords="axes fraction",
            textcoords="offset points",
            color=colour,
            ha="center",
            va="top",
            fontsize=9,
        )
    if one.flag:
        axes.annotate(
            plot.text(one.flag, 40),
            (0.5, 1),
            (0, -4),
            xycoords="axes fraction",
            textcoords="offset points",
            color="white",
            ha="center",
            va="top",
            fontsize=8,
            bbox={"facecolor": "black", "alpha": 0.6, "lw": 0, "pad": 2},
        )


def _words(one: Print) -> list[tuple[str, str]]:
    """Word what stands below a picture, each line with its colour."""
    label, pred, of = (plot.text(name, WORDS) for name in (one.label, one.pred, one.of))
    chance = numbers.value(float(one.score or "nan"), "undefined")
    score = f"p({of}) = {chance}", "black"
    if not one.label:
        return [("no label", "black"), (f"pred.: {pred}", "black"), score]
    right = one.label == one.pred
    verdict, colour = ("right", plot.BLUE) if right else ("wrong", plot.ORANGE)
    return [(f"true: {label}", "black"), (f"pred.: {pred} ({verdict})", colour), score]


def _scale(axes: Any, colormap: str, threshold: float) -> None:
    """Show the colours, and where the line is."""
    axes.imshow(
        np.linspace(0, 1, 256)[:, None],
        cmap=colormap,
        origin="lower",
        aspect="auto",
        extent=(0, 1, 0, 1),
    )
    axes.yaxis.tick_right()
    axes.set_xticks([])
    axes.set_yticks([0, 0.5, 1])
    axes.tick_params(labelsize=8, length=2, color=plot.GREY)
    axes.set_ylabel("heat, as a share of the hottest", fontsize=8)
    axes.yaxis.set_label_position("right")
    axes.spines[["left", "bottom"]].set_visible(False)
    if 0 < threshold <= 1:
        axes.axhline(threshold, color="black", linewidth=2.8)
        axes.axhline(threshold, color="white", linewidth=1.1)
