"""Boxes around a lesion: read, written, and drawn as a mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrtool.data import lesion_boxes

NUMBERS = st.integers(0, 60)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4))
def test_a_mask_is_what_is_in_any_box(boxes: list[tuple[float, float, float, float]]) -> None:
    assert lesion_boxes.boxes_of(lesion_boxes.cell_of(boxes)) == boxes
    mask = lesion_boxes.lesion_mask(boxes, (50, 40))
    expected = np.zeros((50, 40), np.uint8)
    for y in range(50):
        for x in range(40):
            if any(a <= x < a + w and b <= y < b + h for a, b, w, h in boxes):
                expected[y, x] = 255
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(
    "cell",
    ["", "1 2 3", "1 2 3 4 5", "a b c d", "1 2 3 4;x", "-1 2 3 4", "1,2,3,4", "9999999 1 1 1"],
)
def test_what_is_no_box(cell: str) -> None:
    assert lesion_boxes.boxes_of(cell) == []
