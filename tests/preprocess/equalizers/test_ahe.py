import cv2
import numpy as np
import pytest
from skimage.filters import rank
from skimage.morphology import disk as footprint

from cxrtool.core import registry
from cxrtool.files.grey_levels import to8
from cxrtool.preprocess.equalizers import _disk_plan, _levels, ahe

# A pixel, lines both ways, smaller than the disk, sides that no block divides, larger than it.
SHAPES = [(1, 2), (1, 23), (23, 1), (2, 2), (5, 7), (9, 31), (31, 9), (40, 33)]


def slow(image, radius, top):
    """Go by the formula, pixel by pixel, in whole numbers."""
    height, width = image.shape
    out = np.zeros(image.shape, np.uint8 if top == 255 else np.uint16)
    for y in range(height):
        for x in range(width):
            below = among = 0
            for j in range(max(0, y - radius), min(height, y + radius + 1)):
                for i in range(max(0, x - radius), min(width, x + radius + 1)):
                    if (j - y) ** 2 + (i - x) ** 2 <= radius**2:
                        among += 1
                        below += int(image[j, i]) <= int(image[y, x])
            out[y, x] = top * below // among
    return out


def drawn(shape, high, seed=0):
    """Draw noise; the two ends are there, so that no image is constant."""
    kind = np.uint8 if high <= 255 else np.uint16
    image = np.random.default_rng(seed).integers(0, high, shape, kind, endpoint=True)
    image.flat[0], image.flat[-1] = 0, high
    return image


@pytest.mark.parametrize("radius", [1, 2, 5, 12])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("high", [1, 255, 4095, 65535])
def test_the_formula(shape, high, radius):
    image = drawn(shape, high)
    for bits in (8, 16):
        top = 65535 if bits == 16 and high > 255 else 255
        out = ahe.equalize(image, bits, disk=radius)
        expected = slow(image, radius, top)
        assert out.dtype == expected.dtype
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("side", _disk_plan.SIDES)
@pytest.mark.parametrize("high", [255, 600])
def test_every_side_of_the_blocks_and_short_strips(monkeypatch, side, high):
    image = drawn((61, 47), high)
    plan = _disk_plan.plan_of(19, side, True), 2
    monkeypatch.setattr(_disk_plan, "cheapest", lambda *_: plan)
    out = ahe.equalize(image, disk=19)
    monkeypatch.setattr(_disk_plan, "cheapest", lambda *_: (_disk_plan.plan_of(19, side, False), 3))
    np.testing.assert_array_equal(out, ahe.equalize(image, disk=19))
    if high == 255:
        np.testing.assert_array_equal(out, rank.equalize(image, footprint(19)))


@pytest.mark.parametrize("radius", [1, 7, 40, 101, 200])
@pytest.mark.parametrize("shape", [*SHAPES, (150, 211)])
def test_scikit_image(shape, radius):
    image = drawn(shape, 255)
    smooth = cv2.GaussianBlur(image, (0, 0), 3)
    for picture in (image, smooth, image // 50):
        if not _levels.is_constant(picture):
            expected = rank.equalize(picture, footprint(radius))
            np.testing.assert_array_equal(ahe.equalize(picture, disk=radius), expected)


def test_a_wide_disk_counts_beyond_16_bits():
    image = drawn((420, 380), 255)
    expected = rank.equalize(image, footprint(200))
    np.testing.assert_array_equal(ahe.equalize(image, disk=200), expected)
    deep = image * np.uint16(257)
    np.testing.assert_array_equal(ahe.equalize(deep, 8, disk=200), expected)
    full = ahe.equalize(deep, 16, disk=200)
    # Around the middle the disk is whole.
    near = (np.hypot(*np.ogrid[-210:210, -190:190]) <= 200) & (image <= image[210, 190])
    inside = np.hypot(*np.ogrid[-210:210, -190:190]) <= 200
    assert full[210, 190] == 65535 * int(near.sum()) // int(inside.sum())


def test_16_bits_are_ranked_on_their_own_levels():
    image = np.arange(30000, 30400, dtype=np.uint16).reshape(20, 20)
    assert len(np.unique(ahe.equalize(image, 16, disk=200))) == 400
    np.testing.assert_array_equal(ahe.equalize(image, 16, disk=6), slow(image, 6, 65535))


@pytest.mark.parametrize("tiles", [None, 8])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_constant_image_comes_back(kind, tiles):
    image = np.full((30, 20), 77, kind)
    np.testing.assert_array_equal(ahe.equalize(image, 16, tiles=tiles), image)
    np.testing.assert_array_equal(ahe.equalize(image, 8, tiles=tiles), to8(image))


@pytest.mark.parametrize("tiles", [None, 4])
@pytest.mark.parametrize("high", [255, 65535])
def test_the_input_stays(high, tiles):
    image = drawn((50, 60), high)[:, ::2]
    copy = image.copy()
    image.flags.writeable = False
    out = ahe.equalize(image, 16, tiles=tiles)
    np.testing.assert_array_equal(image, copy)
    assert (out.shape, out.dtype) == (image.shape, image.dtype)
    np.testing.assert_array_equal(out, ahe.equalize(copy, 16, tiles=tiles))


@pytest.mark.parametrize("tiles", [1, 3, 8, 64])
def test_tiles_are_opencvs(tiles):
    clahe = cv2.createCLAHE(clipLimit=0, tileGridSize=(tiles, tiles))
    image = drawn((90, 70), 255)
    np.testing.assert_array_equal(ahe.equalize(image, tiles=tiles), clahe.apply(image))
    deep = drawn((90, 70), 4095)
    np.testing.assert_array_equal(ahe.equalize(deep, tiles=tiles), clahe.apply(to8(deep)))
    out = ahe.equalize(deep, 16, tiles=tiles)
    np.testing.assert_array_equal(out, clahe.apply(_levels.spread(deep)))


def test_tiles_of_a_picture_smaller_than_their_number():
    assert ahe.equalize(drawn((3, 5), 255), tiles=64).shape == (3, 5)


def test_the_options():
    disk, tiles = registry.options(ahe.equalize)
    assert (disk.name, disk.default, disk.between) == ("disk", 40, registry.Between(1, 200))
    assert (tiles.name, tiles.default, tiles.between) == ("tiles", None, registry.Between(1, 64))
    assert registry.convert(tiles, "8") == 8
