"""Traces that processing leaves in pixels: resampling, JPEG blocks, stretched grey levels.

Cameras and image editors leave traces that forensics reads [1]_ [2]_. Here they tell how an image
came from the detector into the collection. All are measured in the frame, a tenth of the image
along each edge: opacities of the lungs change the sharpness and the histogram of a whole image.

References
----------
.. [1] Popescu and Farid, "Exposing digital forgeries by detecting traces of resampling", IEEE
   Trans. Signal Process. 53 (2005).
.. [2] Fan and de Queiroz, "Identification of bitmap compression history", IEEE Trans. Image
   Process. 12 (2003).
"""

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from cxrtool.files.grey_levels import Grey
from cxrtool.images.fingerprints import cosines

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Values = dict[str, float]

AXES = ("across", "down")
JPEG = 8  # the side of a JPEG's tiles
FRAME = 0.1  # of a side: the width of the frame, in whole tiles
BLOCK = 32  # the side of the blocks whose spectrum is measured
MOST_BLOCKS = 24  # along an edge
MOST_LINES = 128  # in the frame, whose pixels are compared with their neighbours
MOST_TILES = 1024  # of the frame, whose cosine transform is measured

SHARPNESS = (
    *(f"sharp_{band}" for band in ("across", "down", "diagonal", "middle")),
    *(f"{name}_{axis}" for name in ("cutoff", "resampled") for axis in AXES),
)
GRID = (*(f"blocks_{axis}" for axis in AXES), "blocks_shifted", "quantized")
LEVELS = ("levels", "gaps", "step", "comb", "black", "white")


class FrameStrips(NamedTuple):
    """The strips along the edges of an image, as long as the image; they share the corners."""

    top: NDArray[Any]
    bottom: NDArray[Any]
    left: NDArray[Any]
    right: NDArray[Any]


