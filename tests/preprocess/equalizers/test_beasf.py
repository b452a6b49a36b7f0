"""BEASF is the published code's, and its repaired variant is what that code meant."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cxrtool.preprocess.equalizers.beasf import equalize


def step_by_step(grey: np.ndarray, gamma: float) -> np.ndarray | None:
    """Spec 2.4, steps 1 to 8, with plain loops; None where a guard has to step in."""
    mean = int(grey.astype(np.int64).sum() / grey.size)
    share = np.histogram(grey, bins=256)[0] / grey.size
    lower, upper = [0.0] * 257, [0.0] * 257
    total = 0.0
    for i in range(mean + 1):
        total += share[i]
    running = 0.0
    for i in range(mean + 1):
        running += share[i] / total
        lower[i] = running
    total = 0.0
    for i in range(mean, 256):
        total += share[i]
    running = 0.0
    for i in range(mean, 256):
        running += share[i] / total
        upper[i] = running
    low = next(i for i in range(mean + 2) if lower[i] > 0.5)
    high = next(i for i in range(mean, 256) if upper[i + 1] > 0.5)
    if mean == 0:
        return None
    table = np.zeros(256)
    at = np.arange(0, mean + 1)
    a = [int(mean * s) for s in 1 / (1 + np.exp(-gamma * (5.0 * (at - low) / mean)))]
    at = np.arange(mean, 256)
    s_up = 1 / (1 + np.exp(-gamma * (5.0 * (at - high) / (255 - mean))))
    b = {i: int(mean + (255 - mean) * s_up[i - 1 - mean]) for i in range(mean + 1, 256)}
    if a[mean] == a[0] or b[255] == b[mean + 1]:
        return None
    for i in range(mean + 1):
        table[i] = int((mean / (a[mean] - a[0])) * (a[i] - a[0]))
    for i in range(mean + 1, 256):
        table[i] = (255 - mean) * (b[i] - b[mean + 1]) / (b[255] - b[mean + 1]) + mean
    return table[grey].astype(np.uint8)


def ramp(low: int, high: int) -> np.ndarray:
    random = np.random.default_rng(low)
    return (
        random.normal((low + high) / 2, (high - low) / 5, (80, 90)).clip(low, high).astype(np.uint8)
    )


images = arrays(np.uint8, st.tuples(st.integers(2, 30), st.integers(2, 30)))


@settings(max_examples=400)
@given(images, st.sampled_from([0.5, 1.0, 1.5, 2.0]))
def test_it_is_the_code_bit_for_bit(grey: np.ndarray, gamma: float) -> None:
    expected = step_by_step(grey, gamma) if np.ptp(grey) else None
    if expected is not None:
        np.testing.assert_array_equal(equalize(grey, gamma=gamma), expected)


@pytest.mark.parametrize("low, high", [(0, 255), (16, 222), (66, 248), (100, 140), (0, 60)])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 1.5, 2.0])
def test_it_is_the_code_on_pictures_of_every_range(low: int, high: int, gamma: float) -> None:
    grey = ramp(low, high)
    expected = step_by_step(grey, gamma)
    assert expected is not None
    np.testing.assert_array_equal(equalize(grey, gamma=gamma), expected)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 1.5, 2.0])
def test_the_repaired_variant_is_near_where_the_range_is_full(gamma: float) -> None:
    grey = ramp(0, 255)
    grey[0, :2] = 0, 255
    away = np.abs(
        equalize(grey, gamma=gamma).astype(int) - equalize(grey, gamma=gamma, variant="fixed")
    )
    assert away.max() <= 2


def test_the_variants_differ_where_the_range_is_narrow() -> None:
    grey = ramp(100, 140)
    code, fixed = equalize(grey), equalize(grey, variant="fixed")
    # The code takes bins of the range for grey levels, and loses contrast.
    assert np.ptp(code.astype(int)) < np.ptp(fixed.astype(int))


@given(images)
def test_the_repaired_variant_keeps_the_order(grey: np.ndarray) -> None:
    result = equalize(grey, variant="fixed")
    table = dict(sorted(zip(grey.ravel().tolist(), result.ravel().tolist(), strict=True)))
    assert list(table.values()) == sorted(table.values())


@pytest.mark.parametrize("variant", ["code", "fixed"])
@pytest.mark.parametrize("gamma", [0.01, 1.5, 100.0])
def test_no_warning_and_no_crash_at_the_extremes(variant: str, gamma: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for black in (0, 255):
            grey = np.full((20, 20), black, np.uint8)
            grey[3, 3] = 255 - black
            result = equalize(grey, gamma=gamma, variant=variant)
            assert result[3, 3] == 255 - black or variant == "code"


def test_a_half_without_a_slope_stays() -> None:
    """The code makes one black pixel on white wholly black."""
    grey = np.full((20, 20), 255, np.uint8)
    grey[3, 3] = 0
    np.testing.assert_array_equal(equalize(grey), grey)


@pytest.mark.slow
def test_a_huge_bright_image_does_not_overflow() -> None:
    """The code sums in 32 bits, and crashes here."""
    grey = np.full((3000, 3000), 245, np.uint8)
    grey[:, ::50] = 235
    assert equalize(grey).max() > 200
