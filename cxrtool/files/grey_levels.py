"""Grey levels of images: any values to uint8 or uint16 without losing their order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8] | NDArray[np.uint16]


def luminance(colour: NDArray[Any]) -> NDArray[Any]:
    """Reduce red, green and blue to grey by the weights of ITU-R BT.601, at the depth they have."""
    if colour.dtype == np.uint8:
        return np.asarray(Image.fromarray(colour[..., :3]).convert("L"))
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(np.rint(colour[..., :3] @ weights).astype(colour.dtype))


def to_grey(values: NDArray[Any]) -> Grey:
    """Bring values of any type to uint8 or uint16 without losing their order.

    Whole numbers that fit stay as they are; others are spread over 16 bits, from the lowest to the
    highest finite value. What is not a number becomes black.
    """
    if values.dtype in (np.uint8, np.uint16):
        return values
    if values.dtype.kind in "iub" and values.size:
        low, high = int(values.min()), int(values.max())
        if low >= 0 and high <= 0xFFFF:
            return values.astype(np.uint16)
    return _spread(values.astype(np.float32))


def _spread(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint16)
    low, high = float(values[finite].min()), float(values[finite].max())
    with np.errstate(all="ignore"):
        # Halves keep the difference of the largest floats finite.
        scaled = (values / 2 - low / 2) * (65535 / max(high / 2 - low / 2, 1e-38))
    np.nan_to_num(scaled, copy=False, nan=0, posinf=65535, neginf=0)
    return np.clip(np.rint(scaled), 0, 65535).astype(np.uint16)


def to8(grey: Grey, *, whole_range: bool = False) -> NDArray[np.uint8]:
    """Bring 16 bits to 8, spreading from the lowest to the highest level that occurs.

    `whole_range` spreads from 0 to 65535, so that a level means the same in every image.
    """
    if grey.dtype == np.uint8:
        return grey  # type: ignore[return-value]
    low, high = (0, 65535) if whole_range else (int(grey.min()), int(grey.max()))
    if low == high:
        return np.full(grey.shape, round(low / 257), np.uint8)
    table = np.arange(65536, dtype=np.float32)
    table = np.clip(np.rint((table - low) * (255 / (high - low))), 0, 255)
    levels: NDArray[np.uint8] = table.astype(np.uint8)[grey]
    return levels


def to_mask(grey: Grey, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Read a picture as a mask of a shape: white is what is brighter than half of its brightest.

    A mask that was saved as JPEG is not black and white only.
    """
    if grey.shape != shape:
        import cv2

        # The picture may have been resized since its mask was drawn.
        grey = cv2.resize(grey, shape[::-1], interpolation=cv2.INTER_NEAREST)
    mask: NDArray[np.bool_] = grey > grey.max() / 2
    return mask
