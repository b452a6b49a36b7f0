"""AUC over pairs alike in several columns: against counting, and its influence by differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrtool.stats import matching
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Auc, Decomposition, Marks


def counted(positive: Marks, scores: Floats, groups: Ints, weights: Floats) -> float:
    """Return the mean over positives of the share of negatives of their group that are below."""
    sums = total = 0.0
    for i in np.flatnonzero(positive):
        others = np.flatnonzero(~positive & (groups == groups[i]))
        if len(others):
            below = (scores[i] > scores[others]) + (scores[i] == scores[others]) / 2
            sums += weights[i] * np.average(below, weights=weights[others])
            total += weights[i]
    return float(sums / total) if total else np.nan


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(5, 7), st.integers(0, 1)), min_size=1))
def test_images_of_one_stratum_are_alike_in_every_column(rows: list[tuple[int, int, int]]) -> None:
    strata = matching.joint_strata([np.array(column) for column in zip(*rows, strict=True)])
    assert set(strata) == set(range(len(set(rows))))
    assert len(set(zip(strata.tolist(), rows, strict=True))) == len(set(rows))


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 6))
def test_partners_are_of_the_other_class_and_of_one_group(
    seed: int, number: int, groups: int
) -> None:
    rng = np.random.default_rng(seed)
    positive, codes = rng.random(number) < 0.4, rng.integers(0, groups, number)
    result = matching.have_partner(positive, codes)
    expected = [
        ((codes == c) & (positive != p)).any() for p, c in zip(positive, codes, strict=True)
    ]
    assert result.tolist() == expected


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 6))
def test_each_positive_counts_once(seed: int, number: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    positive, codes = rng.random(number) < 0.4, rng.integers(0, groups, number)
    scores = rng.integers(0, 6, number) / 5
    result = matching.auc_per_positive(positive, scores, codes)
    expected = counted(positive, scores, codes, np.ones(number))
    assert result.value == pytest.approx(expected, nan_ok=True)
    assert result.influence.sum() == pytest.approx(0, abs=1e-9)


def test_strata_of_one_size_weigh_alike_either_way() -> None:
    rng = np.random.default_rng(2)
    positive, codes = np.arange(120) % 3 == 0, np.repeat(np.arange(10), 12)
    scores = rng.normal(size=120) + positive
    parts = Decomposition(positive, scores, codes, np.arange(120))
    own = Auc(matching.auc_per_positive(positive, scores, codes), parts.strata, [1.0, 1.0])
    assert own.value == pytest.approx(parts.within.value)
    assert own.bounds(0.95) == pytest.approx(parts.within.bounds(0.95), abs=0.02)
