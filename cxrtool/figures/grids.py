"""Pictures of tables: confusion matrices, the cross-dataset matrix, and lists of intervals."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrtool.figures import numbers, plot

# Of more rows or columns than these, the numbers in the cells would be too small to read.
LEGIBLE = 30
# Inches that a side of a matrix may take.
LARGEST = 40.0
# Light enough at both ends that black or white stands out from it, and of rising darkness in grey.
SHADES = "Blues"
EMPTY = "#F2F2F2"
UNDEFINED = "-"  # An empty cell would look forgotten.
# On a brighter cell black stands out more than white does: (L + 0.05) / 0.05 = 1.05 / (L + 0.05).
BLACK_ON = 0.179


@dataclass(frozen=True)
class PlottedInterval:
    """One row of a forest plot: a value, what it lies between, and the group it stands under."""

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan
    group: str = ""


def confusion(
    path: str | os.PathLike[str], matrix: ArrayLike, classes: Sequence[str], title: str = ""
) -> None:
    """Draw how many images of a class (rows) were taken for which (columns).

    The shade is the share of the row, so that a rare class shows as well as a frequent one.
    """
    counts = np.asarray(matrix, float).reshape(len(classes), len(classes))
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    cells = np.vectorize(_with_share, otypes=[object])(counts, shares)
    with plot.drawing(path, *_size(len(classes), len(classes))) as figure:
        names = (classes, classes)
        axes = _heat_map(figure, shares, cells, names, (0, 1), "share of the true class")
        axes.set(xlabel="predicted", ylabel="true")
        axes.set_title(plot.text(title, 60), fontweight="bold")


def matrix(
    path: str | os.PathLike[str],
    rows: Sequence[str],
    cols: Sequence[str],
    values: ArrayLike,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    *,
    limits: tuple[float, float] = (0.5, 1),
    label: str = "AUC",
    title: str = "",
    axes_labels: tuple[str, str] = ("trained on", "tested on"),
) -> None:
    """Draw the cross-dataset matrix: a number a cell, its interval, and the home game outlined.

    A cell is outlined where its row and its column have the same name; one without a number
    stays pale, with a dash.
    """
    shape = (len(rows), len(cols))
    shown, lows, highs = (
        np.full(shape, np.nan) if part is None else np.asarray(part, float).reshape(shape)
        for part in (values, low, high)
    )
    cells = np.vectorize(_with_interval, otypes=[object])(shown, lows, highs, "\n")
    with plot.drawing(path, *_size(*shape)) as figure:
        axes = _heat_map(figure, shown, cells, (rows, cols), limits, plot.text(label, 60))
        axes.set(ylabel=plot.text(axes_labels[0], 60), xlabel=plot.text(axes_labels[1], 60))
        axes.set_title(plot.text(title, 60), fontweight="bold")
        for i, j in ((i, j) for i, r in enumerate(rows) for j, c in enumerate(cols) if r == c):
            _outline(axes, j, i)


def forest(
    path: str | os.PathLike[str],
    rows: Sequence[PlottedInterval],
    *,
    reference: float | None = None,
    label: str = "",
    log: bool = False,
) -> None:
    """Draw a value and its interval a row, under one another, with the numbers beside them.

    An end that is infinite, or not above 0 on a logarithmic axis, is an arrow at the edge.
    """
    lines = _grouped(rows)
    with plot.drawing(path, 7.2, 1.1 + 0.27 * max(len(lines), 2)) as figure:
        axes = figure.subplots()
        if not rows:
            plot.nothing(axes, "nothing to draw")
        axes.set(xlabel=plot.text(label, 60), ylim=(len(lines) - 0.3, -0.7))
        if log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
            axes.xaxis.set_minor_formatter(lambda x, _: "")
        if reference is not None:
            axes.axvline(reference, color=plot.GREY, linewidth=1, linestyle="--", zorder=1)
        _intervals(axes, lines, log, reference)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)


def _grouped(rows: Sequence[PlottedInterval]) -> list[PlottedInterval | str]:
    """Put the name of a group above its rows."""
    lines: list[PlottedInterval | str] = []
    for before, row in zip([None, *rows], rows, strict=False):
        if row.group and (before is None or before.group != row.group):
            lines.append(row.group)
        lines.append(row)
    return lines


def _intervals(
    axes: Any, lines: Sequence[PlottedInterval | str], log: bool, reference: float | None
) -> None:
    rows = {at: line for at, line in enumerate(lines) if isinstance(line, PlottedInterval)}
    ends_and_values = [x for r in rows.values() for x in (r.low, r.value, r.high)]
    if reference is not None:
        ends_and_values.append(reference)
    edges = _edges([x for x in ends_and_values if _drawn(x, log)], log)
    axes.set_xlim(*edges)
    for at, row in rows.items():
        whole = not math.isnan(row.low + row.high)
        ends = []
        for x, edge, marker in zip((row.low, row.high), edges, "<>", strict=True):
            ends.append(x if _drawn(x, log) else edge)
            if whole and not _drawn(x, log):
                axes.plot(edge, at, marker, color=plot.BLUE, markersize=6, clip_on=False)
        if whole:
            axes.hlines(at, *ends, color=plot.BLUE, linewidth=1.8)
        if _drawn(row.value, log):
            axes.plot(row.value, at, "s", color=plot.BLUE, markersize=5.5)
        beside = _with_interval(row.value, row.low, row.high, " ")
        axes.text(1.02, at, beside, transform=axes.get_yaxis_transform(), va="center")
    short = iter(plot.names([row.name for row in rows.values()], 36))
    labels = [plot.text(x, 40) if isinstance(x, str) else next(short) for x in lines]
    axes.set_yticks(range(len(lines)), labels)
    for tick, line in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if isinstance(line, str) else "normal")


def _edges(drawn: Sequence[float], log: bool) -> tuple[float, float]:
    """Leave a little room at both sides of what is drawn, and more around a single value."""
    left, right = (min(drawn), max(drawn)) if drawn else (0.5, 1.0)
    if log:
        pad = (right / left) ** 0.04 if left < right else 2
        return left / pad, right * pad
    pad = (right - left) * 0.04 or abs(left) * 0.1 or 1
    return left - pad, right + pad


def _drawn(x: float, log: bool) -> bool:
    return math.isfinite(x) and (x > 0 or not log)


def _size(rows: int, cols: int) -> tuple[float, float]:
    cell = 0.85 if max(rows, cols) <= LEGIBLE else 0.3
    wide, high = 2.8 + cell * max(cols, 2), 1.8 + cell * max(rows, 2)
    return min(wide, LARGEST), min(high, LARGEST)


def _heat_map(
    figure: Any,
    values: NDArray[np.float64],
    cells: NDArray[Any],
    names: tuple[Sequence[str], Sequence[str]],
    limits: tuple[float, float],
    label: str,
) -> Any:
    """Draw shaded cells with their texts, names on both sides, and the scale of the shades."""
    axes = figure.subplots()
    if not values.size:
        plot.nothing(axes, "nothing to draw")
        return axes
    axes.set_facecolor(EMPTY)
    seen = np.ma.masked_invalid(values)
    image = axes.imshow(seen, cmap=SHADES, vmin=limits[0], vmax=limits[1], aspect="auto")
    figure.colorbar(image, ax=axes, label=label, fraction=0.05, pad=0.02)
    rows, cols = ([name or "unknown" for name in plot.names(side)] for side in names)
    axes.set_yticks(range(len(rows)), rows)
    turn = 35 if len(cols) <= LEGIBLE else 90
    axes.set_xticks(range(len(cols)), cols, rotation=turn, ha="right", rotation_mode="anchor")
    axes.tick_params(axis="x", pad=6)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if max(values.shape) <= LEGIBLE:
        _fill(axes, cells, image.to_rgba(seen))
    return axes


def _fill(axes: Any, cells: NDArray[Any], colours: NDArray[np.float64]) -> None:
    bright = _luminance(colours[..., :3])
    for (i, j), cell in np.ndenumerate(cells):
        pale = colours[i, j, 3] == 0 or bright[i, j] > BLACK_ON
        style = {"color": "black" if pale else "white", "ha": "center", "va": "center"}
        axes.text(j, i, cell, fontsize=8, linespacing=1.4, **style)


def _luminance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how bright the eye finds colours, as WCAG 2.2 defines it."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    brightness: NDArray[np.float64] = linear @ np.array([0.2126, 0.7152, 0.0722])
    return brightness


def _outline(axes: Any, x: int, y: int) -> None:
    from matplotlib.patches import Rectangle

    # White under black is seen on pale shades and on dark ones.
    for colour, width in (("white", 5), ("black", 2)):
        style: dict[str, Any] = {"fill": False, "edgecolor": colour, "linewidth": width}
        axes.add_patch(Rectangle((x - 0.45, y - 0.45), 0.9, 0.9, **style))


def _with_interval(value: float, low: float, high: float, between: str) -> str:
    return numbers.interval(value, low, high, between=between, undefined=UNDEFINED)


def _with_share(count: float, share: float) -> str:
    number = UNDEFINED if math.isnan(count) else numbers.count(round(count))
    return number if math.isnan(share) else f"{number}\n{numbers.percent(share)}"
