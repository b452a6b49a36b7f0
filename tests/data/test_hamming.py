"""The search for hashes that differ in few bits: it finds what comparing all with all finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrtool.data import hamming
from cxrtool.data.duplicates import components


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


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 250), st.floats(0, 0.3), st.integers(0, 60))
def test_near_is_exact(seed, n, flips, distance):
    hashes = np.unique(clustered(seed, n, flips), axis=0)
    np.testing.assert_array_equal(hamming.near(hashes, distance), brute(hashes, distance))


@pytest.mark.parametrize("crowd", [0, 50, 10**9])
@pytest.mark.parametrize("distance", [0, 12, 13, 24, 25, 26, 40])
def test_near_is_exact_in_crowds_and_in_small_blocks(monkeypatch, crowd, distance):
    monkeypatch.setattr(hamming, "_CROWD", crowd)
    monkeypatch.setattr(hamming, "_BLOCK", 64)
    rng = np.random.default_rng(distance)
    hashes = np.vstack([clustered(1, 100, 0.2), rng.integers(0, 256, (300, 32), np.uint8)])
    hashes = rng.permutation(np.unique(hashes, axis=0))
    np.testing.assert_array_equal(hamming.near(hashes, distance), brute(hashes, distance))


def test_each_pair_is_in_one_block_only():
    blocks = np.concatenate(list(hamming.near_blocks(clustered(5, 600, 0.1))))
    assert len(blocks) == len(np.unique(blocks, axis=0)) > 100


def test_complements_are_256_apart():
    hashes = np.array([[0] * 32, [255] * 32], np.uint8)
    assert hamming.near(hashes, 255).size == 0
    dense = np.vstack([clustered(1, 40, 0.01), ~clustered(1, 40, 0.01)])
    dense = np.unique(dense, axis=0)
    np.testing.assert_array_equal(hamming.near(dense), brute(dense, hamming.DISTANCE))


def test_equal_hashes_are_listed_by_the_first_alone():
    hashes = np.zeros((20_000, 32), np.uint8)
    hashes[7:10, 5] = 3
    pairs = hamming.near(hashes)
    assert len(pairs) == 19_999
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert [0, 7] in pairs.tolist() and [7, 9] in pairs.tolist() and [0, 9] not in pairs.tolist()
    assert (components(20_000, pairs) == 0).all()


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.2))
@settings(max_examples=20)
def test_groups_are_those_of_all_pairs_where_hashes_repeat(seed, flips):
    hashes = clustered(seed, 80, flips)
    hashes = hashes[np.random.default_rng(seed).integers(0, 80, 150)]
    got = components(150, hamming.near(hashes))
    np.testing.assert_array_equal(got, components(150, brute(hashes, hamming.DISTANCE)))


@pytest.mark.parametrize("n", [0, 1])
def test_near_of_nothing_is_nothing(n):
    assert hamming.near(np.zeros((n, 32), np.uint8)).shape == (0, 2)


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
        hamming.near(hashes, distance)
