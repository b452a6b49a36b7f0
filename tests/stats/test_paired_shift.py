"""The mean of a paired difference has the interval of a t test, and counts patients, not images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cxrtool.stats import paired_shift


def test_with_one_image_a_patient_it_is_the_paired_t_interval() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0.3, 1, 40)
    own = paired_shift.mean(values, np.arange(40))
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert own.value == pytest.approx(values.mean())
    assert own.bounds(0.9) == pytest.approx((theirs.low, theirs.high))


def test_images_that_repeat_a_patient_add_nothing() -> None:
    values = np.random.default_rng(1).normal(size=25)
    once = paired_shift.mean(values, np.arange(25))
    again = paired_shift.mean(np.repeat(values, 4), np.repeat(np.arange(25), 4))
    assert again.bounds(0.95) == pytest.approx(once.bounds(0.95))


def test_the_interval_holds_the_true_mean_where_patients_differ() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        counts = rng.integers(1, 6, 40)
        patients = np.repeat(np.arange(40), counts)
        values = rng.normal(size=40)[patients] + rng.normal(0, 0.5, len(patients))
        low, high = paired_shift.mean(values, patients).bounds(0.95)
        held += low <= 0 <= high
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize("number", [0, 1])
def test_one_patient_has_no_interval(number: int) -> None:
    low, high = paired_shift.mean(np.ones(number), np.zeros(number, np.int64)).bounds(0.95)
    assert np.isnan(low) and np.isnan(high)
