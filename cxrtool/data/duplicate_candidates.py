"""Look for images that may be altered copies of one another (fingerprints -> candidates).

An image is compared whole, and by some crops of it (`LOOKS`), with every other one. What is
compared is a descriptor: the directions in which a fingerprint's coefficients differ between
pictures, rather than between a picture and its altered copy (linear discriminant analysis, learned
from phantoms by ``tests/benchmarks/fit_duplicate_candidates.py``), whitened by the collection
itself. A mirror image changes the sign of the coefficients that are odd in the horizontal
direction, a negative that of all: one product of the even and one of the odd parts therefore
compare with all four.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from cxrtool.files import disk
from cxrtool.images import fingerprints
from cxrtool.images.fingerprints import ORDER, Floats, Prints

Index = NDArray[np.signedinteger[Any]]
Crop = tuple[float, float, float, float]

LARGEST = 1 << 20  # bytes of the weights
WEIGHTS = Path(__file__).with_name("duplicate_candidates.safetensors")

# Shares of the height and width cut off: at the top, the bottom, the left, the right.
LOOKS: tuple[Crop, ...] = (
    (0, 0, 0, 0),
    (0.06, 0.06, 0.06, 0.06),
    (0.02, 0.02, 0.07, 0),
    (0.02, 0.02, 0, 0.07),
    (0.07, 0, 0.02, 0.02),
    (0, 0.07, 0.02, 0.02),
)
WHOLE, SQUARE = 0, len(LOOKS)  # The last look is the central square, whose crop is the image's own.
OBLONG = 1.05  # The longer side over the shorter one, above which there is a central square.

# Pairs whose similarity is above the first limit are candidates, but at most so many an image.
# Where these are few, in a small collection or in one of images that are much alike, the best above
# the second limit are too: so many, and so many an image.
SIMILARITY, LEAST_SIMILARITY = 0.54, 0.42  # at most 1
PER_IMAGE, FEW, FEW_PER_IMAGE = 8, 50, 1 / 6
MOST = 1 << 19  # In all, however large the collection is.

_SAMPLE = 2000  # Images by which a collection is whitened.
_ALIKE = 0.9  # Of images that are more similar, one is taken into the sample.
_PRIOR = 200  # The images that the identity counts as, against the sample.
_CELL = 8192  # Up to this number of images, all are compared with all.
# Beyond it, one image of every 64 is drawn as a pivot, and each image is assigned to the 8 pivots
# that are nearest to it. Images that share a pivot are compared.
_PER_PIVOT, _MEMBERS = 64, 8
_BLOCK = 1 << 18  # Similarities that are computed at a time; they fit in the cache.


# Pairs of images that may be the same picture. The first image, cropped by its look, then mirrored
# and inverted, resembles the second one, cropped by the other look.
Candidates = NDArray[np.void]
CANDIDATE = np.dtype(
    [
        ("first", np.int32),
        ("second", np.int32),
        ("look", np.uint8),
        ("other", np.uint8),
        ("mirrored", np.bool_),
        ("inverted", np.bool_),
        ("similarity", np.float32),
    ]
)


def crop(look: int, aspect: float) -> Crop:
    """Return the shares that a look cuts off an image of a width over height."""
    if look != SQUARE:
        return LOOKS[look]
    across, down = max(0.0, 1 - 1 / aspect) / 2, max(0.0, 1 - aspect) / 2
    return down, down, across, across


def _cropped(crop: Crop) -> Floats:
    """Return the matrix that makes the coefficients of a crop from those of the whole."""
    size = 4 * ORDER
    top, bottom, left, right = crop
    rows, columns = _resampled(top, bottom, size), _resampled(left, right, size)
    return np.asarray(np.kron(rows, columns).T, np.float32)


def _resampled(start: float, end: float, size: int) -> Floats:
    place = start + (np.arange(size) + 0.5) / size * (1 - start - end)
    basis = np.cos(np.pi * np.outer(place, np.arange(ORDER)))
    basis[:, 0] /= np.sqrt(2)
    matrix = fingerprints.cosines(ORDER, size) @ (basis * np.sqrt(2 / size))
    return np.asarray(matrix, np.float32)


@cache
def _learned() -> Floats:
    """Return the directions, (144, 2 d): the first half are even, the others odd."""
    return np.asarray(load(disk.read_bytes(str(WEIGHTS), LARGEST))["directions"], np.float32)


class Descriptors:
    """Descriptors of images: unit vectors, the even half and the odd half of (n, 2 d)."""

    def __init__(self, prints: Prints, directions: Floats | None = None) -> None:
        self.prints = prints
        self.directions = _learned() if directions is None else directions
        self.half = self.directions.shape[1] // 2
        self._maps = [_cropped(crop) @ self.directions for crop in LOOKS]
        whitening = self._whitening()
        self.directions = self.directions @ whitening
        self._maps = [m @ whitening for m in self._maps]

    def of(self, numbers: Index, look: int = WHOLE) -> Floats:
        """Describe some images by one of their looks; zeros where one has no such look."""
        prints = self.prints[numbers]
        coefficients = fingerprints.coefficients(prints)
        if look != SQUARE:
            return _unit(coefficients @ self._maps[look])
        return _unit(self._squares(coefficients, fingerprints.aspects(prints)))

    def _squares(self, coefficients: Floats, aspects: Floats) -> Floats:
        """Describe central squares; near aspects share a matrix."""
        squares = np.zeros((len(aspects), self.directions.shape[1]), np.float32)
        steps = np.rint(np.log(aspects) / np.log(OBLONG)).astype(int)
        for step in np.unique(steps[steps != 0]):
            some = steps == step
            matrix = _cropped(crop(SQUARE, OBLONG ** int(step))) @ self.directions
            squares[some] = coefficients[some] @ matrix
        return squares

    def _whitening(self) -> Floats:
        """Make all directions vary alike in this collection, as far as it is large enough.

        Phantoms, children, or images of one scanner are more alike than radiographs in general.
        Copies would hide that they differ, so that only one of them counts.
        """
        known = np.flatnonzero(self.prints[:, 0])
        chosen = known[:: max(1, len(known) // _SAMPLE)][:_SAMPLE]
        vectors = self.of(chosen)
        alike = np.triu(self.similarity(vectors, vectors), 1) > _ALIKE
        vectors = vectors[~alike.any(axis=0)]
        whitening = np.zeros((2 * self.half, 2 * self.half), np.float32)
        for part in (slice(self.half), slice(self.half, None)):
            moment = vectors[:, part].T @ vectors[:, part]
            spread = max(float(np.trace(moment)), 1e-6) / self.half
            mixed = moment / spread + _PRIOR / max(len(vectors), 1) * np.eye(self.half)
            values, axes = np.linalg.eigh(mixed / (1 + _PRIOR / max(len(vectors), 1)))
            whitening[part, part] = axes / np.sqrt(values) @ axes.T
        return whitening

    def similarity(self, a: Floats, b: Floats) -> Floats:
        """Compare all of one list with all of another, whichever way they are turned."""
        even, odd = self.parts(a, b)
        return np.asarray(np.abs(even) + np.abs(odd), np.float32)

    def parts(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """Return the products of the even and of the odd halves."""
        half = self.half
        return a[:, :half] @ b[:, :half].T, a[:, half:] @ b[:, half:].T


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


def candidates(prints: Prints) -> Candidates:
    """List the pairs of images that may be copies of one another, each once, the best first.

    Parameters
    ----------
    prints
        Packed fingerprints, (n, BYTES); an image without one is in no pair.
    """
    descriptors = Descriptors(prints)
    small = len(prints) <= _CELL
    best = _Best(
        min(PER_IMAGE * len(prints) + 1000, MOST), LEAST_SIMILARITY if small else SIMILARITY
    )
    for look, members, wholes in _cells(descriptors):
        base = descriptors.of(wholes)
        vectors = base if look == WHOLE else descriptors.of(members, look)
        for pairs in _similar(descriptors, vectors, base, best, look == WHOLE):
            pairs["first"], pairs["second"] = members[pairs["first"]], wholes[pairs["second"]]
            pairs["look"] = look
            best.add(pairs[pairs["first"] != pairs["second"]])
    pairs = best.candidates()
    enough = max(
        int((pairs["similarity"] > SIMILARITY).sum()), FEW + int(FEW_PER_IMAGE * len(prints))
    )
    return pairs[:enough]


def _similar(
    descriptors: Descriptors, vectors: Floats, base: Floats, best: "_Best", triangle: bool
) -> Iterator[Candidates]:
    """Yield the pairs above the threshold, a block at a time; of a triangle, each once."""
    step = max(1, _BLOCK // max(len(base), 1))
    for top in range(0, len(vectors), step):
        start = top if triangle else 0
        even, odd = descriptors.parts(vectors[top : top + step], base[start:])
        score = np.abs(even)
        score += np.abs(odd)
        place = np.flatnonzero(score > best.threshold)
        pairs = np.zeros(len(place), CANDIDATE)
        row, column = np.divmod(place, max(score.shape[1], 1))
        pairs["first"], pairs["second"] = top + row, start + column
        pairs["inverted"] = even.ravel()[place] < 0
        pairs["mirrored"] = (odd.ravel()[place] < 0) != pairs["inverted"]
        pairs["similarity"] = score.ravel()[place]
        yield pairs


def _cells(descriptors: Descriptors) -> Iterator[tuple[int, Index, Index]]:
    """Yield a look, images to be looked at by it, and images to compare them with.

    Of a large collection, images are compared that are near to the same one of some pivots, which
    are images drawn from it. Each is near to several. One look after another, which keeps the lists
    of two of them in memory and not of seven.
    """
    known = np.flatnonzero(descriptors.prints[:, 0])
    ratio = np.log(fingerprints.aspects(descriptors.prints[known]))
    looks = [*[known] * len(LOOKS), known[np.abs(ratio) > np.log(OBLONG)]]
    if len(known) <= _CELL:
        yield from ((look, members, known) for look, members in enumerate(looks))
        return
    count = len(known) // _PER_PIVOT
    pivots = descriptors.of(known[:: len(known) // count][:count])
    wholes = _Near(descriptors, known, WHOLE, pivots)
    for look, members in enumerate(looks):
        near = wholes if look == WHOLE else _Near(descriptors, members, look, pivots)
        yield from ((look, near.to(pivot), wholes.to(pivot)) for pivot in range(count))


class _Near:
    """The images that are nearest to each pivot by a look."""

    def __init__(self, descriptors: Descriptors, numbers: Index, look: int, pivots: Floats) -> None:
        cells = np.empty((len(numbers), _MEMBERS), np.int16)
        for top in range(0, len(numbers), 1024):
            some = slice(top, top + 1024)
            score = descriptors.similarity(descriptors.of(numbers[some], look), pivots)
            cells[some] = np.argpartition(-score, _MEMBERS, axis=1)[:, :_MEMBERS]
        order = np.argsort(cells.ravel(), kind="stable")
        self._starts = np.searchsorted(cells.ravel()[order], np.arange(len(pivots) + 1))
        order //= _MEMBERS
        self._numbers = numbers.astype(np.int32)[order]

    def to(self, pivot: int) -> Index:
        """Return the numbers of the images that are near to a pivot."""
        return self._numbers[self._starts[pivot] : self._starts[pivot + 1]]


class _Best:
    """The best candidates so far: a bounded number of them, by a threshold that rises."""

    def __init__(self, most: int, threshold: float) -> None:
        self.most, self.threshold = most, threshold
        self._kept = [np.empty(0, CANDIDATE)]
        self._count = 0

    def add(self, pairs: Candidates) -> None:
        """Take some more."""
        self._kept.append(pairs)
        self._count += len(pairs)
        if self._count > 2 * self.most:
            self._prune()

    def _prune(self) -> None:
        """Keep the best look of each pair, and of the pairs the best."""
        kept = np.concatenate(self._kept)
        kept = kept[np.argsort(-kept["similarity"], kind="stable")]
        low = np.minimum(kept["first"], kept["second"]).astype(np.int64)
        high = np.maximum(kept["first"], kept["second"])
        _, once = np.unique(low << 32 | high, return_index=True)
        kept = kept[np.sort(once)]
        if len(kept) > self.most:
            kept = kept[: self.most]
            self.threshold = float(kept["similarity"][-1])
        self._kept, self._count = [kept], len(kept)

    def candidates(self) -> Candidates:
        """Return them, the best first."""
        self._prune()
        return self._kept[0]
