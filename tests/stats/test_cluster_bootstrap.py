"""The bootstrap draws patients, and its intervals hold what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as theirs

from cxrtool.stats import cluster_bootstrap
from cxrtool.stats.weighted_metrics import Judged


def drawn(clusters: np.ndarray, number: int, seed: int = 0) -> np.ndarray:
    return np.concatenate(list(cluster_bootstrap.resamples(clusters, number, seed)))


def test_patients_are_drawn_whole_and_as_many_as_there_are() -> None:
    clusters = np.array([0, 1, 1, 2, 2, 2, 3])
    weights = drawn(clusters, 500)
    assert weights.shape == (500, 7)
    assert (weights[:, 1] == weights[:, 2]).all()
    assert (weights[:, 3:5] == weights[:, 5:6]).all()
    assert (weights[:, [0, 1, 3, 6]].sum(1) == 4).all()
    # Each is drawn once on average, and is missing (3/4)^4 of the time.
    assert weights.mean() == pytest.approx(1, abs=0.1)
    assert (weights[:, 0] == 0).mean() == pytest.approx(0.75**4, abs=0.07)


def test_the_same_seed_draws_the_same() -> None:
    clusters = np.arange(50) // 2
    assert (drawn(clusters, 9) == drawn(clusters, 9)).all()
    assert (drawn(clusters, 9) != drawn(clusters, 9, seed=1)).any()


def test_many_images_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = drawn(np.arange(20), 30)
    monkeypatch.setattr(cluster_bootstrap, "AT_A_TIME", 60)
    parts = list(cluster_bootstrap.resamples(np.arange(20), 30, 0))
    assert [len(part) for part in parts] == [3] * 10
    assert (np.concatenate(parts) == whole).all()


def test_replicates_are_those_of_scikit_learn_on_repeated_images() -> None:
    rng = np.random.default_rng(0)
    labels, score = rng.integers(0, 2, 60), np.round(rng.random(60), 1)
    p, clusters = np.column_stack([1 - score, score]), np.arange(60) // 3
    predicted = (score > 0.5).astype(int)
    found = cluster_bootstrap.replicates(
        Judged(["n", "y"], labels, predicted, p, 1), clusters, 40, 7
    )
    for row, times in enumerate(drawn(clusters, 40, 7)):
        again = np.repeat(np.arange(60), times)
        some = labels[again], score[again]
        assert found["y", "auc"][row] == pytest.approx(theirs.roc_auc_score(*some))
        assert found["y", "average_precision"][row] == pytest.approx(
            theirs.average_precision_score(*some)
        )
        assert found["y", "mcc"][row] == pytest.approx(
            theirs.matthews_corrcoef(labels[again], predicted[again])
        )
        assert found["y", "brier"][row] == pytest.approx(theirs.brier_score_loss(*some))


def test_intervals_are_percentiles() -> None:
    values = np.random.default_rng(0).permutation(np.arange(2001.0))
    assert cluster_bootstrap.interval(values, 0.95) == (50, 1950)
    assert cluster_bootstrap.interval(values, 0.9) == (100, 1900)
    with_unknown = np.concatenate([values, [np.nan] * 99])
    assert cluster_bootstrap.interval(with_unknown, 0.95) == (50, 1950)


def test_infinite_replicates_are_a_bound() -> None:
    values = np.concatenate([np.arange(1.0, 91), [np.inf] * 10])
    assert cluster_bootstrap.interval(values, 0.95) == (3, math.inf)


@pytest.mark.parametrize(
    "values", [[1.0] * 9, [0.1 + 0.2, 0.3], [math.nan] * 3, [math.inf] * 4, []]
)
def test_where_nothing_varies_there_is_no_interval(values: list[float]) -> None:
    assert all(map(math.isnan, cluster_bootstrap.interval(np.array(values), 0.95)))


def test_numbers_come_in_the_order_of_the_first_coming() -> None:
    assert cluster_bootstrap.numbered(np.array([7, -3, 7, 5, -3])).tolist() == [0, 1, 0, 2, 1]


@pytest.mark.slow
@pytest.mark.parametrize("images", [1, 3])
def test_the_intervals_hold_the_truth_as_often_as_they_say(images: int) -> None:
    """Draw 2,000 studies of 150 patients, each with so many images of one score and a shade."""
    rng, studies, patients = np.random.default_rng(1), 2000, 150
    clusters = np.repeat(np.arange(patients), images)
    labels = np.repeat(rng.random((studies, patients)) < 0.5, images, axis=1).astype(int)
    shift = np.repeat(rng.normal(0, 1, (studies, patients)), images, axis=1)
    # The share of what a patient's images have in common is 0.8.
    scores = labels + (np.sqrt(0.8) * shift + np.sqrt(0.2) * rng.normal(size=labels.shape))
    chance = 1 / (1 + np.exp(0.5 - scores))
    truth = {"auc": 0.5 * (1 + math.erf(0.5)), "accuracy": 0.5 * (1 + math.erf(0.5 / 2**0.5))}
    held = dict.fromkeys(truth, 0)
    for study in range(studies):
        p = np.column_stack([1 - chance[study], chance[study]])
        judged = Judged(["n", "y"], labels[study], (p[:, 1] > 0.5).astype(int), p, 1, list(truth))
        found = cluster_bootstrap.replicates(judged, clusters, 500, study)
        for name, value in truth.items():
            low, high = cluster_bootstrap.interval(found["y", name], 0.95)
            held[name] += low <= value <= high
    for name in truth:
        assert 0.93 <= held[name] / studies <= 0.97, name
