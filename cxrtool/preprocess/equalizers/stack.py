"""Three channels in a stated order, each enhanced in its own way, as COVID-CXNet stacks them."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.registry import Between
from cxrtool.files.grey_levels import Grey

RAW = "raw"
CHANNELS = (RAW, "ahe", "beasf", "clahe", "hist")


class Channels(str):
    """Three names joined by `+`."""

    def __new__(cls, text: str) -> "Channels":
        """Refuse a name that is not there, and more or fewer than three."""
        names = text.split("+")
        for name in names:
            registry.choose("channel", name, CHANNELS)
        if len(names) != 3:
            what = f"channels '{text}' are {len(names)}, not three"
            raise CxrtoolError(what, "Join three with +: stack:beasf+clahe+raw.")
        return super().__new__(cls, text)


def equalize(
    image: Grey,
    bits: int = 8,
    *,
    channels: Channels = Channels("beasf+clahe+raw"),  # noqa: B008 - it never changes.
    gamma: Annotated[float, Between(0.01, 100)] = 1.5,
    clip: Annotated[float, Between(0, 1000)] = 2.0,
    tiles: Annotated[int, Between(1, 64)] = 8,
) -> Grey:
    """Enhance the image in three ways, and make them the red, green and blue of an 8-bit picture.

    The channels are methods joined by `+`; `raw` is the image itself. `gamma` goes to beasf, `clip`
    and `tiles` to clahe. The scripts of COVID-CXNet stack raw+beasf+clahe, its paper and notebooks
    beasf+clahe+raw.
    """
    given = {"beasf": {"gamma": gamma}, "clahe": {"clip": clip, "tiles": tiles}}
    enhanced = [_channel(name, image, given.get(name, {})) for name in channels.split("+")]
    return np.stack(enhanced, axis=2)


def _channel(name: str, image: Grey, given: dict[str, Any]) -> NDArray[np.uint8]:
    method = registry.module("equalizers", "none" if name == RAW else name)
    enhanced: NDArray[np.uint8] = method.equalize(image, 8, **given)
    return enhanced
