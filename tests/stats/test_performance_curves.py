"""Curves are scikit-learn's, and their bands those of whole resamples, one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as theirs

from cxrtool.stats import cluster_bootstrap, intervals, performance_curves
from cxrtool.stats.performance_curves import Sampling, Thresholds

NONE = Sampling(resamples=0)


def made(number: int, seed: int = 0, digits: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Make scores of which many are equal, and both classes."""
    rng = np.random.default_rng(seed)
    positive = rng.random(number) < 0.4
    positive[:2] = [True, False]
    return positive, np.round(1 / (1 + np.exp(-rng.normal(size=number) - positive)), digits)


@given(st.integers(2, 60), st.integers(0, 99), st.integers(1, 9))
def test_both_curves_are_those_of_scikit_learn(number: int, seed: int, digits: int) -> None:
    positive, scores = made(number, seed, digits)
    found = performance_curves.both(positive, scores, np.arange(number), NONE)
    assert found is not None
    roc, precision = found
    x, y, _ = theirs.roc_curve(positive, scores, drop_intermediate=False)
    assert {(round(a, 9), round(b, 9)) for a, b in zip(x, y, strict=True)} <= {
        (round(a, 9), round(b, 9)) for a, b in zip(roc.x, roc.y, strict=True)
    }
    area = theirs.roc_auc_score(positive, scores)
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(area)
    average = theirs.average_precision_score(positive, scores)
    assert np.sum(np.diff(precision.x, prepend=0) * precision.y) == pytest.approx(average)
    assert np.isnan([roc.low, roc.high]).all()


@pytest.mark.parametrize("per_patient", [1, 3])
def test_a_band_holds_the_curves_of_the_resamples(per_patient: int) -> None:
    positive, scores = made(60, 3)
    patients = np.arange(60) // per_patient
    found = performance_curves.both(positive, scores, patients, Sampling(40, 0.8, 5))
    assert found is not None
    rocs, precisions = [], []
    for weights in cluster_bootstrap.resamples(patients, 40, 5):
        for row in weights:
            drawn = np.repeat(np.arange(60), row)
            x, y, _ = theirs.roc_curve(positive[drawn], scores[drawn], drop_intermediate=False)
            # Of points above one another, NumPy takes the last, which is the highest.
            rocs.append(np.interp(found[0].x, x, y))
            p, r, _ = theirs.precision_recall_curve(positive[drawn], scores[drawn])
            # The highest threshold that reaches a recall is the last such point.
            precisions.append([p[:-1][r[:-1] >= at - 1e-9][-1] for at in found[1].x])
    for line, curves in zip(found, (rocs, precisions), strict=True):
        low, high = np.sort(curves, axis=0)[[3, 36]]
        np.testing.assert_allclose(line.low, low)
        np.testing.assert_allclose(line.high, high)


def test_patients_with_alike_images_have_wider_bands() -> None:
    positive, scores = made(40, 1, 3)
    many = [np.repeat(values, 5) for values in (positive, scores)]
    widths = []
    for patients in (np.arange(200), np.arange(200) // 5):
        found = performance_curves.both(*many, patients, Sampling(300))
        assert found is not None
        widths.append(np.mean(found[0].high - found[0].low))
    assert widths[1] > 1.5 * widths[0]


def test_one_class_has_no_curve() -> None:
    for positive in (np.ones(5, bool), np.zeros(5, bool)):
        assert (
            performance_curves.both(positive, np.linspace(0, 1, 5), np.arange(5), Sampling(10))
            is None
        )


def test_resamples_of_one_class_are_left_out() -> None:
    thresholds = Thresholds(np.array([True, False]), np.array([0.9, 0.1]))
    hits, alarms = thresholds.of(np.array([[1, 1], [2, 0], [0, 2]]))
    assert hits.tolist() == [[0, 1, 1]]
    assert alarms.tolist() == [[0, 0, 1]]
    found = performance_curves.both(
        np.array([True, False]), np.array([0.9, 0.1]), np.arange(2), Sampling(50)
    )
    assert found is not None
    assert (found[0].low == 1).all()


def test_all_scores_alike_are_the_diagonal_and_the_prevalence() -> None:
    positive = np.array([True, False, False, False])
    found = performance_curves.both(positive, np.full(4, 0.3), np.arange(4), NONE)
    assert found is not None
    np.testing.assert_allclose(found[0].y, found[0].x)
    assert (found[1].y == 0.25).all()


def test_the_same_seed_gives_the_same_bands() -> None:
    lines = [
        performance_curves.both(*made(50), np.arange(50), Sampling(20, seed=seed))
        for seed in (1, 1, 2)
    ]
    lows = [line[0].low.tolist() for line in lines if line is not None]
    assert lows[0] == lows[1] != lows[2]


def test_a_curve_of_many_images_has_no_more_points_than_are_seen() -> None:
    positive, scores = made(20_000, digits=9)
    found = performance_curves.both(positive, scores, np.arange(20_000), NONE)
    assert found is not None
    for line in found:
        assert len(line.x) <= performance_curves.MOST + 1 + len(performance_curves.GRID)
        assert (np.diff(line.x) >= 0).all()
    area = theirs.roc_auc_score(positive, scores)
    assert np.trapezoid(found[0].y, found[0].x) == pytest.approx(area, abs=1e-4)


# --- calibration ----------------------------------------------------------------------------------


@given(st.integers(1, 300), st.integers(0, 99))
def test_bins_hold_all_images_and_enough_of_them(number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, positive = rng.beta(0.3, 0.3, number), rng.random(number) < 0.5
    bins = performance_curves.calibration(positive, scores, np.arange(number), 0.95)
    assert bins.counts.sum() == number
    assert len(bins.counts) == 1 or bins.counts.min() >= performance_curves.LEAST
    assert (np.diff(bins.predicted) > 0).all()
    assert (bins.counts * bins.observed).sum() == pytest.approx(positive.sum())
    assert (bins.counts * bins.predicted).sum() == pytest.approx(scores.sum())
    assert ((bins.low <= bins.observed) & (bins.observed <= bins.high)).all()


def test_a_bin_is_as_sure_as_it_has_patients() -> None:
    positive = np.arange(20) % 2 == 0
    bins = performance_curves.calibration(positive, np.full(20, 0.5), np.arange(20) // 5, 0.9)
    assert bins.counts.tolist() == [20]
    assert (bins.low[0], bins.high[0]) == intervals.wilson(2, 4, 0.9)
