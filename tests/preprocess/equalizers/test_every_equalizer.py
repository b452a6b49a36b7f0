"""What holds for every equalizer, whoever adds one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cxrtool.core import registry
from cxrtool.files import image

METHODS = registry.names("equalizers")
Grey = NDArray[Any]


def rough(height: int, width: int, dtype: type = np.uint8, high: int = 256) -> Grey:
    random = np.random.default_rng(height * 1000 + width)
    ramp = np.linspace(0, 1, width) * np.ones((height, 1))
    return ((0.8 * ramp + 0.2 * random.random((height, width))) * (high - 1)).astype(dtype)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The options without which a method does not work."""
    reference = tmp_path_factory.mktemp("reference") / "r.png"
    image.write_png(reference, rough(40, 50)[:, ::-1] // 2 + 20)
    return {"match": {"reference": registry.File(reference)}}


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest, given: dict[str, dict[str, Any]]) -> Callable[..., Grey]:
    plugin = registry.module("equalizers", request.param)
    return lambda grey, bits=8: plugin.equalize(grey, bits, **given.get(request.param, {}))


SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (3, 7), (8, 8), (31, 40), (64, 33), (100, 100)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_shape_depth_and_an_input_left_alone(
    method: Callable[..., Grey], shape: tuple[int, int], dtype: type
) -> None:
    grey = rough(*shape, dtype, 4096 if dtype is np.uint16 else 256)
    before = grey.copy()
    grey.flags.writeable = False
    result = method(grey)
    assert result.shape[:2] == shape
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(grey, before)
    np.testing.assert_array_equal(method(grey), result)


@pytest.mark.parametrize("level", [0, 1, 77, 128, 129, 255])
def test_a_constant_image_comes_back(method: Callable[..., Grey], level: int) -> None:
    grey = np.full((30, 41), level, np.uint8)
    assert (method(grey) == level).all()
    assert (method(grey, 16) == level).all()


@pytest.mark.parametrize("level", [0, 1, 1000, 65535])
def test_a_constant_image_of_16_bits_is_scaled(method: Callable[..., Grey], level: int) -> None:
    grey = np.full((30, 41), level, np.uint16)
    assert (method(grey) == round(level / 257)).all()


def test_16_bits_use_the_range_and_keep_the_order(method: Callable[..., Grey]) -> None:
    """A 12-bit ramp must not come out dark, nor clipped."""
    grey = (np.linspace(100, 3900, 64 * 64).reshape(64, 64)).astype(np.uint16)
    result = method(grey)
    result = result if result.ndim == 2 else result[..., 2]
    assert np.ptp(result.astype(int)) >= 100
    assert result[-8:].mean() > result[:8].mean()


def test_bits_16_keep_a_depth_of_8(method: Callable[..., Grey]) -> None:
    grey = rough(40, 50)
    np.testing.assert_array_equal(method(grey, 16), method(grey, 8))


def test_an_image_may_be_a_view(method: Callable[..., Grey]) -> None:
    """Slices and turns are not contiguous in memory, and not of the machine's byte order."""
    grey = rough(40, 52)
    np.testing.assert_array_equal(method(grey[::2, 1::3]), method(grey[::2, 1::3].copy()))
    deep = rough(40, 52, np.uint16, 4096).T
    np.testing.assert_array_equal(method(deep), method(np.ascontiguousarray(deep)))


@pytest.mark.parametrize("low, high", [(100, 140), (0, 1), (254, 255), (7, 8)])
def test_a_narrow_range(method: Callable[..., Grey], low: int, high: int) -> None:
    grey = np.where(rough(40, 50) > 128, high, low).astype(np.uint8)
    result = method(grey)
    assert result.dtype == np.uint8
    result = result if result.ndim == 2 else result[..., 2]
    assert result[grey == high].mean() >= result[grey == low].mean()


@pytest.mark.parametrize("black, white", [(1, 0), (0, 1)])
def test_one_pixel_that_is_different(method: Callable[..., Grey], black: int, white: int) -> None:
    grey = np.full((30, 30), 255 * black, np.uint8)
    grey[11, 12] = 255 * white
    result = method(grey)
    assert result.shape[:2] == (30, 30)
