"""What the equalizers share: how deep the result is, and the guard for constant images."""

import numpy as np

from cxrtool.artifacts.image import Grey, to8


def top(image: Grey, bits: int) -> int:
    """Tell the highest grey level of the result."""
    return 65535 if bits == 16 and image.dtype == np.uint16 else 255


def kept(image: Grey, bits: int) -> Grey:
    """Bring an image to the depth of the result without any other change."""
    return image if bits == 16 else to8(image)


def is_constant(image: Grey) -> bool:
    """Tell an image of one grey level, which no method is defined for."""
    return not image.size or bool((image == image.flat[0]).all())


def spread(image: Grey) -> Grey:
    """Spread the levels of a 16-bit image over all 65,536, from the lowest to the highest."""
    low, high = int(image.min()), int(image.max())
    table = np.rint((np.arange(65536) - low) * (65535 / max(1, high - low)))
    full: Grey = table.clip(0, 65535).astype(np.uint16)[image]
    return full
