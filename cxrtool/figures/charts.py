"""Plots of probabilities: how well they rank, how true they are, and where they lie.

All take plain numbers, leave a gap where one is not finite, and say so where there are none.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrtool.figures import plot

SIDE = 5.2
# More confidence bands than these hide one another; the legend still has the intervals.
BANDS = 4
# Panels of one picture: of more, the first are drawn, and the title says so.
PANELS = 60
EDGES = np.linspace(0, 1, 21)
# What tells bars apart without colours.
HATCHES = ("", "////", "....", "xxxx")


@dataclass(frozen=True)
class PlottedCurve:
    """One line of a plot, with its band and what the legend says after its name."""

    name: str
    x: ArrayLike
    y: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    note: str = ""


@dataclass(frozen=True)
class PlottedBins:
    """One model's predictions in bins: mean probability, share of positives, and how many."""

    name: str
    predicted: ArrayLike
    observed: ArrayLike
    counts: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    note: str = ""


def roc(path: str | os.PathLike[str], curves: Sequence[PlottedCurve], *, title: str = "") -> None:
    """Draw sensitivity over the share of false alarms; the diagonal is guessing."""
    with plot.drawing(path, SIDE, _height(curves)) as figure:
        axes = _square(figure, title, "1 - specificity", "sensitivity")
        axes.plot([0, 1], [0, 1], color=plot.GREY, linewidth=1, zorder=1)
        _lines(figure, axes, curves)


def precision_recall(
    path: str | os.PathLike[str],
    curves: Sequence[PlottedCurve],
    *,
    prevalence: float | None = None,
    title: str = "",
) -> None:
    """Draw precision over recall in steps; a level line at the prevalence is guessing.

    Straight lines between the points would promise a precision that no threshold reaches.
    """
    with plot.drawing(path, SIDE, _height(curves)) as figure:
        axes = _square(figure, title, "recall (sensitivity)", "precision")
        if prevalence is not None:
            axes.axhline(prevalence, color=plot.GREY, linewidth=1, zorder=1)
        _lines(figure, axes, curves, steps=True)


