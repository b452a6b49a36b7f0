"""The best of several models: its expected error against closed forms and against a bootstrap."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cxrtool.stats import best_model
from cxrtool.stats.best_model import JointAucs
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Marks

# E[max] of independent standard normal values (Harter 1961).
MAXIMA = {2: 0.56419, 3: 0.84628, 5: 1.16296, 10: 1.53875, 20: 1.86748}


@pytest.mark.parametrize("number", MAXIMA)
def test_errors_that_do_not_correlate(number: int) -> None:
    aucs = JointAucs(np.full(number, 0.8), 0.03**2 * np.eye(number))
    assert aucs.optimism(0) == pytest.approx(0.03 * MAXIMA[number], rel=0.02)
    assert aucs.correlation == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("alike", [-0.5, 0.0, 0.5, 0.99, 1.0])
def test_two_models_whose_errors_correlate(alike: float) -> None:
    first, second = 0.02, 0.03
    shared = alike * first * second
    aucs = JointAucs(np.array([0.8, 0.7]), np.array([[first**2, shared], [shared, second**2]]))
    # E[max(X, Y)] of centred normal values is sd(X - Y) / sqrt(2 pi) (Clark 1961).
    expected = np.sqrt((first**2 + second**2 - 2 * shared) / (2 * np.pi))
    assert aucs.optimism(0) == pytest.approx(expected, rel=0.02)
    assert aucs.correlation == pytest.approx(alike)


def drawn(seed: int = 3) -> tuple[Marks, Floats, Ints]:
    """Draw three models that judge the same 240 images of 80 patients, two of them much alike."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(80), 3)
    positive = patients % 2 == 0
    own = rng.normal(size=(80, 3))[patients] + 0.5 * rng.normal(size=(240, 3))
    own[:, 1] = own[:, 0] + 0.2 * own[:, 1]
    return positive, own + positive[:, None], patients


def test_covariance_is_that_of_a_bootstrap_of_patients() -> None:
    positive, scores, patients = drawn()
    aucs = best_model.joint_aucs(positive, scores, patients)
    expected = [roc_auc_score(positive, own) for own in scores.T]
    assert aucs.values == pytest.approx(expected)
    pairs = [own[positive][:, None] > own[~positive] for own in scores.T]
    rng, replicates = np.random.default_rng(4), []
    for _ in range(2000):
        times = np.bincount(rng.integers(0, 80, 80), minlength=80)[patients]
        ours, theirs = times[positive], times[~positive]
        replicates.append([ours @ won @ theirs / (ours.sum() * theirs.sum()) for won in pairs])
    assert aucs.covariance == pytest.approx(np.cov(np.transpose(replicates)), rel=0.2, abs=1e-4)
    # The maximum of the errors of the resamples, too.
    errors = np.array(replicates) - np.mean(replicates, axis=0)
    assert aucs.optimism(0) == pytest.approx(errors.max(axis=1).mean(), rel=0.15)


def test_copies_of_a_model_gain_nothing_by_the_choice() -> None:
    positive, scores, patients = drawn()
    aucs = best_model.joint_aucs(positive, scores[:, [0, 0, 0]], patients)
    assert aucs.optimism(0) == pytest.approx(0, abs=1e-6)
    assert aucs.correlation == pytest.approx(1)
    assert aucs.wins(0) == pytest.approx([1 / 3] * 3)


def test_copies_share_the_first_place_with_another_model() -> None:
    positive, scores, patients = drawn()
    one, two = (
        best_model.joint_aucs(positive, scores[:, k], patients) for k in ([0, 2], [0, 0, 2])
    )
    alone, shared = one.wins(0), two.wins(0)
    assert shared[0] == pytest.approx(shared[1], abs=1e-12)
    assert shared[0] + shared[1] == pytest.approx(alone[0], abs=0.015)
    assert two.tied.tolist() == [one.tied[0], one.tied[0], one.tied[1]]


def test_a_perfect_model_has_no_known_error() -> None:
    positive, scores, patients = drawn()
    scores[:, 0] = positive
    assert np.isnan(best_model.joint_aucs(positive, scores, patients).optimism(0))
    assert best_model.joint_aucs(positive, scores[:, 1:], patients).optimism(0) > 0


def test_the_more_models_the_more_comes_from_the_choice() -> None:
    positive, scores, patients = drawn()
    two, three = (best_model.joint_aucs(positive, scores[:, :k], patients) for k in (2, 3))
    assert 0 < two.optimism(0) < three.optimism(0)


def test_a_model_that_is_clearly_better_wins_in_every_sample() -> None:
    aucs = JointAucs(np.array([0.7, 0.9, 0.7]), 0.02**2 * np.eye(3))
    assert aucs.wins(0) == pytest.approx([0, 1, 0])
    alike = JointAucs(np.full(4, 0.8), 0.02**2 * np.eye(4))
    assert alike.wins(0) == pytest.approx([0.25] * 4, abs=0.015)
