"""Influences are the derivatives of scikit-learn's metrics by the weight of each image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from cxrtool.stats import influence, intervals

SEEDS = st.integers(0, 10**9)
STEP = 1e-6


def derivatives(metric: Callable[[np.ndarray], float], size: int) -> np.ndarray:
    """Change the weight of every image a little."""
    found = []
    for at in range(size):
        weights = np.ones((2, size))
        weights[:, at] += [STEP, -STEP]
        found.append((metric(weights[0]) - metric(weights[1])) / (2 * STEP))
    return np.array(found)


def made(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make both classes and scores of which many are equal."""
    rng = np.random.default_rng(seed)
    positive = rng.random(24) < 0.4
    positive[:2] = [True, False]
    return positive, np.round(rng.normal(size=24) + positive, 1)


@settings(max_examples=20)
@given(SEEDS)
def test_auc(seed: int) -> None:
    positive, scores = made(seed)
    value, found = influence.auc(positive, scores)
    assert value == pytest.approx(theirs.roc_auc_score(positive, scores))
    expected = derivatives(
        lambda w: theirs.roc_auc_score(positive, scores, sample_weight=w), len(scores)
    )
    assert found == pytest.approx(expected, abs=1e-6)
    # The sums of squares within the classes are DeLong's variance.
    parts, total = intervals.placements(positive, scores), 0.0
    for side, number in ((positive, len(parts[0])), (~positive, len(parts[1]))):
        total += number / (number - 1) * (found[side] ** 2).sum() if number > 1 else np.nan
    assert total == pytest.approx(intervals.variance_of_mean(*parts), nan_ok=True)


@settings(max_examples=20)
@given(SEEDS)
def test_average_precision(seed: int) -> None:
    positive, scores = made(seed)
    value, found = influence.average_precision(positive, scores)
    assert value == pytest.approx(theirs.average_precision_score(positive, scores))
    expected = derivatives(
        lambda w: theirs.average_precision_score(positive, scores, sample_weight=w), len(scores)
    )
    assert found == pytest.approx(expected, abs=1e-6)


SHARES = {
    "accuracy": theirs.accuracy_score,
    "error": lambda *a, **k: 1 - theirs.accuracy_score(*a, **k),
    "sensitivity": lambda *a, **k: theirs.recall_score(*a, pos_label=0, **k),
    "specificity": lambda *a, **k: theirs.recall_score(*a, pos_label=1, **k),
    "precision": lambda *a, **k: theirs.precision_score(*a, pos_label=0, **k),
    "npv": lambda *a, **k: theirs.precision_score(*a, pos_label=1, **k),
    "f1": lambda *a, **k: theirs.jaccard_score(*a, pos_label=0, **k),
}


@pytest.mark.parametrize("metric", SHARES)
@pytest.mark.parametrize("seed", range(3))
def test_shares(metric: str, seed: int) -> None:
    positive, scores = made(seed)
    labels, predicted = (~positive).astype(int), (scores < 0.5).astype(int)
    table = theirs.confusion_matrix(labels, predicted).astype(float)
    found = influence.share(metric, table)
    assert found.value == pytest.approx(SHARES[metric](labels, predicted))
    expected = derivatives(
        lambda w: SHARES[metric](labels, predicted, sample_weight=w), len(labels)
    )
    assert found.influence(labels, predicted) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=20)
@given(SEEDS, st.integers(2, 4))
def test_correlation(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.append(np.arange(classes), rng.integers(0, classes, 30))
    predicted = np.append(np.arange(classes), rng.integers(0, classes, 30))
    table = theirs.confusion_matrix(labels, predicted).astype(float)
    found = influence.correlation(table)
    assert 2 * found.value - 1 == pytest.approx(theirs.matthews_corrcoef(labels, predicted))
    expected = derivatives(
        lambda w: theirs.matthews_corrcoef(labels, predicted, sample_weight=w), len(labels)
    )
    assert 2 * found.influence(labels, predicted) == pytest.approx(expected, abs=1e-6)


def test_odds_ratios() -> None:
    table = np.array([[20.0, 5], [4, 30]])
    found = influence.log_odds_ratio(table)
    for at in np.ndindex(2, 2):
        more = table.copy()
        more[at] += STEP
        logs = [np.log(t[0, 0] * t[1, 1] / (t[0, 1] * t[1, 0])) for t in (table, more)]
        assert found[at] == pytest.approx((logs[1] - logs[0]) / STEP, rel=1e-4)


@given(SEEDS)
def test_no_figure_changes_where_all_weights_grow_alike(seed: int) -> None:
    positive, scores = made(seed)
    for of in (influence.auc, influence.average_precision):
        assert of(positive, scores)[1].sum() == pytest.approx(0, abs=1e-12)


def test_the_prior_of_auc_is_the_variance_of_exponential_scores() -> None:
    """Hanley and McNeil's variance, less what vanishes with the number of images, at their mean."""
    for value in (0.5, 0.8, 0.99):
        one, two = value / (2 - value), 2 * value**2 / (1 + value)
        halves = (one - value**2 + two - value**2) / 2
        assert influence.auc_prior(value) * value * (1 - value) == pytest.approx(halves)
