"""What happens to a radiograph on its way from one collection to another.

`CHANGES` names changes of a picture, uint8, that leave it the same picture; each takes a generator
too, for what is random in it. `FOUND` is the share of copies so changed that `ingest` has to find.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Random = np.random.Generator
Change = Callable[[Image, Random], NDArray[np.uint8] | NDArray[np.uint16]]

WORDS = ("PORTABLE AP", "12:34", "R", "LEFT", "Figure 2b", "ID 4711-22", "sitzend", "SUPINE")


def jpeg(image: Image, quality: int) -> Image:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)


def resized(image: Image, shorter: int) -> Image:
    scale = shorter / min(image.shape)
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def gamma(image: Image, exponent: float) -> Image:
    return np.rint(255 * (image / 255) ** exponent).astype(np.uint8)


def windowed(image: Image, share: float) -> Image:
    """Stretch the contrast; the darkest and the brightest pixels are cut off."""
    low, high = np.percentile(image, [100 * share, 100 - 100 * share])
    return np.uint8(np.clip((image - low) / max(high - low, 1), 0, 1) * 255)


def clahe(image: Image, clip: float) -> Image:
    return cv2.createCLAHE(clip, (8, 8)).apply(image)


def lettered(image: Image, random: Random) -> Image:
    """Burn one to three words in, black or white."""
    result, (height, width) = image.copy(), image.shape
    for word in random.choice(WORDS, random.integers(1, 4), replace=False):
        scale = random.uniform(0.4, 0.9) * width / 320
        place = int(random.uniform(0, 0.6) * width), int(random.uniform(0.08, 0.95) * height)
        grey, thick = int(random.choice([0, 255])), max(1, round(2 * scale))
        cv2.putText(result, str(word), place, cv2.FONT_HERSHEY_SIMPLEX, scale, grey, thick)
    return result


def cropped(image: Image, top: float, bottom: float, left: float, right: float) -> Image:
    """Cut shares of the height and width off."""
    height, width = image.shape
    rows = slice(round(top * height), height - round(bottom * height))
    return image[rows, round(left * width) : width - round(right * width)].copy()


def cropped_at_random(image: Image, most: float, random: Random) -> Image:
    return cropped(image, *random.uniform(0, most, 4))


def bordered(image: Image, share: float, grey: int = 0) -> Image:
    rows, columns = (round(share * side) for side in image.shape)
    return cv2.copyMakeBorder(image, rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=grey)


def letterboxed(image: Image) -> Image:
    """Fill a square up with black; one that is a square gets bars."""
    height, width = image.shape
    side = max(height, width) if height != width else round(1.2 * height)
    top, left = (side - height) // 2, (side - width) // 2
    parts = (top, side - height - top, left, side - width - left)
    return cv2.copyMakeBorder(image, *parts, cv2.BORDER_CONSTANT, value=0)


def squared(image: Image) -> Image:
    """Cut to the central square; of a square, the upper and the lower tenth are cut off."""
    height, width = image.shape
    side = min(height, width)
    if height == width:
        return cropped(image, 0.1, 0.1, 0, 0)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side].copy()


def turned(image: Image, degrees: float, edge: int = cv2.BORDER_CONSTANT) -> Image:
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=edge)


def republished(image: Image, random: Random) -> Image:
    """Do several things at once."""
    image = cropped_at_random(image, 0.05, random)
    image = image[:, ::-1].copy() if random.random() < 0.5 else image
    image = cv2.equalizeHist(image) if random.random() < 0.5 else gamma(image, 0.7)
    return jpeg(resized(image, 224), 60)


CHANGES: dict[str, Change] = {
    "jpeg 30": lambda x, _: jpeg(x, 30),
    "224 pixels": lambda x, _: resized(x, 224),
    "96 pixels": lambda x, _: resized(x, 96),
    "16 bits": lambda x, _: x.astype(np.uint16) * 16 + 37,
    "equalized": lambda x, _: cv2.equalizeHist(x),
    "gamma 0.5": lambda x, _: gamma(x, 0.5),
    "gamma 2": lambda x, _: gamma(x, 2),
    "clahe": lambda x, _: clahe(x, 2),
    "strong clahe": lambda x, _: clahe(x, 4),
    "window 5 %": lambda x, _: windowed(x, 0.05),
    "window 10 %": lambda x, _: windowed(x, 0.1),
    "text": lettered,
    "crop 3 %": lambda x, _: cropped(x, 0.03, 0.03, 0.03, 0.03),
    "crop 5 %": lambda x, _: cropped(x, 0.05, 0.05, 0.05, 0.05),
    "crop 7 %": lambda x, _: cropped(x, 0.07, 0.07, 0.07, 0.07),
    "crop 10 %": lambda x, _: cropped(x, 0.1, 0.1, 0.1, 0.1),
    "crop 0 to 7 % a side": lambda x, random: cropped_at_random(x, 0.07, random),
    "crop 7 % on the left": lambda x, _: cropped(x, 0, 0, 0.07, 0),
    "crop 7 % on top": lambda x, _: cropped(x, 0.07, 0, 0, 0),
    "square": lambda x, _: squared(x),
    "border 5 %": lambda x, _: bordered(x, 0.05),
    "white border 5 %": lambda x, _: bordered(x, 0.05, 255),
    "letterbox": lambda x, _: letterboxed(x),
    "turn 3": lambda x, _: turned(x, 3),
    "turn -3": lambda x, _: turned(x, -3, cv2.BORDER_REPLICATE),
    "turn 5": lambda x, _: turned(x, 5),
    "mirrored": lambda x, _: x[:, ::-1].copy(),
    "inverted": lambda x, _: 255 - x,
    "mirrored, inverted": lambda x, _: 255 - x[:, ::-1],
    "several": republished,
}
