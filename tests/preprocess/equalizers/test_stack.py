"""A stack holds its channels in the order that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.preprocess.equalizers import beasf, clahe, hist, stack

GREY = np.random.default_rng(5).normal(120, 40, (64, 70)).clip(0, 255).astype(np.uint8)


def test_the_default_is_the_papers() -> None:
    red, green, blue = np.moveaxis(stack.equalize(GREY), 2, 0)
    np.testing.assert_array_equal(red, beasf.equalize(GREY, gamma=1.5))
    np.testing.assert_array_equal(green, clahe.equalize(GREY, clip=2.0, tiles=8))
    np.testing.assert_array_equal(blue, GREY)


def test_another_order_and_other_options() -> None:
    given = registry.load("equalizers", "stack:raw+hist+clahe,clip=6,tiles=4", "equalize")[2]
    red, green, blue = np.moveaxis(stack.equalize(GREY, **given), 2, 0)
    np.testing.assert_array_equal(red, GREY)
    np.testing.assert_array_equal(green, hist.equalize(GREY))
    np.testing.assert_array_equal(blue, clahe.equalize(GREY, clip=6.0, tiles=4))


@pytest.mark.parametrize(
    "channels, message",
    [
        ("raw+clahe", "channels 'raw+clahe' are 2, not three. Join three with +"),
        ("raw+clahe+bearsf", "channel 'bearsf' is not one of: raw, .* Did you mean 'beasf'"),
    ],
)
def test_what_is_no_stack(channels: str, message: str) -> None:
    with pytest.raises(CxrtoolError, match=message.replace("+", r"\+")):
        registry.load("equalizers", f"stack:{channels}", "equalize")
