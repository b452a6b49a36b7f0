"""What a fingerprint keeps of an image, and what it leaves out."""

from __future__ import annotations

import changes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cxrtool.images import fingerprints, hashing
from cxrtool.phantoms import plan, render

PHANTOM = render(plan(1)[0], 256).image


def coefficients(image: NDArray[np.generic]) -> NDArray[np.float32]:
    packed = fingerprints.packed(fingerprints.hashed(image)[1])
    assert packed is not None
    prints = np.frombuffer(packed, np.uint8)[np.newaxis]
    return fingerprints.coefficients(prints).reshape(fingerprints.ORDER, fingerprints.ORDER)


def apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def test_the_transform_is_orthonormal() -> None:
    matrix = fingerprints.cosines(20, 20)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(20), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (64, 64), (200, 130), (513, 640)])
def test_any_image_has_a_hash_a_fingerprint_and_a_thumbnail(dtype: type, shape: tuple[int, int]):
    image = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    dhash, fingerprint, small = fingerprints.hashed(image)
    assert len(bytes.fromhex(dhash)) == 32
    assert (fingerprints.packed(fingerprint) is not None) == (image.size > 1)
    assert small.shape == (fingerprints.SIDE, fingerprints.SIDE) and small.dtype == np.uint8


@pytest.mark.parametrize("shape", [(50, 50), (128, 128), (256, 256), (300, 220), (1024, 896)])
def test_the_hash_is_that_of_the_whole_image(shape: tuple[int, int]) -> None:
    """It is made from the thumbnail, which has the image's averages."""
    image = np.ascontiguousarray(np.resize(changes.resized(PHANTOM, max(shape)), shape))
    ours, exact = (
        np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
        for text in (fingerprints.hashed(image)[0], hashing.dhash(image))
    )
    assert (ours != exact).sum() <= 4


def test_a_plain_image_has_no_fingerprint() -> None:
    assert fingerprints.hashed(np.full((300, 200), 7, np.uint8))[:2] == ("0" * 64, "")


def test_a_mirror_image_and_a_negative_differ_in_signs() -> None:
    original = coefficients(PHANTOM)
    odd = np.where(np.arange(fingerprints.ORDER) % 2, -1, 1)
    assert apart(coefficients(PHANTOM[:, ::-1].copy()), original * odd) < 0.02
    # The ranks of a negative are rounded the other way: a few coefficients are a level off.
    assert apart(coefficients(255 - PHANTOM), -original) < 0.1


@pytest.mark.parametrize("change", ["16 bits", "gamma 0.5", "equalized", "224 pixels", "jpeg 30"])
def test_size_and_contrast_do_not_count(change: str) -> None:
    changed = changes.CHANGES[change](PHANTOM, np.random.default_rng(0))
    assert apart(coefficients(changed), coefficients(PHANTOM)) < 0.3


@pytest.mark.parametrize("grey", [0, 90, 255])
@pytest.mark.parametrize("sides", [(30, 30, 30, 30), (0, 60, 0, 0), (0, 0, 25, 70), (9, 8, 7, 6)])
def test_borders_are_trimmed_to_the_pixel(grey: int, sides: tuple[int, int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (250, 200), np.uint8)
    top, bottom, left, right = sides
    framed = np.pad(image, ((top, bottom), (left, right)), constant_values=grey)
    inner = fingerprints.content(framed)
    assert inner.shape == image.shape
    np.testing.assert_array_equal(inner, image)


def test_noise_in_a_border_is_border() -> None:
    lines = np.random.default_rng(0).integers(60, 256, (250, 200), np.uint8)
    image = changes.jpeg(changes.bordered(lines, 0.1), 90)
    inner = fingerprints.content(image)
    assert np.abs(np.subtract(inner.shape, lines.shape)).max() <= 8


def test_no_more_than_the_largest_border_is_trimmed() -> None:
    speck = np.zeros((400, 400), np.uint8)
    speck[10:40, 10:40] = np.random.default_rng(0).integers(0, 256, (30, 30))
    rows, columns = fingerprints.content(speck).shape
    assert min(rows, columns) >= 0.2 * 400


def test_ranks_are_even_and_keep_the_order() -> None:
    levels = np.array([[5, 5, 900], [7, 60_000, 7]], np.uint16)
    np.testing.assert_array_equal(fingerprints.ranked(levels), [[26, 26, 204], [128, 255, 128]])
    np.testing.assert_array_equal(
        fingerprints.ranked(levels.astype(np.float32)), fingerprints.ranked(levels)
    )


@pytest.mark.parametrize("text", ["", "x", "A" * 99, "A" * 100, "AA==" * 25, "é" * 100, "Ag" * 50])
def test_what_is_no_fingerprint_of_this_version_has_no_bytes(text: str) -> None:
    assert fingerprints.packed(text) is None


@given(st.binary(min_size=fingerprints.BYTES - 1, max_size=fingerprints.BYTES - 1))
def test_text_and_bytes_are_the_same(data: bytes) -> None:
    whole = bytes([fingerprints.VERSION]) + data
    assert fingerprints.packed(fingerprints.written(whole)) == whole


def test_the_aspect_is_that_of_the_content() -> None:
    image = np.pad(
        np.random.default_rng(0).integers(0, 256, (200, 100), np.uint8), ((0, 0), (50, 50))
    )
    packed = fingerprints.packed(fingerprints.hashed(image)[1])
    assert packed is not None
    prints = np.frombuffer(packed + bytes(fingerprints.BYTES), np.uint8).reshape(2, -1)
    np.testing.assert_allclose(fingerprints.aspects(prints), [0.5, 1])
    assert not fingerprints.coefficients(prints)[1].any()
