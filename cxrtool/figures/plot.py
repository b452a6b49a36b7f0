"""Plots, drawn without a display: what they have in common, and those of runs and points.

A path's ending chooses the kind of file, and the same values give the same bytes. Whatever a
plot tells by colour it tells by a marker or a line style too: for colour-blind readers, and for
paper printed in grey.
"""

import contextlib
import functools
import io
import math
import os
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrtool.core.errors import CxrtoolError, one_line
from cxrtool.files import disk

# Colours that colour-blind readers tell apart (Okabe and Ito), without the yellow that white hides.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", GREY)
MARKERS = ("o", "x", "^", "s", "+", "D", "v", "*")
LINES = ("-", "--", "-.", ":")

# What is told apart in one panel; of more values the rarest share the last place.
DISTINCT = len(COLOURS)
LONGEST = 32

# A file's ending, and what keeps the date and the library's version out of such a file.
KINDS: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
# Pixels that a side of a picture may have: one more, and the renderer gives up at 65,536.
WIDEST = 60_000

STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.hashsalt": "cxrtool",
    "text.parse_math": False,
}
# Fonts that may be installed, for the scripts that matplotlib's own one lacks.
OTHER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans",
    "Microsoft YaHei",
    "PingFang SC",
    "Arial Unicode MS",
)


def kind(path: str | os.PathLike[str]) -> str:
    """Tell a picture's kind by the ending of its file's name; without one it is a PNG."""
    ending = os.path.splitext(path)[1][1:].lower() or "png"
    if ending not in KINDS:
        what = f"{disk.shown(path)}: no plot is written as .{one_line(ending)}"
        raise CxrtoolError(what, f"End the name in one of: {', '.join('.' + k for k in KINDS)}.")
    return ending


@contextlib.contextmanager
def drawing(path: str | os.PathLike[str], width: float, height: float) -> Iterator[Any]:
    """Lend a white figure of so many inches, and write it when it is drawn.

    The style is matplotlib's own and this module's, whatever the user's matplotlibrc says.
    """
    import matplotlib.style
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    kind(path)
    style = STYLE | {"font.family": ["DejaVu Sans", *_fonts()]}
    with matplotlib.style.context(style, after_reset=True):
        layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
        figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
        yield figure
        save(path, figure)


def save(path: str | os.PathLike[str], figure: Any) -> None:
    """Write a figure whole, and with nothing in it that changes from run to run."""
    stream, form = io.BytesIO(), kind(path)
    dpi = min(120.0, WIDEST / max(figure.get_size_inches()))
    figure.savefig(stream, format=form, dpi=dpi, metadata=KINDS[form])
    with disk.atomic(path) as file:
        file.write(stream.getvalue())


@functools.cache
def _fonts() -> tuple[str, ...]:
    from matplotlib import font_manager

    installed = set(font_manager.fontManager.get_font_names())
    return tuple(name for name in OTHER_FONTS if name in installed)


@functools.cache
def _glyphs() -> frozenset[int]:
    """Return the code points that can be drawn with the fonts of this machine."""
    from matplotlib import font_manager

    paths = (font_manager.findfont(name) for name in ("DejaVu Sans", *_fonts()))
    return frozenset(code for p in paths for code in font_manager.get_font(p).get_charmap())


def text(value: object, longest: int = LONGEST) -> str:
    """Make a name fit to be drawn: one line, not too long, and only glyphs that there are.

    A glyph that no font has would be an empty box, the same for every name; its code tells.
    """
    line = "".join(c if ord(c) in _glyphs() else ascii(c)[1:-1] for c in one_line(value))
    if len(line) <= longest:
        return line
    # Names differ at their ends as often as at their beginnings.
    tail = (longest - 1) // 3
    return line[: longest - 1 - tail] + "…" + line[-tail:]


