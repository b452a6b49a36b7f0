"""Intervals equal those of SciPy or of the definition, and hold the truth as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cxrtool.stats import intervals
from cxrtool.stats.metrics import Counts

LEVELS = st.floats(0.5, 0.999)


@given(st.integers(0, 60), st.integers(1, 60), LEVELS)
def test_wilson(count: int, total: int, level: float) -> None:
    count = min(count, total)
    theirs = stats.binomtest(count, total).proportion_ci(level, "wilson")
    assert intervals.wilson(count, total, level) == pytest.approx((theirs.low, theirs.high))


def test_of_no_image_nothing_is_known() -> None:
    for formula in (intervals.wilson, intervals.normal):
        assert all(map(math.isnan, formula(0, 0)))


def test_wilson_ends_where_every_image_counts() -> None:
    assert intervals.wilson(7, 7)[1] == 1.0
    assert intervals.wilson(0, 7)[0] == 0.0


@given(st.floats(0, 1), st.floats(0.1, 1e9), st.floats(0.1, 10))
def test_a_score_interval_holds_the_shares_that_are_near_enough(
    share: float, number: float, z: float
) -> None:
    low, high = intervals.score(share, number, z)
    assert 0 <= low <= share <= high <= 1
    for bound in (low, high):
        if 1e-6 < bound < 1 - 1e-6:
            far = z * math.sqrt(bound * (1 - bound) / number)
            assert abs(share - bound) == pytest.approx(far, rel=1e-3, abs=1e-9)


def test_odds_ratio() -> None:
    counts = Counts(*map(np.float64, (20, 5, 4, 30)))
    theirs = stats.contingency.odds_ratio([[20, 5], [4, 30]], kind="sample")
    # SciPy takes z as it is, papers take 1.96.
    expected = theirs.confidence_interval(2 * stats.norm.cdf(1.96) - 1)
    assert intervals.odds_ratio(counts, add=0) == pytest.approx((expected.low, expected.high))


def test_odds_ratio_with_an_empty_cell() -> None:
    counts = Counts(*map(np.float64, (20, 5, 0, 30)))
    assert all(map(math.isnan, intervals.odds_ratio(counts, add=0)))
    assert intervals.odds_ratio(counts)[1] < math.inf
    one_class = Counts(*map(np.float64, (20, 5, 0, 0)))
    assert all(map(math.isnan, intervals.odds_ratio(one_class)))


def brute(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Compare every positive with every negative."""
    ours, others = scores[positive][:, None], scores[~positive][None]
    return (ours > others) + (ours == others) / 2


@given(st.integers(0, 10**9))
def test_placements_are_those_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive, scores = np.arange(40) % 3 == 0, rng.integers(0, 9, 40) / 8
    pairs = brute(positive, scores)
    rows, columns = intervals.placements(positive, scores)
    assert rows == pytest.approx(pairs.mean(1))
    assert columns == pytest.approx(pairs.mean(0))
    variance = pairs.mean(1).var(ddof=1) / len(rows) + pairs.mean(0).var(ddof=1) / len(columns)
    assert intervals.variance_of_mean(rows, columns) == pytest.approx(variance)
    assert math.isnan(intervals.variance_of_mean(rows[:1], columns))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), LEVELS)
def test_summary(values: list[float], level: float) -> None:
    found = intervals.summary(np.array(values), level)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.std == pytest.approx(np.std(values, ddof=1))
    assert (found.minimum, found.maximum) == (min(values), max(values))
    if found.std > 1e-9:
        theirs = stats.t.interval(level, len(values) - 1, np.mean(values), stats.sem(values))
        assert (found.low, found.high) == pytest.approx(theirs)


def test_summary_of_what_is_undefined_or_infinite() -> None:
    found = intervals.summary(np.array([np.nan, 0.5, np.nan]))
    assert (found.number, found.mean, found.minimum) == (1, 0.5, 0.5)
    assert math.isnan(found.std) and math.isnan(found.low)
    found = intervals.summary(np.array([1.0, np.inf]))
    assert (found.mean, found.maximum, found.minimum) == (math.inf, math.inf, 1)
    assert math.isnan(found.std)
    assert intervals.summary(np.array([np.nan])).number == 0


def test_wilson_holds_the_truth_as_often_as_it_says() -> None:
    counts = np.random.default_rng(0).binomial(150, 0.85, 2000)
    bounds = [intervals.wilson(count, 150) for count in counts.tolist()]
    assert 0.93 <= np.mean([low <= 0.85 <= high for low, high in bounds]) <= 0.97
