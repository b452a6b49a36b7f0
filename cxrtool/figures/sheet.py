"""Pictures of heat on one sheet: in rows, or in columns beside those that were made before."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxrtool.figures import heat_overlay, numbers, plot
from cxrtool.figures.heat_overlay import Style
from cxrtool.files import image

# Of a sheet, in inches: a picture, with what is below and beside it, and the margins.
SIDE, CELL = 2.5, (2.62, 3.2)
LEFT, RIGHT, TOP, HEADING = 0.2, 0.9, 0.6, 0.25
MOST_COLUMNS, WORDS = 6, 24


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
    prints: Sequence[Print | None],
    title: str,
    style: Style,
    headings: Sequence[str] = (),
) -> None:
    """Write a sheet of pictures that are there, in rows; the ending of the path is its kind.

    With headings there is a column for each, and None leaves its place empty.
    """
    columns = len(headings) or min(MOST_COLUMNS, math.ceil(math.sqrt(len(prints) * 1.5)))
    rows = math.ceil(len(prints) / columns)
    columns = len(headings) or math.ceil(len(prints) / rows)
    above = TOP + (HEADING if headings else 0)
    width, height = CELL[0] * columns + LEFT + RIGHT, CELL[1] * rows + above
    with plot.drawing(path, width, height) as figure:
        # The places are given in inches, for pictures of any shape to stand in rows.
        figure.set_layout_engine("none")
        for number, one in enumerate(prints):
            row, column = divmod(number, columns)
            left, bottom = LEFT + CELL[0] * column, CELL[1] * (rows - row) - SIDE
            place = (left / width, bottom / height, SIDE / width, SIDE / height)
            if one is not None:
                _draw(figure.add_axes(place), one)
        top = height - above
        for column, heading in enumerate(headings):
            at = LEFT + CELL[0] * column + SIDE / 2
            words = {"ha": "center", "va": "bottom", "fontsize": 10, "weight": "bold"}
            figure.text(at / width, (top + 0.06) / height, plot.text(heading, 34), **words)
        words = {"ha": "left", "va": "bottom", "fontsize": 12, "weight": "bold"}
        line = plot.text(title, 40 * columns)
        figure.text(LEFT / width, (height - TOP + 0.2) / height, line, **words)
        long = min(3 * SIDE / 2, top - 0.8)
        place = ((width - RIGHT + 0.1) / width, (top - long) / height, 0.16 / width, long / height)
        _scale(figure.add_axes(place), style)


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


def _scale(axes: Any, style: Style) -> None:
    """Show the colours, and where the line is."""
    lowest = -1 if style.both else 0
    axes.imshow(
        np.linspace(0, 1, 256)[:, None],
        cmap=heat_overlay.scale(style),
        origin="lower",
        aspect="auto",
        extent=(0, 1, lowest, 1),
    )
    axes.yaxis.tick_right()
    axes.set_xticks([])
    axes.set_yticks([-1, 0, 1] if style.both else [0, 0.5, 1])
    axes.tick_params(labelsize=8, length=2, color=plot.GREY)
    of_both = "heat for (+) and against (-) the class, as a share of the strongest"
    axes.set_ylabel(of_both if style.both else "heat, as a share of the hottest", fontsize=8)
    axes.yaxis.set_label_position("right")
    axes.spines[["left", "bottom"]].set_visible(False)
    # With both signs, the hottest place need not be the strongest one.
    if 0 < style.threshold <= 1 and not style.both:
        axes.axhline(style.threshold, color="black", linewidth=2.8)
        axes.axhline(style.threshold, color="white", linewidth=1.1)
