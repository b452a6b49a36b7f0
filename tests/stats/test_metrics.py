"""Figures equal those of scikit-learn, and are nan where they are undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as theirs

from cxrtool.stats import metrics

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


TABLES = st.lists(st.integers(0, 5), min_size=9, max_size=9).map(
    lambda cells: np.array(cells).reshape(3, 3)
)
CLEAR = {
    "sensitivity": theirs.recall_score,
    "precision": theirs.precision_score,
    "f1": theirs.f1_score,
}


def listed(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write a confusion matrix as labels and predictions."""
    rows, columns = np.indices(table.shape)
    return np.repeat(rows.ravel(), table.ravel()), np.repeat(columns.ravel(), table.ravel())


@given(TABLES)
def test_the_figures_of_a_class(table: np.ndarray) -> None:
    labels, predicted = listed(table)
    for k in range(3):
        found = metrics.of_counts(metrics.against_the_rest(table, k))
        ours, said = labels == k, predicted == k
        for name, theirs_of in CLEAR.items():
            value = float(found[name])
            if not math.isnan(value):
                assert value == pytest.approx(theirs_of(ours, said, zero_division=0))
        assert np.isnan(found["sensitivity"]) == (not ours.any())
        assert np.isnan(found["specificity"]) == ours.all()
        assert np.isnan(found["precision"]) == (not said.any())
        assert np.isnan(found["npv"]) == said.all()
        if len(labels):
            assert found["accuracy"] == pytest.approx((ours == said).mean())
            assert found["error"] == pytest.approx((ours != said).mean())
        if not np.isnan(found["mcc"]):
            assert found["mcc"] == pytest.approx(np.corrcoef(ours, said)[0, 1])
        if not ours.all() and not (~ours).all():
            assert found["specificity"] == pytest.approx((~said[~ours]).mean())
            assert found["balanced_accuracy"] == pytest.approx(
                (said[ours].mean() + (~said[~ours]).mean()) / 2
            )


@given(TABLES)
def test_the_figures_of_all_classes(table: np.ndarray) -> None:
    labels, predicted = listed(table)
    found = metrics.of_confusion(table)
    if not len(labels):
        assert all(np.isnan(value) for value in found.values())
        return
    assert found["accuracy"] == pytest.approx(theirs.accuracy_score(labels, predicted))
    if np.isnan(found["mcc"]):
        assert min(len(set(labels)), len(set(predicted))) == 1
    else:
        assert found["mcc"] == pytest.approx(theirs.matthews_corrcoef(labels, predicted))
    if len(set(labels)) == 1:
        assert np.isnan(found["balanced_accuracy"])
    else:
        recalls = theirs.recall_score(
            labels, predicted, labels=np.unique(labels), average="macro", zero_division=0
        )
        assert found["balanced_accuracy"] == pytest.approx(recalls)


@given(TABLES)
def test_averages_over_classes(table: np.ndarray) -> None:
    labels, predicted = listed(table)
    each = [metrics.of_counts(metrics.against_the_rest(table, k)) for k in range(3)]
    support, present = table.sum(1), metrics.present_classes(table)
    if not len(labels):
        return
    for name, theirs_of in CLEAR.items():
        values = np.array([one[name] for one in each])
        for average, weights in (("macro", None), ("weighted", support)):
            # A sensitivity without images is undefined here and 0 there.
            if name == "sensitivity" and weights is None and (support[present] == 0).any():
                continue
            expected = theirs_of(labels, predicted, average=average, zero_division=0)
            found = metrics.mean_over_classes(name, values, weights, present)
            assert found == pytest.approx(expected), name


def test_a_class_that_is_neither_there_nor_predicted_is_in_no_average() -> None:
    table = np.array([[5, 0, 0], [0, 4, 0], [0, 0, 0]])
    assert metrics.present_classes(table).tolist() == [True, True, False]
    each = [metrics.of_counts(metrics.against_the_rest(table, k)) for k in range(3)]
    for name in ("precision", "sensitivity", "specificity", "f1"):
        values = np.array([one[name] for one in each])
        present = metrics.present_classes(table)
        assert float(metrics.mean_over_classes(name, values, present=present)) == 1, name


def test_a_class_that_is_predicted_without_being_there_has_precision_0_in_an_average() -> None:
    table = np.array([[4, 0, 1], [0, 4, 0], [0, 0, 0]])
    each = [metrics.of_counts(metrics.against_the_rest(table, k)) for k in range(3)]
    values = np.array([one["precision"] for one in each])
    found = metrics.mean_over_classes("precision", values, present=metrics.present_classes(table))
    assert float(found) == pytest.approx(2 / 3)


def test_only_an_undefined_precision_counts_as_0_in_an_average() -> None:
    values = np.array([0.5, np.nan])
    assert float(metrics.mean_over_classes("precision", values)) == 0.25
    assert float(metrics.mean_over_classes("auc", values)) == 0.5
    assert math.isnan(float(metrics.mean_over_classes("auc", values[1:])))


def test_odds_ratios_of_one_class_are_undefined() -> None:
    found = metrics.of_counts(metrics.against_the_rest(np.array([[4, 1], [0, 0]]), 1))
    assert np.isnan(found["dor"]) and np.isnan(found["dor_haldane"])


def test_who_is_chosen() -> None:
    p = np.array([[0.5, 0.5], [0.4, 0.6], [0.6, 0.4]])
    assert metrics.chosen(p, None).tolist() == [0, 1, 0]
    assert metrics.chosen(p, 1).tolist() == [0, 1, 0], "more than one half, not one half"
    assert metrics.chosen(p, 0).tolist() == [1, 1, 0]
    assert metrics.chosen(p, 1, 0.3).tolist() == [1, 1, 1]
    three = np.array([[0.2, 0.4, 0.4], [0.1, 0.3, 0.6]])
    assert metrics.chosen(three, None).tolist() == [1, 2]
    assert metrics.chosen(three, 2, 0.5).tolist() == [1, 2]


def test_bins_take_their_upper_bound() -> None:
    p = np.array([0, 1e-9, 1 / 15, 1 / 15 + 1e-9, 0.5, 1])
    assert metrics.bins(p).tolist() == [0, 0, 0, 1, 7, 14]
