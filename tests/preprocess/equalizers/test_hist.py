"""Global equalisation is OpenCV's, and the formula's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import exposure

from cxrtool.preprocess.equalizers.hist import equalize


def by_formula(grey: np.ndarray, top: int) -> np.ndarray:
    """Spec 2.1, written out slowly."""
    levels = sorted(set(grey.ravel().tolist()))
    if len(levels) == 1:
        return grey
    below = {v: int((grey <= v).sum()) for v in levels}
    first = below[levels[0]]
    table = {v: round(top * (below[v] - first) / (grey.size - first)) for v in levels}
    return np.vectorize(table.get)(grey)


@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20))))
def test_it_is_opencvs_bit_for_bit(grey: np.ndarray) -> None:
    np.testing.assert_array_equal(
        equalize(grey), grey if np.ptp(grey) == 0 else cv2.equalizeHist(grey)
    )


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_it_is_the_formula(grey: np.ndarray) -> None:
    # OpenCV multiplies by a scale in single precision: a tie may fall the other way.
    assert np.abs(equalize(grey).astype(int) - by_formula(grey, 255)).max() <= 1


@pytest.mark.parametrize("bits, top", [(8, 255), (16, 65535)])
def test_16_bits_are_ranked_on_their_own_levels(bits: int, top: int) -> None:
    grey = np.random.default_rng(1).integers(0, 4096, (30, 40)).astype(np.uint16)
    result = equalize(grey, bits)
    np.testing.assert_array_equal(result, by_formula(grey, top))
    assert (result.min(), result.max()) == (0, top)


def test_it_is_scikit_images_where_the_darkest_level_is_rare() -> None:
    grey = np.random.default_rng(2).integers(0, 256, (300, 300)).astype(np.uint8)
    grey[grey == 0] = 1
    grey[0, 0] = 0
    other = np.rint(255 * exposure.equalize_hist(grey))
    assert np.abs(equalize(grey) - other).max() <= 1
