"""Calibration: bins of equal mass, an error without bias, and scikit-learn's recalibration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.linear_model import LogisticRegression

from cxrtool.stats import calibration, metrics
from cxrtool.stats.calibration import Calibration, Term
from cxrtool.stats.cluster_variance import Strata

SEEDS = st.integers(0, 10**9)


def calibrated(size: int, seed: int, distortion: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels of true probabilities, which are then told too extremely."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, size)
    return special.expit(distortion * logits), rng.random(size) < special.expit(logits)


def ones(size: int) -> np.ndarray:
    return np.ones((1, size), np.int32)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=400))
def test_bins_of_equal_mass(values: list[int]) -> None:
    p = np.array(values) / 9
    place = calibration.equal_mass(p)
    order = np.argsort(p, kind="stable")
    assert set(np.diff(place[order])) <= {0, 1}, "in order, and none is empty"
    assert place.max() < max(1, min(metrics.BINS, len(p) // calibration.LEAST))
    for one in set(values):
        assert len(set(place[p == one / 9])) == 1, "equal probabilities stay together"


def test_bins_hold_as_many_images_as_one_another() -> None:
    place = calibration.equal_mass(np.random.default_rng(0).random(300))
    assert np.bincount(place).tolist() == [20] * 15


@settings(max_examples=25)
@given(st.floats(-30, 30), st.floats(0.1, 5))
def test_what_chance_adds_to_a_gap(gap: float, error: float) -> None:
    drawn = np.abs(gap + error * special.ndtri((np.arange(20_000) + 0.5) / 20_000)).mean()
    found = calibration.excess(np.array([gap]), np.array([error]))
    assert found[0] == pytest.approx(drawn - abs(gap), abs=2e-3 * error)
    assert calibration.excess(np.array([gap]), np.zeros(1))[0] == 0


def test_the_debiased_error_is_nearer_to_the_truth() -> None:
    plain, debiased = [], []
    for seed in range(60):
        p, hits = calibrated(400, seed)
        found = Calibration(p, hits)
        place = calibration.equal_mass(p)
        plain.append(np.abs(np.bincount(place, hits - p)).sum() / 400)
        debiased.append(found.debiased(ones(400))[0])
    # The truth is 0.
    assert np.mean(debiased) < 0.65 * np.mean(plain)
    p, hits = calibrated(100_000, 0, 2.0)
    far = Calibration(p, hits)
    place = calibration.equal_mass(p)
    assert far.debiased(ones(100_000))[0] == pytest.approx(
        np.abs(np.bincount(place, hits - p)).sum() / 100_000, rel=0.02
    )


def test_images_of_one_patient_are_no_more_proof_than_one() -> None:
    p, hits = calibrated(200, 3)
    once = Calibration(p, hits).debiased(ones(200))
    many = [np.repeat(values, 5) for values in (p, hits)]
    clusters = np.repeat(np.arange(200), 5)
    # The bins are those of five times as many images, so that they are more.
    assert (
        Calibration(*many, clusters).debiased(ones(1000))[0]
        < (Calibration(*many).debiased(ones(1000))[0])
    )
    assert once[0] >= 0


@settings(max_examples=25)
@given(SEEDS)
def test_the_debiased_error_of_repeated_images_is_that_of_their_weights(seed: int) -> None:
    p, hits = calibrated(60, seed)
    weights = np.random.default_rng(seed).integers(0, 3, (1, 60)).astype(np.int32)
    found = Calibration(p, hits).debiased(weights)[0]
    again = np.repeat(np.arange(60), weights[0])
    if not len(again):
        assert math.isnan(found)
        return
    place = calibration.equal_mass(p)[again]
    residuals = (hits - p)[again]
    gaps, squares = np.bincount(place, residuals), np.bincount(place, residuals**2)
    error = np.abs(gaps) - calibration.excess(gaps, np.sqrt(squares))
    assert found == pytest.approx(max(0, error.sum() / len(again)))


@settings(max_examples=25)
@given(SEEDS)
def test_slope_and_intercept_are_those_of_scikit_learn(seed: int) -> None:
    p, hits = calibrated(120, seed, 1.7)
    weights = np.random.default_rng(seed).integers(0, 3, 120).astype(float)
    logits = special.logit(p)
    a, b = calibration.slope_of(logits, hits, weights)
    used = weights > 0
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    fit.fit(logits[used, None], hits[used], sample_weight=weights[used])
    assert (a, b) == pytest.approx((fit.intercept_[0], fit.coef_[0, 0]), rel=1e-3, abs=1e-3)
    shift = calibration.intercept_of(logits, hits, weights)
    assert weights @ (hits - special.expit(shift + logits)) == pytest.approx(0, abs=1e-6)


def test_leverages_are_the_derivatives_of_slope_and_intercept() -> None:
    p, hits = calibrated(80, 1, 1.4)
    logits, weights = special.logit(p), np.ones(80)
    a, b = calibration.slope_of(logits, hits, weights)
    shift = calibration.intercept_of(logits, hits, weights)
    slopes = calibration.leverages(logits, a, b) * (hits - special.expit(a + b * logits))
    shifts = calibration.leverages(logits, shift) * (hits - special.expit(shift + logits))
    for at in range(0, 80, 7):
        more = weights + 1e-5 * (np.arange(80) == at)
        change = calibration.slope_of(logits, hits, more)[1] - b
        assert slopes[at] == pytest.approx(change / 1e-5, rel=1e-2, abs=1e-4)
        change = calibration.intercept_of(logits, hits, more) - shift
        assert shifts[at] == pytest.approx(change / 1e-5, rel=1e-2, abs=1e-4)


def test_classes_that_are_apart_have_no_slope() -> None:
    logits = np.linspace(-3, 3, 40)
    for hits in (logits > 0, logits < 0, logits > 9):
        assert math.isnan(calibration.slope_of(logits, hits, np.ones(40))[1])
    assert math.isnan(calibration.slope_of(np.zeros(40), logits > 0, np.ones(40))[1])
    assert math.isnan(calibration.intercept_of(logits, logits > 9, np.ones(40)))
    assert calibration.intercept_of(logits, logits > 0, np.ones(40)) == pytest.approx(0, abs=1e-6)


def test_probabilities_of_0_and_1_have_finite_logits() -> None:
    rng = np.random.default_rng(0)
    p, hits = np.repeat([0.0, 0.3, 1.0], 30), rng.random(90) < np.repeat([0.1, 0.3, 0.9], 30)
    assert 0 < Calibration(p, hits).slopes(ones(90))[0] < 1
    assert np.isfinite(Calibration(p, hits).intercepts(ones(90))[0])


@settings(max_examples=25)
@given(SEEDS, st.sampled_from([1, 3]))
def test_the_interval_holds_the_error_itself(seed: int, images: int) -> None:
    p, hits = calibrated(60, seed)
    clusters = np.arange(60) // images
    place = metrics.bins(p)
    value = float(np.abs(np.bincount(place, hits - p)).sum() / 60)
    strata = Strata(hits.astype(int), clusters)
    low, high = calibration.bounds([Term(hits - p, place)], strata, value, 0.95)
    assert 0 <= low <= value <= high <= 1
