"""The worst cluster of features: a planted one is found, and chance is not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from cxrtool.stats import worst_cluster
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Marks
from cxrtool.stats.worst_cluster import WorstCluster


class Drawn(NamedTuple):
    features: Floats
    positive: Marks
    logits: Floats
    patients: Ints
    hidden: Marks


def drawn(seed: int, images: int = 400, share: float = 0.25, blind: bool = True) -> Drawn:
    """Draw features of a score, of noise and of a group in which the score may tell nothing."""
    rng = np.random.default_rng(seed)
    patients = np.arange(images) // 2
    positive = rng.random(images // 2)[patients] < 0.5
    hidden = rng.random(images // 2)[patients] < share
    logits = 2.0 * positive * ~(hidden & blind) + rng.normal(size=images)
    features = rng.normal(size=(images, 12))
    features[:, :3] += 3 * logits[:, None]
    features[:, 3:6] += 4 * hidden[:, None]
    return Drawn(features, positive, logits, patients, hidden)


def found(one: Drawn, seed: int = 0) -> WorstCluster:
    result = worst_cluster.cross_fitted(one.features, one.positive, one.logits, one.patients, seed)
    assert result is not None
    return result


def slow_auc(one: Drawn, half: Ints, part: Marks) -> float:
    """Count pairs of images of a part that are of the same half."""
    wins = []
    for i in np.flatnonzero(one.positive & part):
        for j in np.flatnonzero(~one.positive & part & (half == half[i])):
            wins.append((one.logits[i] > one.logits[j]) + 0.5 * (one.logits[i] == one.logits[j]))
    return float(np.mean(wins))


def test_a_group_in_which_the_score_tells_nothing_is_found() -> None:
    one = drawn(0)
    worst = found(one)
    assert worst.agree
    # Nearly all images of the cluster are of the group.
    members = worst.chosen[0].members
    assert (members & one.hidden).sum() / members.sum() > 0.9
    low, high = worst.bounds(0.95)
    assert 0 < low < worst.value < high and worst.value > 0.15


def test_aucs_are_those_of_pairs_of_one_half() -> None:
    one = drawn(3, images=160)
    worst = found(one, seed=7)
    half = worst_cluster.halves(one.positive, one.patients, 7)
    assert worst.own.value == pytest.approx(slow_auc(one, half, worst.judged))
    assert worst.others.value == pytest.approx(slow_auc(one, half, ~worst.judged))
    assert worst.value == pytest.approx(worst.others.value - worst.own.value)


def test_a_cluster_is_judged_in_patients_who_did_not_choose_it() -> None:
    one = drawn(1)
    half = worst_cluster.halves(one.positive, one.patients, 0)
    worst = found(one)
    for k in (0, 1):
        assert (worst.judged[half == 1 - k] == worst.chosen[k].members[half == 1 - k]).all()
        # Other scores in the other half do not change what this half chooses.
        logits = np.where(half == k, one.logits, one.logits[::-1])
        candidate = worst.chosen[k]
        chosen = [
            worst_cluster._worst([candidate], half == k, one.positive, part, one.patients)
            for part in (one.logits, logits)
        ]
        assert chosen == [candidate, candidate]


def test_halves_keep_patients_together_and_have_as_many_of_each_class() -> None:
    one = drawn(2)
    half = worst_cluster.halves(one.positive, one.patients, 3)
    assert all(len(np.unique(half[one.patients == k])) == 1 for k in np.unique(one.patients))
    for label in (True, False):
        counts = np.bincount(half[one.positive == label])
        assert abs(counts[0] - counts[1]) <= 4
    other = worst_cluster.halves(one.positive, one.patients, 4)
    assert (half != other).any()


def test_what_label_and_score_explain_is_gone() -> None:
    one = drawn(5)
    directions = worst_cluster.unexplained(one.features, one.positive, one.logits)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    for label in (True, False):
        there = one.positive == label
        for column in directions[there].T:
            assert abs(np.corrcoef(column, one.logits[there])[0, 1]) < 0.15
    # A feature that is the score, and nothing else, leaves nothing.
    alone: NDArray[np.float64] = one.logits[:, None] * [1.0, -2.0]
    assert not worst_cluster.unexplained(alone, one.positive, one.logits).any()


@pytest.mark.slow
def test_where_no_group_is_worse_it_is_seldom_found() -> None:
    low = [found(drawn(k, blind=False), seed=k).bounds(0.95)[0] for k in range(200)]
    # At most 2.5 % are expected above 0; 6 % have a probability below 0.5 %.
    assert np.mean(np.array(low) > 0) <= 0.06


@pytest.mark.parametrize("change", ["constant features", "few patients", "constant scores"])
def test_what_cannot_be_judged_is_none_or_no_difference(change: str) -> None:
    one = drawn(4, images=16 if change == "few patients" else 200)
    if change == "constant features":
        one = one._replace(features=np.ones_like(one.features))
    if change == "constant scores":
        one = one._replace(logits=np.zeros_like(one.logits))
    result = worst_cluster.cross_fitted(one.features, one.positive, one.logits, one.patients, 0)
    if change == "constant scores":
        assert result is not None and result.value == 0 and result.bounds(0.95)[0] < 0
    else:
        assert result is None
