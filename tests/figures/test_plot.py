"""Plots say what they were given, in the same bytes every time, and no name breaks them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cxrtool.core.errors import CxrtoolError
from cxrtool.figures import charts, grids, plot

# Names that a plot could trip over: mathematics, a leading underscore, lines, scripts, lengths.
HOSTILE = [
    "$x_1$",
    "$",
    "_hidden",
    "new\nline",
    "<b>&amp;",
    "肺炎",
    "العربية",
    "",
    "\u202egnp",
    "a\x00b",
    "\ud800",
    "%s {0}",
    "x" * 200,
]
LONG = [f"a model with a very long name, number {i:02d}, and_a_tail" for i in range(40)]
RISING = np.linspace(0, 1, 9)


def draw_all(folder: Path, names: list[str], ending: str = "png") -> list[Path]:
    """Draw every kind of plot with these names for whatever has a name."""
    n = len(names)
    at = iter(folder / f"{i}.{ending}" for i in itertools.count())
    files = [next(at) for _ in range(9)]
    square = np.arange(n * n).reshape(n, n) / max(n * n, 1)
    lines = [charts.PlottedCurve(name, RISING, RISING, RISING, RISING, name) for name in names]
    bins = [
        charts.PlottedBins(name, RISING, RISING, RISING, RISING, RISING, name) for name in names
    ]
    rows = [grids.PlottedInterval(name, 1, 0.5, 2, name[:1]) for name in names]
    plot.curves(files[0], [{"epoch": i + 1, "loss": 1 / (i + 1)} for i in range(n)], n)
    plot.scatter(
        files[1],
        range(n),
        range(n),
        dict.fromkeys(names[:4], names),
        notes=dict.fromkeys(names, "".join(names)),
    )
    charts.roc(files[2], lines, title="".join(names))
    charts.precision_recall(files[3], lines, prevalence=0.2)
    charts.calibration(files[4], bins)
    charts.histograms(files[5], {name: {name: RISING} for name in names})
    grids.confusion(files[6], square, names, "".join(names))
    grids.matrix(files[7], names, names, square, square, square)
    grids.forest(files[8], rows, reference=1, label="".join(names), log=True)
    return files


def check_is_picture(file: Path) -> None:
    with Image.open(file) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
    assert (pixels < 128).any()


@pytest.mark.parametrize("names", [[], ["one"], HOSTILE[:7], HOSTILE[7:]], ids=range(4))
def test_no_name_breaks_a_plot(tmp_path: Path, names: list[str]) -> None:
    for file in draw_all(tmp_path, names):
        check_is_picture(file)


@pytest.mark.slow
def test_forty_long_names_break_no_plot(tmp_path: Path) -> None:
    for file in draw_all(tmp_path, LONG):
        check_is_picture(file)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_plot_is_the_same_bytes(tmp_path: Path, ending: str) -> None:
    (tmp_path / "again").mkdir()
    first = [file.read_bytes() for file in draw_all(tmp_path, ["a", "$b_1$"], ending)]
    # The user's own settings change nothing, and get nothing from a plot.
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True}):
        again = draw_all(tmp_path / "again", ["a", "$b_1$"], ending)
        assert matplotlib.rcParams["font.size"] == 30
    assert [file.read_bytes() for file in again] == first
    begin = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert all(content.startswith(begin) for content in first)


def test_an_ending_that_is_no_picture_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError, match=r"a\.xls: no plot is written as \.xls\. End the name"):
        plot.scatter(tmp_path / "a.xls", [1], [1], {})
    assert list(tmp_path.iterdir()) == []


def test_a_very_long_picture_is_drawn_smaller(tmp_path: Path) -> None:
    with plot.drawing(tmp_path / "long.png", 1, 600) as figure:
        figure.subplots()
    with Image.open(tmp_path / "long.png") as picture:
        assert picture.size == (100, plot.WIDEST)


# --- names ----------------------------------------------------------------------------------------


@given(st.text(st.characters(), max_size=60), st.integers(10, 40))
def test_any_text_can_be_drawn(value: str, longest: int) -> None:
    drawn = plot.text(value, longest)
    assert len(drawn) <= longest
    assert drawn.isprintable()
    assert {ord(c) for c in drawn} <= plot._glyphs()
    if len(value) <= longest and all(ord(c) in plot._glyphs() and c.isprintable() for c in value):
        assert drawn == value


@given(st.lists(st.text(st.sampled_from("ab\n\\n肺"), max_size=60), max_size=9))
def test_different_names_stay_different(values: list[str]) -> None:
    drawn = plot.names(values, 12)
    assert len(drawn) == len(values)
    assert len(set(drawn)) == len(set(values))
    assert all(len(name) <= 12 for name in drawn)


def test_names_lose_what_all_begin_with() -> None:
    assert plot.names(["short", "other"]) == ["short", "other"]
    assert plot.names([f"{'x' * 40}{i}{'y' * 9}" for i in (1, 2)], 12) == [
        "…1yyyyyyyyy",
        "…2yyyyyyyyy",
    ]
    same = ["a" * 40 + "!" + "b" * 40, "c" * 40]
    assert plot.names([*same, same[0]], 12)[2] == plot.names(same, 12)[0]


def test_a_glyph_of_an_installed_font_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    rare = "\ue153"  # matplotlib's own STIX font has it, in the area for private use.
    assert plot.text(f"a{rare}") == "a\\ue153"
    plot._fonts.cache_clear()
    plot._glyphs.cache_clear()
    monkeypatch.setattr(plot, "OTHER_FONTS", ("No Such Font", "STIXNonUnicode"))
    try:
        assert plot._fonts() == ("STIXNonUnicode",)
        assert ord(rare) in plot._glyphs()
    finally:
        plot._fonts.cache_clear()
        plot._glyphs.cache_clear()


# --- scatter --------------------------------------------------------------------------------------

Draw = Callable[..., Any]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Draw, and return the figure instead of a file."""
    figures: list[Any] = []
    monkeypatch.setattr(plot, "save", lambda path, figure: figures.append(figure))

    def draw(function: Draw, *args: Any, **options: Any) -> Any:
        function("a.png", *args, **options)
        return figures.pop()

    return draw


