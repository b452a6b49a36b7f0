"""Pictures of tables hold every number, and mark what is at home and what has no end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
import pytest

from cxrtool.figures import grids, plot
from cxrtool.figures.grids import PlottedInterval

Draw = Callable[..., Any]
NAN, INF = float("nan"), float("inf")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Draw, and return the axes instead of a file."""
    figures: list[Any] = []
    monkeypatch.setattr(plot, "save", lambda path, figure: figures.append(figure))

    def draw(function: Draw, *args: Any, **options: Any) -> Any:
        function("a.png", *args, **options)
        return figures.pop().axes[0]

    return draw


def cells(axes: Any) -> dict[tuple[float, float], str]:
    """Return the texts by row and column."""
    return {text.get_position()[::-1]: text.get_text() for text in axes.texts}


def labels(axis: Any) -> list[str]:
    return [tick.get_text() for tick in axis.get_ticklabels()]


def test_confusion_shows_counts_and_the_share_of_their_row(drawn: Draw) -> None:
    axes = drawn(grids.confusion, [[3, 1], [0, 0]], ["ill", ""], "t")
    assert cells(axes) == {(0, 0): "3\n75 %", (0, 1): "1\n25 %", (1, 0): "0", (1, 1): "0"}
    assert labels(axes.yaxis) == labels(axes.xaxis) == ["ill", "unknown"]
    assert (axes.get_ylabel(), axes.get_xlabel(), axes.get_title()) == ("true", "predicted", "t")


def test_matrix_shows_values_and_intervals_and_outlines_the_home_games(drawn: Draw) -> None:
    values = [[0.9, 0.5, NAN], [0.61234, 12.0, 1.0]]
    low, high = np.subtract(values, 0.1), np.add(values, 0.1)
    low[0, 1] = NAN
    axes = drawn(grids.matrix, ["a", "b"], ["b", "c", "a"], values, low, high, limits=(0, 1))
    assert cells(axes) == {
        (0, 0): "0.900\n[0.800, 1.000]",
        (0, 1): "0.500",
        (0, 2): "-",
        (1, 0): "0.612\n[0.512, 0.712]",
        (1, 1): "12.0\n[11.9, 12.1]",
        (1, 2): "1.000\n[0.900, 1.100]",
    }
    # One outline is two rectangles, black on white.
    centres = {(p.get_y() + 0.45, p.get_x() + 0.45) for p in axes.patches}
    assert centres == {(0, 2), (1, 0)}
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("trained on", "tested on")


def test_numbers_stand_out_from_their_cells(drawn: Draw) -> None:
    shades = np.linspace(0, 1, 21)[None]
    axes = drawn(grids.matrix, ["a"], [str(i) for i in range(21)], shades, limits=(0, 1))
    colours = axes.images[0].to_rgba(shades)[0, :, :3]
    for text, colour in zip(axes.texts, colours, strict=True):
        light = sorted(map(luminance, (matplotlib.colors.to_rgb(text.get_color()), colour)))
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.5


def luminance(colour: Any) -> float:
    """Weigh a colour as WCAG 2 does."""
    parts = np.asarray(colour)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_a_matrix_too_large_for_numbers_has_shades_alone(drawn: Draw) -> None:
    n = grids.LEGIBLE + 1
    axes = drawn(grids.confusion, np.eye(n), [f"c{i}" for i in range(n)])
    assert list(axes.texts) == []
    assert axes.images[0].get_array().shape == (n, n)


def test_a_matrix_of_another_shape_is_refused(drawn: Draw) -> None:
    with pytest.raises(ValueError, match="cannot reshape"):
        drawn(grids.confusion, [[1, 2]], ["a", "b"])


def test_forest_draws_each_interval_under_its_group(drawn: Draw) -> None:
    rows = [
        PlottedInterval("a", 0.7, 0.6, 0.9, "g"),
        PlottedInterval("b", 0.8, group="g"),
        PlottedInterval("a", 0.5),
    ]
    axes = drawn(grids.forest, rows, reference=0.4, label="AUC")
    assert labels(axes.yaxis) == ["g", "a", "b", "a"]
    assert [t.get_text() for t in axes.texts] == ["0.700 [0.600, 0.900]", "0.800", "0.500"]
    reference, *points = axes.lines
    assert reference.get_xdata() == [0.4, 0.4]
    assert [(p.get_xdata()[0], p.get_ydata()[0]) for p in points] == [(0.7, 1), (0.8, 2), (0.5, 3)]
    segments = [c.get_segments()[0].tolist() for c in axes.collections]
    assert segments == [[[0.6, 1], [0.9, 1]]]
    left, right = axes.get_xlim()
    assert left < 0.4 < 0.9 < right


def test_forest_ends_an_endless_interval_in_an_arrow(drawn: Draw) -> None:
    rows = [
        PlottedInterval("a", 10, 0, INF),
        PlottedInterval("b", INF, NAN, NAN),
        PlottedInterval("c", 100),
    ]
    axes = drawn(grids.forest, rows, reference=1, log=True)
    arrows = {line.get_marker(): line.get_xdata()[0] for line in axes.lines[1:]}
    assert {"<", ">", "s"} == set(arrows)
    assert (arrows["<"], arrows[">"]) == pytest.approx(axes.get_xlim())
    assert [t.get_text() for t in axes.texts] == ["10.0 [0.000, inf]", "inf", "100.0"]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("value", [0.5, NAN, INF, 0.0, -3.0])
def test_one_value_alone_has_room_around_it(drawn: Draw, value: float, log: bool) -> None:
    axes = drawn(grids.forest, [PlottedInterval("a", value)], log=log)
    left, right = axes.get_xlim()
    assert left < right
    if np.isfinite(value) and (value > 0 or not log):
        assert left < value < right


def test_nothing_to_draw_says_so(drawn: Draw) -> None:
    for axes in (
        drawn(grids.forest, []),
        drawn(grids.matrix, [], [], []),
        drawn(grids.confusion, [], []),
    ):
        assert [text.get_text() for text in axes.texts] == ["nothing to draw"]
