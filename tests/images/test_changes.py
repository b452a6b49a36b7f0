"""Changes of an image touch the place that they name, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cxrtool.images import changes
from cxrtool.images.changes import CORNERS, Bytes

SHAPES = [(90, 120), (120, 90), (64, 64, 3), (2, 3), (1, 1)]


def picture(shape: tuple[int, ...]) -> Bytes:
    return np.random.default_rng(0).integers(40, 200, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("corner", CORNERS)
def test_a_box_lies_in_its_corner(shape: tuple[int, ...], corner: str) -> None:
    box = changes.box_in(corner, shape, 0.1, 0.02)
    height, width = shape[:2]
    assert box.x >= 0 and box.x + box.width <= width
    assert box.y >= 0 and box.y + box.height <= height
    if min(height, width) > 10:
        assert (box.x < width / 2) == ("left" in corner)
        assert (box.y < height / 2) == ("upper" in corner)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "change",
    [
        lambda image, box: changes.covered(image, [box]),
        lambda image, box: changes.mirrored(image, [box]),
        lambda image, box: changes.lettered(image, box),
        lambda image, box: changes.whitened(image, box),
    ],
)
def test_outside_of_the_box_nothing_changes(
    shape: tuple[int, ...], change: Callable[..., Bytes]
) -> None:
    image = picture(shape)
    before = image.copy()
    box = changes.box_in("lower right", shape, 0.25)
    result = change(image, box)
    assert (image == before).all()
    assert result.shape == image.shape and result.dtype == np.uint8
    outside = np.ones(shape[:2], bool)
    outside[box.slices] = False
    assert (result[outside] == image[outside]).all()


def test_a_letter_is_white_and_lies_inside_of_its_box() -> None:
    image = np.zeros((200, 300), np.uint8)
    box = changes.box_in("upper left", image.shape, changes.LETTER_BOX, changes.OFFSET)
    white = np.count_nonzero(changes.lettered(image, box))
    # A letter, not a patch.
    assert 0.15 < white / box.area < 0.7
    assert changes.lettered(image, box).max() == 255


def test_mirrored_twice_is_the_same_picture() -> None:
    image = picture((60, 80))
    boxes = [changes.box_in(corner, image.shape, 0.2) for corner in CORNERS]
    once = changes.mirrored(image, boxes)
    assert (once != image).any()
    assert (changes.mirrored(once, boxes) == image).all()
    assert (np.sort(once, axis=None) == np.sort(image, axis=None)).all()


def test_a_border_is_cut_off_by_the_same_width() -> None:
    image = picture((100, 200))
    assert (changes.without_border(image, 0.06) == image[6:94, 6:194]).all()
    assert changes.without_border(picture((1, 1))).shape == (1, 1)


def test_a_mask_keeps_what_is_inside() -> None:
    image = picture((20, 30, 3))
    mask = np.zeros((20, 30), bool)
    mask[5:9] = True
    result = changes.masked(image, mask)
    assert (result[mask] == image[mask]).all() and not result[~mask].any()
