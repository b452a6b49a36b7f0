"""Thumbnails and difference hashes."""

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from cxrtool.data import hamming
from cxrtool.images import hashing


def picture(seed, height=300, width=260):
    """Draw a smooth random picture with the contrast of a radiograph."""
    noise = np.random.default_rng(seed).normal(size=(9, 9)).astype(np.float32)
    smooth = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.uint8(np.clip(128 + 45 * smooth, 0, 255))


def bits(image):
    return np.unpackbits(np.frombuffer(bytes.fromhex(hashing.dhash(image)), np.uint8))


def apart(a, b):
    return int((bits(a) != bits(b)).sum())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (64, 64), (128, 256), (301, 77)])
def test_thumbnail_has_its_size_and_keeps_type_and_range(dtype, shape):
    image = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    small = hashing.thumbnail(image)
    assert small.shape == (64, 64) and small.dtype == dtype
    assert image.min() <= small.min() and small.max() <= image.max()


def test_thumbnail_averages_areas():
    image = picture(0, 128, 256).astype(np.uint16)
    expected = image.reshape(64, 2, 64, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(hashing.thumbnail(image), expected, atol=0.51)


@pytest.mark.parametrize("shape", [(0, 4), (5,), (4, 4, 3)])
def test_what_is_no_grey_image_is_refused(shape):
    with pytest.raises(ValueError, match="not 2-D"):
        hashing.thumbnail(np.zeros(shape, np.uint8))


def test_the_square_finds_what_was_cut_to_it():
    wide = picture(2, 300, 380)
    cut = wide[:, 40:340].copy()
    np.testing.assert_array_equal(hashing.square(wide), cut)
    np.testing.assert_array_equal(hashing.square(wide.T), cut.T)
    assert hashing.square(cut).shape == (300, 300)
    assert apart(wide, cut) > hamming.DISTANCE >= apart(hashing.square(wide), hashing.square(cut))


def test_dhash_bit_order():
    # Only the four upper rows brighten to the right: they are the first 64 bits.
    image = np.zeros((160, 160), np.uint8)
    image[:] = np.arange(160, 0, -1)
    assert hashing.dhash(image) == "0" * 64
    assert hashing.dhash(image[:, ::-1].copy()) == "f" * 64
    image[:40] = np.arange(160)
    assert hashing.dhash(image) == "f" * 16 + "0" * 48


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("value", [0, 1, 7, 255])
@pytest.mark.parametrize("shape", [(1, 1), (50, 70)])
def test_a_constant_image_hashes_to_zero(dtype, value, shape):
    assert hashing.dhash(np.full(shape, value, dtype)) == "0" * 64


def test_a_thumbnail_has_the_hash_of_its_image():
    image = picture(3)
    assert hashing.dhash(hashing.thumbnail(image)) == hashing.dhash(image)


def test_dhash_is_near_to_that_of_imagehash():
    far = [
        np.sum(bits(picture(s)) != imagehash.dhash(Image.fromarray(picture(s)), 16).hash.ravel())
        for s in range(20)
    ]
    assert np.mean(far) < 8


COPIES = {
    "jpeg": lambda x: cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 0),
    "half": lambda x: cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "224": lambda x: cv2.resize(x, (224, 224), interpolation=cv2.INTER_AREA),
    "gamma": lambda x: np.uint8(255 * (x / 255) ** 1.25),
    "contrast": lambda x: np.uint8(20 + 0.7 * x),
    "16 bit": lambda x: x.astype(np.uint16) * 16 + 37,
    "crop": lambda x: x[3:-3, 3:-3].copy(),
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("seed", range(5))
def test_a_copy_has_a_near_hash(copy, seed):
    image = picture(seed)
    assert apart(image, COPIES[copy](image)) <= hamming.DISTANCE


def test_another_picture_has_another_hash():
    for seed in range(1, 12):
        assert apart(picture(0), picture(seed)) > hamming.DISTANCE, seed
