"""What the probes found is told in one line, in captions and in figures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cxrtool import findings
from cxrtool.probing import Finding

FOUND = Finding("", 30, 20, {"a": 10, "b": 20}, {}, 0.971, 0.5, 0.49, 0.004975)
NOTHING = Finding("", 30, 20, {"a": 10, "b": 20}, {}, 0.432, 0.5, 0.49, 0.66)
NONE = Finding("fewer than two values have 5 patients each", 30, 3)


def rows(number: int = 60) -> list[dict[str, str]]:
    return [
        {"patient": f"p{k // 2}", "source": "xy"[k // 2 % 2], "label": "ab"[k // 4 % 2]}
        for k in range(number)
    ]


def test_the_line_tells_what_is_told_apart_and_what_is_not() -> None:
    told = {"source": {"": FOUND}, "label": {"": NOTHING, "x": FOUND, "y": NONE}}
    assert findings.line(told) == (
        "source: told apart with balanced accuracy 0.97 (chance 0.50, p 0.005); "
        "label: not told apart with balanced accuracy 0.43 (chance 0.50, p 0.66); "
        "label within x: told apart with balanced accuracy 0.97 (chance 0.50, p 0.005)"
    )
    assert findings.line({}) == ""
    assert findings.line({"label": {"": NONE}}) == f"label: not probed: {NONE.reason}"


def test_the_captions_are_of_all_images() -> None:
    told = {"source": {"": NONE}, "label": {"": FOUND, "x": NOTHING}}
    assert findings.captions(told) == {
        "source": f"not probed: {NONE.reason}",
        "label": "probe: balanced accuracy 0.97 (chance 0.50), p = 0.005",
    }


def test_every_column_is_probed_and_the_label_within_every_source() -> None:
    given = rows()
    features = np.random.default_rng(0).normal(size=(60, 4))
    features[:, 0] += [9 * (r["source"] == "y") for r in given]
    told = findings.of_columns(features, given, ["source", "label"], 40, 0)
    assert {c: list(f) for c, f in told.items()} == {"source": [""], "label": ["", "x", "y"]}
    assert told["source"][""].balanced_accuracy == 1
    assert told["source"][""].patients == 30
    assert told["label"]["x"].images == 30
    figures = json.loads(json.dumps(findings.figures(told, given, features[:, :2])))
    assert figures["source"]["neighbours"] > 0.95
    assert figures["source"]["balanced_accuracy"] == 1
    assert list(figures["label"]["within_source"]) == ["x", "y"]
    assert "within_source" not in figures["source"]


@pytest.mark.parametrize("column", ["patient", "source"])
def test_a_column_that_is_not_there_is_empty(column: str) -> None:
    given = [{k: v for k, v in row.items() if k != column} for row in rows()]
    features = np.random.default_rng(0).normal(size=(60, 4))
    told = findings.of_columns(features, given, ["label"], 5, 0)
    assert told["label"][""].patients == (60 if column == "patient" else 30)
    assert list(told["label"]) == (["", "x", "y"] if column == "patient" else [""])
