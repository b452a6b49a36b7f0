"""Tests between two models equal the exact or the brute answer, and err as often as they say."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from cxrtool.stats import cluster_bootstrap, intervals, paired_tests
from cxrtool.stats.weighted_metrics import Judged


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
    found = paired_tests.delong(positive, first, second, np.arange(30))
    assert found.value == pytest.approx(value)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(value) / error))
    assert (found.low, found.high) == pytest.approx(
        (value - stats.norm.ppf(0.975) * error, value + stats.norm.ppf(0.975) * error), abs=1e-12
    )


def test_delong_of_equal_models() -> None:
    positive, scores, alone = np.arange(20) % 2 == 0, np.linspace(0, 1, 20), np.arange(20)
    for clusters in (alone, alone // 4):
        same = paired_tests.delong(positive, scores, scores, clusters)
        assert same.p == 1
        assert math.isnan(same.low)
        one_class = paired_tests.delong(np.ones(20, bool), scores, scores, clusters)
        assert math.isnan(one_class.p) and math.isnan(one_class.value)


@pytest.mark.parametrize("copies", [2, 7])
def test_copies_of_images_are_no_more_patients_for_delong(copies: int) -> None:
    """As many copies of every image change nothing but z into t."""
    rng, positive = np.random.default_rng(0), np.arange(40) % 4 == 0
    first, second = rng.normal(size=(2, 40)) + positive * np.array([[1], [2]])
    one = paired_tests.delong(positive, first, second, np.arange(40))
    more = paired_tests.delong(
        *(np.repeat(values, copies) for values in (positive, first, second, np.arange(40)))
    )
    assert more.value == pytest.approx(one.value)
    both = [intervals.placements(positive, scores) for scores in (first, second)]
    own = [np.var(a - b, ddof=1) / len(a) for a, b in zip(*both, strict=True)]
    freedom = sum(own) ** 2 / (own[0] ** 2 / 9 + own[1] ** 2 / 29)
    error = math.sqrt(sum(own))
    assert more.p == pytest.approx(2 * stats.t.sf(abs(one.value) / error, freedom))
    assert more.high - more.low == pytest.approx(2 * stats.t.ppf(0.975, freedom) * error)


def test_delong_by_patient_is_obuchowskis_variance() -> None:
    """Against the sums of the paper, patient by patient; patients have images of both classes."""
    rng, clusters = np.random.default_rng(1), np.repeat(np.arange(15), [1, 2, 3, 4, 5] * 3)
    positive = rng.random(len(clusters)) < 0.4
    first, second = rng.normal(size=(2, len(clusters))) + positive
    tables = [pairs_of(positive, scores) for scores in (first, second)]
    rows, columns = (np.subtract(*(table.mean(axis=axis) for table in tables)) for axis in (1, 0))
    value, of = rows.mean(), (clusters[positive], clusters[~positive])
    s10 = s01 = s11 = 0.0
    for patient in range(15):
        x = (rows[of[0] == patient] - value).sum()
        y = (columns[of[1] == patient] - value).sum()
        s10, s01, s11 = s10 + x**2, s01 + y**2, s11 + x * y
    m, n = positive.sum(), (~positive).sum()
    # Patients count as many as patients with equal numbers of images would.
    sizes = [np.bincount(part) for part in (*of, clusters)]
    i10, i01, i11 = (part.sum() ** 2 / (part**2).sum() for part in sizes)
    variance = i10 / (i10 - 1) * s10 / m**2 + i01 / (i01 - 1) * s01 / n**2
    variance += 2 * i11 / (i11 - 1) * s11 / (m * n)
    found = paired_tests.delong(positive, first, second, clusters)
    assert found.value == pytest.approx(value)
    width = (found.high - found.low) / 2
    t = width / math.sqrt(variance)
    assert 1.96 < t < 2.4, "Student's t of about a dozen degrees of freedom"
    freedom = optimize.brentq(lambda df: stats.t.ppf(0.975, df) - t, 5, 100)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(value) / math.sqrt(variance), freedom))


def test_delong_of_one_patient_is_undefined() -> None:
    positive, scores = np.arange(8) % 2 == 0, np.arange(8.0)
    found = paired_tests.delong(positive, scores, scores[::-1].copy(), np.zeros(8, int))
    assert math.isnan(found.p)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar(pairs: list[tuple[bool, bool]]) -> None:
    first, second = np.array(pairs, bool).T
    only = int((first & ~second).sum()), int((second & ~first).sum())
    expected = stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1
    assert paired_tests.mcnemar(first, second, np.arange(len(pairs))) == pytest.approx(expected)


@given(
    st.lists(st.tuples(st.integers(0, 7), st.booleans(), st.booleans()), min_size=1, max_size=40)
)
def test_mcnemar_by_patient_counts_every_exchange(images: list[tuple[int, bool, bool]]) -> None:
    clusters, first, second = (np.array(column) for column in zip(*images, strict=True))
    clusters = cluster_bootstrap.numbered(clusters)
    lead = np.bincount(clusters, first.astype(int) - second)
    signs = np.array([*itertools.product((-1, 1), repeat=len(lead))])
    expected = np.mean(np.abs(signs @ lead) >= abs(lead.sum()))
    assert paired_tests.mcnemar(first, second, clusters) == pytest.approx(expected)


def test_mcnemar_of_very_many_images() -> None:
    """The tails that a float cannot hold are left out, and the rest is as the normal tells."""
    rng, clusters = np.random.default_rng(0), np.arange(60_000) // 3
    first, second = rng.random((2, 60_000)) < 0.7
    lead = np.bincount(clusters, first.astype(int) - second)
    normal = 2 * stats.norm.sf((abs(lead.sum()) - 0.5) / math.sqrt((lead**2).sum()))
    assert paired_tests.mcnemar(first, second, clusters) == pytest.approx(normal, rel=0.01)
    assert paired_tests.mcnemar(np.ones(60_000, bool), np.zeros(60_000, bool), clusters) < 1e-300


def test_the_images_of_one_patient_are_one_case_for_mcnemar() -> None:
    first, second = np.ones(40, bool), np.zeros(40, bool)
    assert paired_tests.mcnemar(first, second, np.arange(40) // 10) == pytest.approx(2 / 2**4)
    assert paired_tests.mcnemar(first, second, np.zeros(40, int)) == 1


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
    arrays = [
        np.concatenate([getattr(first, n), getattr(second, n)])
        for n in ("labels", "predicted", "probabilities")
    ]
    return Judged(first.classes, *arrays, first.positive, ["accuracy", "auc"])


def test_permutation_comes_near_the_exact_answer() -> None:
    first, second, clusters = two(3, 8, 2, 1.0)
    found = paired_tests.permutation(joined(first, second), clusters, 4000, 0)
    observed = second.values()["y", "accuracy"] - first.values()["y", "accuracy"]
    assert found["y", "accuracy"][0] == pytest.approx(-observed)
    right = [(one.labels == one.predicted).astype(float) for one in (first, second)]
    exact = []
    for stays in itertools.product((True, False), repeat=8):
        kept = np.array(stays)[clusters]
        a, b = np.where(kept, *right), np.where(kept, *right[::-1])
        exact.append(abs(a.mean() - b.mean()) >= abs(observed) - 1e-12)
    p = paired_tests.share_as_large(found["y", "accuracy"])
    assert p == pytest.approx(np.mean(exact), abs=0.03)


def test_permutation_finds_what_is_there_and_not_what_is_not() -> None:
    first, second, clusters = two(0, 60, 3, 2.5)
    better = paired_tests.permutation(joined(first, second), clusters, 500, 0)
    assert paired_tests.share_as_large(better["y", "auc"]) < 0.01
    same = paired_tests.permutation(joined(first, first), clusters, 200, 0)
    assert paired_tests.share_as_large(same["y", "auc"]) == 1


@pytest.mark.parametrize("metric", ["auc", "average_precision"])
def test_another_scale_of_the_scores_changes_no_ranks(metric: str) -> None:
    first, second, clusters = two(0, 60, 3, 0.6)
    found = []
    for power in (1, 9):
        p = [
            paired_tests.ranked(one.probabilities**at) for one, at in ((first, 1), (second, power))
        ]
        both = Judged(
            first.classes,
            np.tile(first.labels, 2),
            np.tile(first.predicted, 2),
            np.concatenate(p),
            1,
            [metric],
        )
        found.append(paired_tests.permutation(both, clusters, 200, 0)["y", metric])
    np.testing.assert_array_equal(found[0], found[1])
    observed = first.values()["y", metric] - second.values()["y", metric]
    assert found[0][0] == pytest.approx(observed)


def test_equal_scores_have_equal_ranks() -> None:
    found = paired_tests.ranked(np.array([[0.1, 3.0], [0.1, 1.0], [0.9, 2.0]]))
    np.testing.assert_allclose(found, np.array([[1.0, 2.5], [1.0, 0.5], [2.5, 1.5]]) / 3)


def test_an_undefined_difference_has_no_p() -> None:
    assert math.isnan(paired_tests.share_as_large(np.array([np.nan, 1.0])))


def test_the_bootstrap_of_a_difference_pairs_the_resamples() -> None:
    first, second, clusters = two(0, 80, 2, 0.5)
    found = [cluster_bootstrap.replicates(one, clusters, 400, 0) for one in (first, second)]
    key = ("y", "auc")
    low, high = paired_tests.bootstrap(found[1][key], found[0][key], 0.95)
    value = second.values()[key] - first.values()[key]
    assert low < value < high
    alike = paired_tests.bootstrap(found[0][key], found[0][key], 0.95)
    assert all(map(math.isnan, alike)), "a model does not differ from itself"


def test_holm() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling.
    p = np.array([0.03, 0.01, np.nan, 0.04, 0.02])
    found = paired_tests.holm(p)
    assert found[[1, 4, 0, 3]] == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert math.isnan(found[2])
    assert paired_tests.holm(np.array([0.9, 0.8])).tolist() == [1, 1]
    assert len(paired_tests.holm(np.array([]))) == 0


def test_delong_errs_as_often_as_it_says() -> None:
    rng, positive = np.random.default_rng(0), np.arange(120) < 60
    false = 0
    for _ in range(1000):
        common = rng.normal(0, 1, 120) + positive
        first, second = (common + rng.normal(0, 0.5, 120) for _ in range(2))
        false += paired_tests.delong(positive, first, second, np.arange(120)).p < 0.05
    assert 0.03 <= false / 1000 <= 0.07