def calibration(
    path: str | os.PathLike[str], models: Sequence[PlottedBins], *, title: str = ""
) -> None:
    """Draw the share of positives over the probability that was given, with the bins' counts."""
    with plot.drawing(path, SIDE, _height(models) + 1.2) as figure:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        axes.set_title(plot.text(title, 60), fontweight="bold")
        axes.set(ylabel="share of positives", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        below.set(xlabel="predicted probability", ylabel="images")
        below.yaxis.get_major_locator().set_params(integer=True, nbins=3)
        axes.plot([0, 1], [0, 1], color=plot.GREY, linewidth=1, zorder=1)
        handles = []
        for place, model in enumerate(models):
            x, y, counts = _numbers(model.predicted, model.observed, model.counts)
            style = _style(place)
            marker = plot.MARKERS[place % len(plot.MARKERS)]
            handles.append(axes.plot(x, y, **style, marker=marker, markersize=5)[0])
            if model.low is not None and model.high is not None:
                low, high = _numbers(model.low, model.high)
                axes.vlines(x, low, high, color=style["color"], linewidth=1, alpha=0.7)
            below.plot(x, counts, **style, marker=marker, markersize=4)
        below.set_ylim(bottom=0)
        _explain(figure, axes, handles, models)


def histograms(
    path: str | os.PathLike[str],
    scores: Mapping[str, Mapping[str, ArrayLike]],
    *,
    label: str = "score",
) -> None:
    """Draw how scores between 0 and 1 are spread: a panel a source, in it a line a class.

    Every line holds the shares of its own values, so that few images stand beside many.
    """
    panels = list(scores)[:PANELS]
    series = list(dict.fromkeys(name for panel in panels for name in scores[panel]))
    across = min(max(len(panels), 1), 2)
    down = math.ceil(max(len(panels), 1) / across)
    with plot.drawing(path, 1 + 2.9 * across, 0.8 + 2.1 * down + 0.22 * len(series)) as figure:
        grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, panel, name in zip(grid, panels, plot.names(panels), strict=False):
            for series_name, values in scores[panel].items():
                _spread(axes, values, _style(series.index(series_name)))
            counts = sum(np.isfinite(np.asarray(v, float)).sum() for v in scores[panel].values())
            axes.set_title(f"{name or 'unknown'}, n = {counts}", fontsize=10)
        grid[0].set(xlim=(0, 1), ylim=(0, None))
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        # The lowest panel of each column tells what all of it measures.
        for axes in grid[max(len(panels) - across, 0) : max(len(panels), 1)]:
            axes.set_xlabel(plot.text(label, 40))
            axes.tick_params(labelbottom=True)
        figure.supylabel("share of images", fontsize=10)
        if len(scores) > PANELS:
            figure.suptitle(f"the first {PANELS} of {len(scores)}")
        handles = [grid[0].plot([], [], **_style(place))[0] for place in range(len(series))]
        _explain(figure, grid[0], handles, [PlottedCurve(name, [], []) for name in series])


def counts(
    path: str | os.PathLike[str],
    groups: Mapping[str, Mapping[str, int]],
    *,
    label: str = "images",
) -> None:
    """Draw how many of each class a group has: a bar a class, with its number, also where it is 0.

    A group that lacks a class is seen at once, which a share would hide.
    """
    series = list(dict.fromkeys(name for group in groups.values() for name in group))
    shown = dict(list(groups.items())[:PANELS])
    thick = 0.8 / max(len(series), 1)
    high = 1.1 + 0.24 * len(shown) * max(len(series), 1) + 0.22 * len(series)
    with plot.drawing(path, SIDE, max(high, 2.2)) as figure:
        axes = figure.subplots()
        handles = []
        for place, name in enumerate(series):
            values = [group.get(name, 0) for group in shown.values()]
            at = np.arange(len(shown)) + (place - (len(series) - 1) / 2) * thick
            style = {"color": _style(place)["color"], "hatch": HATCHES[place % len(HATCHES)]}
            bars = axes.barh(at, values, thick * 0.9, edgecolor="white", linewidth=0, **style)
            axes.bar_label(bars, [str(value) for value in values], padding=3, fontsize=9)
            handles.append(bars)
        names = [name or "unknown" for name in plot.names(list(shown), 24)]
        axes.set_yticks(range(len(shown)), names)
        axes.set(xlabel=plot.text(label, 60), ylim=(len(shown) - 0.4, -0.6))
        if len(groups) > PANELS:
            axes.set_title(f"the first {PANELS} of {len(groups)}")
        axes.margins(x=0.12)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.tick_params(axis="y", length=0)
        _explain(figure, axes, handles, [PlottedCurve(name, [], []) for name in series])


def _spread(axes: Any, values: ArrayLike, style: dict[str, Any]) -> None:
    finite = np.asarray(values, float)
    finite = np.clip(finite[np.isfinite(finite)], 0, 1)
    if finite.size:
        shares = np.histogram(finite, EDGES)[0] / finite.size
        axes.stairs(shares, EDGES, fill=True, alpha=0.12, color=style["color"])
        axes.stairs(shares, EDGES, **style)


def _height(entries: Sequence[object]) -> float:
    return SIDE + 0.5 + 0.22 * len(entries)


def _square(figure: Any, title: str, x: str, y: str) -> Any:
    axes = figure.subplots()
    axes.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_title(plot.text(title, 60), fontweight="bold")
    return axes


def _style(place: int) -> dict[str, Any]:
    """Give a line a colour and a dash pattern; a pair comes back after 32 lines."""
    colours, dashes = plot.COLOURS, plot.LINES
    dash = dashes[(place + place // len(colours)) % len(dashes)]
    return {"color": colours[place % len(colours)], "linestyle": dash, "linewidth": 1.6}


def _lines(figure: Any, axes: Any, curves: Sequence[PlottedCurve], steps: bool = False) -> None:
    handles = []
    for place, curve in enumerate(curves):
        x, y = _numbers(curve.x, curve.y)
        style, step = _style(place), _step(x) if steps else None
        # A single point is no line: it would not be seen without a marker.
        marker = plot.MARKERS[place % len(plot.MARKERS)] if len(x) == 1 else ""
        method = f"steps-{step}" if step else "default"
        handles.append(axes.plot(x, y, **style, drawstyle=method, marker=marker)[0])
        if curve.low is not None and curve.high is not None and len(curves) <= BANDS:
            low, high = _numbers(curve.low, curve.high)
            fill = {"color": style["color"], "alpha": 0.15, "linewidth": 0}
            axes.fill_between(x, low, high, step=step, **fill)
    _explain(figure, axes, handles, curves)


def _explain(
    figure: Any, axes: Any, handles: list[Any], entries: Sequence[PlottedCurve | PlottedBins]
) -> None:
    if not entries:
        return plot.nothing(axes, "nothing to draw")
    names = plot.names([entry.name for entry in entries], 40)
    notes = [f"  {plot.text(entry.note, 60)}" if entry.note else "" for entry in entries]
    labels = [(name or "unknown") + note for name, note in zip(names, notes, strict=True)]
    plot.legend(figure, handles, labels, loc="outside lower center", handlelength=3.2)


def _numbers(*values: ArrayLike) -> list[NDArray[np.float64]]:
    """Return the values as arrays of one length, with NaN for what cannot be drawn."""
    arrays = [np.asarray(value, float).ravel() for value in values]
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(f"lengths differ: {[len(array) for array in arrays]}")
    return [np.where(np.isfinite(array), array, np.nan) for array in arrays]


def _step(x: NDArray[np.float64]) -> str:
    """A precision holds from its own recall down to the next lower one, in either order."""
    finite = x[np.isfinite(x)]
    return "post" if finite.size and finite[0] > finite[-1] else "pre"
