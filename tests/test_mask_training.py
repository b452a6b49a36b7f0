"""The training of masks learns, does the same again, and moves masks with their images."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from cxrtool import masks
from cxrtool.architectures.unet import build
from cxrtool.mask_changes import Changes, augmented
from cxrtool.mask_training import Settings, fit, loss, resized, standardized

CALM = Changes(**{f.name: 0.0 for f in fields(Changes)} | {"scale": 1.0, "stretch": 1.0})
TINY = Settings(size=32, epochs=20, batch=4, rate=3e-2, averaged=0.5, changes=CALM)


def discs(count, side=32):
    """Dark discs on a bright ground, anywhere."""
    chance = np.random.default_rng(1)
    rows, columns = np.mgrid[:side, :side]
    middle = chance.uniform(0.3, 0.7, (count, 2, 1, 1)) * side
    shown = np.hypot(rows - middle[:, 0], columns - middle[:, 1]) < side / 4
    return np.where(shown, 60, 200).astype(np.uint8), shown


def trained(settings=TINY, **options):
    torch.manual_seed(0)
    network = build(width=4, size=32, norm="batch")
    return network, list(fit(network, *discs(24), settings, **options))


def test_the_loss_falls_and_unseen_discs_are_found() -> None:
    held_out = discs(40)[0][24:], discs(40)[1][24:]
    _, history = trained(held_out=held_out)
    assert [epoch.number for epoch in history] == list(range(1, 21))
    assert history[-1].loss < history[0].loss / 2
    assert history[-1].dice > 0.9


def test_the_same_seed_gives_the_same_network_and_another_another() -> None:
    settings = Settings(size=32, epochs=1, batch=4)
    first, again = (trained(settings)[0].state_dict() for _ in range(2))
    other = trained(Settings(size=32, epochs=1, batch=4, seed=1))[0].state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["last.weight"], other["last.weight"])


def test_an_image_of_no_weight_is_never_drawn() -> None:
    images, shown = discs(8)
    shown[4:] = ~shown[4:]
    network = build(width=4, size=32, norm="batch")
    weights = np.repeat([1.0, 0.0], 4)
    settings = Settings(size=32, epochs=40, batch=4, rate=3e-2, averaged=0.5, changes=CALM)
    history = list(fit(network, images, shown, settings, weights=weights))
    assert history[-1].loss < 0.5
    assert np.isnan(history[-1].dice)


def test_the_loss_is_least_for_the_truth() -> None:
    truth = torch.from_numpy(discs(2)[1]).float()
    assert loss(40 * truth - 20, truth) < 1e-3
    assert loss(20 - 40 * truth, truth) > 10
    assert loss(torch.full_like(truth, -20.0), torch.zeros_like(truth)) < 1e-3


def test_masks_move_with_their_images() -> None:
    images, shown = discs(60, 64)
    changes = Changes(clouded=0, equalized=0, marked=0, framed=0, spoilt=0, negative=0)
    moved, lungs = augmented(images, shown, 64, changes, np.random.default_rng(2))
    dice = []
    for image, mask in zip(moved, lungs, strict=True):
        inside, around = np.median(image[mask]), image[~mask].max()
        dark = image < (float(inside) + float(around)) / 2
        # Of what is outside of the image the mask tells nothing.
        near = masks.dilated(mask, 3)
        dice.append(masks.agreement(dark & near, mask).dice)
    assert np.median(dice) > 0.97


def test_changes_of_levels_leave_the_mask_alone() -> None:
    images, shown = discs(40, 64)
    busy = Changes(0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0.5, 1, 1, 1)
    changed, lungs = augmented(images, shown, 64, busy, np.random.default_rng(3))
    assert (lungs == shown).all()
    assert changed.dtype == np.uint8
    assert all((a != b).any() for a, b in zip(changed, images, strict=True))


def test_without_changes_the_image_stays_as_it_is() -> None:
    images, shown = discs(3)
    chance = np.random.default_rng(0)
    assert (augmented(images, shown, 32, CALM, chance)[1] == shown).all()


@pytest.mark.parametrize("side", [32, 50])
def test_an_image_without_lungs_has_none_afterwards(side: int) -> None:
    images = np.full((20, 40, 30), 90, np.uint8)
    changed, lungs = augmented(images, images > 100, side, Changes(), np.random.default_rng(4))
    assert changed.shape == lungs.shape == (20, side, side)
    assert not lungs.any()


def test_the_given_arrays_are_left_alone() -> None:
    images, shown = discs(10)
    before = images.tobytes(), shown.tobytes()
    images.flags.writeable = shown.flags.writeable = False
    augmented(images, shown, 32, Changes(), np.random.default_rng(5))
    assert (images.tobytes(), shown.tobytes()) == before


def test_standardized_images_have_mean_0_and_spread_1_and_constant_ones_are_0() -> None:
    images = np.concatenate([discs(2)[0], np.full((1, 32, 32), 77, np.uint8)])
    found = standardized(images)
    assert found.shape == (3, 1, 32, 32)
    assert found.mean((1, 2, 3)).abs().max() < 1e-5
    assert found[:2].std((1, 2, 3), correction=0).sub(1).abs().max() < 1e-4
    assert found[2].abs().max() < 1e-2
    assert resized(images[0], 16).shape == (16, 16)
