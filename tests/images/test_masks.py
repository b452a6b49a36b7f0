"""Functions on masks, against slow computations written another way and examples made by hand."""

import math
from time import process_time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, spatial

from cxrtool.images import masks
from cxrtool.phantoms import plan, render

Mask = NDArray[np.bool_]


def blobs(seed: int, shape: tuple[int, int] = (40, 50), level: float = 0.0) -> Mask:
    noise = np.random.default_rng(seed).normal(size=shape)
    return np.asarray(ndimage.gaussian_filter(noise, 3) > level)


def lungs(shape: tuple[int, int] = (100, 100)) -> Mask:
    """Two upright boxes where lungs lie, which cover 0.36 of the image."""
    mask = np.zeros(shape, bool)
    height, width = shape
    for left in (0.12, 0.58):
        low, high = round(left * width), round((left + 0.3) * width)
        mask[round(0.15 * height) : round(0.75 * height), low:high] = True
    return mask


def slow_boundary(mask: Mask) -> list[tuple[int, int]]:
    height, width = mask.shape
    found = []
    for row, column in np.argwhere(mask):
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        inside = [0 <= r < height and 0 <= c < width and bool(mask[r, c]) for r, c in around]
        if not all(inside):
            found.append((int(row), int(column)))
    return found


def slow_hd95(one: Mask, other: Mask) -> float:
    first, second = slow_boundary(one), slow_boundary(other)
    ways = []
    for start, goal in ((first, second), (second, first)):
        nearest = sorted(min(math.dist(a, b) for b in goal) for a in start)
        place = 0.95 * (len(nearest) - 1)
        below, above = nearest[math.floor(place)], nearest[math.ceil(place)]
        ways.append(below + (place - math.floor(place)) * (above - below))
    return max(ways)


# --- Whether a mask is plausible.


def test_plausible_lungs_are_not_flagged() -> None:
    assert masks.flag(lungs()) == ""


def test_the_truth_of_phantoms_is_not_flagged() -> None:
    assert [masks.flag(render(case, 128).mask) for case in plan(20, seed=4)] == [""] * 20


def test_an_empty_mask_is_only_empty() -> None:
    assert masks.flag(np.zeros((20, 30), bool)) == "empty"
    assert masks.flag(np.zeros((1, 1), bool)) == "empty"


def test_one_lung_is_flagged_whole_or_cut_in_two() -> None:
    half = lungs()
    half[:, 50:] = False
    assert masks.flag(half) == "one lung"
    half[44:46] = False
    assert masks.flag(half) == "one lung"


def test_a_remnant_of_a_lung_is_flagged() -> None:
    mask = lungs()
    mask[25:, 50:] = False
    assert masks.flag(mask) == "one lung"
    mask[25:45, 58:88] = True
    assert masks.flag(mask) == ""


def test_lungs_grown_together_are_flagged() -> None:
    mask = lungs()
    mask[30:40, 40:60] = True
    assert masks.flag(mask) == "one lung"


def test_specks_are_neither_lungs_nor_pieces() -> None:
    mask = lungs()
    mask[90:98:2, 0:98:4] = True
    assert masks.flag(mask) == ""


def test_many_pieces_are_flagged() -> None:
    mask = lungs()
    mask[28:30] = mask[50:52] = False
    assert masks.flag(mask) == "many pieces"


def test_masks_too_small_and_too_large_are_flagged() -> None:
    small = cv2.resize(lungs().astype(np.uint8), (50, 50), interpolation=cv2.INTER_AREA)
    assert masks.flag(np.pad(small, 25)) == "too small"
    large = np.pad(lungs()[15:75, 12:88], 2)
    assert masks.flag(large) == "too large"


def test_an_outline_along_the_border_is_flagged() -> None:
    assert masks.flag(lungs()[:75]) == "touches the border"
    assert masks.flag(lungs()[15:]) == "touches the border"
    assert masks.flag(lungs()[:, 12:]) == "touches the border"


def test_reasons_are_joined() -> None:
    assert masks.flag(np.ones((30, 30), bool)) == "too large; one lung; touches the border"


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_tiny_masks_are_flagged(shape: tuple[int, int]) -> None:
    assert masks.flag(np.ones(shape, bool))


def test_a_mask_of_other_numbers_counts_as_its_bits() -> None:
    assert masks.flag(lungs().astype(np.uint8) * 255) == ""
    assert masks.flag(lungs().astype(np.float32) * 0.25) == ""


