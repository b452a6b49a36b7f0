"""Rows that belong together: folds of one model, and images that stand twice."""

from __future__ import annotations

import numpy as np
import pytest

from cxrtool.compare import groups
from cxrtool.core.errors import CxrtoolError
from cxrtool.files.failures import Failures
from cxrtool.files.predictions import Predictions
from cxrtool.files.text_columns import Coded, Texts, digests


def made(rows: list[tuple[str, str, str]]) -> Predictions:
    """Make predictions of (path, model, fold)."""
    paths, size = Texts(), len(rows)
    for path, _, _ in rows:
        paths.add(path)
    coded = {}
    for place, name in ((1, "model"), (2, "fold")):
        names = list(dict.fromkeys(row[place] for row in rows))
        coded[name] = Coded(names, np.array([names.index(row[place]) for row in rows]))
    same = {"path": digests([row[0] for row in rows]), "raw": np.zeros(size, np.int64)}
    return Predictions(
        ["a", "b"],
        [],
        np.arange(size),
        np.zeros(size, np.int64),
        np.full(size, -1),
        np.full((size, 2), 0.5),
        same["path"],
        same,
        coded,
        paths,
    )


@pytest.mark.parametrize(
    ("models", "folds", "expected"),
    [
        (["r18-1", "r18-2"], "12", ["r18"]),
        (["fold-1", "fold-2"], "12", ["all"]),
        (["r18_fold01", "r18_fold02"], "12", ["r18"]),
        (["r18-1", "r50-1", "r18-2", "r50-2"], "1122", ["r18", "r50"]),
        (["r18", "r50", "r50"], "112", ["r18", "r50"]),
        (["x-1", "x1", "x-2"], "112", ["x-1", "x1", "x-2"]),  # two of one name have fold 1
        (["f", "g"], ["", "1"], ["f", "g"]),
    ],
)
def test_runs_of_folds(models: list[str], folds: str, expected: list[str]) -> None:
    rows = [(f"{k}.png", m, f) for k, (m, f) in enumerate(zip(models, folds, strict=True))]
    assert groups.pooled(made(rows), "fold").coded["model"].names == expected


def test_a_model_with_all_folds_keeps_its_name() -> None:
    rows = [("1.png", "r1", "1"), ("2.png", "r1", "2")]
    assert groups.pooled(made(rows), "fold").coded["model"].names == ["r1"]


def test_an_image_counts_once_a_model_and_group() -> None:
    found = made(
        [("1.png", "m", "1"), ("1.png", "n", "1"), ("1.png", "m", "1"), ("1.png", "m", "2")]
    )
    skipped = Failures(None)
    assert groups.once(found, ["fold"], skipped).row.tolist() == [0, 1, 3]
    assert (len(skipped), skipped.failed) == (1, 1)
    assert groups.once(found, [], Failures(None)).row.tolist() == [0, 1]


def test_groups_come_in_order_with_their_rows() -> None:
    rows = [("1", "m", "2"), ("2", "n", "1"), ("3", "m", "1"), ("4", "m", "2"), ("5", "m", "")]
    found = [(g, m, r.tolist()) for g, m, r in groups.groups(made(rows), ["fold"])]
    assert found == [("1", "m", [2]), ("1", "n", [1]), ("2", "m", [0, 3]), ("(none)", "m", [4])]


def test_fold_10_comes_last() -> None:
    rows = [(str(k), "m", str(k)) for k in (10, 9, 1)]
    assert [g for g, _, _ in groups.groups(made(rows), ["fold"])] == ["1", "9", "10"]


def test_one_fold_is_no_cross_validation() -> None:
    with pytest.raises(CxrtoolError, match="it is '1' in every row"):
        groups.pooled(made([("1", "m", "1"), ("2", "n", "1")]), "fold")


def test_an_image_of_two_repeats_is_two_images() -> None:
    found = groups.pooled(made([("1", "m", "1"), ("1", "m", "2")]), "fold")
    keys = groups.images_of(found, "fold")
    assert keys["path"][0] != keys["path"][1]
    assert keys["raw"].tolist() == [0, 0], "what is unknown stays so"
