"""Heat drawn over a radiograph: its colours, and lines around what is hot or diseased.

Equal steps of heat look equal in most colour maps, to colour-blind readers and in grey prints, too:
the colours also become lighter. `jet` is different: its steps in lightness draw edges where the
heat has none. It is there for pictures that look like those of papers, and covers cold places too,
as there.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrtool.figures import plot

Bytes = NDArray[np.uint8]
Floats = NDArray[np.floating]

# How much of the picture the hottest colour hides; and all colours of jet alike.
OPACITY, EVEN_OPACITY = 0.6, 0.4
# What speaks for a class and what against it, where both are shown; the line around a lesion.
FOR, AGAINST, MIDDLE = plot.ORANGE, plot.BLUE, "#dddddd"
WHITE, CYAN = (255, 255, 255), (0, 255, 255)


@dataclass(frozen=True)
class Style:
    """How heat looks: its colours, where the line goes, and whether negative heat is shown."""

    colormap: str = "inferno"
    threshold: float = 0.6
    both: bool = False


def overlay(grey: Bytes, heat: Floats, style: Style) -> Bytes:
    """Colour a picture (height, width) by the heat of every pixel, as (height, width, 3).

    The colour is of the heat's share in the hottest, and covers the more the hotter it is. A line
    goes round all that has at least the threshold, which is such a share. With `both`, what speaks
    for the class and what against it have a colour each, and the shares are of the strongest.
    """
    kept = heat if style.both else np.maximum(heat, 0, dtype=np.float32)
    strongest = float(np.abs(kept).max())
    if not 0 < strongest < math.inf:
        return np.repeat(grey[..., None], 3, axis=2)
    shares = np.asarray(kept, np.float32) / np.float32(strongest)
    drawn = _signed(grey, shares) if style.both else _coloured(grey, shares, style.colormap)
    picture: Bytes = np.rint(drawn, out=drawn).astype(np.uint8)
    hottest = float(shares.max())
    if 0 < style.threshold <= 1 and hottest > 0:
        outline(picture, shares >= style.threshold * hottest)
    return picture


def _coloured(grey: Bytes, shares: NDArray[np.float32], colormap: str) -> NDArray[np.float32]:
    levels = np.rint(255 * shares).astype(np.uint8)
    colours, left = _colours(colormap)
    drawn = colours[levels]
    drawn += (grey * left[levels])[..., None]
    return drawn


def _signed(grey: Bytes, shares: NDArray[np.float32]) -> NDArray[np.float32]:
    cover = OPACITY * np.abs(shares)[..., None]
    colours = np.where((shares > 0)[..., None], _rgb(FOR), _rgb(AGAINST))
    return np.asarray(colours * cover + grey[..., None] * (1 - cover), np.float32)


def outline(
    picture: Bytes, region: NDArray[np.bool_], colour: tuple[int, int, int] = WHITE
) -> None:
    """Draw a line with a dark edge, which is seen on any ground."""
    bits = region.view(np.uint8)
    lines = cv2.findContours(bits, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    width = max(1, max(bits.shape) // 300)
    if max(bits.shape) >= 200:
        cv2.drawContours(picture, lines, -1, (0, 0, 0), 3 * width, cv2.LINE_AA)
    cv2.drawContours(picture, lines, -1, colour, width, cv2.LINE_AA)


@cache
def _colours(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what every level of heat adds to a picture, and the share that it leaves of it."""
    from matplotlib import colormaps

    cover = OPACITY * np.linspace(0, 1, 256, dtype=np.float32)
    if name == "jet":
        cover = np.full(256, EVEN_OPACITY, np.float32)
    colours = 255 * np.asarray(colormaps[name](np.arange(256))[:, :3], np.float32)
    return colours * cover[:, None], 1 - cover


@cache
def _rgb(colour: str) -> NDArray[np.float32]:
    from matplotlib import colors

    return np.asarray(colors.to_rgb(colour), np.float32) * 255


def scale(style: Style) -> Any:
    """Return the colour map of a legend, from the coldest to the hottest."""
    from matplotlib import colormaps, colors

    if style.both:
        return colors.LinearSegmentedColormap.from_list("signs", [AGAINST, MIDDLE, FOR])
    return colormaps[style.colormap]
