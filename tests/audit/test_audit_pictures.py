"""The pictures of an audit draw what the rows and the images say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from audit_cases import make_case

from cxrtool.audit import pictures
from cxrtool.audit.verdicts import CheckRow
from cxrtool.figures import charts, grids


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Catch what is given to the plots."""
    calls: list[tuple[Any, ...]] = []
    for module, names in ((charts, ("counts", "histograms", "roc")), (grids, ("forest",))):
        for name in names:
            monkeypatch.setattr(
                module, name, lambda _, what, _n=name, **more: calls.append((_n, what, more))
            )
    return calls


def draw_all(case: Any, rows: list[CheckRow]) -> list[str]:
    plots = pictures.pictures(case, rows)
    for plot in plots:
        plot.draw(plot.file)
    return [plot.file for plot in plots]


def test_patients_are_counted_not_images(drawn: list[tuple[Any, ...]]) -> None:
    case = make_case(400, association=2)
    draw_all(case, [])
    (groups,) = [what for name, what, _ in drawn if name == "counts"]
    assert groups == {"A": {"covid": 0, "normal": 100}, "B": {"covid": 100, "normal": 0}}


def test_effects_and_aucs_have_an_axis_each(drawn: list[tuple[Any, ...]]) -> None:
    rows = [
        CheckRow("within source", verdict="shown", value=0.1, low=0.06, high=0.2, limit=0.05),
        CheckRow("bystanders", verdict="excluded", value=0.52, low=0.5, high=0.54, limit=0.7),
        CheckRow("bystanders: use", verdict="excluded", value=0, low=-0.1, high=0.1, limit=0.05),
        CheckRow("overlap", verdict="excluded", value=0.9),
    ]
    for row in rows[:3]:
        row.ladder = [(0.0, 1.0)]
    files = draw_all(make_case(), rows)
    assert files[:2] == ["effects.svg", "attainable.svg"]
    forests = [(what, more) for name, what, more in drawn if name == "forest"]
    assert [more["reference"] for _, more in forests] == [0.05, 0.7]
    names = [[line.name for line in lines] for lines, _ in forests]
    assert names == [
        ["within source: shown", "bystanders: use: excluded"],
        ["bystanders: excluded"],
    ]
    assert [line.value for line in forests[0][0]] == [0.1, 0]


def test_the_line_of_a_forest_names_the_verdicts_that_its_rows_may_have() -> None:
    row = CheckRow("bystanders", verdict="not identifiable", value=0.9, low=0.8, high=0.95)
    row.limit, row.ladder, row.beyond = 0.7, [(0.0, 1.0)], "not identifiable"
    (own,) = (p for p in pictures.pictures(make_case(), [row]) if p.kind == pictures.EFFECTS)
    assert "right of it: not identifiable, as each source has one class; left of" in own.caption
    row.beyond = "shown"
    (own,) = (p for p in pictures.pictures(make_case(), [row]) if p.kind == pictures.EFFECTS)
    assert "right of it: shown; left of it: excluded." in own.caption


def test_scores_go_to_their_source_and_class_in_whatever_order_the_rows_are(
    drawn: list[tuple[Any, ...]],
) -> None:
    case = make_case(200, columns=("source",))
    model = case.models[0]
    order = np.random.default_rng(0).permutation(len(model.rows))
    mixed = type(model)("net", model.rows[order], model.scores[order], model.predicted[order])
    draw_all(type(case)(case.images, [mixed], "covid", ["normal"]), [])
    (panels,) = [what for name, what, _ in drawn if name == "histograms"]
    names = np.array(case.images.columns["source"].names, object)
    source = names[case.images.columns["source"].codes]
    for name, panel in panels.items():
        for at, label in ((1, "covid"), (0, "normal")):
            keep = (source == name) & (case.images.positive == at)
            assert sorted(panel[label]) == sorted(model.scores[keep])


def test_many_sources_and_models_are_few_pictures(drawn: list[tuple[Any, ...]]) -> None:
    sources = [f"hospital {k}" for k in range(30)]
    case = make_case(600, sources=sources, models=[f"net {k}" for k in range(9)])
    column = case.images.columns["source"]
    column.codes[:] = np.arange(600) // 2 % len(column.names)
    files = draw_all(case, [])
    assert len(files) == 1 + 2 * pictures.MODELS == len(set(files))
    (groups,) = [what for name, what, _ in drawn if name == "counts"]
    assert len(groups) <= pictures.SOURCES
    assert sum(sum(group.values()) for group in groups.values()) == 300
    assert all(len(c) <= 1 + pictures.CURVES for name, c, _ in drawn if name == "roc")


def test_roc_curves_within_sources_need_both_classes(drawn: list[tuple[Any, ...]]) -> None:
    draw_all(make_case(association=2), [])
    draw_all(make_case(), [])
    apart, mixed = [[c.name for c in what] for name, what, _ in drawn if name == "roc"]
    assert apart == ["all images"]
    assert sorted(mixed) == ["all images", "within A", "within B"]
