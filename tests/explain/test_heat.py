"""A map over its image: every place of it lands where the network saw it, and is measured there."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cxrtool.core import choices
from cxrtool.explain import heat
from cxrtool.files import pixel_cache

SHAPES = [(120, 120), (80, 160), (200, 90), (33, 57)]
SQUASHED = heat.Window(0, 0, 1, 1)


def dot(shape: tuple[int, int], y: float, x: float) -> NDArray[np.uint8]:
    """Draw a soft dot, in shares of the image."""
    rows = (np.arange(shape[0]) + 0.5) / shape[0] - y
    columns = (np.arange(shape[1]) + 0.5) / shape[1] - x
    wide = 0.04 * min(shape)
    far = (rows * shape[0])[:, None] ** 2 + (columns * shape[1]) ** 2
    return np.rint(255 * np.exp(-far / (2 * wide**2))).astype(np.uint8)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("fit", choices.FITS)
@pytest.mark.parametrize("place", [(0.5, 0.5), (0.4, 0.55), (0.6, 0.45)], ids=str)
def test_what_the_network_sees_lands_where_it_was(
    shape: tuple[int, int], fit: str, place: tuple[float, float]
) -> None:
    """The frame itself serves as the map."""
    picture = dot(shape, *place)
    framed = pixel_cache.framed_by(picture, 64, fit)
    laid = heat.placed(framed, shape, heat.window(shape, fit))
    assert laid.shape == shape
    x, y = heat.peak(laid, shape)
    slack = 1 + max(shape) / 64
    assert math.hypot(y + 0.5 - place[0] * shape[0], x + 0.5 - place[1] * shape[1]) <= slack
    # The whole dot, and not its middle alone.
    assert np.abs(laid - picture).mean() < 4


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_was_cut_off_has_no_heat(shape: tuple[int, int]) -> None:
    laid = heat.placed(np.ones((5, 5)), shape, heat.window(shape, "crop"))
    side = min(shape) * 7 // 8
    assert (laid > 0).sum() == pytest.approx(side**2, rel=0.05)
    assert set(np.unique(laid.round(5))) == {0.0, 1.0}
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    assert laid[top + 1 : top + side - 1, left + 1 : left + side - 1].all()


def test_a_map_grows_linearly_as_pytorch_lets_it() -> None:
    found = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    laid = heat.placed(found, (60, 41), SQUASHED)
    expected = functional.interpolate(
        torch.from_numpy(found)[None, None], (60, 41), mode="bilinear", align_corners=False
    )[0, 0]
    np.testing.assert_allclose(laid, expected.numpy(), atol=1e-5)


def test_of_one_cell_the_whole_image_is_alike() -> None:
    assert (heat.placed(np.full((1, 1), 3.0), (9, 12), SQUASHED) == 3).all()


def test_a_smaller_picture_has_its_peak_in_pixels_of_the_image() -> None:
    laid = np.zeros((50, 100), np.float32)
    laid[10, 70] = 1
    assert heat.peak(laid, (500, 1000)) == (705, 105)
    assert heat.peak(laid, (50, 100)) == (70, 10)


@pytest.mark.parametrize(
    ("shape", "cell", "lost"),
    [
        ((100, 200), (0, 1), 1.0),
        ((100, 200), (1, 1), 0.0),
        ((200, 100), (1, 0), 1.0),
        ((100, 100), (0, 0), 0.0),
    ],
)
def test_heat_on_the_padding(shape: tuple[int, int], cell: tuple[int, int], lost: float) -> None:
    """Of four by four cells a quarter is padding on either side."""
    found = np.zeros((4, 4))
    found[cell] = 2
    found[3, 3] = -5
    assert heat.beside(found, heat.window(shape, "pad")) == pytest.approx(lost, abs=0.02)


def test_the_share_in_a_mask_counts_the_positive_part() -> None:
    laid = np.array([[3.0, 1.0], [-9.0, 0.0]])
    mask = np.array([[True, False], [True, False]])
    assert heat.share(laid, mask) == 0.75
    assert heat.share(laid, ~mask) == 0.25
    assert math.isnan(heat.share(-np.abs(laid), mask))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (np.zeros((3, 3)), "empty map"),
        (np.full((3, 3), 0.5), "empty map"),
        (np.array([[1.0, np.nan]]), "empty map"),
        (np.array([[1.0, np.inf]]), "empty map"),
        (np.array([[-1.0, 0.0]]), "nothing for the class"),
        (np.array([[-1.0, 0.5]]), ""),
    ],
)
def test_what_is_wrong_with_a_map(found: NDArray[np.float64], expected: str) -> None:
    assert heat.wrong(found) == expected


@pytest.mark.parametrize(
    ("place", "expected"), [((2, 50), True), ((50, 97), True), ((50, 50), False), ((6, 93), False)]
)
def test_the_edge(place: tuple[int, int], expected: bool) -> None:
    assert heat.is_at_edge(place, (100, 100)) is expected
