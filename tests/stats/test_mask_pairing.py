"""Heat in the own mask and in the masks of others: recomputed pair by pair, and by resampling."""

from __future__ import annotations

import numpy as np
import pytest

from cxrtool.stats import mask_pairing
from cxrtool.stats.metrics import Floats, Ints


def made(seed: int, follow: float, number: int = 60) -> tuple[Floats, Floats, Ints]:
    """Make masks of 40 places, and heat that follows the own mask or a mean one."""
    rng = np.random.default_rng(seed)
    patients = np.sort(rng.integers(0, 2 * number // 3, number))
    centre = rng.uniform(15, 25, number)
    places = np.arange(40)
    masks = (np.abs(places - centre[:, None]) < 8).astype(float)
    spot = follow * centre + (1 - follow) * 20 + rng.normal(0, 2, number)
    heat = np.exp(-((places - spot[:, None]) ** 2) / 30) - 0.05
    return heat, masks, patients


def test_it_is_the_mean_over_pairs() -> None:
    heat, masks, patients = made(0, 0.5, 20)
    own, others = [], []
    for i in range(20):
        warm = np.maximum(heat[i], 0)
        inside = [float(warm[masks[j] > 0].sum() / warm.sum()) for j in range(20)]
        own.append(inside[i])
        others.append(np.mean([inside[j] for j in range(20) if patients[j] != patients[i]]))
    found = mask_pairing.paired(heat, masks, patients)
    assert found.own == pytest.approx(np.mean(own))
    assert found.others == pytest.approx(np.mean(others))
    assert found.difference.value == pytest.approx(np.mean(own) - np.mean(others))


@pytest.mark.slow
def test_the_interval_holds_the_expected_difference() -> None:
    differences = [mask_pairing.paired(*made(seed, 0.3)).difference for seed in range(300)]
    truth = np.mean([one.value for one in differences])
    held = [one.bounds(0.95)[0] <= truth <= one.bounds(0.95)[1] for one in differences]
    assert 0.91 <= np.mean(held) <= 0.985


def test_heat_that_ignores_the_image_follows_nobody() -> None:
    _, masks, patients = made(3, 0)
    same = np.tile(np.exp(-((np.arange(40) - 20.0) ** 2) / 30), (60, 1))
    low, high = mask_pairing.paired(same, masks, patients).difference.bounds(0.99)
    assert low <= 0 <= high
    low, _ = mask_pairing.paired(*made(3, 1)).difference.bounds(0.99)
    assert low > 0


def test_maps_without_heat_and_empty_masks_are_left_out() -> None:
    heat, masks, patients = made(4, 1, 30)
    kept = mask_pairing.paired(heat[2:], masks[2:], patients[2:])
    heat[0], masks[1] = -1, 0
    found = mask_pairing.paired(heat, masks, patients)
    assert found.images == 28 and found.own == pytest.approx(kept.own)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_one_patient_alone_has_nobody_to_compare_with(number: int) -> None:
    found = mask_pairing.paired(
        np.ones((number, 4)), np.ones((number, 4)), np.zeros(number, np.int64)
    )
    assert found.images == 0 and np.isnan(found.difference.value)
