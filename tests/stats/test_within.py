"""AUC within groups: against counting all pairs, and its interval where the truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from cxrtool.stats import within
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Decomposition, Marks


def counted(positive: Marks, scores: Floats, groups: Ints, weights: Floats) -> tuple[float, float]:
    """Return the weighted share of pairs of one group that rank rightly, and the pairs."""
    right = pairs = 0.0
    for i in np.flatnonzero(positive):
        for j in np.flatnonzero(~positive):
            if groups[i] == groups[j]:
                weight = weights[i] * weights[j]
                pairs += weight
                right += weight * ((scores[i] > scores[j]) + (scores[i] == scores[j]) / 2)
    return (right / pairs if pairs else np.nan), pairs


@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 5))
def test_pairs_of_one_group_are_counted(seed: int, number: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    positive, codes = rng.random(number) < 0.4, rng.integers(0, groups, number)
    scores, weights = rng.integers(0, 6, number) / 5, rng.integers(1, 4, number) / 2
    result = within.pair_auc(positive, scores, codes, weights)
    value, pairs = counted(positive, scores, codes, weights)
    assert result.pairs == pytest.approx(pairs)
    assert result.value == pytest.approx(value, nan_ok=True)
    assert result.influence.sum() == pytest.approx(0, abs=1e-9)


def test_influence_is_the_derivative_by_the_weight() -> None:
    rng = np.random.default_rng(1)
    positive, codes = rng.random(60) < 0.5, rng.integers(0, 3, 60)
    scores, weights = rng.normal(size=60), np.ones(60)
    whole = within.pair_auc(positive, scores, codes, weights)
    for image in (0, 7, 31):
        heavier = weights.copy()
        heavier[image] += 1e-6
        moved = within.pair_auc(positive, scores, codes, heavier).value - whole.value
        assert moved / 1e-6 == pytest.approx(whole.influence[image], abs=1e-6)


@given(st.integers(0, 10_000))
def test_auc_is_the_mean_of_its_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    number = 50
    positive = np.arange(number) % 3 == 0
    scores, groups = rng.normal(size=number), rng.integers(0, 4, number)
    parts = Decomposition(positive, scores, groups, np.arange(number))
    whole = parts.share * parts.within.value + (1 - parts.share) * parts.between
    assert parts.whole.value == pytest.approx(roc_auc_score(positive, scores))
    assert whole == pytest.approx(parts.whole.value)


def test_a_score_that_only_knows_the_group_has_an_auc_within_of_one_half() -> None:
    rng = np.random.default_rng(2)
    positive = rng.random(400) < 0.5
    groups = np.where(rng.random(400) < 0.9, positive, ~positive).astype(np.int64)
    parts = Decomposition(positive, groups.astype(float), groups, np.arange(400))
    assert parts.whole.value > 0.8 and parts.within.value == 0.5
    assert parts.bounds(0.95)[0] > 0.2
    assert within.p_beyond(parts, 0.05) < 1e-6


def test_groups_of_one_class_each_leave_no_pair() -> None:
    positive = np.array([True] * 5 + [False] * 5)
    parts = Decomposition(positive, np.arange(10.0), positive.astype(np.int64), np.arange(10))
    assert parts.share == 0
    assert np.isnan(parts.within.value) and np.isnan(parts.bounds(0.95)).all()
    assert np.isnan(within.p_beyond(parts, 0.05))


def test_one_class_is_not_defined() -> None:
    parts = Decomposition(np.ones(4, bool), np.arange(4.0), np.zeros(4, np.int64), np.arange(4))
    assert not parts.is_defined and np.isnan(parts.value)
    none = np.zeros(0, np.int64)
    nothing = Decomposition(none.astype(bool), np.zeros(0), none, none)
    assert not nothing.is_defined and np.isnan(nothing.bounds(0.95)).all()


@pytest.mark.parametrize("images", [1, 4])
def test_the_interval_covers_no_difference_where_there_is_none(images: int) -> None:
    rng = np.random.default_rng(3)
    missed = runs = 0
    for _ in range(150):
        patients = np.repeat(np.arange(80), images)
        label = (rng.random(80) < 0.4)[patients]
        group = np.where(rng.random(80) < 0.6, label[::images], rng.random(80) < 0.5)[patients]
        scores = label + rng.normal(size=80)[patients] + 0.5 * rng.normal(size=len(label))
        low, high = Decomposition(label, scores, group.astype(np.int64), patients).bounds(0.95)
        missed, runs = missed + (low > 0 or high < 0), runs + 1
    # At 5 %, 15 or more of 150 occur with a probability of 0.6 %.
    assert missed < 15 and runs == 150


def of_patients_in_several_sources(rng: np.random.Generator, patients: int) -> Decomposition:
    """Draw four images a patient, each with a source of its own that the score uses."""
    who = np.repeat(np.arange(patients), 4)
    label = (rng.random(patients) < 0.4)[who]
    group = (rng.random(len(who)) < np.where(label, 0.8, 0.2)).astype(np.int64)
    noise = rng.normal(size=patients)[who] + rng.normal(size=len(who))
    return Decomposition(label, label + group + noise, group, who)


def test_the_interval_covers_where_patients_are_in_several_sources() -> None:
    rng = np.random.default_rng(7)
    truth = np.mean([of_patients_in_several_sources(rng, 20_000).value for _ in range(4)])
    bounds = [of_patients_in_several_sources(rng, 100).bounds(0.95) for _ in range(300)]
    missed = sum(low > truth or high < truth for low, high in bounds)
    # At 5 %, 6 or fewer or 27 or more of 300 occur with a probability of 0.9 %.
    assert 6 < missed < 27 and truth > 0.05


def test_p_is_where_the_interval_ends_at_the_limit() -> None:
    rng = np.random.default_rng(4)
    positive = rng.random(200) < 0.5
    groups = np.where(rng.random(200) < 0.8, positive, ~positive).astype(np.int64)
    scores = positive + groups + rng.normal(size=200)
    parts = Decomposition(positive, scores, groups, np.arange(200))
    p = within.p_beyond(parts, 0.05)
    assert parts.bounds(1 - 2 * p)[0] == pytest.approx(0.05, abs=1e-4)


@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 4))
def test_pairs_of_different_groups_are_counted(seed: int, number: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    positive, codes = rng.random(number) < 0.4, rng.integers(0, groups, number)
    scores = rng.integers(0, 6, number) / 5
    pairs = [
        (scores[i] > scores[j]) + (scores[i] == scores[j]) / 2
        for i in np.flatnonzero(positive)
        for j in np.flatnonzero(~positive)
        if codes[i] != codes[j]
    ]
    result = within.auc_between(positive, scores, codes)
    assert result.pairs == len(pairs)
    assert result.value == pytest.approx(np.mean(pairs) if pairs else np.nan, nan_ok=True)
    assert result.influence.sum() == pytest.approx(0, abs=1e-9)


def test_intervals_of_the_pairs_across_groups_cover_the_truth() -> None:
    rng = np.random.default_rng(6)
    apart = missed = 0
    for _ in range(150):
        patients = np.repeat(np.arange(60), 3)
        label = (rng.random(60) < 0.5)[patients]
        group = rng.integers(0, 3, 60)[patients]
        scores = label * 1.0 + rng.normal(size=60)[patients]
        parts = Decomposition(label, scores, group, patients)
        low, high = parts.across.bounds(0.95)
        # AUC of two normal distributions whose means are one apart: Phi(1 / sqrt 2).
        missed += not low <= 0.7602 <= high
        low, high = within.difference_bounds(parts.across, parts.within, 0.95)
        apart += low > 0 or high < 0
    # At 5 %, 15 or more of 150 occur with a probability of 0.6 %.
    assert missed < 15 and apart < 15
