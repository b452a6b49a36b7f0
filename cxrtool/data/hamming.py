"""Search for pairs of hashes that differ in few bits (hashes -> pairs).

Exact, by multi-index hashing. 100,000 hashes take 0.7 s if uniform, 4 s if their distances are
those of radiographs; a million 15 s and 211 s (13 million pairs, 0.3 GB). Measured by
``tests/benchmarks/hashing.py``.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Index = npt.NDArray[np.int64]

BITS = 256
DISTANCE = 24

_BANDS = 13
_BLOCK = 1 << 16
_CROWD = 4096


def near(hashes: Hashes, distance: int = DISTANCE) -> Index:
    """Return all pairs of hashes that differ in at most so many bits.

    Hashes that repeat are listed once: the first of them with each of the others, and the first
    alone in the pairs with different hashes. Twenty thousand blank images so make 19,999 pairs, not
    200 million, and the connected components are those of the full list.

    Parameters
    ----------
    hashes
        Bytes, (n, 32).
    distance
        Largest number of differing bits, 0 to 255; the cost rises steeply above 25.

    Returns
    -------
    pairs
        Indices i < j, (m, 2), sorted.
    """
    pairs = np.concatenate([np.empty((0, 2), np.int64), *near_blocks(hashes, distance)])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def near_blocks(hashes: Hashes, distance: int = DISTANCE) -> Iterator[Index]:
    """Yield the pairs of `near`, each once, in blocks of bounded size and no order.

    For hashes that may crowd (a million almost blank images): `near` holds all their pairs.
    """
    if hashes.ndim != 2 or hashes.shape[1] != BITS // 8 or hashes.dtype != np.uint8:
        raise ValueError(f"hashes are {hashes.dtype} {hashes.shape}, not uint8 (n, {BITS // 8})")
    if not 0 <= distance < BITS:
        raise ValueError(f"distance {distance} is not in 0..{BITS - 1}")
    words = np.ascontiguousarray(hashes).view(np.uint64)
    order = np.lexsort(words.T)
    words = words[order]
    new = np.ones(len(order), bool)
    new[1:] = (words[1:] != words[:-1]).any(axis=1)
    # The sort is stable, hence the first of a run of equals is the one of the lowest index.
    first = order[new]
    yield np.column_stack([first[np.cumsum(new) - 1], order])[~new]
    words = words[new]
    del order, new
    for i, j in _near_unique(words, distance):
        yield np.sort(np.column_stack([first[i], first[j]]), axis=1)


def _near_unique(words: Words, distance: int) -> Iterator[tuple[Index, Index]]:
    """Yield the near pairs among hashes that all differ.

    Of b bands that together hold at most d differing bits, one holds at most floor(d / b): the
    pigeonhole. Only hashes that agree so far in a band are compared (multi-index hashing: Norouzi,
    Punjani and Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012).
    A pair that agrees in several bands is yielded by the first of them.
    """
    bands = max(_BANDS, distance // 2 + 1)
    radius = distance // bands
    lattice = _bands_of_bits(bands)
    members = [np.flatnonzero(lattice == band) for band in range(bands)]
    # A dense cluster fills the same buckets in every band: comparing all with all is cheaper then.
    sizes = (np.bincount(_keys(words, bits)).astype(float) for bits in members)
    if sum(float(size @ size) for size in sizes) > len(words) ** 2:
        everyone = np.arange(len(words))
        yield from _crowd(np.ascontiguousarray(words.T), everyone, everyone, distance)
        return
    masks = np.packbits(lattice == np.arange(bands)[:, np.newaxis], axis=1).view(np.uint64)
    for band, bits in enumerate(members):
        keys = _keys(words, bits)
        order = np.argsort(keys, kind="stable")
        columns = np.ascontiguousarray(words[order].T)
        for i, j in _close(columns, keys[order], len(bits), radius, distance):
            for mask in masks[:band, :, np.newaxis]:
                fresh = _apart(columns[:, i] & mask, columns[:, j] & mask) > radius
                i, j = i[fresh], j[fresh]
            yield order[i], order[j]


def _bands_of_bits(bands: int) -> Index:
    """Number the band of each bit: a lattice on the 16 x 16 grid.

    Neighbouring differences of a radiograph go together. Bits that lie far apart make bands that
    discriminate better: 4.5 % of the pairs of real hashes agree in one, and 21 % if bands are runs
    of bits.
    """
    row, column = np.divmod(np.arange(BITS), 16)
    return (7 * row + column) % bands


def _keys(words: Words, bits: Index) -> npt.NDArray[np.int32]:
    """Gather some bits of each hash into an integer."""
    columns = words.view(np.uint8)
    keys = np.zeros(len(words), np.int32)
    for bit in bits:
        keys = keys << 1 | (columns[:, bit // 8] >> (7 - bit % 8) & 1)
    return keys


def _apart(left: Words, right: Words) -> npt.NDArray[np.uint16]:
    """Count the bits in which hashes differ; the first axis of both is that of the four words.

    A word at a time is twice as fast as all four, whose intermediate results outgrow the cache.
    Bytes hold the sum of three words; that of four may be 256.
    """
    count = np.bitwise_count(left[0] ^ right[0])
    count += np.bitwise_count(left[1] ^ right[1])
    count += np.bitwise_count(left[2] ^ right[2])
    return np.asarray(np.add(count, np.bitwise_count(left[3] ^ right[3]), dtype=np.uint16))


def _close(
    columns: Words, keys: npt.NDArray[np.int32], width: int, radius: int, distance: int
) -> Iterator[tuple[Index, Index]]:
    """Yield the pairs within the distance among those whose sorted keys differ in 0 or 1 bits."""
    values, start, size = np.unique(keys, return_index=True, return_counts=True)
    place = np.full(1 << width, -1, np.int32)
    place[values] = np.arange(len(values), dtype=np.int32)
    # Each bucket meets itself and the buckets with one bit more: the one with a bit less meets it.
    flips = [0] + [1 << bit for bit in range(width)] * radius
    reach = np.zeros(len(values), np.int64)
    for flip in flips:
        left, right = _partners(values, place, flip)
        reach[left] += size[right]
    crowded = size * reach > _CROWD
    for flip in flips:
        left, right = _partners(values, place, flip)
        few = ~crowded[left]
        yield from _sparse(columns, start, size, left[few], right[few], distance)
    for bucket in np.flatnonzero(crowded):
        met = place[[values[bucket] | flip for flip in flips if not values[bucket] & flip]]
        met = met[met >= 0]
        others = np.concatenate([np.arange(start[m], start[m] + size[m]) for m in met])
        own = np.arange(start[bucket], start[bucket] + size[bucket])
        yield from _crowd(columns, own, others, distance)


def _partners(
    values: npt.NDArray[np.int32], place: npt.NDArray[np.int32], flip: int
) -> tuple[Index, Index]:
    """List the buckets that lack a bit, each with the bucket that has it and is else the same."""
    left = np.flatnonzero(values & flip == 0)
    right = place[values[left] | flip]
    return left[right >= 0], right[right >= 0].astype(np.int64)


def _sparse(
    columns: Words, start: Index, size: Index, left: Index, right: Index, distance: int
) -> Iterator[tuple[Index, Index]]:
    """Compare the members of many small buckets with those of their partners, all at once."""
    total = np.cumsum(size[left] * size[right])
    cuts = np.searchsorted(total, np.arange(0, total[-1] if len(total) else 1, 8 * _BLOCK))
    for a, b in zip(cuts, [*cuts[1:], len(left)], strict=True):
        wide = size[right[a:b]]
        pairs = size[left[a:b]] * wide
        cell = np.repeat(np.arange(b - a), pairs)
        step = np.arange(len(cell)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
        row, column = np.divmod(step.astype(np.int32), wide[cell].astype(np.int32))
        i, j = start[left[a:b]][cell] + row, start[right[a:b]][cell] + column
        kept = (i < j) & (_apart(columns[:, i], columns[:, j]) <= distance)
        if kept.any():
            yield i[kept], j[kept]


def _crowd(
    columns: Words, own: Index, others: Index, distance: int
) -> Iterator[tuple[Index, Index]]:
    """Compare all of one list with all of another, a block that the cache holds at a time."""
    for low in range(0, len(others), _BLOCK):
        right = others[low : low + _BLOCK]
        theirs = columns[:, np.newaxis, right]
        step = max(1, _BLOCK // len(right))
        for top in range(0, len(own), step):
            left = own[top : top + step]
            mine = columns[:, left, np.newaxis]
            place = np.flatnonzero(_apart(mine, theirs) <= distance)
            i, j = left[place // len(right)], right[place % len(right)]
            if len(place):
                yield i[i < j], j[i < j]
