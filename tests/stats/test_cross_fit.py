"""Cross-fitting by patient: 0.5 where nothing can be predicted, and what can be is found."""

import numpy as np
import pytest

from cxrtool.stats import cross_fit
from cxrtool.stats.metrics import Floats, Ints


def images(seed: int, number: int = 80, most: int = 3) -> tuple[np.random.Generator, Ints]:
    rng = np.random.default_rng(seed)
    return rng, np.repeat(np.arange(number), rng.integers(1, most + 1, number))


def test_measurements_without_a_cue_predict_nothing() -> None:
    values, shown = [], 0
    for seed in range(60):
        rng, patients = images(seed)
        positive = (rng.random(80) < 0.4)[patients]
        features = rng.normal(size=(80, 20))[patients]
        learner = cross_fit.shrunken_centroids(features, positive, patients)
        auc = cross_fit.cross_fit(learner, positive, patients, seed=seed).auc
        assert auc is not None
        values.append(auc.value)
        shown += auc.bounds(0.95)[0] > 0.55
    # A mean that pairs across folds lower (to about 0.45) would fail here.
    assert np.mean(values) == pytest.approx(0.5, abs=0.035)
    assert shown <= 4


@pytest.mark.parametrize("kind", ["shift", "middle"])
def test_a_cue_is_found(kind: str) -> None:
    rng, patients = images(1, 150)
    positive = (rng.random(150) < 0.5)[patients]
    features: Floats = rng.normal(size=(len(patients), 20))
    if kind == "shift":
        features[:, 3] += 2 * positive
    else:
        features[:, 3] *= np.where(positive, 0.2, 1.0)
    learner = cross_fit.shrunken_centroids(features, positive, patients)
    auc = cross_fit.cross_fit(learner, positive, patients).auc
    assert auc is not None and auc.bounds(0.95)[0] > 0.65


def test_unknown_and_constant_measurements_do_no_harm() -> None:
    rng, patients = images(2)
    positive = (rng.random(80) < 0.5)[patients]
    features: Floats = rng.normal(size=(len(patients), 4))
    features[:, 0] = np.nan
    features[:, 1] = 7
    features[::3, 2] = np.nan
    learner = cross_fit.shrunken_centroids(features, positive, patients)
    fit = cross_fit.cross_fit(learner, positive, patients)
    assert np.isfinite(fit.scores).all()
    nothing = cross_fit.shrunken_centroids(features[:, :2], positive, patients)
    flat = cross_fit.cross_fit(nothing, positive, patients).auc
    assert flat is not None and flat.value == 0.5


def test_the_patient_of_an_image_takes_no_part_in_its_score() -> None:
    rng, patients = images(3)
    positive = (rng.random(80) < 0.5)[patients]
    # Each patient has a value of its own: known, it would give the label away.
    auc = cross_fit.attainable(patients, positive, patients).auc
    assert auc is not None and auc.value == pytest.approx(0.5, abs=0.02)


def test_a_column_that_follows_the_label_attains_its_auc() -> None:
    positive = np.arange(200) % 2 == 0
    codes = np.where(np.arange(200) % 10 < 8, positive, ~positive).astype(np.int64)
    auc = cross_fit.attainable(codes, positive, np.arange(200)).auc
    assert auc is not None and auc.value == pytest.approx(0.8, abs=0.03)


def test_too_few_patients_have_no_auc() -> None:
    positive = np.array([True, False, False, False, False, False])
    fit = cross_fit.attainable(np.zeros(6, np.int64), positive, np.arange(6))
    assert fit.auc is None


def test_ranks_within_a_group_say_nothing_of_the_group() -> None:
    groups = np.array([0, 0, 0, 1, 1, 1])
    features = np.array([[1.0], [2.0], [3.0], [10.0], [20.0], [np.nan]])
    ranks = cross_fit.ranks_within(features, groups)[:, 0]
    assert ranks[:5].tolist() == pytest.approx([1 / 6, 1 / 2, 5 / 6, 1 / 4, 3 / 4])
    assert np.isnan(ranks[5])
