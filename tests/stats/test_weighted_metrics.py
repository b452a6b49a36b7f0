"""Weighed figures equal scikit-learn's with the same sample weights, whatever the weights."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from cxrtool.stats import metrics
from cxrtool.stats.weighted_metrics import Judged

SEEDS = st.integers(0, 10**9)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    # scikit-learn warns where something is undefined, which is what is tested.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def made(seed: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Make labels, predictions, probabilities with many ties, and weights."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 30))
    labels = rng.integers(0, classes, size)
    p = rng.integers(0, 4, (size, classes)) + 0.5
    p /= p.sum(1, keepdims=True)
    return labels, rng.integers(0, classes, size), p, rng.integers(0, 4, (3, size))


def ece(confidence: np.ndarray, hit: np.ndarray, weights: np.ndarray) -> float:
    """Go bin by bin, as the definition does."""
    edges, total = np.linspace(0, 1, metrics.BINS + 1), 0.0
    for k, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = (confidence > low) & (confidence <= high) | ((k == 0) & (confidence == 0))
        w = weights[inside]
        if w.sum():
            gap = np.average(hit[inside], weights=w) - np.average(confidence[inside], weights=w)
            total += w.sum() / weights.sum() * abs(gap)
    return total


def expected(ours: np.ndarray, said: np.ndarray, p: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """Ask scikit-learn about one class against the rest."""
    tp, fn, fp, tn = (
        (w * (ours == a) * (said == b)).sum() for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))
    )
    found = {
        "accuracy": theirs.accuracy_score(ours, said, sample_weight=w),
        "brier": np.average((p - ours) ** 2, weights=w),
        "ece": ece(p, ours, w),
    }
    if tp + fn:
        found["sensitivity"] = theirs.recall_score(ours, said, sample_weight=w)
        found["average_precision"] = theirs.average_precision_score(ours, p, sample_weight=w)
    if tp + fn and fp + tn:
        found["auc"] = theirs.roc_auc_score(ours, p, sample_weight=w)
        found["balanced_accuracy"] = theirs.balanced_accuracy_score(ours, said, sample_weight=w)
        if tp + fp and tn + fn:
            found["mcc"] = theirs.matthews_corrcoef(ours, said, sample_weight=w)
    if tp + fp:
        found["precision"] = theirs.precision_score(ours, said, sample_weight=w)
    if tp + fn + fp:
        found["f1"] = theirs.f1_score(ours, said, sample_weight=w)
    if fp * fn:
        found["dor"] = tp * tn / (fp * fn)
    elif tp * tn:
        found["dor"] = math.inf
    return found


def check(found: dict[str, float], theirs_found: dict[str, float]) -> None:
    for name, value in theirs_found.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
    for name in ("auc", "sensitivity", "precision", "f1", "dor", "average_precision"):
        assert math.isnan(found[name]) == (name not in theirs_found), name


@given(SEEDS)
def test_one_class(seed: int) -> None:
    labels, predicted, p, weights = made(seed, 2)
    found = Judged(["no", "yes"], labels, predicted, p, 1).of(weights)
    assert {name for _, name in found} == set(metrics.NAMES)
    for row, w in enumerate(weights):
        mine = {name: float(value[row]) for (_, name), value in found.items()}
        if w.sum():
            check(mine, expected(labels == 1, predicted == 1, p[:, 1], w))
        else:
            assert all(map(math.isnan, mine.values()))


@settings(max_examples=40)
@given(SEEDS)
def test_several_classes(seed: int) -> None:
    labels, predicted, p, weights = made(seed, 3)
    found = Judged(["a", "b", "c"], labels, predicted, p, None).of(weights)
    for row, w in enumerate(weights):
        if not w.sum():
            continue
        mine = {key: float(value[row]) for key, value in found.items()}
        for k, name in enumerate("abc"):
            one = {metric: mine[name, metric] for metric in metrics.NAMES}
            check(one, expected(labels == k, predicted == k, p[:, k], w))
        target = np.eye(3)[labels]
        assert mine["", "brier"] == pytest.approx(np.average(((p - target) ** 2).sum(1), weights=w))
        assert mine["", "ece"] == pytest.approx(ece(p.max(1), labels == predicted, w))
        assert mine["", "accuracy"] == pytest.approx(np.average(labels == predicted, weights=w))
        if not math.isnan(mine["", "mcc"]):
            assert mine["", "mcc"] == pytest.approx(
                theirs.matthews_corrcoef(labels, predicted, sample_weight=w)
            )
        aucs = [mine[name, "auc"] for name in "abc" if not math.isnan(mine[name, "auc"])]
        if aucs:
            assert mine["macro", "auc"] == pytest.approx(np.mean(aucs))


def test_only_what_is_wanted_is_computed() -> None:
    labels, predicted, p, weights = made(1, 2)
    found = Judged(["no", "yes"], labels, predicted, p, 1, ["f1", "accuracy"]).of(weights)
    assert list(found) == [("yes", "f1"), ("yes", "accuracy")]


def test_the_order_of_the_images_changes_nothing() -> None:
    labels, predicted, p, weights = made(3, 3)
    order = np.random.default_rng(0).permutation(len(labels))
    one = Judged(["a", "b", "c"], labels, predicted, p, None).of(weights)
    other = Judged(["a", "b", "c"], labels[order], predicted[order], p[order], None)
    for key, value in other.of(weights[:, order]).items():
        assert value == pytest.approx(one[key], nan_ok=True)


def test_some_of_the_metrics_are_computed_on_request() -> None:
    labels, predicted, p, weights = made(1, 3)
    judged = Judged(["a", "b", "c"], labels, predicted, p, None)
    some, every = judged.of(weights, ["auc", "ece"]), judged.of(weights)
    assert {metric for _, metric in some} == {"auc", "ece"}
    for key, value in some.items():
        assert value == pytest.approx(every[key], nan_ok=True)