def words(place: Any) -> list[str]:
    return [entry.get_text() for entry in place.get_legend().get_texts()]


def test_scatter_has_a_panel_a_column(drawn: Draw) -> None:
    colours = {"source": ["a", "b", "b"], "label": ["_x", "", "_x"]}
    figure = drawn(plot.scatter, [0, 1, 2], [0, 5, 9], colours, notes={"label": "a note"})
    left, right = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["source", "label"]
    assert words(left) == ["a, n = 1", "b, n = 2"]
    assert words(right) == ["unknown, n = 1", "_x, n = 2"]
    assert (left.get_xlabel(), right.get_xlabel()) == ("", "a note")
    assert len(left.get_xticks()) == len(left.get_yticks()) == 0


def points_of(axes: Any) -> dict[str, Any]:
    """Return the points by the colour they are drawn in."""
    return {
        matplotlib.colors.to_hex(group.get_facecolor()[0]).upper(): group.get_offsets().tolist()
        for group in axes.collections
        if len(group.get_offsets())
    }


def test_scatter_draws_each_value_where_it_lies(drawn: Draw) -> None:
    figure = drawn(plot.scatter, [0, 1, 2], [0, 5, 9], {"source": ["a", "b", "a"]})
    expected = {plot.BLUE: [[0, 0], [2, 9]], plot.ORANGE: [[1, 5]]}
    assert points_of(figure.axes[0]) == expected


def test_scatter_leaves_out_what_has_no_place(drawn: Draw) -> None:
    x, y = [0, np.nan, np.inf, 3], [0, 1, 2, -np.inf]
    figure = drawn(plot.scatter, x, y, {"source": list("abcd")})
    assert points_of(figure.axes[0]) == {plot.BLUE: [[0, 0]]}
    figure = drawn(plot.scatter, [np.nan], [0], {"source": ["a"]})
    assert [t.get_text() for t in figure.axes[0].texts] == ["no points"]


def test_scatter_puts_the_rarest_of_many_values_together(drawn: Draw) -> None:
    values = [f"v{i}" for i in range(11) for _ in range(i + 1)]
    where = range(len(values))
    axes = drawn(plot.scatter, where, where, {"source": values}).axes[0]
    assert words(axes)[-1] == "other (4 values), n = 10"
    assert words(axes)[:7] == [f"v{i}, n = {i + 1}" for i in (10, 4, 5, 6, 7, 8, 9)]
    assert points_of(axes)[plot.GREY] == [[i, i] for i in range(10)]
    eight = drawn(plot.scatter, range(8), range(8), {"source": list("abcdefgh")}).axes[0]
    assert words(eight) == [f"{c}, n = 1" for c in "abcdefgh"]


def test_scatter_refuses_columns_of_another_length() -> None:
    with pytest.raises(ValueError, match="2 points, but 3 values"):
        plot.scatter("a.png", [1, 2], [1, 2], {"source": ["a", "b", "c"]})


def test_no_two_values_of_a_panel_look_alike_in_grey() -> None:
    assert len(set(plot.COLOURS)) == len(set(plot.MARKERS)) == plot.DISTINCT
