"""Variances by patient equal the published formulas, and intervals behave near perfection."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cxrtool.stats import cluster_variance, influence, intervals
from cxrtool.stats.cluster_variance import Moments, Priors, Share, Strata, VariancePart
from cxrtool.stats.metrics import Counts

SEEDS = st.integers(0, 10**9)
NONE = VariancePart(0.0, 0.0)


def test_patients_of_equal_size_count_in_full() -> None:
    assert cluster_variance.effective(np.full(7, 3.0)) == pytest.approx(7)
    assert cluster_variance.effective(np.array([10.0, 1, 1])) == pytest.approx(144 / 102)
    assert cluster_variance.effective(np.zeros(3)) == 0


def test_the_intraclass_correlation_is_that_of_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, 1)) + rng.normal(size=(20, 4))
    ratio = stats.f_oneway(*values).statistic
    found = cluster_variance.intraclass_correlation(
        values.ravel(), np.repeat(np.arange(20), 4), np.full(20, 4.0)
    )
    assert found == pytest.approx((ratio - 1) / (ratio + 3))


def test_design_effects() -> None:
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(200), 5)
    codes = (clusters % 2).astype(int)
    alone = Strata(codes[::5], np.arange(200)).design_effects(rng.normal(size=200))
    assert alone == [1, 1]
    independent = Strata(codes, clusters).design_effects(rng.normal(size=1000))
    assert max(independent) < 1.5
    alike = Strata(codes, clusters).design_effects(rng.normal(size=200)[clusters])
    assert alike == pytest.approx([5, 5])
    constant = Strata(codes, clusters).design_effects(np.ones(1000))
    assert constant == pytest.approx([5, 5]), "nothing is known: as if all were alike"


def obuchowski(positive: np.ndarray, scores: np.ndarray, clusters: np.ndarray) -> float:
    """Write Obuchowski's variance (1997, eq. 5 to 7) as it stands in the paper."""
    pairs = (scores[positive][:, None] > scores[~positive]) + 0.5 * (
        scores[positive][:, None] == scores[~positive]
    )
    auc, (m, n) = pairs.mean(), pairs.shape
    patients = range(clusters.max() + 1)
    ours = np.array([(pairs.mean(1)[clusters[positive] == c] - auc).sum() for c in patients])
    theirs = np.array([(pairs.mean(0)[clusters[~positive] == c] - auc).sum() for c in patients])
    with_positives = len(set(clusters[positive]))
    with_negatives = len(set(clusters[~positive]))
    total = len(patients)
    return float(
        with_positives / ((with_positives - 1) * m**2) * (ours @ ours)
        + with_negatives / ((with_negatives - 1) * n**2) * (theirs @ theirs)
        + 2 * total / ((total - 1) * m * n) * (ours @ theirs)
    )


def test_the_variance_of_auc_is_obuchowskis() -> None:
    """Where all patients have as many images of each class, so that all of them count in full."""
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(20), 4)
    positive = np.tile([True, False, True, False], 20)
    scores = np.round(rng.normal(size=80) + rng.normal(size=20)[clusters] + positive, 1)
    strata = Strata((~positive).astype(int), clusters)
    found = cluster_variance.moments(strata, influence.auc(positive, scores)[1])
    total = sum(part.variance for part in found.own) + found.shared
    assert total == pytest.approx(obuchowski(positive, scores, clusters))


def test_without_spread_the_prior_stands_alone() -> None:
    strata = Strata(np.array([0] * 10 + [1] * 10), np.arange(20))
    none = Moments([NONE, NONE], 0.0, 0.0, np.zeros(20))
    assert cluster_variance.moderated(strata, none, [0.1, 0.2]).variance == pytest.approx(0.3)


def test_the_more_patients_vary_the_less_the_prior_counts() -> None:
    strata = Strata(np.zeros(50, int), np.arange(50))
    sums = np.zeros(50)
    for freedom, expected in ((0.0, 1.0), (2.0, 1.5), (1e9, 2.0)):
        found = Moments([VariancePart(2.0, freedom)], 0.0, 0.0, sums)
        assert cluster_variance.moderated(strata, found, [1.0]).variance == pytest.approx(expected)


