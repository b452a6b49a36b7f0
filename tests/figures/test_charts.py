"""Plots of probabilities draw the numbers they are given, and gaps where there are none."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cxrtool.figures import charts, plot
from cxrtool.figures.charts import PlottedBins, PlottedCurve

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


def words(figure: Any) -> list[str]:
    return [entry.get_text() for legend in figure.legends for entry in legend.get_texts()]


def data(line: Any) -> list[list[float]]:
    return [list(part) for part in line.get_data()]


def test_roc_draws_the_curve_above_the_diagonal_of_guessing(drawn: Draw) -> None:
    curve = PlottedCurve("a", [0, 0.1, 1], [0, 0.8, 1], [0, 0.7, 1], [0, 0.9, 1], "AUC 0.85")
    figure = drawn(charts.roc, [curve], title="t")
    axes = figure.axes[0]
    guess, line = axes.lines
    assert data(guess) == [[0, 1], [0, 1]]
    assert data(line) == [[0, 0.1, 1], [0, 0.8, 1]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("1 - specificity", "sensitivity")
    assert (axes.get_title(), axes.get_aspect()) == ("t", 1)
    assert words(figure) == ["a  AUC 0.85"]
    band = axes.collections[0].get_paths()[0].vertices
    assert {tuple(map(float, point)) for point in band} >= {(0.1, 0.7), (0.1, 0.9)}


def test_many_curves_have_no_bands(drawn: Draw) -> None:
    curve = PlottedCurve("a", [0, 1], [0, 1], [0, 1], [0, 1])
    for count, bands in ((charts.BANDS, charts.BANDS), (charts.BANDS + 1, 0)):
        axes = drawn(charts.roc, [curve] * count).axes[0]
        assert len(axes.collections) == bands
        assert len(axes.lines) == count + 1


def test_curves_are_told_apart_without_their_colours(drawn: Draw) -> None:
    lines = (
        drawn(charts.roc, [PlottedCurve(str(i), [0, 1], [0, 1]) for i in range(32)])
        .axes[0]
        .lines[1:]
    )
    styles = [(line.get_color(), line.get_linestyle()) for line in lines]
    assert len(set(styles)) == 32
    assert all(a[1] != b[1] for a, b in itertools.pairwise(styles))


@pytest.mark.parametrize("falling", [False, True])
def test_a_precision_holds_down_to_the_next_lower_recall(drawn: Draw, falling: bool) -> None:
    recall, precision = np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.8, 0.3])
    order = slice(None, None, -1 if falling else 1)
    figure = drawn(
        charts.precision_recall,
        [PlottedCurve("a", recall[order], precision[order])],
        prevalence=0.3,
    )
    level, line = figure.axes[0].lines
    assert level.get_ydata() == [0.3, 0.3]
    # The corner points of the line as it is drawn: between 0 and 0.5 the precision is 0.8.
    corners = _corners(line)
    assert (0.0, 0.8) in corners
    assert (0.5, 1.0) not in corners


def _corners(line: Any) -> set[tuple[float, float]]:
    from matplotlib.cbook import STEP_LOOKUP_MAP

    steps = STEP_LOOKUP_MAP[line.get_drawstyle()](*line.get_data())
    return {(float(x), float(y)) for x, y in zip(*steps, strict=True)}


def test_a_single_point_is_seen(drawn: Draw) -> None:
    axes = drawn(charts.roc, [PlottedCurve("a", [0.2], [0.7])]).axes[0]
    assert axes.lines[1].get_marker() == "o"


def test_what_is_not_finite_is_a_gap(drawn: Draw) -> None:
    curve = PlottedCurve("a", [0, 0.5, 1], [0, np.inf, np.nan], [np.nan] * 3, [1, 1, np.inf])
    line = drawn(charts.roc, [curve]).axes[0].lines[1]
    np.testing.assert_array_equal(line.get_ydata(), [0, np.nan, np.nan])


def test_lengths_that_differ_are_refused(drawn: Draw) -> None:
    with pytest.raises(ValueError, match=r"lengths differ: \[2, 3\]"):
        drawn(charts.roc, [PlottedCurve("a", [0, 1], [0, 1, 2])])


@pytest.mark.parametrize("function", [charts.roc, charts.precision_recall, charts.calibration])
def test_no_curve_says_so(drawn: Draw, function: Draw) -> None:
    figure = drawn(function, [])
    assert [text.get_text() for text in figure.axes[0].texts] == ["nothing to draw"]


def test_calibration_shows_shares_intervals_and_counts(drawn: Draw) -> None:
    model = PlottedBins("m", [0.1, 0.9], [0.2, 0.7], [30, 5], [0.1, 0.5], [0.3, 0.9], "ECE 0.14")
    figure = drawn(charts.calibration, [model, PlottedBins("", [], [], [])])
    above, below = figure.axes
    assert data(above.lines[1]) == [[0.1, 0.9], [0.2, 0.7]]
    assert data(below.lines[0]) == [[0.1, 0.9], [30, 5]]
    ends = [segment.tolist() for segment in above.collections[0].get_segments()]
    assert ends == [[[0.1, 0.1], [0.1, 0.3]], [[0.9, 0.5], [0.9, 0.9]]]
    assert words(figure) == ["m  ECE 0.14", "unknown"]


def test_histograms_hold_the_shares_of_each_class(drawn: Draw) -> None:
    scores = {"here": {"ill": [0.01, 0.02, 0.99, np.nan], "well": [1.0]}, "there": {"well": []}}
    figure = drawn(charts.histograms, scores, label="p")
    here, there = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["here, n = 4", "there, n = 0"]
    shares, edges, _ = here.patches[1].get_data()
    assert shares[[0, -1]] == pytest.approx([2 / 3, 1 / 3])
    assert shares.sum() == pytest.approx(1)
    assert (edges[0], edges[-1]) == (0, 1)
    assert here.patches[3].get_data()[0][-1] == 1
    assert list(there.patches) == []
    assert words(figure) == ["ill", "well"]


def test_histograms_give_a_class_one_colour_in_every_panel(drawn: Draw) -> None:
    scores = {"a": {"x": [0.5], "y": [0.5]}, "b": {"y": [0.5]}}
    first, second = drawn(charts.histograms, scores).axes
    assert second.patches[1].get_edgecolor() == first.patches[3].get_edgecolor()
    assert second.patches[1].get_edgecolor() != first.patches[1].get_edgecolor()


def test_too_many_panels_are_counted(drawn: Draw) -> None:
    count = charts.PANELS + 1
    figure = drawn(charts.histograms, {str(i): {"x": [0.5]} for i in range(count)})
    assert len(figure.axes) == charts.PANELS
    assert figure.get_suptitle() == f"the first {charts.PANELS} of {count}"


def test_too_many_groups_are_counted(drawn: Draw) -> None:
    count = charts.PANELS + 1
    (axes,) = drawn(charts.counts, {str(i): {"x": 1} for i in range(count)}).axes
    assert axes.get_title() == f"the first {charts.PANELS} of {count}"


def test_counts_have_a_bar_a_class_also_where_there_is_none(drawn: Draw) -> None:
    figure = drawn(charts.counts, {"a": {"ill": 3, "well": 0}, "b": {"well": 5}}, label="patients")
    axes = figure.axes[0]
    assert [[bar.get_width() for bar in bars] for bars in axes.containers] == [[3, 0], [0, 5]]
    assert [text.get_text() for text in axes.texts] == ["3", "0", "0", "5"]
    assert axes.get_xlabel() == "patients"
    assert words(figure) == ["ill", "well"]
    hatches = {bars.patches[0].get_hatch() for bars in axes.containers}
    assert len(hatches) == 2


def test_counts_of_nothing_are_drawn(drawn: Draw) -> None:
    assert drawn(charts.counts, {}).axes
