"""Find radiographs that are the same picture (images -> hashes -> pairs -> groups).

A hash is the sieve, the pixels are the proof: `dhash` of every image, `near` pairs of hashes,
`registered` thumbnails of each pair, `components` of the pairs above `CORRELATION`. Measured by
``tests/benchmarks/hashing.py`` on 1,891 radiographs of three collections; pairs judged by eye:

- The plain correlation exceeds 0.98 in 20 pairs, all the same picture, but 20 more are cropped or
  of another contrast and fall to 0.79, among other patients (up to 0.97). Registered, all 40 exceed
  0.98 (least: 0.986); of other pairs at most 24 apart none exceeds 0.96, and one in 2,849 at 40
  does exceed 0.98 (the same patient, another exposure).
- `dhash` at 16, 24, 28, 32, 40: 26, 44, 98, 329, 2849 candidates with 26, 28, 30, 31, 40 of the 40
  pairs. The 64-bit DCT hash at 4, 6, 8, 10: 34, 110, 547, 2568 with up to 39. What is beyond 24 has
  lost 4 to 8 % of a side; ask `near` for 40 where the collection is small.
- One collection holds 76 pictures of another one cut to their central `square`: 15 are within 24.
  Hashes of all images and of all their squares (2 n hashes, indices modulo n, each pair proved on
  the thumbnails that met) find all 76: 105 candidates, 89 pairs proved, where the whole images
  give 44 and 28; no correlation is between 0.96 and 0.985.
- Copies of 400 images at 24: all are found after JPEG of quality 40, resizing, gamma, stretched
  contrast, 16 bits, equalization and a border cropped by 1 %; cropped by 2 %, 77 %; with a black
  frame of 4 in 320 pixels, 87 %. Of the equalized ones the correlation proves only a third.
- 100,000 hashes take 0.7 s if uniform, 4 s if their distances are those of radiographs; a million
  15 s and 211 s (13 million pairs, 0.3 GB). Thumbnail and hash of 1024 x 1024: 0.26 ms; 0.74 ms
  of 1000 x 1010, whose sides 64 does not divide.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Image = npt.NDArray[np.uint8 | np.uint16 | np.float32]
Hashes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Index = npt.NDArray[np.int64]

BITS = 256
SIDE = 64
DISTANCE = 24
CORRELATION = 0.98
SHIFT = 0.15

_BANDS = 13
_BLOCK = 1 << 16
_CROWD = 4096


def thumbnail(image: Image, size: int = SIDE) -> Image:
    """Reduce a picture to a square by averaging areas; the aspect ratio is not kept.

    Parameters
    ----------
    image
        Grey, 2-D, uint8 or uint16 (these types are kept); any other becomes float32.
    size
        Side of the square.
    """
    if image.ndim != 2 or not image.size:
        raise ValueError(f"an image of shape {image.shape} is not 2-D with pixels in it")
    if image.dtype not in (np.uint8, np.uint16):
        image = image.astype(np.float32)
    if image.dtype != np.float32 and min(image.shape) > size and any(n % size for n in image.shape):
        rows = _averaged(image, size)
        both = _averaged(np.ascontiguousarray(rows.T), size).T
        return np.rint(both).astype(image.dtype)
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA))


def _averaged(image: Image, size: int) -> npt.NDArray[np.float32]:
    """Average bands of rows, whose borders may cut a row in two.

    It is what INTER_AREA does, to within a grey level; that takes three to eight times as long
    where the sides are no multiples of the size.
    """
    height = len(image)
    result = np.zeros((size, image.shape[1]), np.float32)
    for band in range(size):
        # Whole numbers, in units of 1 / size of a row: the borders are exact.
        top, bottom = band * height, (band + 1) * height
        first, last = -(-top // size), bottom // size
        if first < last:
            total = result[band : band + 1]
            cv2.reduce(image[first:last], 0, cv2.REDUCE_SUM, total, cv2.CV_32F)
        if top % size:
            result[band] += np.float32(first - top / size) * image[first - 1]
        if bottom % size:
            result[band] += np.float32(bottom / size - last) * image[last]
    return result * np.float32(size / height)


def square(image: Image) -> Image:
    """Cut a picture to its central square, as collections do for networks that take squares."""
    side = min(image.shape)
    top, left = ((length - side) // 2 for length in image.shape)
    return image[top : top + side, left : left + side]


def _lanczos(size: int) -> npt.NDArray[np.float32]:
    """Return the (size, SIDE) matrix that shrinks a thumbnail's axis with a 3-lobed Lanczos window.

    Duchon, "Lanczos filtering in one and two dimensions", J. Appl. Meteorol. 18 (1979).
    """
    scale = SIDE / size
    centre = (np.arange(size) + 0.5) * scale
    x = (np.arange(SIDE) + 0.5 - centre[:, np.newaxis]) / scale
    weight = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float32)


_ROWS, _COLUMNS = _lanczos(16), _lanczos(17).T


def dhash(image: Image) -> str:
    """Hash a picture by which of its coarse pixels is brighter than its left neighbour.

    The thumbnail shrinks to 16 rows of 17; bit 16 * row + column says whether pixel (row, column +
    1) is brighter than pixel (row, column), and bit 0 is the highest bit of the first hex digit:
    the layout, and up to 4.5 bits on average the value, of ``imagehash.dhash(hash_size=16)``.
    A thumbnail of `SIDE` has its image's hash, so that who has one need not keep the image.

    References
    ----------
    Krawetz, "Kind of Like That", The Hacker Factor Blog, 2013-01-21.
    """
    small = _ROWS @ thumbnail(image).astype(np.float32) @ _COLUMNS
    # The tolerance is above the rounding of the two products, so that a constant image hashes to 0.
    floor = 1e-5 * float(np.abs(small).max())
    return np.packbits(small[:, 1:] - small[:, :-1] > floor).tobytes().hex()


def correlation(a: Image, b: Image) -> float:
    """Return the normalised cross-correlation of two thumbnails; nan where one is constant."""
    x = a.astype(np.float64) - a.mean(dtype=np.float64)
    y = b.astype(np.float64) - b.mean(dtype=np.float64)
    norm = float(np.sqrt(np.vdot(x, x) * np.vdot(y, y)))
    # A constant float thumbnail may leave a rounding error, which correlates with anything.
    if not norm or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.clip(np.vdot(x, y) / norm, -1, 1))


def registered(a: Image, b: Image) -> float:
    """Return the correlation of two thumbnails after an affine map has laid b over a.

    A border cropped by 2 % costs the plain correlation more than another patient does; the map
    takes the crop back. It is found by maximising the enhanced correlation coefficient and is
    refused (the plain correlation is returned) where it moves a corner by over `SHIFT` of the side.

    References
    ----------
    Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient
    maximization", IEEE TPAMI 30 (2008).
    """
    plain = correlation(a, b)
    if not np.isfinite(plain):
        return plain
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    identity = np.eye(2, 3, dtype=np.float32)
    first, second = a.astype(np.float32), b.astype(np.float32)
    try:
        found, warp = cv2.findTransformECC(
            first, second, identity.copy(), cv2.MOTION_AFFINE, stop, None, 3
        )
    except cv2.error:  # The search has left the picture: they have nothing in common.
        return plain
    height, width = a.shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]])
    moved = np.abs(corners @ (warp - identity).T).max()
    return max(plain, float(found)) if moved <= SHIFT * max(a.shape) else plain


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
    tell more: 4.5 % of the pairs of real hashes agree in one, and 21 % if bands are runs of bits.
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
            found = np.flatnonzero(_apart(mine, theirs) <= distance)
            i, j = left[found // len(right)], right[found % len(right)]
            if len(found):
                yield i[i < j], j[i < j]


def components(n: int, pairs: Index) -> Index:
    """Number each of n things by the smallest one it is connected to.

    Parameters
    ----------
    n
        How many things there are.
    pairs
        Connected ones, (m, 2).
    """
    edges = (np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1]))
    _, label = connected_components(coo_array(edges, shape=(n, n)), directed=False)
    _, first = np.unique(label, return_index=True)
    return np.asarray(first[label], np.int64)
