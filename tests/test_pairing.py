"""Tests between two models equal the exact or the brute answer, and err as often as they say."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cxrtool import bootstrapping, pairing
from cxrtool.weighing import Judged


def pairs_of(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    ours, others = scores[positive][:, None], scores[~positive][None]
    return (ours > others) + (ours == others) / 2


@given(st.integers(0, 10**9))
def test_delong_is_that_of_the_covariances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = np.arange(30) % 3 == 0
    first, second = rng.integers(0, 20, 30) / 19, rng.integers(0, 20, 30) / 19
    tables = [pairs_of(positive, scores) for scores in (first, second)]
    # S10 / m + S01 / n of the paper, and the contrast (1, -1).
    rows = np.cov([table.mean(1) for table in tables]) / positive.sum()
    columns = np.cov([table.mean(0) for table in tables]) / (~positive).sum()
    contrast = np.array([1, -1])
    error = math.sqrt(contrast @ (rows + columns) @ contrast)
    value = tables[0].mean() - tables[1].mean()
    found = pairing.delong(positive, first, second)
    assert found.value == pytest.approx(value)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(value) / error))
    assert (found.low, found.high) == pytest.approx(
        (value - 1.959963985 * error, value + 1.959963985 * error)
    )


def test_delong_of_equal_models() -> None:
    positive, scores = np.arange(20) % 2 == 0, np.linspace(0, 1, 20)
    assert pairing.delong(positive, scores, scores).p == 1
    assert math.isnan(pairing.delong(positive, scores, scores).low)
    one_class = pairing.delong(np.ones(20, bool), scores, scores)
    assert math.isnan(one_class.p) and math.isnan(one_class.value)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_mcnemar(pairs: list[tuple[bool, bool]]) -> None:
    first, second = np.array(pairs, bool).reshape(-1, 2).T
    only = int((first & ~second).sum()), int((second & ~first).sum())
    expected = stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1
    assert pairing.mcnemar(first, second) == pytest.approx(expected)


def two(seed: int, patients: int, images: int, skill: float) -> tuple[Judged, Judged, np.ndarray]:
    """Make two models that judge the same images, the second so much better."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(patients), images)
    labels = (clusters % 2).astype(np.int64)
    models = []
    for extra in (0.0, skill):
        shift = np.repeat(rng.normal(size=patients), images) + (1 + extra) * labels
        score = 1 / (1 + np.exp(-shift + 0.5))
        p = np.column_stack([1 - score, score])
        models.append(Judged(["n", "y"], labels, (score > 0.5).astype(int), p, 1))
    return models[0], models[1], clusters


def joined(first: Judged, second: Judged) -> Judged:
    arrays = [np.concatenate([getattr(first, n), getattr(second, n)])
              for n in ("labels", "predicted", "probabilities")]  # fmt: skip
    return Judged(first.classes, *arrays, first.positive, ["accuracy", "auc"])


def test_permutation_comes_near_the_exact_answer() -> None:
    first, second, clusters = two(3, 8, 2, 1.0)
    found = pairing.permutation(joined(first, second), clusters, 4000, 0)
    observed = second.values()["y", "accuracy"] - first.values()["y", "accuracy"]
    assert found["y", "accuracy"][0] == pytest.approx(-observed)
    right = [(one.labels == one.predicted).astype(float) for one in (first, second)]
    exact = []
    for stays in itertools.product((True, False), repeat=8):
        kept = np.array(stays)[clusters]
        a, b = np.where(kept, *right), np.where(kept, *right[::-1])
        exact.append(abs(a.mean() - b.mean()) >= abs(observed) - 1e-12)
    p = pairing.share_as_large(found["y", "accuracy"])
    assert p == pytest.approx(np.mean(exact), abs=0.03)


def test_permutation_finds_what_is_there_and_not_what_is_not() -> None:
    first, second, clusters = two(0, 60, 3, 2.5)
    better = pairing.permutation(joined(first, second), clusters, 500, 0)
    assert pairing.share_as_large(better["y", "auc"]) < 0.01
    same = pairing.permutation(joined(first, first), clusters, 200, 0)
    assert pairing.share_as_large(same["y", "auc"]) == 1


def test_an_undefined_difference_has_no_p() -> None:
    assert math.isnan(pairing.share_as_large(np.array([np.nan, 1.0])))


def test_the_bootstrap_of_a_difference_pairs_the_resamples() -> None:
    first, second, clusters = two(0, 80, 2, 0.5)
    found = [bootstrapping.replicates(one, clusters, 400, 0) for one in (first, second)]
    key = ("y", "auc")
    low, high = pairing.bootstrap(found[1][key], found[0][key], 0.95)
    value = second.values()[key] - first.values()[key]
    assert low < value < high
    alike = pairing.bootstrap(found[0][key], found[0][key], 0.95)
    assert all(map(math.isnan, alike)), "a model does not differ from itself"


def test_holm() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling.
    p = np.array([0.03, 0.01, np.nan, 0.04, 0.02])
    found = pairing.holm(p)
    assert found[[1, 4, 0, 3]] == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert math.isnan(found[2])
    assert pairing.holm(np.array([0.9, 0.8])).tolist() == [1, 1]
    assert len(pairing.holm(np.array([]))) == 0


def test_delong_errs_as_often_as_it_says() -> None:
    rng, positive = np.random.default_rng(0), np.arange(120) < 60
    false = 0
    for _ in range(1000):
        common = rng.normal(0, 1, 120) + positive
        first, second = (common + rng.normal(0, 0.5, 120) for _ in range(2))
        false += pairing.delong(positive, first, second).p < 0.05
    assert 0.03 <= false / 1000 <= 0.07
