"""The sieve, the proof and the groups of pictures that are the same."""

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

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


def brute(hashes, distance):
    differ = np.bitwise_count(hashes[:, np.newaxis] ^ hashes[np.newaxis]).sum(axis=2, dtype=int)
    pairs = np.argwhere(differ <= distance)
    return pairs[pairs[:, 0] < pairs[:, 1]]


def clustered(seed, n, flips):
    """Scatter hashes around a few centres, so that all distances occur."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2, (3, 256))
    flipped = rng.random((n, 256)) < rng.uniform(0, flips, (n, 1))
    return np.packbits((centres[rng.integers(0, 3, n)] ^ flipped).astype(bool), axis=1)


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
    assert apart(wide, cut) > hashing.DISTANCE >= apart(hashing.square(wide), hashing.square(cut))


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
def test_a_copy_passes_the_sieve_and_the_proof(copy, seed):
    image = picture(seed)
    changed = COPIES[copy](image)
    assert apart(image, changed) <= hashing.DISTANCE
    a, b = hashing.thumbnail(image), hashing.thumbnail(changed)
    assert hashing.registered(a, b) > hashing.CORRELATION


def test_registration_proves_a_crop_that_the_plain_correlation_does_not():
    image = picture(1, 320, 320)
    a, b = hashing.thumbnail(image), hashing.thumbnail(image[13:, :-13].copy())
    assert hashing.correlation(a, b) < hashing.CORRELATION < hashing.registered(a, b)


def test_another_picture_is_neither_near_nor_proved():
    thumbnails = [hashing.thumbnail(picture(seed)) for seed in range(12)]
    for seed, other in enumerate(thumbnails[1:], 1):
        assert apart(thumbnails[0], other) > hashing.DISTANCE, seed
        assert hashing.registered(thumbnails[0], other) < 0.9, seed


def test_correlation_is_that_of_numpy():
    a, b = hashing.thumbnail(picture(1)), hashing.thumbnail(picture(2))
    expected = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    assert hashing.correlation(a, b) == pytest.approx(expected, abs=1e-12)
    assert hashing.correlation(a, 255 - a) == pytest.approx(-1)


@pytest.mark.parametrize("measure", [hashing.correlation, hashing.registered])
def test_a_constant_thumbnail_correlates_with_nothing(measure):
    blank = np.full((64, 64), 0.1, np.float32)
    other = hashing.thumbnail(picture(1))
    assert all(np.isnan(measure(*p)) for p in [(blank, other), (other, blank), (blank, blank)])


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 250), st.floats(0, 0.3), st.integers(0, 60))
def test_near_is_exact(seed, n, flips, distance):
    hashes = np.unique(clustered(seed, n, flips), axis=0)
    np.testing.assert_array_equal(hashing.near(hashes, distance), brute(hashes, distance))


@pytest.mark.parametrize("crowd", [0, 50, 10**9])
@pytest.mark.parametrize("distance", [0, 12, 13, 24, 25, 26, 40])
def test_near_is_exact_in_crowds_and_in_small_blocks(monkeypatch, crowd, distance):
    monkeypatch.setattr(hashing, "_CROWD", crowd)
    monkeypatch.setattr(hashing, "_BLOCK", 64)
    rng = np.random.default_rng(distance)
    hashes = np.vstack([clustered(1, 100, 0.2), rng.integers(0, 256, (300, 32), np.uint8)])
    hashes = rng.permutation(np.unique(hashes, axis=0))
    np.testing.assert_array_equal(hashing.near(hashes, distance), brute(hashes, distance))


def test_each_pair_is_in_one_block_only():
    blocks = np.concatenate(list(hashing.near_blocks(clustered(5, 600, 0.1))))
    assert len(blocks) == len(np.unique(blocks, axis=0)) > 100


def test_complements_are_256_apart():
    hashes = np.array([[0] * 32, [255] * 32], np.uint8)
    assert hashing.near(hashes, 255).size == 0
    dense = np.vstack([clustered(1, 40, 0.01), ~clustered(1, 40, 0.01)])
    dense = np.unique(dense, axis=0)
    np.testing.assert_array_equal(hashing.near(dense), brute(dense, hashing.DISTANCE))


def test_equal_hashes_are_listed_by_the_first_alone():
    hashes = np.zeros((20_000, 32), np.uint8)
    hashes[7:10, 5] = 3
    pairs = hashing.near(hashes)
    assert len(pairs) == 19_999
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert [0, 7] in pairs.tolist() and [7, 9] in pairs.tolist() and [0, 9] not in pairs.tolist()
    assert (hashing.components(20_000, pairs) == 0).all()


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.2))
@settings(max_examples=20)
def test_groups_are_those_of_all_pairs_where_hashes_repeat(seed, flips):
    hashes = clustered(seed, 80, flips)
    hashes = hashes[np.random.default_rng(seed).integers(0, 80, 150)]
    got = hashing.components(150, hashing.near(hashes))
    np.testing.assert_array_equal(got, hashing.components(150, brute(hashes, hashing.DISTANCE)))


@pytest.mark.parametrize("n", [0, 1])
def test_near_of_nothing_is_nothing(n):
    assert hashing.near(np.zeros((n, 32), np.uint8)).shape == (0, 2)


@pytest.mark.parametrize(
    ("hashes", "distance", "message"),
    [
        (np.zeros((3, 8), np.uint8), 4, r"not uint8 \(n, 32\)"),
        (np.zeros((3, 32), np.int64), 4, "not uint8"),
        (np.zeros((3, 32), np.uint8), 256, "distance 256 is not in 0..255"),
        (np.zeros((3, 32), np.uint8), -1, "distance -1"),
    ],
)
def test_near_refuses_what_it_cannot_compare(hashes, distance, message):
    with pytest.raises(ValueError, match=message):
        hashing.near(hashes, distance)


def test_components_are_numbered_by_their_smallest_member():
    pairs = np.array([[3, 4], [1, 4], [6, 5]])
    np.testing.assert_array_equal(hashing.components(7, pairs), [0, 1, 2, 1, 1, 5, 5])
    assert hashing.components(0, np.empty((0, 2), np.int64)).shape == (0,)
