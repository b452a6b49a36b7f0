"""Contrast-limited adaptive histogram equalisation, as OpenCV's CLAHE defines it."""

from typing import Annotated

import cv2
import numpy as np

from cxrtool.core.registry import Between
from cxrtool.files.grey_levels import Grey, to8
from cxrtool.preprocess.equalizers import _levels


def equalize(
    image: Grey,
    bits: int = 8,
    *,
    clip: Annotated[float, Between(0, 1000)] = 2.0,
    tiles: Annotated[int, Between(1, 64)] = 8,
) -> Grey:
    """Equalise each of tiles x tiles parts, and blend the four tables nearest to every pixel.

    No level may hold more than `clip` times its even share of a tile; the excess is spread over all
    levels. `clip=0` limits nothing. 16 bits are spread over the range of the result first: of the
    65,536 levels a 12-bit image uses few, and the limit would leave it as dark as it is.
    """
    if _levels.is_constant(image):
        return _levels.kept(image, bits)
    spread = _levels.spread(image) if _levels.top(image, bits) > 255 else to8(image)
    # The tiles of a picture that is smaller than their number would be empty.
    grid = tuple(min(tiles, side) for side in reversed(image.shape))
    blended: Grey = cv2.createCLAHE(clip, grid).apply(np.ascontiguousarray(spread))
    return blended
