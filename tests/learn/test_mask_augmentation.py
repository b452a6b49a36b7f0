"""Changes of images for learning masks: masks move with their images, and with nothing else."""

from dataclasses import fields

import numpy as np

from cxrtool.images import masks
from cxrtool.learn.mask_augmentation import Changes, changed

CALM = Changes(**{f.name: 0.0 for f in fields(Changes)} | {"scale": 1.0, "stretch": 1.0})


def discs(count, side=32):
    """Dark discs on a bright ground, anywhere."""
    chance = np.random.default_rng(1)
    rows, columns = np.mgrid[:side, :side]
    middle = chance.uniform(0.3, 0.7, (count, 2, 1, 1)) * side
    shown = np.hypot(rows - middle[:, 0], columns - middle[:, 1]) < side / 4
    return np.where(shown, 60, 200).astype(np.uint8), shown


def pairs(images, shown, changes, seed):
    chance = np.random.default_rng(seed)
    return [changed(i, m, chance, changes) for i, m in zip(images, shown, strict=True)]


def test_masks_move_with_their_images() -> None:
    changes = Changes(clouded=0, equalized=0, marked=0, framed=0, spoilt=0, negative=0)
    dice = []
    for image, mask in pairs(*discs(60, 64), changes, 2):
        inside, around = np.median(image[mask]), image[~mask].max()
        dark = image < (float(inside) + float(around)) / 2
        # Of what is outside of the image the mask tells nothing.
        near = masks.dilated(mask, 3)
        dice.append(masks.agreement(dark & near, mask).dice)
    assert np.median(dice) > 0.97


def test_changes_of_levels_leave_the_mask_alone() -> None:
    images, shown = discs(40, 64)
    busy = Changes(0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0.5, 1, 1, 1)
    found = pairs(images, shown, busy, 3)
    assert all((mask == before).all() for (_, mask), before in zip(found, shown, strict=True))
    assert all((image != b).any() for (image, _), b in zip(found, images, strict=True))
    assert {image.dtype for image, _ in found} == {np.dtype(np.uint8)}


def test_without_changes_the_mask_stays_as_it_is() -> None:
    images, shown = discs(3)
    found = pairs(images, shown, CALM, 0)
    assert all((mask == before).all() for (_, mask), before in zip(found, shown, strict=True))


def test_an_image_without_lungs_has_none_afterwards() -> None:
    images = np.full((20, 40, 40), 90, np.uint8)
    found = pairs(images, images > 100, Changes(), 4)
    assert all(i.shape == m.shape == (40, 40) and not m.any() for i, m in found)


def test_the_same_seed_does_the_same() -> None:
    image, mask = (array[0] for array in discs(1, 64))
    first, again, other = (changed(image, mask, np.random.default_rng(s)) for s in (5, 5, 6))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != other[0]).any()


def test_the_given_arrays_are_left_alone() -> None:
    images, shown = discs(10)
    before = images.tobytes(), shown.tobytes()
    images.flags.writeable = shown.flags.writeable = False
    pairs(images, shown, Changes(), 5)
    assert (images.tobytes(), shown.tobytes()) == before
