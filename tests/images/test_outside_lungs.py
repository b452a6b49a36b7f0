"""What surrounds the lungs and the shape of their mask, against numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cxrtool.images.outside_lungs import (
    CELLS,
    OUTSIDE,
    SHAPE,
    mask_quality,
    mask_shape,
    outside_lungs,
)

Array = NDArray[Any]


def two_lungs() -> Array:
    mask = np.zeros((100, 200), bool)
    mask[20:80, 40:80] = mask[20:80, 120:160] = True
    return mask


def named(names: tuple[str, ...], values: Array) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def test_lungs_change_nothing_of_what_surrounds_them() -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 200)).astype(np.uint8)
    other = np.where(two_lungs(), 255 - image, image)
    np.testing.assert_array_equal(
        outside_lungs(image, two_lungs()), outside_lungs(other, two_lungs())
    )


def test_grey_levels_and_cells_outside() -> None:
    image = np.full((100, 200), 51, np.uint8)
    image[:, 100:] = 204
    values = named(OUTSIDE, outside_lungs(image, two_lungs()))
    assert values["outside_share"] == 1 - 2 * 66 * 46 / 20000  # Widened by three pixels.
    assert values["outside_mean"] == pytest.approx(0.5)
    assert (values["outside_p5"], values["outside_p95"]) == pytest.approx((0.2, 0.8))
    assert values["outside_0_0"] == pytest.approx(0.2)
    assert values["outside_7_7"] == pytest.approx(0.8)
    # From 37.5 to 50 down and 50 to 75 across, all is lung.
    assert np.isnan(values["outside_3_2"])


def test_all_lung_and_no_lung() -> None:
    image = np.full((60, 60), 100, np.uint8)
    values = outside_lungs(image, np.ones((60, 60), bool))
    assert values[0] == 0 and np.isnan(values[1:]).all()
    nothing = outside_lungs(image, np.zeros((60, 60), bool))
    assert nothing[0] == 1 and np.allclose(nothing[-CELLS:], 100 / 255)
    shape = mask_shape(np.zeros((60, 60), bool))
    assert shape[0] == 0 and np.isnan(shape[1:]).all()


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="do not belong"):
        outside_lungs(np.zeros((4, 4), np.uint8), np.zeros((4, 5), bool))


def test_the_shape_of_a_mask() -> None:
    values = named(SHAPE, mask_shape(two_lungs()))
    assert values["mask_area"] == 0.24
    assert (values["mask_top"], values["mask_bottom"]) == (0.2, 0.8)
    assert (values["mask_left"], values["mask_right"]) == (0.2, 0.8)
    assert values["mask_aspect"] == 2
    assert (values["mask_x"], values["mask_y"]) == pytest.approx((0.5, 0.5))
    assert (values["mask_left_share"], values["mask_symmetry"]) == (0.5, 1)
    one = two_lungs()
    one[20:50, 40:80] = False
    lopsided = named(SHAPE, mask_shape(one))
    assert lopsided["mask_left_share"] == pytest.approx(1 / 3)
    assert lopsided["mask_symmetry"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 3)])
def test_tiny_images(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, bool)
    mask[0, 0] = True
    assert outside_lungs(np.zeros(shape, np.uint16), mask).shape == (len(OUTSIDE),)
    assert not np.isnan(mask_shape(mask)).any()


def test_the_quality_of_a_mask_is_that_of_its_pieces_and_its_flag() -> None:
    mask = np.zeros((100, 100), bool)
    mask[20:80, 15:40] = mask[20:80, 60:85] = True
    assert mask_quality(mask).tolist() == [2, 0]
    mask[90, 90] = True  # a speck is no piece
    assert mask_quality(mask).tolist() == [2, 0]
    mask[20:80, 15:40] = False
    assert mask_quality(mask).tolist() == [1, 1]
    assert mask_quality(np.zeros((9, 9), bool)).tolist() == [0, 1]
