"""What every segmenter keeps to, whatever image it is given."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cxrtool.core import registry
from cxrtool.phantoms import plan, render

Image = NDArray[np.uint8] | NDArray[np.uint16]

RNG = np.random.default_rng(5)
PHANTOM = render(plan(1, seed=2)[0], 96).image
IMAGES: dict[str, Image] = {
    "phantom": PHANTOM,
    "negative": 255 - PHANTOM,
    "16 bits": PHANTOM.astype(np.uint16) * 257,
    "12 bits": PHANTOM.astype(np.uint16) * 16,
    "two levels": np.where(PHANTOM > 128, 65535, 0).astype(np.uint16),
    "tall": PHANTOM[:, 20:60],
    "wide": PHANTOM[30:50],
    "not contiguous": PHANTOM[::2, ::-3],
    "turned in memory": np.asfortranarray(PHANTOM),
    "noise": RNG.integers(0, 256, (70, 90), dtype=np.uint8),
    "noise of 16 bits": RNG.integers(0, 65536, (90, 70), dtype=np.uint16),
    "black": np.zeros((40, 40), np.uint8),
    "white": np.full((40, 40), 255, np.uint8),
    "constant of 16 bits": np.full((30, 20), 40000, np.uint16),
    "one white pixel": np.pad(np.full((1, 1), 255, np.uint8), 20),
    "one pixel": np.full((1, 1), 9, np.uint8),
    "a row": np.arange(200, dtype=np.uint8)[None],
    "a column": np.arange(0, 60000, 300, dtype=np.uint16)[:, None],
    "a long row": (np.arange(20_000) % 256).astype(np.uint8)[None],
    "two by two": np.array([[0, 255], [255, 0]], np.uint8),
    "stripes": np.tile(np.array([0, 255], np.uint8), (64, 40)),
}


@pytest.fixture(params=registry.names("segmenters"))
def segment(request: pytest.FixtureRequest) -> Callable[..., NDArray[np.bool_]]:
    function: Callable[..., NDArray[np.bool_]] = registry.module(
        "segmenters", request.param
    ).segment
    return function


@pytest.mark.parametrize("name", IMAGES)
def test_any_image_gives_a_mask_of_its_shape_and_is_left_alone(
    segment: Callable[..., NDArray[np.bool_]], name: str
) -> None:
    image = IMAGES[name].copy(order="K")
    image.flags.writeable = False
    before = image.tobytes()
    mask = segment(image)
    assert mask.dtype == np.bool_
    assert mask.shape == image.shape
    assert image.tobytes() == before
    assert (segment(image) == mask).all(), "the same image gives the same mask"


@pytest.mark.parametrize("name", ["black", "white", "constant of 16 bits", "one pixel"])
def test_a_constant_image_has_no_lungs(
    segment: Callable[..., NDArray[np.bool_]], name: str
) -> None:
    assert not segment(IMAGES[name]).any()


def test_how_an_image_lies_in_memory_does_not_matter(
    segment: Callable[..., NDArray[np.bool_]],
) -> None:
    assert (segment(PHANTOM) == segment(np.asfortranarray(PHANTOM))).all()


@pytest.mark.parametrize("name", registry.names("segmenters"))
def test_every_option_has_a_default_and_the_module_a_summary(name: str) -> None:
    known = registry.options(registry.module("segmenters", name).segment)
    assert all(option.shown or option.default is None for option in known)
    assert registry.summary("segmenters", name)
