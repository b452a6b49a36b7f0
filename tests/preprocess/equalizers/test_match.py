"""Matching gives the histogram of the reference, as scikit-image's does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import exposure

from cxrtool.core import registry
from cxrtool.files import image
from cxrtool.preprocess.equalizers.match import equalize

RANDOM = np.random.default_rng(3)
SOURCE = RANDOM.normal(90, 30, (60, 80)).clip(0, 255).astype(np.uint8)
TARGET = RANDOM.normal(150, 20, (50, 40)).clip(0, 255).astype(np.uint8)


def reference(folder: Path, grey: np.ndarray) -> registry.File:
    image.write_png(folder / "r.png", grey)
    return registry.File(folder / "r.png")


def test_it_is_scikit_images_cut_to_whole_numbers(tmp_path: Path) -> None:
    result = equalize(SOURCE, reference=reference(tmp_path, TARGET))
    other = exposure.match_histograms(SOURCE.astype(float), TARGET.astype(float))
    np.testing.assert_array_equal(result, np.trunc(other + 1e-9))


def test_an_image_matched_to_itself_stays(tmp_path: Path) -> None:
    np.testing.assert_array_equal(equalize(SOURCE, reference=reference(tmp_path, SOURCE)), SOURCE)


def test_what_is_darker_than_the_reference_gets_its_lowest_level(tmp_path: Path) -> None:
    grey = np.array([[0] * 9 + [200] * 91], np.uint8)
    result = equalize(
        grey, reference=reference(tmp_path, np.array([[50] * 20 + [60] * 80], np.uint8))
    )
    assert (result[0, 0], result[0, -1]) == (50, 60)


@pytest.mark.parametrize(
    "bits, dtype, high", [(8, np.uint8, 255), (16, np.uint16, 11 * int(TARGET.max()))]
)
def test_16_bits(tmp_path: Path, bits: int, dtype: type, high: int) -> None:
    deep = SOURCE.astype(np.uint16) * 17
    target = TARGET.astype(np.uint16) * 11
    result = equalize(deep, bits, reference=reference(tmp_path, target))
    assert result.dtype == dtype
    assert 0.9 * high <= result.max() <= high
