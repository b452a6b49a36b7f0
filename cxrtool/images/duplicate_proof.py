"""Prove on the pixels that two images are the same picture (thumbnails -> yes or no).

One thumbnail is laid over the other by an affine map, and the fine detail is compared: what is left
of both after adaptive equalisation and local normalisation. Two exposures of one patient have the
same shapes and grey levels, up to a correlation of 0.98, but not the same detail.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.images.fingerprints import SIDE, Floats, Thumbnail

Crop = tuple[float, float, float, float]
Map = Floats  # (2, 3): where a point of the first image, in shares of its sides, is in the second

DETAIL = 0.76  # The least correlation of the detail of the same picture,
DETAIL_UNMOVED = 0.6  # and of one that was neither cropped nor turned.
UNMOVED = 1 / 64  # of the sides: a corner of such a picture may seem to have moved by so much.
MOST_MOVED = 0.2  # of the sides, by a corner, from the crop by which the candidate was found
LEAST_OVERLAP = 0.5  # of the area

# The least correlations of features of the same picture. Of other candidates half fall short of the
# first, and nearly all of the second: what follows is done for few.
LEAST_SHAPES, LEAST_DETAILS = 0.75, 0.66

_SHAPE, _FINE, _DETAIL = 1 / 16, 1 / 40, 1 / 56  # spread of the local means, of the sides
_STEPS, _ROUNDS = 4, 3  # in which a map is improved
_INVERSE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
_IDENTITY = np.eye(2, 3, dtype=np.float32)
_CORNERS = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]], np.float32)
_WHITE = np.ones((SIDE, SIDE), np.float32)
_NO_LIMIT, _TILES = 100, (8, 8)  # of the adaptive equalisation


@dataclass(frozen=True)
class Side:
    """One image of a pair: its thumbnail, and what is to be done to it before it is compared."""

    picture: Thumbnail
    crop: Crop = (0, 0, 0, 0)  # shares cut off at the top, the bottom, the left, the right
    mirrored: bool = False
    inverted: bool = False

    def shown(self) -> Thumbnail:
        """Crop, mirror and invert the thumbnail."""
        picture = 255 - self.picture if self.inverted else self.picture
        if any(self.crop) or self.mirrored:
            picture = _laid(picture, self.frame(), SIDE)
        return picture

    def frame(self) -> Map:
        """Return where the points of what is shown are in the thumbnail."""
        top, bottom, left, right = self.crop
        across, down = 1 - left - right, 1 - top - bottom
        if self.mirrored:
            return np.array([[-across, 0, 1 - right], [0, down, top]], np.float32)
        return np.array([[across, 0, left], [0, down, top]], np.float32)


def is_same(first: Side, second: Side) -> bool:
    """Whether two images are the same picture."""
    likeness, moved = compared(first, second, DETAIL)
    return likeness > (DETAIL_UNMOVED if moved <= UNMOVED else DETAIL)


def compared(first: Side, second: Side, enough: float = 1) -> tuple[float, float]:
    """Return how well the detail of two images correlates, and how far a corner has moved.

    The map of one on the other is improved until the detail correlates well `enough`.

    The likeness is -1 where they cannot be laid over one another. The distance is a share of the
    sides: an image that was neither cropped nor turned has its corners where the original has them.
    """
    a, b = first.shown(), second.shown()
    likeness, best = -1.0, _map_of_shapes(a, b)
    for _ in range(_ROUNDS):
        better = None if best is None else _map_of_details(a, b, best)
        score = -1.0 if better is None else _likeness(a, b, better)
        if score <= likeness:
            break
        likeness, best = score, better
        if likeness > enough:
            break
    if best is None or likeness < 0:
        return -1.0, np.inf
    apart = _joined(second.frame(), best) - first.frame()
    if first.mirrored != second.mirrored:
        # Seen from the first image, the second is not where it is, but where its mirror image is.
        apart[0] = _joined(second.frame(), best)[0] + first.frame()[0] - [0, 0, 1]
    return likeness, float(np.abs(_CORNERS @ apart.T).max())


def _features(picture: NDArray[Any], spread: float) -> Floats:
    """Equalise adaptively, then bring the local mean and spread to 0 and 1.

    A change of contrast, local ones too, leaves little trace in what comes out.

    References
    ----------
    Pizer et al., "Adaptive histogram equalization and its variations", Computer Vision, Graphics,
    and Image Processing 39 (1987).
    """
    # An equaliser has a state: threads cannot share it.
    equalizer = cv2.createCLAHE(_NO_LIMIT, _TILES)
    equal = equalizer.apply(np.ascontiguousarray(picture)).astype(np.float32) / 64
    high = equal - cv2.GaussianBlur(equal, (0, 0), spread)
    power = cv2.GaussianBlur(high * high, (0, 0), spread)
    return np.asarray(high / np.sqrt(power + 0.05**2), np.float32)


def _map_of_shapes(a: Thumbnail, b: Thumbnail) -> Map | None:
    """Find the affine map that lays b over a by their coarse features; None if they differ."""
    size = SIDE // 2
    first, second = (
        _reduced(_features(_reduced(x, size), size * _SHAPE), size // 2) for x in (a, b)
    )
    score, best = _improved(first, second, smoothing=5)
    return best if score > LEAST_SHAPES else None


def _map_of_details(a: Thumbnail, b: Thumbnail, best: Map) -> Map | None:
    """Correct a map by the fine features of what it lays over one another."""
    size = SIDE // 2
    first, second = (_features(_reduced(x, size), size * _FINE) for x in (a, _laid(b, best, SIDE)))
    score, step = _improved(first, second, smoothing=1)
    if step is None or score <= LEAST_DETAILS:
        return None
    better = _joined(best, step)
    moved = np.abs(_CORNERS @ (better - _IDENTITY).T).max()
    return better if moved <= MOST_MOVED else None


def _improved(first: Floats, second: Floats, smoothing: int) -> tuple[float, Map | None]:
    """Find the map that lays the second over the first, and the correlation that it reaches.

    References
    ----------
    Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient
    maximization", IEEE TPAMI 30 (2008).
    """
    size = len(first)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, 1e-4)
    try:
        score, matrix = cv2.findTransformECC(
            first, second, _IDENTITY.copy(), cv2.MOTION_AFFINE, stop, None, smoothing
        )
    except cv2.error:  # The search has left the picture: they have nothing in common.
        return -1.0, None
    matrix[:, 2] = (matrix[:, 2] - (matrix[:, :2].sum(axis=1) - 1) / 2) / size
    return float(score), matrix


def _pixels(shares: Map, size: int) -> Floats:
    """Return a map of pixels: the centre of the first is half a pixel from the edge."""
    matrix = shares.copy()
    matrix[:, 2] = size * matrix[:, 2] + (matrix[:, :2].sum(axis=1) - 1) / 2
    return matrix


def _joined(outer: Map, inner: Map) -> Map:
    """Return the map that does the inner one first."""
    both = outer[:, :2] @ inner
    both[:, 2] += outer[:, 2]
    return np.asarray(both, np.float32)


def _reduced(picture: NDArray[Any], size: int) -> NDArray[Any]:
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA))


def _laid(picture: NDArray[Any], where: Map, size: int) -> NDArray[Any]:
    """Return what a map finds in a picture, with the pixels at its edges continued outwards."""
    matrix, edge = _pixels(where, size), cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpAffine(picture, matrix, (size, size), flags=_INVERSE, borderMode=edge)
    )


def _likeness(a: Thumbnail, b: Thumbnail, where: Map) -> float:
    """Correlate the detail of two images where they overlap."""
    inside = cv2.warpAffine(_WHITE, _pixels(where, SIDE), (SIDE, SIDE), flags=_INVERSE)
    inside = cv2.erode((inside > 0.99).astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1)
    if inside.mean() < LEAST_OVERLAP:
        return -1.0
    box = _box(inside)
    seen, spread = inside[box] > 0, SIDE * _DETAIL
    first, second = _features(a[box], spread), _features(_laid(b, where, SIDE)[box], spread)
    return correlation(first[seen], second[seen])


def _box(inside: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return the rows and columns that lie mostly inside the mask."""
    sides = []
    for axis in (1, 0):
        share = inside.mean(axis=axis)
        place = np.flatnonzero(share > 0.85 * share.max())
        sides.append(slice(int(place[0]), int(place[-1]) + 1))
    return sides[0], sides[1]


def correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the normalised cross-correlation of two arrays; -1 where one is constant."""
    x = a.astype(np.float64) - a.mean(dtype=np.float64)
    y = b.astype(np.float64) - b.mean(dtype=np.float64)
    norm = float(np.sqrt(np.vdot(x, x) * np.vdot(y, y)))
    # An array that is constant but for rounding correlates with anything.
    if norm < 1e-6 * a.size:
        return -1.0
    return float(np.clip(np.vdot(x, y) / norm, -1, 1))
