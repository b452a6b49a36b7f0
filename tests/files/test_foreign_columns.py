"""Columns of predictions under the names of other tools are recognised, and no others."""

from __future__ import annotations

import pytest

from cxrtool.files import foreign_columns

SHARES = [["a.png", "covid", "0.9", "0.1"], ["b.png", "normal", "0.25", "0.75"]]


@pytest.mark.parametrize(
    ("header", "renamed"),
    [
        ("file,label,covid,normal", {"file": "path", "covid": "p_covid", "normal": "p_normal"}),
        ("path,y_true,Covid,prob_normal", {"y_true": "label", "Covid": "p_covid"}),
        ("Image Index,label,covid score,Normal", {"Image Index": "path"}),
        ("path,label,p_covid,normal", {}),
        # Where no column is called after a label, what sums to 1 are the probabilities.
        ("path,label,left,right", {"left": "p_left", "right": "p_right"}),
        ("path,nobody,left,right", {"left": "p_left", "right": "p_right"}),
    ],
)
def test_columns_are_renamed(header: str, renamed: dict[str, str]) -> None:
    found = foreign_columns.renamings(header.split(","), SHARES)
    assert renamed.items() <= found.items()
    assert all(new in ("path", "label") or new[2:] in header.lower() for new in found.values())


def test_answers_and_columns_of_a_manifest_are_no_probabilities() -> None:
    header = ["path", "label", "covid", "fold"]
    answers = [["a.png", "covid", "1", "0"], ["b.png", "normal", "0", "1"]]
    assert foreign_columns.chances(header, answers) == {}
    assert foreign_columns.renamings(["path", "label", "covid", "normal"], answers) == {}
    # What only sums to 1 may be anything.
    assert foreign_columns.chances(["path", "label", "left", "right"], SHARES) == {}
    assert foreign_columns.chances(header, [["a.png", "covid", "0.7", "1"]]) == {"covid": "p_covid"}


def test_of_two_columns_of_a_class_one_is_renamed() -> None:
    header = ["path", "label", "covid", "normal", "covid_score", "prob_normal"]
    rows = [["a", "covid", "1", "0", "0.9", "0.1"], ["b", "normal", "0.2", "0.8", "0.3", "0.7"]]
    renamed = {"covid_score": "p_covid", "prob_normal": "p_normal"}
    assert foreign_columns.renamings(header, rows) == renamed


@pytest.mark.parametrize("labels", [("covid", "normal"), ("normal", "covid")])
def test_a_score_is_of_the_class_that_is_not_normal(labels: tuple[str, str]) -> None:
    rows = [["a", label, "0.3"] for label in labels]
    assert foreign_columns.score(["path", "label", "y_score"], rows) == (
        "If 'y_score' is the probability of 'covid', rename it to 'p_covid' and add "
        "p_normal = 1 - p_covid."
    )
    assert foreign_columns.score(["path", "label", "age"], rows) == ""
    assert foreign_columns.score(["path", "label", "score"], [["a", "x", "7"]]) == ""
