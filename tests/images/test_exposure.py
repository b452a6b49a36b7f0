"""Contrast and clipped pixels, against counting in NumPy."""

import numpy as np
import pytest

from cxrtool.images.exposure import NAMES, exposure


def test_it_counts_as_numpy_does() -> None:
    image = np.random.default_rng(0).integers(0, 256, (61, 47)).astype(np.uint8)
    contrast, black, white = exposure(image)
    assert black == pytest.approx((image <= 2).mean())
    assert white == pytest.approx((image >= 253).mean())
    low, high = np.percentile(image, [5, 95], method="inverted_cdf")
    assert contrast == pytest.approx((high - low) / 255)


@pytest.mark.parametrize("level", [0, 100, 255])
def test_an_image_of_one_level_has_no_contrast(level: int) -> None:
    values = exposure(np.full((8, 8), level, np.uint8))
    assert values.tolist() == [0, float(level == 0), float(level == 255)]


def test_sixteen_bits_are_looked_at_in_eight() -> None:
    image = np.linspace(1000, 30000, 10000).reshape(100, 100).astype(np.uint16)
    contrast, black, white = exposure(image)
    assert contrast == pytest.approx(0.9, abs=0.01)
    assert [black, white] == pytest.approx([2.5 / 255, 2.5 / 255], abs=0.002)


def test_what_is_no_image_is_refused() -> None:
    for shape in ((0, 4), (2, 2, 3)):
        with pytest.raises(ValueError, match="not 2-D"):
            exposure(np.zeros(shape, np.uint8))
    assert len(NAMES) == len(exposure(np.zeros((1, 1), np.uint8)))
