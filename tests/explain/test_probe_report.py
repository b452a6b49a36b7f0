"""What the probes found is told in one line, in captions and in figures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cxrtool.explain import probe_report
from cxrtool.stats.linear_probe import Finding

FOUND = Finding(
    "",
    30,
    20,
    {"a": 10, "b": 20},
    {},
    balanced_accuracy=0.971,
    low=0.86,
    high=0.994,
    chance=0.5,
    permuted=0.49,
    p=0.0005,
    p_holm=0.0015,
    least_p=0.0005,
    detectable=0.7,
)
NOTHING = replace(FOUND, balanced_accuracy=0.432, low=0.31, high=0.57, p=0.03, p_holm=0.06)
NONE = Finding("fewer than two values have 5 patients each", 30, 3)


def rows(number: int = 60) -> list[dict[str, str]]:
    return [
        {"patient": f"p{k // 2}", "source": "xy"[k // 2 % 2], "label": "ab"[k // 4 % 2]}
        for k in range(number)
    ]


def test_the_line_says_what_is_predictable_and_what_is_not() -> None:
    told = {"source": {"": FOUND}, "label": {"": NOTHING, "x": FOUND, "y": NONE}}
    assert probe_report.line(told) == (
        "source: predictable, balanced accuracy 0.971 [0.860, 0.994] "
        "(chance 0.500, p 0.0005, after Holm 0.0015); "
        "label: not shown to be predictable, balanced accuracy 0.432 [0.310, 0.570] "
        "(chance 0.500, p 0.03, after Holm 0.06; 0.700 would be detected with 80 % power); "
        "label within x: predictable, balanced accuracy 0.971 [0.860, 0.994] "
        "(chance 0.500, p 0.0005, after Holm 0.0015)"
    )
    assert probe_report.line({}) == ""
    assert probe_report.line({"label": {"": NONE}}) == f"label: not probed: {NONE.reason}"


def test_the_captions_are_of_all_images() -> None:
    told = {"source": {"": NONE}, "label": {"": FOUND, "x": NOTHING}}
    assert probe_report.captions(told) == {
        "source": f"not probed: {NONE.reason}",
        "label": "probe: balanced accuracy 0.971 [0.860, 0.994] (chance 0.500), "
        "p = 0.0015 after Holm",
    }


def test_every_column_is_probed_and_the_label_within_every_source() -> None:
    given = rows()
    features = np.random.default_rng(0).normal(size=(60, 4))
    features[:, 0] += [9 * (r["source"] == "y") for r in given]
    told = probe_report.of_columns(features, given, ["source", "label"], 40, 0)
    assert {c: list(f) for c, f in told.items()} == {"source": [""], "label": ["", "x", "y"]}
    assert told["source"][""].balanced_accuracy == 1
    assert told["source"][""].patients == 30
    assert told["label"]["x"].images == 30
    figures = json.loads(json.dumps(probe_report.figures(told, given, features[:, :2])))
    assert figures["source"]["neighbours"] > 0.95
    assert figures["source"]["balanced_accuracy"] == 1
    assert list(figures["label"]["within_source"]) == ["x", "y"]
    assert "within_source" not in figures["source"]


def test_every_p_is_adjusted_for_all_probes_of_the_call() -> None:
    few, more = replace(FOUND, p=0.01, p_holm=None), replace(FOUND, p=0.02, p_holm=None)
    told = probe_report.adjusted(
        {"source": {"": more}, "label": {"": NOTHING, "x": few, "y": NONE}}
    )
    adjusted = {c: {s: one.p_holm for s, one in of.items()} for c, of in told.items()}
    # 0.01, 0.02 and 0.03 times 3, 2 and 1, never falling.
    assert adjusted == {"source": {"": 0.04}, "label": {"": 0.04, "x": 0.03, "y": None}}
    assert probe_report.adjusted({}) == {}


def test_permutations_that_cannot_pass_holm_are_too_few() -> None:
    told = {"source": {"": FOUND}, "label": {"": NOTHING, "x": NONE}}
    assert probe_report.unattainable(told, 39) == ""
    assert probe_report.unattainable(told, 38) == (
        "warning: 38 permutations are too few for 2 probes: no p after Holm can be 0.05 or less; "
        "use --permutations 39 or more"
    )


def test_without_an_interval_the_figure_stands_alone() -> None:
    bare = replace(FOUND, low=None, high=None, p_holm=None)
    assert "balanced accuracy 0.971 (chance 0.500, p 0.0005, after Holm 0.0005)" in (
        probe_report.sentence(bare)
    )


@pytest.mark.parametrize("column", ["patient", "source"])
def test_a_column_that_is_not_there_is_empty(column: str) -> None:
    given = [{k: v for k, v in row.items() if k != column} for row in rows()]
    features = np.random.default_rng(0).normal(size=(60, 4))
    told = probe_report.of_columns(features, given, ["label"], 5, 0)
    assert told["label"][""].patients == (60 if column == "patient" else 30)
    assert list(told["label"]) == (["", "x", "y"] if column == "patient" else [""])
