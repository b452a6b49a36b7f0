"""The permutation test of independence given the label: exact, by patient."""

import numpy as np

from cxrtool.stats import conditional_independence


def test_p_is_uniform_where_the_group_follows_the_label_alone() -> None:
    small = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        label = rng.integers(0, 2, 60)
        group = (rng.random(60) < np.where(label, 0.8, 0.3)).astype(np.int64)
        patients = np.repeat(np.arange(60), 2)
        logits = label[patients] + rng.normal(size=60)[patients]
        scores = 1 / (1 + np.exp(-logits))
        result = conditional_independence.test(
            scores, group[patients], label[patients], patients, permutations=199, seed=seed
        )
        small += result.p <= 0.05
    # At 5 %, 12 or more of 100 occur with a probability of 0.4 %.
    assert small < 12


def test_a_score_that_follows_the_group_is_found() -> None:
    rng = np.random.default_rng(1)
    label, group = rng.integers(0, 2, 200), rng.integers(0, 3, 200)
    scores = 1 / (1 + np.exp(-(label + group + rng.normal(size=200))))
    result = conditional_independence.test(scores, group, label, np.arange(200), permutations=499)
    assert result.p == 1 / 500
    # Groups 0, 1 and 2 SDs apart have a standard deviation of about 0.8.
    assert 0.6 < result.spread < 1.1


def test_a_label_in_one_group_only_cannot_be_compared() -> None:
    label = np.array([0, 0, 1, 1])
    result = conditional_independence.test(np.arange(4) / 4, label, label, np.arange(4))
    assert np.isnan(result.spread) and np.isnan(result.p) and result.permutations == 0


def test_scores_of_0_and_1_and_calibrations_change_nothing() -> None:
    rng = np.random.default_rng(2)
    label, group = rng.integers(0, 2, 150), rng.integers(0, 2, 150)
    logits = 2 * label + group + rng.normal(size=150)
    patients = np.arange(150)
    calls = [
        conditional_independence.test(1 / (1 + np.exp(-scale * logits)), group, label, patients)
        # A sure network: at scale 9 the logits reach 36, where single scores round to 1.
        for scale in (1.0, 0.1, 9.0)
    ]
    assert calls[0] == calls[1]
    assert abs(calls[2].spread - calls[0].spread) < 0.05


def test_most_scores_alike_leave_no_spread_of_their_own() -> None:
    # All but ten scores are exactly 1: a clipped logit would make the others 20 SDs apart.
    rng = np.random.default_rng(3)
    label, group = rng.integers(0, 2, 120), rng.integers(0, 2, 120)
    scores = np.where(np.arange(120) < 10, 0.4, 1.0)
    result = conditional_independence.test(scores, group, label, np.arange(120))
    assert result.spread < 0.5 and result.p > 0.01