def names(values: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Make names fit to be drawn, and keep different ones apart, at worst by a number."""
    different = list(dict.fromkeys(values))
    whole = [text(value, 1 << 30) for value in different]
    letters = enumerate(zip(*whole, strict=False))
    begin = next((at for at, column in letters if len(set(column)) > 1), 0)
    candidates = (
        [text(name, longest) for name in whole],
        # What all begin with may go.
        [text(name if begin < 4 else "…" + name[begin:], longest) for name in whole],
        [f"{n}: {text(name, longest - 4)}" for n, name in enumerate(whole, 1)],
    )
    short = next(names for names in candidates if len(set(names)) == len(different))
    return [dict(zip(different, short, strict=True))[value] for value in values]


def legend(place: Any, handles: Sequence[Any], names: Sequence[str], **options: Any) -> None:
    """Explain the handles, in a figure or in axes.

    The names are put in last, as matplotlib leaves out those that begin with an underscore.
    """
    entries = place.legend(handles, [str(i) for i in range(len(names))], **options).get_texts()
    for entry, name in zip(entries, names, strict=True):
        entry.set_text(name)


def nothing(axes: Any, why: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color="#595959")


def curves(path: str | os.PathLike[str], history: Sequence[Mapping[str, Any]], best: int) -> None:
    """Draw the losses and the validation figures of every epoch; a line marks the best."""
    with drawing(path, 9, 3.6) as figure:
        left, right = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in history]
        judged = ("val_auc", "val_accuracy", "val_dice")
        for axes, names in ((left, ("loss", "val_loss")), (right, judged)):
            for name, colour, style in zip(names, COLOURS, ("o-", "s--", "^-."), strict=False):
                values = [row.get(name) for row in history]
                if any(value is not None for value in values):
                    label = name.replace("_", " ")
                    axes.plot(epochs, values, style, color=colour, label=label, markersize=3)
            if best:
                axes.axvline(best, color=GREY, linestyle=":", label=f"best: epoch {best}")
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            if axes.has_data():
                axes.legend()
        left.set_ylim(bottom=0)
        right.set_ylim(0, 1.02)


def rates(
    path: str | os.PathLike[str], tried: Sequence[Sequence[float]], chosen: float | None
) -> None:
    """Draw the losses of a range test by their learning rates; a line marks the chosen rate."""
    with drawing(path, 6, 3.6) as figure:
        axes = figure.subplots()
        axes.plot(*np.transpose(tried), "o-", color=COLOURS[0], markersize=3)
        if chosen is not None:
            label = f"steepest descent: {chosen:.3g}"
            axes.axvline(chosen, color=GREY, linestyle=":", label=label)
            axes.legend()
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss of one batch")


def scatter(
    path: str | os.PathLike[str],
    x: ArrayLike,
    y: ArrayLike,
    colours: Mapping[str, Sequence[str]],
    *,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Draw the same points once a column of `colours`, each value in its colour and marker.

    Points with a coordinate that is not finite are left out. `notes` stand under their column's
    panel.
    """
    points = np.column_stack([np.asarray(x, float).ravel(), np.asarray(y, float).ravel()])
    across = min(max(len(colours), 1), 3)
    down = math.ceil(max(len(colours), 1) / across)
    with drawing(path, 4.6 * across, 5.4 * down) as figure:
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for axes, column in zip(panels, colours, strict=False):
            axes.set_title(text(column), fontweight="bold")
            note = text((notes or {}).get(column, ""), 400)
            axes.set_xlabel(textwrap.fill(note, 56), fontsize=9)
            _panel(axes, points, colours[column])
        for axes in panels[len(colours) :]:
            axes.set_axis_off()
        if not colours:
            nothing(panels[0], "nothing to draw")


def _panel(axes: Any, points: NDArray[np.float64], column: Sequence[str]) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#BFBFBF")
    values = np.asarray([str(value) for value in column], object)
    if len(values) != len(points):
        raise ValueError(f"{len(points)} points, but {len(values)} values")
    seen = np.isfinite(points).all(axis=1)
    if not seen.any():
        return nothing(axes, "no points")
    points, values = points[seen], values[seen]
    places = distinct(values)
    shown = np.asarray([places.get(value, DISTINCT - 1) for value in values])
    counts = np.bincount(shown, minlength=DISTINCT)
    size = float(np.clip(12000 / len(points), 8, 40))
    # The rarest come last, on top of the others.
    for place in sorted(set(shown), key=lambda p: -counts[p]):
        style = {"color": COLOURS[place], "marker": MARKERS[place], "s": size}
        own = points[shown == place]
        axes.scatter(*own.T, **style, alpha=0.75, linewidths=0.8, rasterized=len(points) > 2000)
    _explain(axes, values, places, counts)


def _explain(axes: Any, values: NDArray[Any], places: dict[str, int], counts: Any) -> None:
    labels = [
        f"{name or 'unknown'}, n = {counts[place]}"
        for name, place in zip(names(list(places), 24), places.values(), strict=True)
    ]
    rest = len(set(values)) - len(places)
    if rest:
        labels.append(f"other ({rest} values), n = {counts[DISTINCT - 1]}")
    handles = [
        axes.scatter([], [], color=colour, marker=marker, s=36)
        for colour, marker, _ in zip(COLOURS, MARKERS, labels, strict=False)
    ]
    lines = 1 + axes.get_xlabel().count("\n") if axes.get_xlabel() else 0
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02 - 0.05 * lines)}
    columns = 2 if max(map(len, labels)) < 24 else 1
    legend(axes, handles, labels, ncols=columns, handletextpad=0.2, **below)


def distinct(values: Sequence[str] | NDArray[Any]) -> dict[str, int]:
    """Give every value its place among the colours; of too many, the rarest get none."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    kept = ranked if len(ranked) <= DISTINCT else ranked[: DISTINCT - 1]
    return {value: place for place, value in enumerate(sorted(value for value, _ in kept))}