def test_few_patients_that_vary_have_few_degrees_of_freedom() -> None:
    one = cluster_variance.part_of(np.array([1.0] + [0] * 99), 100)
    many = cluster_variance.part_of(np.random.default_rng(0).normal(size=100), 100)
    assert one.freedom == pytest.approx(2, abs=0.1)
    assert 60 < many.freedom <= 99
    assert cluster_variance.part_of(np.array([1.0]), 1.0) == NONE
    assert cluster_variance.part_of(np.zeros(9), 9.0) == NONE


@given(st.floats(0.5, 0.999), st.floats(1, 100))
def test_quantiles_are_students(level: float, freedom: float) -> None:
    expected = stats.t.ppf((1 + level) / 2, freedom)
    assert cluster_variance.student(level, freedom) == pytest.approx(expected)
    assert cluster_variance.student(level, math.inf) == pytest.approx(intervals.quantile(level))


@given(SEEDS, st.floats(0, 1))
def test_a_share_with_errors_is_bounded_no_better_than_one_without(seed: int, value: float) -> None:
    rng = np.random.default_rng(seed)
    strata = Strata(rng.integers(0, 2, 60), np.arange(60) // 3)
    priors = rng.uniform(0.001, 0.1, len(strata.present)).tolist()
    found, prior = cluster_variance.moments(strata, rng.normal(0, 0.01, 60)), Priors(*[priors] * 3)
    low, high = cluster_variance.of_share(value, strata, found, prior, 0.95)
    assert 0 <= low <= value <= high <= 1
    none = Moments([NONE] * len(priors), 0.0, 0.0, np.zeros(20))
    least, top = cluster_variance.of_share(1.0, strata, none, prior, 0.95)
    bottom, most = cluster_variance.of_share(0.0, strata, none, prior, 0.95)
    assert low <= least and high >= most
    assert (top, bottom) == (1, 0)


def test_odds_ratios_of_independent_shares_are_those_of_their_counts() -> None:
    counts = Counts(*map(np.float64, (20, 5, 4, 30)))
    parts = [Share(20 / 25, 25, math.inf), Share(30 / 34, 34, math.inf)]
    expected = intervals.odds_ratio(counts)
    found = cluster_variance.of_odds_ratio(parts, 0.0, 0.5, 2 * stats.norm.cdf(1.96) - 1)
    assert found == pytest.approx(expected)
    assert all(
        map(math.isnan, cluster_variance.of_odds_ratio([Share(1, 9, 9), parts[1]], 0, 0, 0.95))
    )
    halved = [Share(part.value, part.size / 2, math.inf) for part in parts]
    wider = cluster_variance.of_odds_ratio(halved, 0.0, 0.5, 0.95)
    assert wider[0] < expected[0] and expected[1] < wider[1]


def test_an_average_of_independent_parts_is_that_of_zou_and_donner() -> None:
    values, pairs = np.array([0.9, 0.7]), np.array([[0.8, 0.95], [0.6, 0.75]])
    apart = np.array([[1.0, 0], [0, 1.0]])
    low, high = cluster_variance.of_average(values, pairs, apart, np.array([0.5, 0.5]), 0.0)
    assert low == pytest.approx(0.8 - math.hypot(0.1, 0.1) / 2)
    assert high == pytest.approx(0.8 + math.hypot(0.05, 0.05) / 2)
    alike = np.array([[1.0, 0], [2.0, 0]])
    low, high = cluster_variance.of_average(values, pairs, alike, np.array([0.5, 0.5]), 0.0)
    assert (low, high) == pytest.approx((0.7, 0.85))
    low, high = cluster_variance.of_average(values, pairs, 0 * alike, np.array([0.5, 0.5]), 1.0)
    assert (low, high) == pytest.approx((0.7, 0.85))


def test_an_average_without_a_bound_of_a_part_has_none() -> None:
    pairs = np.array([[0.8, math.inf], [0.6, 0.75]])
    found = cluster_variance.of_average(
        np.array([0.9, 0.7]), pairs, np.eye(2), np.array([0.5, 0.5]), 0.0
    )
    assert all(map(math.isnan, found))


def test_one_patient_alone_tells_nothing() -> None:
    strata = Strata(np.array([0, 1, 0, 1]), np.zeros(4, int))
    found = cluster_variance.moments(strata, np.array([0.1, -0.1, 0.2, -0.2]))
    assert [part.variance for part in found.own] == [0, 0] and found.shared == 0
    assert all(map(math.isnan, cluster_variance.of_mean(0.5, strata, found, [0.1, 0.1], 0.95)))
