"""Burnt-in text is found and leaves no trace; a body without text stays as it is."""

from __future__ import annotations

import itertools
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cxrtool.files.boxes import Box
from cxrtool.images import text_boxes
from cxrtool.images.covering import cover
from cxrtool.images.text_boxes import find
from cxrtool.phantoms import PhantomCase, plan, render
from cxrtool.phantoms.rendering import beam

Array = NDArray[Any]
FONT = cv2.FONT_HERSHEY_SIMPLEX


def smooth(height: int = 512, width: int = 512, dark: int = 40, bright: int = 170) -> Array:
    """A ground like that of a body: it changes, but nowhere at once."""
    down, across = np.mgrid[0:height, 0:width] / (height, width)[0]
    waves = np.sin(3 * down) * np.cos(2 * across) + 0.2 * np.sin(9 * down + 5 * across)
    waves = (waves - waves.min()) / np.ptp(waves)
    return (dark + (bright - dark) * waves).astype(np.uint8)


def share(boxes: list[Box], where: Array) -> float:
    """Tell which share of the pixels is covered."""
    covered = np.zeros(where.shape, bool)
    for x, y, width, height in boxes:
        covered[y : y + height, x : x + width] = True
    return float(covered[where].mean())


def written(grey: Array, text: str, x: int, y: int, height: int, level: int = 250) -> Array:
    """Write text, in place, and return where it is."""
    before, scale = grey.copy(), height / 22
    thick = max(1, height // 9)
    cv2.putText(grey, text, (x, y + height), FONT, scale, level, thick, cv2.LINE_AA)
    return np.asarray(grey != before)


def without_text(case: PhantomCase, size: int) -> Array:
    """The body of a phantom before its hospital marks it."""
    rays = beam(case, size)[0]
    return cv2.normalize(np.exp(-rays), None, 230, 10, cv2.NORM_MINMAX).astype(np.uint8)


def is_constant(grey: Array, box: Box) -> bool:
    return len(np.unique(grey[box.y : box.y + box.height, box.x : box.x + box.width])) == 1


@pytest.mark.parametrize("text", ["L", "R", "PORTABLE", "AP 12/03/2020", "A1"])
@pytest.mark.parametrize("height", [10, 18, 40])
@pytest.mark.parametrize(("x", "y"), [(30, 40), (650, 50), (400, 950), (60, 930)])
def test_text_in_a_large_image_is_found(text: str, height: int, x: int, y: int) -> None:
    grey = smooth(1024, 1024)
    where = written(grey, text, x, y, height)
    assert share(find(grey), where) == 1


@pytest.mark.parametrize("size", [200, 320, 512, 1500, 2400])
def test_text_in_an_image_of_any_size_is_found(size: int) -> None:
    grey = smooth(size, size * 5 // 4)
    where = written(grey, "PORTABLE", size // 20, size // 15, max(8, size // 30))
    found = find(grey)
    assert len(found) == 1
    assert share(found, where) == 1


def test_the_covered_picture_has_no_trace_of_the_text() -> None:
    clean = smooth(768, 768)
    grey = clean.copy()
    where = written(grey, "PORTABLE", 60, 60, 20)
    found = find(grey)
    covered = cover(grey, found)
    assert len(found) == 1
    assert is_constant(covered, found[0])
    assert np.abs(covered.astype(int) - clean)[where].max() < 30
    assert not find(covered)


def test_letters_of_another_hand_are_found() -> None:
    picture = Image.fromarray(smooth(640, 640))
    before = np.asarray(picture).copy()
    font = ImageFont.load_default(size=26)
    ImageDraw.Draw(picture).text((480, 40), "ERECT", fill=255, font=font)
    grey = np.asarray(picture)
    found = find(grey)
    assert share(found, grey != before) == 1
    assert sum(b.width * b.height for b in found) < 0.03 * grey.size


def test_the_glyphs_of_a_line_are_one_box_and_two_markers_are_two() -> None:
    grey = smooth()
    written(grey, "L", 460, 40, 22)
    written(grey, "SUPINE", 30, 460, 16)
    assert len(find(grey)) == 2


def test_an_arrow_is_found() -> None:
    grey = smooth()
    before = grey.copy()
    cv2.arrowedLine(grey, (20, 200), (90, 220), 255, 5, cv2.LINE_AA, tipLength=0.35)
    assert share(find(grey), grey != before) == 1


@pytest.mark.parametrize("level", [60, 135, 190])
def test_a_letter_on_a_plate_is_covered_with_its_plate(level: int) -> None:
    grey = smooth(dark=80, bright=160)
    plate = Box(440, 60, 36, 44)
    where = np.zeros(grey.shape, bool)
    where[plate.y : plate.y + plate.height, plate.x : plate.x + plate.width] = True
    grey[where] = level
    cv2.putText(grey, "L", (plate.x + 9, plate.y + 34), FONT, 1, level + 60, 2, cv2.LINE_AA)
    assert share(find(grey), where) == 1


def test_dark_text_on_a_white_plate_is_found() -> None:
    grey = smooth()
    grey[60:110, 40:80] = 255
    where = np.zeros(grey.shape, bool)
    where[60:110, 40:80] = True
    cv2.putText(grey, "2", (48, 98), FONT, 1.1, 0, 3, cv2.LINE_AA)
    assert share(find(grey), where) == 1


def test_16_bits_are_looked_at_like_8() -> None:
    grey = smooth(600, 600)
    where = written(grey, "PORTABLE", 40, 40, 18)
    deep = grey.astype(np.uint16) * 16
    found = find(deep)
    covered = cover(deep, found)
    assert share(found, where) == 1
    assert covered.dtype == np.uint16
    assert all(is_constant(covered, box) for box in found)


@pytest.mark.parametrize("size", [256, 512])
def test_the_markers_of_phantom_hospitals_are_found_and_little_else(size: int) -> None:
    cases = plan(24)
    for case in cases:
        grey = render(case, size).image
        found = find(grey)
        assert 1 <= len(found) <= 2, case
        covered = cover(grey, found)
        assert is_constant(covered, found[0])
        assert sum(b.width * b.height for b in found) < 0.03 * grey.size


def test_a_marker_written_over_a_phantom_is_covered() -> None:
    for case in plan(8):
        grey = without_text(case, 512)
        where = written(grey, "R 14:05", 20, 30, 16, level=255)
        assert share(find(grey), where) > 0.98


def test_bodies_without_text_have_hardly_a_box() -> None:
    counts = [len(find(without_text(case, 512))) for case in plan(20)]
    assert sum(counts) <= 1


def test_smooth_grounds_have_no_box() -> None:
    assert not find(smooth())
    assert not find(smooth(700, 300, 0, 255))


def test_lungs_and_what_lies_in_them_stay() -> None:
    """An electrode with its cable in the middle of the chest is part of the picture."""
    grey = smooth()
    cv2.circle(grey, (300, 260), 9, 215, -1, cv2.LINE_AA)
    cv2.line(grey, (300, 260), (511, 400), 200, 2, cv2.LINE_AA)
    assert not find(cv2.GaussianBlur(grey, (5, 5), 1.2))


def test_a_page_full_of_text_is_covered_up_to_the_limit() -> None:
    grey = smooth()
    for y in range(10, 500, 24):
        written(grey, "PNEUMONIA AND MORE TEXT", 10, y, 14)
    found = find(grey)
    assert found
    area = sum(b.width * b.height for b in found)
    assert area <= text_boxes.MOST_COVERED * grey.size + 1


def slowly_covered(grey: Array, boxes: list[Box]) -> Array:
    """What `cover` does, pixel by pixel."""
    height, width = grey.shape
    inside = {b: pixels(b, height, width) for b in boxes}
    inside = {b: p for b, p in inside.items() if p}
    result = grey.copy()
    for box in inside:
        wider = Box(box.x - 5, box.y - 5, box.width + 10, box.height + 10)
        frame = pixels(clip(wider, height, width), height, width) - inside[box]
        others = set().union(*(p for b, p in inside.items() if b != box))
        frame = frame - others or frame or set(itertools.product(range(height), range(width)))
        level = np.rint(np.median([grey[p] for p in frame]))
        for p in inside[box]:
            result[p] = level
    return result


def clip(box: Box, height: int, width: int) -> Box:
    left, top = max(box.x, 0), max(box.y, 0)
    right, bottom = min(box.x + box.width, width), min(box.y + box.height, height)
    return Box(left, top, right - left, bottom - top)


def pixels(box: Box, height: int, width: int) -> set[tuple[int, int]]:
    rows = range(max(0, box.y), min(height, box.y + box.height))
    return set(itertools.product(rows, range(max(0, box.x), min(width, box.x + box.width))))


# Boxes of a grid overlap nowhere, but touch; where they overlap, any of their levels is right.
SPOTS = st.sets(st.tuples(st.integers(-1, 5), st.integers(-1, 4)), max_size=9)


@settings(max_examples=60)
@given(SPOTS, st.integers(1, 9), st.integers(1, 7), st.sampled_from([np.uint8, np.uint16]))
def test_cover_does_what_a_slow_one_does(spots: Any, width: int, height: int, kind: Any) -> None:
    rng = np.random.default_rng(width * height)
    grey = rng.integers(0, np.iinfo(kind).max, (31, 43), dtype=kind)
    boxes = [Box(x * 9 + 1, y * 7 - 1, width, height) for x, y in spots]
    covered, kept = cover(grey, boxes), grey.copy()
    assert covered.dtype == kind
    assert np.array_equal(covered, slowly_covered(grey, boxes))
    assert np.array_equal(cover(grey, boxes[::-1] + boxes), covered)
    assert np.array_equal(grey, kept)


def test_overlapping_boxes_may_come_in_any_order() -> None:
    grey = np.random.default_rng(3).integers(0, 255, (60, 60), dtype=np.uint8)
    boxes = [Box(5, 5, 20, 20), Box(15, 12, 30, 9), Box(18, 2, 6, 50), Box(-4, -4, 12, 12)]
    results = [cover(grey, list(order)) for order in itertools.permutations(boxes)]
    assert all(np.array_equal(result, results[0]) for result in results)


def test_a_box_that_is_the_whole_image_has_its_median() -> None:
    grey = np.arange(35, dtype=np.uint8).reshape(5, 7)
    assert (cover(grey, [Box(-3, -3, 100, 100)]) == 17).all()


def test_boxes_outside_and_empty_ones_are_left_out() -> None:
    grey = smooth(40, 50)
    outside = [Box(50, 0, 5, 5), Box(-9, 3, 9, 9), Box(0, 40, 3, 3), Box(5, 5, 0, 9)]
    assert np.array_equal(cover(grey, outside), grey)
    assert not np.shares_memory(cover(grey, []), grey)


def test_where_only_other_boxes_surround_one_their_pixels_count() -> None:
    grey = np.zeros((20, 20), np.uint8)
    grey[5:15, 5:15] = 80
    grey[8:12, 8:12] = 255
    covered = cover(
        grey,
        [Box(8, 8, 4, 4), Box(0, 0, 20, 8), Box(0, 12, 20, 8), Box(0, 8, 8, 4), Box(12, 8, 8, 4)],
    )
    assert covered[9, 9] == 80 or covered[9, 9] == 0
    assert covered.max() < 255


SHAPES = [
    (0, 0),
    (0, 5),
    (1, 1),
    (1, 900),
    (900, 1),
    (2, 2),
    (9, 9),
    (10, 10),
    (11, 4000),
    (5000, 12),
    (37, 53),
    (641, 512),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_odd_inputs_raise_nothing(shape: tuple[int, int], kind: Any) -> None:
    rng = np.random.default_rng(5)
    most = np.iinfo(kind).max
    noise = rng.integers(0, most, shape, dtype=kind, endpoint=True)
    specks = np.where(rng.random(shape) < 0.03, most, 0).astype(kind)
    stripes = np.resize(np.array([0, most], kind), shape)
    for grey in (np.zeros(shape, kind), np.full(shape, most), noise, specks, stripes):
        boxes = find(grey)
        assert sum(b.width * b.height for b in boxes) <= text_boxes.MOST_COVERED * grey.size
        assert all(type(v) is int for b in boxes for v in b)
        assert all(b == clip(b, *shape) for b in boxes)
        assert cover(grey, boxes).shape == shape


def test_an_array_that_is_a_view_gives_what_its_copy_gives() -> None:
    large = smooth(512, 1024)
    written(large, "PORTABLE", 60, 40, 30)
    for view in (large[:, ::2], large[::-1], large.T):
        view.flags.writeable = False
        assert find(view) == find(np.ascontiguousarray(view))
