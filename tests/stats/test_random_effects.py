"""Random-effects mean: against the literature's example, and where its formulas are simple."""

import numpy as np
import pytest
from scipy import stats

from cxrtool.stats import random_effects

# 13 trials of the BCG vaccine (Colditz et al. 1994): ill and well, vaccinated and not.
TRIALS = """
4 119 11 128
6 300 29 274
3 228 11 209
62 13536 248 12619
33 5036 47 5761
180 1361 372 1079
8 2537 10 619
505 87886 499 87892
29 7470 45 7232
17 1699 65 1600
186 50448 141 27197
5 2493 3 2338
27 16886 29 17825
"""


def test_the_example_of_the_literature() -> None:
    cells = np.array([row.split() for row in TRIALS.split("\n") if row], np.float64)
    ill, well, others_ill, others_well = cells.T
    first, second = ill + well, others_ill + others_well
    values = np.log(ill / first) - np.log(others_ill / second)
    variances = 1 / ill - 1 / first + 1 / others_ill - 1 / second
    result = random_effects.pooled(values, variances)
    # As metafor has it (Viechtbauer 2010): rma(yi, vi, method = "DL").
    assert result.between == pytest.approx(0.3088, abs=5e-5)
    assert result.value == pytest.approx(-0.7141, abs=5e-5)
    assert result.error == pytest.approx(0.1787, abs=5e-5)


def test_sources_of_equal_variance_are_averaged() -> None:
    values = np.array([0.70, 0.78, 0.81, 0.85, 0.93])
    result = random_effects.pooled(values, np.full(5, 1e-4))
    assert result.value == pytest.approx(values.mean())
    # What they vary by more than each source's own variance.
    assert result.between == pytest.approx(values.var(ddof=1) - 1e-4)
    # Then the interval is that of a mean of five values (Hartung and Knapp).
    expected = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert result.bounds(0.95) == pytest.approx(expected)
    low, high = result.prediction(0.95)
    half = stats.t.ppf(0.975, 3) * np.sqrt(result.between + values.var(ddof=1) / 5)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half))


def test_sources_that_agree_have_one_value() -> None:
    variances = np.array([1e-4, 4e-4, 4e-4])
    result = random_effects.pooled(np.full(3, 0.8), variances)
    assert (result.value, result.between) == (pytest.approx(0.8), 0.0)
    assert result.error == pytest.approx((1 / variances).sum() ** -0.5)
    # The interval is no narrower than that of the known variances.
    low, high = result.bounds(0.95)
    assert high - low >= 2 * 1.96 * result.error
