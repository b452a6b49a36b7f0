"""Two groups of seeds: against Welch, DeLong, a table of covariances, and a two-way bootstrap."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from cxrtool.stats import influence, intervals, paired_tests
from cxrtool.stats.cluster_variance import Strata
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.seed_contrast import SeedFigures, contrast
from cxrtool.stats.within import Marks

Groups = tuple[Floats, Floats]


def drawn(
    rng: np.random.Generator,
    patients: int,
    seeds: tuple[int, int],
    *,
    gain: float = 0.0,
    spread: float = 0.2,
    own: float = 0.4,
    images: int = 1,
) -> tuple[Marks, Ints, Groups]:
    """Draw scores of two groups of networks: `spread` is between seeds, `own` noise of each."""
    who = np.repeat(np.arange(patients), images)
    positive = (np.arange(patients) % 2 == 1)[who]
    shared = rng.normal(size=patients)[who] * 0.6 + rng.normal(size=len(who)) * 0.6
    groups = []
    for number, more in zip(seeds, (gain, 0.0), strict=True):
        effect = 1.5 + more + spread * rng.normal(size=(number, 1))
        noise = own * rng.normal(size=(number, len(who)))
        groups.append(effect * positive + shared + noise)
    return positive, who, (groups[0], groups[1])


def figures(positive: Marks, scores: Floats) -> SeedFigures:
    parts = [influence.auc(positive, one) for one in scores]
    return SeedFigures(np.array([p[0] for p in parts]), np.array([p[1] for p in parts]))


def both(positive: Marks, groups: Groups) -> tuple[SeedFigures, SeedFigures]:
    return figures(positive, groups[0]), figures(positive, groups[1])


def test_without_patients_it_is_welchs_test() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.9, 0.01, 5), rng.normal(0.88, 0.03, 8)
    strata = Strata(np.array([0, 1] * 10, np.int8), np.arange(20))
    groups = [SeedFigures(values, np.zeros((len(values), 20))) for values in (first, second)]
    result = contrast(groups[0], groups[1], strata)
    welch = stats.ttest_ind(first, second, equal_var=False)
    assert result.p == pytest.approx(welch.pvalue)
    assert result.bounds(0.9) == pytest.approx(tuple(welch.confidence_interval(0.9)))


@pytest.mark.parametrize("images", [1, 3])
def test_of_equal_seeds_it_is_delongs_test(images: int) -> None:
    rng = np.random.default_rng(2)
    positive, who, groups = drawn(rng, 80, (1, 1), gain=0.3, images=images)
    copies = [figures(positive, np.repeat(scores, 5, axis=0)) for scores in groups]
    result = contrast(copies[0], copies[1], Strata(positive.astype(np.int8), who))
    known = paired_tests.delong(positive, groups[0][0], groups[1][0], who)
    assert result.value == pytest.approx(known.value)
    assert result.of_seeds == pytest.approx(0, abs=1e-12)
    error = (known.high - known.low) / 2
    freedom = np.inf if images == 1 else result.freedom
    assert result.error == pytest.approx(error / stats.t.ppf(0.975, freedom))


def test_the_variance_is_that_of_obuchowski_and_rockette_for_nested_readers() -> None:
    """S^2 / n + Cov2 of each group, less twice Cov3, from a table of covariances of components."""
    rng = np.random.default_rng(3)
    positive, who, groups = drawn(rng, 120, (5, 7), spread=0.4)
    scores = np.concatenate(groups)
    covariance = np.zeros((12, 12))
    for parts in zip(*[intervals.placements(positive, one) for one in scores], strict=True):
        covariance += np.cov(np.array(parts)) / len(parts[0])
    result = contrast(*both(positive, groups), Strata(positive.astype(np.int8), who))
    total = 0.0
    for at in (slice(0, 5), slice(5, 12)):
        block, aucs = covariance[at, at], [roc_auc_score(positive, s) for s in scores[at]]
        number = len(aucs)
        cov2 = (block.sum() - np.trace(block)) / number / (number - 1)
        total += np.var(aucs, ddof=1) / number + cov2
    total -= 2 * covariance[:5, 5:].mean()
    assert result.error**2 == pytest.approx(total)


def test_of_many_seeds_it_is_a_bootstrap_of_patients_and_seeds() -> None:
    rng = np.random.default_rng(4)
    positive, who, groups = drawn(rng, 300, (40, 40), gain=0.2, spread=0.5, own=0.1, images=2)
    result = contrast(*both(positive, groups), Strata(positive.astype(np.int8), who))
    draws = []
    for _ in range(400):
        patients = rng.integers(0, 300, 300)
        rows = (2 * patients[:, None] + np.arange(2)).ravel()
        drawn_seeds = [rng.integers(0, 40, 40) for _ in groups]
        means = [
            _aucs(positive[rows], group[:, rows])[seeds].mean()
            for group, seeds in zip(groups, drawn_seeds, strict=True)
        ]
        draws.append(means[0] - means[1])
    # So many draws know the standard error within 7 % (95 %).
    assert result.error == pytest.approx(np.std(draws), rel=0.1)
    low, high = np.quantile(draws, [0.025, 0.975])
    width = high - low
    assert result.bounds(0.95) == pytest.approx((low, high), abs=0.1 * width)


def _aucs(positive: Marks, scores: Floats) -> Floats:
    ranks = stats.rankdata(scores, axis=1)
    ours = positive.sum()
    sums = ranks[:, positive].sum(1) - ours * (ours + 1) / 2
    aucs: Floats = sums / ours / (~positive).sum()
    return aucs


@pytest.mark.parametrize("spread", [0.0, 0.4])
def test_the_interval_holds_the_truth_as_often_as_it_says(spread: float) -> None:
    """Without a gain; 300 sets: fewer than 91.7 % have a probability of 1 % if it is 95 %."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        positive, who, groups = drawn(rng, 100, (5, 5), spread=spread)
        result = contrast(*both(positive, groups), Strata(positive.astype(np.int8), who))
        low, high = result.bounds(0.95)
        held += low <= 0 <= high
        assert (result.p >= 0.05) == (low <= 0 <= high)
    assert 0.917 <= held / 300 <= 0.995


def test_no_interval_without_spread_or_patients() -> None:
    positive = np.array([True, True, False, False])
    perfect = SeedFigures(np.ones(5), np.zeros((5, 4)))
    result = contrast(perfect, perfect, Strata(positive.astype(np.int8), np.arange(4)))
    assert result.value == 0 and not result.is_known
    assert np.isnan(result.bounds(0.95)).all() and np.isnan(result.p)
    one_patient = Strata(positive.astype(np.int8), np.zeros(4, np.int64))
    assert np.isnan(contrast(perfect, perfect, one_patient).error)
