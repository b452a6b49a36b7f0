"""Pictures moved by a fixed amount: where a spot goes, what stays, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import transform

from cxrtool.core.errors import CxrtoolError
from cxrtool.preprocess import moves
from cxrtool.preprocess.moves import Move

SIZE = 101
MIDDLE = (SIZE - 1) / 2


def spot(right: float, up: float) -> np.ndarray:
    """Draw a soft spot so far from the middle."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    distance = (columns - MIDDLE - right) ** 2 + (MIDDLE - rows - up) ** 2
    return (200 * np.exp(-distance / 18)).astype(np.uint8)


def place(grey: np.ndarray) -> tuple[float, float]:
    """Find the spot: its centre of mass, to the right and up from the middle."""
    rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]]
    total = grey.sum(dtype=float)
    return (
        float((grey * columns).sum() / total - MIDDLE),
        float(MIDDLE - (grey * rows).sum() / total),
    )


@pytest.mark.parametrize("right, up", [(20, 0), (0, 20), (-15, 10)])
def test_a_rotation_is_counter_clockwise(right: float, up: float) -> None:
    moved = place(moves.moved(spot(right, up), Move(rotate=5)))
    angle = np.deg2rad(5)
    wanted = (
        right * np.cos(angle) - up * np.sin(angle),
        right * np.sin(angle) + up * np.cos(angle),
    )
    assert moved == pytest.approx(wanted, abs=0.1)


def test_a_scale_enlarges_about_the_middle() -> None:
    assert place(moves.moved(spot(20, -10), Move(scale=1.1))) == pytest.approx((22, -11), abs=0.1)


def test_a_shear_moves_what_is_above_to_the_left() -> None:
    """A positive angle turns upright lines counter-clockwise."""
    shift = 20 * np.tan(np.deg2rad(10))
    assert place(moves.moved(spot(0, 20), Move(shear=10))) == pytest.approx((-shift, 20), abs=0.2)
    assert place(moves.moved(spot(20, 0), Move(shear=10))) == pytest.approx((20, 0), abs=0.2)


@pytest.mark.parametrize("shape", [(60, 80), (81, 50)])
def test_scikit_image_rotates_alike(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(0, 255, (8, 8)).astype(float)
    smooth = transform.resize(grey, shape, order=3, mode="edge").clip(0, 255).astype(np.uint8)
    theirs = transform.rotate(smooth, 5, mode="edge", preserve_range=True)
    ours = moves.moved(smooth, Move(rotate=5)).astype(float)
    assert np.abs(ours - theirs).mean() < 1
    assert np.abs(ours - theirs)[2:-2, 2:-2].max() <= 3


def test_what_comes_in_continues_the_edge() -> None:
    white = np.full((40, 30), 200, np.uint8)
    for move in (Move(rotate=30), Move(scale=0.5), Move(shear=20)):
        np.testing.assert_array_equal(moves.moved(white, move), white)


def test_depth_shape_and_the_input_are_kept() -> None:
    deep = np.random.default_rng(0).integers(0, 65535, (31, 42)).astype(np.uint16)
    before = deep.copy()
    moved = moves.moved(deep[:, ::-1], Move(rotate=3, scale=1.02, shear=1))
    assert (moved.shape, moved.dtype) == ((31, 42), np.uint16)
    assert moved.max() > 255
    np.testing.assert_array_equal(deep, before)


def test_parse_reads_every_key() -> None:
    assert moves.parse("rotate=5,scale=1.02,shear=-2") == Move(5, 1.02, -2)
    assert moves.parse("") == Move()


@pytest.mark.parametrize(
    "text", ["rotate", "rotate=", "rotate=x", "rotate=nan", "scale=0", "shear=90", "turn=5"]
)
def test_what_is_impossible_is_refused(text: str) -> None:
    with pytest.raises(CxrtoolError, match="--move"):
        moves.parse(text)


def test_a_move_by_nothing_is_refused() -> None:
    with pytest.raises(CxrtoolError, match="moves nothing"):
        moves.parse("rotate=0,scale=1")
