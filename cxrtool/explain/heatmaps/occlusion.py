"""Occlusion: how much the logit falls when a part is covered (Zeiler and Fergus 2014)."""

from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from torch import Tensor

from cxrtool.core.registry import Between
from cxrtool.explain.heatmaps import _taps
from cxrtool.learn.architectures._network import Network

ALONE = True
SIGNED = True
ASKS_ONLY = True
Square = tuple[int, int]


@torch.no_grad()
def heatmap(
    network: Network,
    images: Tensor,
    classes: Tensor,
    *,
    cells: Annotated[int, Between(1, 128)] = 16,
    wide: Annotated[int, Between(1, 128)] = 2,
    fill: Literal["mean", "black"] = "mean",
) -> Tensor:
    """Cover squares of wide x wide cells of the image, which has cells x cells.

    The square moves by one cell; a cell's heat is the mean fall of the logit over all squares that
    cover it. `fill` is what covers: the image's mean, or black, which itself may look like a sign.
    """
    result = [
        _of_one(network, image, int(of), min(cells, *image.shape[1:]), wide, fill)
        for image, of in zip(images, classes, strict=True)
    ]
    return torch.stack(result)


def _of_one(network: Network, image: Tensor, of: int, cells: int, wide: int, fill: str) -> Tensor:
    wide = min(wide, cells)
    starts = range(cells - wide + 1)
    squares = [(row, column) for row in starts for column in starts]
    plain = _taps.asked(network, [image[None]], of)
    covered = _taps.asked(network, _covered(image, squares, cells, wide, fill), of)
    heat, times = image.new_zeros(cells, cells), image.new_zeros(cells, cells)
    for (row, column), fall in zip(squares, (plain - covered).to(image), strict=True):
        heat[row : row + wide, column : column + wide] += fall
        times[row : row + wide, column : column + wide] += 1
    return heat / times


def _covered(
    image: Tensor, squares: list[Square], cells: int, wide: int, fill: str
) -> Iterator[Tensor]:
    """Yield the image with every square covered, several at a time."""
    height, width = image.shape[1:]
    level = image.mean((1, 2))[:, None, None] if fill == "mean" else image.new_zeros(1)
    for start in range(0, len(squares), _taps.STEP):
        part = squares[start : start + _taps.STEP]
        looks = image.repeat(len(part), 1, 1, 1)
        for look, (row, column) in zip(looks, part, strict=True):
            top, bottom = height * row // cells, height * (row + wide) // cells
            left, right = width * column // cells, width * (column + wide) // cells
            look[:, top:bottom, left:right] = level
        yield looks