def frame(image: NDArray[Any]) -> FrameStrips:
    """Cut the strips along the edges; each begins and ends where a JPEG's tile does."""
    height, width = image.shape
    down, across = (JPEG * max(1, round(FRAME * side / JPEG)) for side in (height, width))
    bottom, right = (
        max(0, side // JPEG * JPEG - depth) for side, depth in ((height, down), (width, across))
    )
    return FrameStrips(image[:down], image[bottom:], image[:, :across], image[:, right:])


def sharpness(image: Bytes) -> Values:
    """Return how much fine detail there is in the frame, and traces of resampling.

    `sharp_*` is the logarithm of the power at the highest frequencies over that at low ones: the
    median of blocks along the four edges. `cutoff_*` is the frequency, in cycles a pixel, below
    which lies 95 % of the power of the differences of neighbouring pixels. Interpolation makes
    some pixels smoother than others, in a rhythm; `resampled_*` is the logarithm of the height of
    its highest peak over the median [1]_.
    """
    values = dict.fromkeys(SHARPNESS, math.nan) | _sharp(edge_blocks(image))
    for axis, lines in zip(AXES, _lines(image), strict=True):
        if lines.shape[1] >= BLOCK:
            values[f"cutoff_{axis}"] = _cutoff(lines)
            values[f"resampled_{axis}"] = _rhythm(lines)
    return values


def edge_blocks(image: Bytes) -> Floats:
    """Cut square blocks along the four edges, evenly spaced (n, BLOCK, BLOCK)."""
    height, width = image.shape
    if min(height, width) < 2 * BLOCK:
        return np.zeros((0, BLOCK, BLOCK), np.float32)
    down, across = (_places(side) for side in (height, width))
    edges = {(y, x) for x in across for y in (0, height - BLOCK)}
    edges |= {(y, x) for y in down for x in (0, width - BLOCK)}
    blocks = [image[y : y + BLOCK, x : x + BLOCK] for y, x in sorted(edges)]
    return np.stack(blocks).astype(np.float32)


def _places(side: int) -> list[int]:
    number = min(MOST_BLOCKS, side // BLOCK)
    return [int(place) for place in np.linspace(0, side - BLOCK, number)]


def _lines(image: Bytes) -> tuple[Floats, Floats]:
    """Return rows of the upper and lower strip, and columns of the others, each as rows."""
    strips = frame(image)
    return _some(strips.top, strips.bottom), _some(strips.left.T, strips.right.T)


def _some(*strips: Bytes) -> Floats:
    step = -(-2 * len(strips[0]) // MOST_LINES)
    return np.concatenate([strip[::step] for strip in strips]).astype(np.float32)


def _window(size: int) -> Floats:
    return np.asarray(np.hanning(size + 2)[1:-1], np.float32)


_WINDOW = np.outer(_window(BLOCK), _window(BLOCK))
_DOWN, _ACROSS = np.abs(np.fft.fftfreq(BLOCK))[:, None], np.fft.rfftfreq(BLOCK)[None]
_RADIUS = np.hypot(_DOWN, _ACROSS)
BANDS = {
    "sharp_across": (_ACROSS > 0.35) & (_DOWN < 0.15),
    "sharp_down": (_DOWN > 0.35) & (_ACROSS < 0.15),
    "sharp_diagonal": (_ACROSS > 0.33) & (_DOWN > 0.33),
    "sharp_middle": (_RADIUS > 0.2) & (_RADIUS < 0.3),
}
LOW = (_RADIUS > 0.06) & (_RADIUS < 0.15)


def _sharp(blocks: Floats) -> Values:
    blocks = blocks[blocks.std(axis=(1, 2)) > 1]  # a collimated edge has no detail
    if not len(blocks):
        return {}
    blocks = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    power = np.abs(scipy.fft.rfft2(blocks * _WINDOW)) ** 2
    low = np.log1p(power[:, LOW].mean(axis=1))
    return {
        name: float(np.median(np.log1p(power[:, band].mean(axis=1)) - low))
        for name, band in BANDS.items()
    }


def _cutoff(lines: Floats) -> float:
    steps = np.diff(lines, axis=1)
    power = np.abs(scipy.fft.rfft(steps * _window(steps.shape[1]), axis=1)) ** 2
    # The geometric mean of the lines: a marker or a tube is on few of them.
    share = np.cumsum(np.exp(np.log(power + 1e-3).mean(axis=0)))
    return float(np.interp(0.95, share / share[-1], np.fft.rfftfreq(steps.shape[1])))


def _rhythm(lines: Floats) -> float:
    bends = np.log(np.abs(np.diff(lines, 2, axis=1)).mean(axis=0) + 0.1)
    bends -= cv2.blur(bends[None], (9, 1)).ravel()
    power = np.abs(scipy.fft.rfft(bends * _window(len(bends)))) ** 2
    frequency = np.fft.rfftfreq(len(bends)) * JPEG
    # The blocks of a JPEG have a rhythm of their own.
    others = (frequency > 0.4) & (np.abs(frequency - np.rint(frequency)) > 0.15)
    peaks = power[others] + 1e-6
    return float(np.log(peaks.max() / np.median(peaks)))


def grid(image: Bytes) -> Values:
    """Return traces of JPEG's tiles of 8 x 8 pixels, which stay when the image becomes a PNG.

    `blocks_*` is by how much grey levels jump more between tiles than inside them, as a share of
    the mean difference of neighbours; `blocks_shifted` is the same on the grid where it is most,
    which a crop moves. `quantized` is by how much more coefficients of the cosine transform are
    zero in the tiles of the grid than in tiles between them [2]_.
    """
    values = dict.fromkeys(GRID, math.nan)
    jumps = [_jumps(lines) for lines in _lines(image) if lines.shape[1] >= 3 * JPEG]
    if len(jumps) == 2:
        values |= {f"blocks_{axis}": float(j[0]) for axis, j in zip(AXES, jumps, strict=True)}
        values["blocks_shifted"] = float(sum(j.max() for j in jumps) / 2)
        values["quantized"] = _zeros(_tiles(image, 0)) - _zeros(_tiles(image, JPEG // 2))
    return values


def _jumps(lines: Floats) -> Floats:
    """Return how much levels jump at each of the 8 places of the grid, that of the tiles first."""
    steps = np.abs(np.diff(lines, axis=1))
    jump = (2 * steps[:, 1:-1] - steps[:, :-2] - steps[:, 2:]).mean(axis=0)
    phases = jump[: len(jump) // JPEG * JPEG].reshape(-1, JPEG).mean(axis=0)
    # The first jump is that between the second pixel and the third.
    return np.asarray(np.roll(phases, 2 - JPEG) / (steps.mean() + 0.25), np.float32)


_TRANSFORM = cosines(JPEG, JPEG)
_FINE = np.add.outer(np.arange(JPEG), np.arange(JPEG)) >= 5


def _zeros(tiles: Floats) -> float:
    """Return the share of zeros among the fine coefficients of tiles that are not flat."""
    tiles = tiles[np.ptp(tiles, axis=(1, 2)) > 2]
    if not len(tiles):
        return math.nan
    fine = (_TRANSFORM @ tiles @ _TRANSFORM.T)[:, _FINE]
    return float((np.abs(fine) < 0.6).mean())


def _tiles(image: Bytes, shift: int) -> Floats:
    """Cut the strips of the frame into tiles (n, 8, 8), some of them where there are many."""
    parts = []
    for strip in frame(image):
        rows, columns = ((side - shift) // JPEG for side in strip.shape)
        inside = strip[shift : shift + JPEG * rows, shift : shift + JPEG * columns]
        tiles = inside.reshape(rows, JPEG, columns, JPEG).swapaxes(1, 2).reshape(-1, JPEG, JPEG)
        parts.append(tiles[:: -(-4 * len(tiles) // MOST_TILES) or 1])
    return np.concatenate(parts).astype(np.float32)


def grey_levels(image: Grey) -> Values:
    """Return traces of gamma, equalization and clipping in the histogram of the frame.

    `black` and `white` are the shares of its darkest and brightest level. The others look at the
    levels between the darkest and the brightest hundredth of the pixels: `levels` is the logarithm
    (base 2) of how many are used, `step` that of the distance that all of them keep, `gaps` the
    share of levels at that distance that no pixel has, and `comb` the logarithm of how uneven
    neighbouring levels are, over what chance makes.
    """
    values = dict.fromkeys(LEVELS, math.nan)
    counts = _histogram(image)
    occupied = counts[counts > 0] / counts.sum()
    values["black"], values["white"] = float(occupied[0]), float(occupied[-1])
    counts = _middle(counts)
    used = np.flatnonzero(counts)
    values["levels"] = math.log2(len(used))
    if len(used) > 1:
        step = int(np.gcd.reduce(np.diff(used)))
        every = counts[used[0] :: step]
        values["step"] = math.log2(step)
        values["gaps"] = float((every == 0).mean())
        if len(every) > 8:
            values["comb"] = _comb(every)
    return values


def _histogram(image: Grey) -> Floats:
    strips = frame(image)
    inner = slice(len(strips.top), len(image) - len(strips.bottom))
    parts = strips.top, strips.bottom, strips.left[inner], strips.right[inner]
    levels = int(np.iinfo(image.dtype).max) + 1
    # NumPy's bincount would first make 8 bytes of each pixel.
    return np.asarray(
        sum(
            cv2.calcHist([np.ascontiguousarray(part)], [0], None, [levels], [0, levels]).ravel()
            for part in parts
            if part.size
        )
    )


def _middle(counts: Floats) -> Floats:
    below = np.cumsum(counts, dtype=np.float64)
    low, high = np.searchsorted(below, [0.01 * below[-1], 0.99 * below[-1]])
    return counts[low : high + 1]


def _comb(counts: Floats) -> float:
    uneven = counts[1:-1] - (counts[:-2] + counts[2:]) / 2
    # The median of squares of a standard normal variable is 0.455.
    chance = 0.455 * 1.5 * counts.mean()
    return float(np.log((np.median(uneven**2) + 1) / (chance + 1)))