def test_a_thing_flagged_stays_so_at_any_size() -> None:
    for size in (64, 500):
        assert masks.flag(lungs((size, size))) == ""


# --- What it covers and frames.


def test_fraction_counts_pixels() -> None:
    assert masks.fraction(lungs()) == 0.36
    assert masks.fraction(np.zeros((3, 4), bool)) == 0
    assert masks.fraction(np.full((3, 4), 7, np.uint8)) == 1
    assert masks.fraction(np.zeros((0, 4), bool)) == 0


def test_box_frames_the_mask_with_a_margin_that_stays_in_the_image() -> None:
    mask = np.zeros((100, 200), bool)
    mask[20:60, 50:150] = True
    assert masks.box(mask, 0) == (20, 60, 50, 150)
    assert masks.box(mask, 0.1) == (16, 64, 40, 160)
    assert masks.box(mask, 0.6) == (0, 84, 0, 200)
    assert masks.box(mask, 9) == (0, 100, 0, 200)


def test_box_of_an_empty_mask_is_the_image() -> None:
    assert masks.box(np.zeros((7, 9), bool), 0.2) == (0, 7, 0, 9)


@pytest.mark.parametrize("seed", range(5))
def test_box_without_a_margin_holds_the_whole_mask_and_no_empty_edge(seed: int) -> None:
    mask = blobs(seed, level=0.15)
    top, bottom, left, right = masks.box(mask, 0)
    inner = mask[top:bottom, left:right]
    assert inner.sum() == mask.sum()
    assert inner[0].any() and inner[-1].any() and inner[:, 0].any() and inner[:, -1].any()


# --- Grown and softened.


@pytest.mark.parametrize("pixels", [0, 1, 3, 6, 60])
def test_dilated_is_the_largest_in_the_square(pixels: int) -> None:
    mask = blobs(1, level=0.2)
    slow = ndimage.maximum_filter(mask.astype(int), 2 * pixels + 1, mode="constant")
    assert (masks.dilated(mask, pixels) == slow).all()
    assert masks.dilated(mask, pixels).dtype == np.bool_


def test_six_pixels_are_what_covid_cxnet_dilates_by() -> None:
    # The published code: cv2.dilate(mask, np.ones((5, 5)), iterations=3).
    for seed in range(5):
        mask = blobs(seed, (97, 64), 0.15)
        published = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8), iterations=3)
        assert (masks.dilated(mask, 6) == published).all()


@pytest.mark.parametrize("pixels", [0.3, 1, 2.5, 6, 12.34])
def test_the_gaussian_blur_is_that_of_scipy(pixels: float) -> None:
    mask = blobs(2, (80, 61))
    soft = masks.blurred(mask, "gaussian", pixels)
    truth = ndimage.gaussian_filter(mask.astype(np.float64), pixels)
    assert np.abs(soft - truth).max() < 1e-4
    assert soft.dtype == np.float32


