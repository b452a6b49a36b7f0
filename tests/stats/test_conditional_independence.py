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
