"""Pictures show the numbers of the table, under names that are safe and their own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results import QUESTION, result, shows, skilled

from cxrtool.compare import plots, result_tables
from cxrtool.compare.comparison import Figure, Question
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.display import ENDING, Names, Shows
from cxrtool.figures import charts, grids


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Draw all pictures of a kind, and return what was to be drawn instead of files."""

    def draw(shown: Shows, kind: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        for module in (charts, grids):
            for name in (
                "roc",
                "precision_recall",
                "calibration",
                "histograms",
                "confusion",
                "matrix",
                "forest",
            ):
                if hasattr(module, name):
                    keep = lambda path, *a, **o: calls.append((a, o))  # noqa: E731
                    monkeypatch.setattr(module, name, keep)
        for picture in plots.pictures(shown):
            if picture.kind == kind:
                picture.draw("file")
        return calls

    return draw


def files(shown: Shows) -> list[str]:
    return [picture.file for picture in plots.pictures(shown)]


# --- names ----------------------------------------------------------------------------------------

PARTS = st.lists(
    st.text(max_size=12) | st.sampled_from(["a", "A", "a-b", "b", "../x", "é"]),
    min_size=1,
    max_size=3,
)


@given(st.lists(PARTS, max_size=12, unique_by=tuple))
def test_no_two_names_are_one_file_and_none_leads_elsewhere(parts: list[list[str]]) -> None:
    names = Names()
    found = [names.of("roc", *part) for part in parts]
    # The same parts but for those that are empty say the same.
    assert len({name.casefold() for name in found}) == len(found)
    for name in found:
        assert re.fullmatch(r"roc[A-Za-z0-9_.+=-]*\.svg", name)
        assert len(name) < 110


def test_plain_names_stay_as_they_are() -> None:
    names = Names()
    assert names.of("confusion", "r18", "hospital-1, PA") == "confusion-r18-hospital-1-PA.svg"
    assert names.of("roc", "", "r18 v2.1") == "roc-r18_v2.1.svg"
    assert re.fullmatch(r"roc-R18_v2.1-[0-9a-f]{16}\.svg", names.of("roc", "R18 v2.1"))
    assert names.of("roc", "x" * 200) != names.of("roc", "x" * 201)


# --- which pictures there are ---------------------------------------------------------------------


def test_two_classes_are_drawn_once() -> None:
    shown = shows(skilled(model="a"), skilled(model="b", seed=1))
    assert files(shown) == [
        "forest-auc.svg",
        "roc.svg",
        "precision-recall.svg",
        "calibration.svg",
        "histograms-a.svg",
        "histograms-b.svg",
        "confusion-a.svg",
        "confusion-b.svg",
    ]


def test_every_metric_that_is_asked_for_has_its_intervals() -> None:
    question = Question(positive="ill", resamples=20, metrics=("mcc", "dor"))
    shown = shows(skilled(question=question), question=question)
    assert files(shown)[:2] == ["forest-mcc.svg", "forest-dor.svg"]


def test_of_three_classes_each_is_drawn_against_the_rest(drawn: Any) -> None:
    question = Question(resamples=0)
    p = np.random.default_rng(0).dirichlet(np.ones(3), 30)
    shown = shows(result(np.arange(30) % 3, p, question=question, classes="abc"), question=question)
    kinds = ("roc", "precision-recall", "calibration", "histograms")
    expected = [f"{kind}-{c}" for kind in kinds for c in "abc"]
    assert [re.sub(r"(-m)?\.svg", "", file) for file in files(shown)[1:-1]] == expected
    assert [o["title"] for _, o in drawn(shown, "roc")] == list("abc")
    (rows,), _ = drawn(shown, "forest")[0]
    assert [row.name for row in rows] == ["m: a", "m: b", "m: c", "m: macro", "m: weighted"]


def test_models_share_a_panel_and_groups_of_one_model_do_too(drawn: Any) -> None:
    question = Question(by=("view",), positive="ill", resamples=20)
    both = [skilled(model=m, group=g, seed=ord(m)) for g in ("PA", "AP") for m in "ab"]
    panels = drawn(shows(*both, question=question), "roc")
    assert [[c.name for c in a[0]] for a, _ in panels] == [["a", "b"]] * 2
    assert [o["title"] for _, o in panels] == ["PA, ill", "AP, ill"]
    (((curves,), options),) = drawn(shows(*both[::2], question=question), "roc")
    assert [c.name for c in curves] == ["PA", "AP"]
    assert options["title"] == "a, ill"


# --- what they draw -------------------------------------------------------------------------------


def test_curves_have_the_figures_of_the_table_and_bands(drawn: Any) -> None:
    one = skilled()
    for kind, metric, short in (
        ("roc", "auc", "AUC"),
        ("precision-recall", "average_precision", "AP"),
    ):
        ((((curve,),), _),) = drawn(shows(one), kind)
        assert curve.note == f"{short} {result_tables.text_of(one.figures['ill', metric])}"
        # Where a curve rises straight up, the band is that of its upper end.
        top = np.append(np.diff(curve.x) > 0, True)
        assert np.mean((curve.low <= curve.y)[top] & (curve.y <= curve.high)[top]) > 0.95
        assert (curve.low < curve.high).any()
    picture = plots.pictures(shows(one))[1]
    assert result_tables.text_of(one.figures["ill", "auc"]) in picture.alt
    assert "95 % of 50 bootstrap resamples" in picture.caption


def test_many_lines_have_no_bands_and_none_is_promised(drawn: Any) -> None:
    shown = shows(*(skilled(model=m, seed=ord(m)) for m in "abcde"))
    (((curves,), _),) = drawn(shown, "roc")
    assert np.isnan([c.low for c in curves]).all()
    assert "resamples" not in plots.pictures(shown)[1].caption


def test_one_class_has_no_curve_and_says_so(drawn: Any) -> None:
    shown = shows(skilled(model="a"), result([1, 1, 1], [0.1, 0.5, 0.9], model="b"))
    (((curves,), _),) = drawn(shown, "roc")
    assert [len(np.ravel(c.x)) > 0 for c in curves] == [True, False]
    assert curves[1].note == "undefined: only one class"


def test_guessing_has_one_precision_where_the_class_is_as_frequent(drawn: Any) -> None:
    a, b = result([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4], model="a"), skilled(20, model="b")
    ((_, options),) = drawn(shows(a), "precision-recall")
    assert options["prevalence"] == 0.25
    ((_, options),) = drawn(shows(a, b), "precision-recall")
    assert options["prevalence"] is None


def test_histograms_hold_every_score_by_group_source_and_class(drawn: Any) -> None:
    question = Question(by=("view",), positive="ill", resamples=0)
    p = [0.1, 0.2, 0.3, 0.4]
    groups = [
        result([0, 1, 0, 1], p, group=g, sources=["s", "s", "t", ""], question=question)
        for g in ("PA", "AP")
    ]
    (((scores,), options),) = drawn(shows(*groups, question=question), "histograms")
    assert list(scores) == [
        "all images",
        "view: PA",
        "view: AP",
        "source: (none)",
        "source: s",
        "source: t",
    ]
    assert sorted(scores["all images"]["well"]) == [0.1, 0.1, 0.3, 0.3]
    assert scores["view: PA"]["ill"].tolist() == [0.2, 0.4]
    assert scores["source: s"]["ill"].tolist() == [0.2, 0.2]
    assert scores["source: t"]["ill"].tolist() == []
    assert options["label"] == "probability of ill"


def test_a_source_that_is_the_group_is_not_drawn_twice(drawn: Any) -> None:
    question = Question(by=("source",), positive="ill", resamples=0)
    groups = [skilled(20, group=g, sources=[g] * 20, question=question) for g in "st"]
    (((scores,), _),) = drawn(shows(*groups, question=question), "histograms")
    assert list(scores) == ["all images", "source: s", "source: t"]


def test_intervals_stand_under_their_group_or_their_one_model(drawn: Any) -> None:
    groups = [skilled(model=m, group=g, seed=ord(m)) for m in "ab" for g in "st"]
    (((rows,), options),) = drawn(shows(*groups), "forest")
    assert [(r.group, r.name) for r in rows] == [("s", "a"), ("s", "b"), ("t", "a"), ("t", "b")]
    figure = groups[0].figures["ill", "auc"]
    assert (rows[0].value, rows[0].low, rows[0].high) == (figure.value, figure.low, figure.high)
    assert (options["reference"], options["log"]) == (0.5, False)
    (((rows,), _),) = drawn(shows(*groups[:2]), "forest")
    assert [(r.group, r.name) for r in rows] == [("a", "s"), ("a", "t")]


def test_the_matrix_leaves_cells_without_images_empty(drawn: Any) -> None:
    cells = {("a", "a"): skilled(), ("a", "b"): skilled(seed=1)}
    matrix = Matrix(
        "auc", ["a"], ["a", "b", "c"], ("model", "source"), cells, gap=Figure(0.1, 0, 0.2)
    )
    shown = shows(*cells.values(), matrix=matrix)
    (((rows, columns, values, low, _), options),) = drawn(shown, "matrix")
    assert (rows, columns) == (["a"], ["a", "b", "c"])
    assert values[0][0] == cells["a", "a"].figures["ill", "auc"].value
    assert low[0][1] == cells["a", "b"].figures["ill", "auc"].low
    assert np.isnan(values[0][2])
    assert options["limits"] == (0.5, 1)
    assert "0.100 [0.000, 0.200]" in plots.pictures(shown)[0].alt


def test_the_same_pictures_are_the_same_bytes_and_whole(tmp_path: Path) -> None:
    question = Question(positive="ill", resamples=20, metrics=(*QUESTION.metrics,))
    shown = shows(skilled(sources=["s", "t"] * 30), question=question)
    few = [p for p in plots.pictures(shown) if p.kind != "forest" or "dor" in p.file]
    for folder in ("1", "2"):
        (tmp_path / folder).mkdir()
        for picture in few:
            picture.draw(tmp_path / folder / picture.file)
    for picture in few:
        first, second = ((tmp_path / f / picture.file).read_bytes() for f in "12")
        assert first == second
        assert ET.fromstring(first).tag.endswith("svg")
        assert picture.file.endswith(ENDING)