@pytest.mark.parametrize("pixels", [1, 3, 10])
def test_the_box_blur_is_the_mean_of_the_square(pixels: int) -> None:
    mask = blobs(3, (70, 41))
    soft = masks.blurred(mask, "box", pixels)
    truth = ndimage.uniform_filter(mask.astype(np.float64), 2 * pixels + 1)
    assert np.abs(soft - truth).max() < 1e-4


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (5, 3)])
@pytest.mark.parametrize("kind", ["gaussian", "box"])
def test_a_kernel_larger_than_the_image_is_mirrored_again(
    shape: tuple[int, int], kind: str
) -> None:
    mask = np.zeros(shape, bool)
    mask[:, : shape[1] // 2 + 1] = True
    soft = masks.blurred(mask, kind, 9)
    slow = ndimage.gaussian_filter if kind == "gaussian" else ndimage.uniform_filter
    truth = slow(mask.astype(np.float64), 9 if kind == "gaussian" else 19)
    assert np.abs(soft - truth).max() < 1e-4


@pytest.mark.parametrize("kind", ["gaussian", "box"])
def test_a_blur_stays_in_0_to_1_and_none_leaves_the_edge_hard(kind: str) -> None:
    mask = blobs(4)
    soft = masks.blurred(mask, kind, 5)
    assert 0 <= soft.min() < soft.max() <= 1
    assert (masks.blurred(mask, kind, 0) == mask).all()
    assert masks.blurred(mask, kind, 0).dtype == np.float32
    assert (masks.blurred(np.ones((9, 9), bool), kind, 3) > 0.9999).all()


def test_no_other_blur_is_known() -> None:
    with pytest.raises(ValueError, match="median"):
        masks.blurred(blobs(0), "median", 2)


# --- How well two agree.


@pytest.mark.parametrize("seed", range(12))
def test_agreement_is_what_a_slow_computation_gives(seed: int) -> None:
    one, other = blobs(seed, level=0.1), blobs(seed + 100, level=0.05)
    found = masks.agreement(one, other)
    first = {tuple(p) for p in np.argwhere(one)}
    second = {tuple(p) for p in np.argwhere(other)}
    both = len(first & second)
    assert found.dice == pytest.approx(2 * both / (len(first) + len(second)))
    assert found.iou == pytest.approx(both / len(first | second))
    assert found.hd95 == pytest.approx(slow_hd95(one, other), abs=1e-5)


def test_distances_on_large_masks_are_exact() -> None:
    one, other = blobs(20, (700, 900), 0.08), blobs(21, (700, 900), 0.12)
    points = [np.array(slow_boundary(mask)) for mask in (one, other)]
    trees = [spatial.KDTree(corners) for corners in points]
    ways = [trees[1].query(points[0])[0], trees[0].query(points[1])[0]]
    truth = max(float(np.percentile(way, 95)) for way in ways)
    assert masks.agreement(one, other).hd95 == pytest.approx(truth, rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_tiny_masks_can_be_compared(shape: tuple[int, int]) -> None:
    one, other = np.ones(shape, bool), np.zeros(shape, bool)
    other[0, 0] = True
    found = masks.agreement(one, other)
    assert found.iou == 1 / one.size
    assert found.hd95 == pytest.approx(slow_hd95(one, other), abs=1e-5)


def test_agreement_by_hand() -> None:
    one, other = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    one[5:10, 5:10] = True
    other[5:10, 8:13] = True
    found = masks.agreement(one, other)
    assert found.dice == pytest.approx(2 * 10 / 50)
    assert found.iou == pytest.approx(10 / 40)
    assert found.hd95 == 3


def test_single_pixels_are_as_far_apart_as_they_are() -> None:
    one, other = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    one[3, 4] = other[33, 44] = True
    assert masks.agreement(one, other) == (0, 0, 50)


def test_the_border_of_the_image_is_a_boundary() -> None:
    whole, hole = np.ones((30, 30), bool), np.ones((30, 30), bool)
    hole[15, 15] = False
    assert masks.agreement(whole, hole).hd95 == pytest.approx(slow_hd95(whole, hole))


def test_equal_masks_agree_wholly() -> None:
    assert masks.agreement(lungs(), lungs().astype(np.uint8) * 255) == (1, 1, 0)


def test_nothing_is_defined_for_two_empty_masks_and_one_is_infinitely_far() -> None:
    empty = np.zeros((10, 10), bool)
    assert all(math.isnan(value) for value in masks.agreement(empty, empty))
    assert masks.agreement(empty, ~empty) == (0, 0, math.inf)
    assert masks.agreement(~empty, empty) == (0, 0, math.inf)


def test_agreement_does_not_depend_on_the_order() -> None:
    one, other = blobs(7), blobs(8)
    assert masks.agreement(one, other) == masks.agreement(other, one)


def test_masks_of_two_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="compared"):
        masks.agreement(np.ones((3, 4), bool), np.ones((4, 3), bool))


def test_nothing_changes_its_mask() -> None:
    mask = lungs()
    mask.flags.writeable = False
    masks.flag(mask), masks.box(mask, 0.1), masks.dilated(mask, 3), masks.agreement(mask, mask)
    masks.blurred(mask, "gaussian", 3), masks.blurred(mask, "box", 0)
    assert (mask == lungs()).all()


def test_agreement_is_fast_on_large_masks() -> None:
    one = lungs((1024, 1024))
    other = np.roll(one, 9, axis=1)
    masks.agreement(one, other)
    times = []
    for _ in range(5):
        start = process_time()
        masks.agreement(one, other)
        times.append(process_time() - start)
    # It takes 12 ms of one core; machines differ.
    assert min(times) < 0.15
