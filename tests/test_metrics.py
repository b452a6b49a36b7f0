"""Figures equal those of scikit-learn, and are nan where they are undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as theirs

from cxrtool import metrics

# Few values, so that many are equal.
SCORES = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40)
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


def read(pairs: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    positive, scores = zip(*pairs, strict=True)
    return np.array(positive), np.array(scores) / 7


@given(SCORES)
def test_auc(pairs: list[tuple[bool, int]]) -> None:
    positive, scores = read(pairs)
    if positive.all() or not positive.any():
        assert math.isnan(metrics.auc(positive, scores))
    else:
        assert metrics.auc(positive, scores) == pytest.approx(
            theirs.roc_auc_score(positive, scores)
        )


def test_auc_is_the_chance_of_the_right_order() -> None:
    rng = np.random.default_rng(0)
    positive, scores = rng.random(60) < 0.3, np.round(rng.random(60), 1)
    first, second = scores[positive][:, None], scores[~positive][None]
    expected = ((first > second) + (first == second) / 2).mean()
    assert metrics.auc(positive, scores) == pytest.approx(expected)


@given(PAIRS)
def test_accuracies(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = map(np.array, zip(*pairs, strict=True))
    assert metrics.accuracy(labels, predicted) == pytest.approx(
        theirs.accuracy_score(labels, predicted)
    )
    # scikit-learn warns where something is predicted that does not occur.
    recalls = theirs.recall_score(
        labels, predicted, labels=np.unique(labels), average="macro", zero_division=0
    )
    assert metrics.balanced_accuracy(labels, predicted) == pytest.approx(recalls)


@given(PAIRS)
def test_confusion(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = map(np.array, zip(*pairs, strict=True))
    expected = theirs.confusion_matrix(labels, predicted, labels=range(4))
    np.testing.assert_array_equal(metrics.confusion(labels, predicted, 4), expected)


def test_nothing_has_no_accuracy() -> None:
    none = np.zeros(0, int)
    assert math.isnan(metrics.accuracy(none, none))
    assert math.isnan(metrics.balanced_accuracy(none, none))


def test_the_auc_of_several_classes_is_the_mean_of_each_against_the_rest() -> None:
    rng = np.random.default_rng(1)
    labels, p = rng.integers(0, 3, 50), rng.dirichlet([1, 1, 1], 50)
    expected = theirs.roc_auc_score(labels, p, multi_class="ovr")
    assert metrics.macro_auc(labels, p) == pytest.approx(expected)


def test_a_class_that_does_not_occur_is_left_out_of_the_mean() -> None:
    labels, p = np.array([0, 1, 0, 1]), np.array([[3, 1, 0], [1, 3, 0], [2, 1, 1], [1, 1, 2.0]])
    expected = np.mean([theirs.roc_auc_score(labels == k, p[:, k]) for k in (0, 1)])
    assert metrics.macro_auc(labels, p) == pytest.approx(expected)
    assert math.isnan(metrics.macro_auc(np.zeros(4, int), p))


@given(SCORES)
def test_youden(pairs: list[tuple[bool, int]]) -> None:
    positive, scores = read(pairs)
    if positive.all() or not positive.any():
        return
    cut = metrics.youden(positive, scores)
    above = scores > cut
    found = above[positive].mean() - above[~positive].mean()
    fpr, tpr, _ = theirs.roc_curve(positive, scores, drop_intermediate=False)
    assert found == pytest.approx(max(0, (tpr - fpr).max()))
    assert 0 <= cut <= 1 and cut not in scores[scores > 0]
