"""Pixels in and out: any picture to a 2-D grey array, an array to a whole PNG.

A grey array is uint8, or uint16 where the file has more than 8 bits. Grey levels keep their
order, always: Pillow's own convert('L') turns most of a 16-bit image white and a float one black.
Pillow reads everything but DICOM; measured on 1024 x 1024 radiographs, OpenCV decodes PNG and
JPEG only 8 % faster, which is not worth a second way in.
"""

import hashlib
import io
import os
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cxrtool.core.errors import Unreadable, is_memory
from cxrtool.files import dicom, dicom_recognition, disk, hounsfield, png
from cxrtool.files.grey_levels import Grey as Grey
from cxrtool.files.grey_levels import luminance, to_grey
from cxrtool.files.grey_levels import to8 as to8
from cxrtool.files.grey_levels import to_mask as to_mask
from cxrtool.files.hounsfield import HounsfieldWindow

# No radiograph is larger; a picture that claims to be is a decompression bomb or not for us.
MOST_PIXELS = 100_000_000
MOST_BYTES = 512 << 20

# What Pillow may open; JPEG brings MPO along. Formats that run programs (EPS) or are recognised by
# almost anything (TGA) stay out. A name that this Pillow does not know would make it refuse all.
FORMATS: tuple[str, ...] = (
    "PNG",
    "JPEG",
    "JPEG2000",
    "TIFF",
    "BMP",
    "DIB",
    "GIF",
    "WEBP",
    "PPM",
    "PCX",
    "SGI",
    "AVIF",
)
Image.init()
FORMATS = tuple(name for name in FORMATS if name in Image.OPEN)

ORIENTATION = 0x0112  # The EXIF tag.

SIXTEEN = ("I;16", "I;16L", "I;16B", "I;16N")
Image.MAX_IMAGE_PIXELS = None  # The limit above is checked before anything is decoded.


@dataclass
class Picture:
    """A decoded image with the permitted fields of its header."""

    grey: Grey
    sha256: str
    header: dict[str, str] = field(default_factory=dict)  # view, age, sex, patient (DICOM only)
    warning: str = ""
    stack: NDArray[np.uint8] | None = None  # Three channels that this program stacked in a PNG.
    is_windowed: bool = False  # Whether a window of Hounsfield units was applied.

    @property
    def pixels(self) -> Grey:
        """The stack where there is one, else the grey levels."""
        return self.grey if self.stack is None else self.stack


@dataclass(frozen=True)
class Encoded:
    """An image file as its bytes."""

    data: bytes
    is_dicom: bool = False

    @cached_property
    def sha256(self) -> str:
        """The digest of the file."""
        return hashlib.sha256(self.data).hexdigest()


def read(path: str | os.PathLike[str], window: HounsfieldWindow | None = None) -> Picture:
    """Read any image file; Unreadable says why not."""
    return decode(load(path), window)


def read_beside(path: str | os.PathLike[str]) -> Picture:
    """Read a mask that goes with an image; Unreadable says why not.

    In a worker, whose memory is bounded, a mask that is too large does not cost the image its row.
    """
    try:
        return read(path)
    except MemoryError:
        pass  # What was read so far is given up first.
    raise Unreadable("it needs too much memory")


def load(path: str | os.PathLike[str]) -> Encoded:
    """Read the bytes of an image file."""
    try:
        data = disk.read_bytes(path, MOST_BYTES)
    except OSError as e:
        raise Unreadable((e.strerror or str(e)).lower(), "Check the path and its rights.") from e
    except ValueError as e:
        raise Unreadable(str(e)) from e
    if not data:
        raise Unreadable("the file is empty")
    return Encoded(data, dicom_recognition.claims(data, os.fspath(path)))


def decode(encoded: Encoded, window: HounsfieldWindow | None = None) -> Picture:
    """Decode an image file; Unreadable says why not.

    `window` is applied to what has Hounsfield units: CT in DICOM, and pictures of over 8 bits.
    """
    decoder = _decode_dicom if encoded.is_dicom else _decode_picture
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = decoder(encoded, window)
    except (Unreadable, MemoryError):
        raise
    except UnidentifiedImageError:
        raise Unreadable("not an image in a known format") from None
    except Exception as e:
        if is_memory(e):
            raise MemoryError from None
        # Decoders refuse damaged files with exceptions of a dozen unrelated classes.
        raise Unreadable(f"damaged or not supported ({_brief(e)})") from e
    if not picture.grey.size:
        raise Unreadable("it has no pixels")
    return picture


def _decode_dicom(encoded: Encoded, window: HounsfieldWindow | None) -> Picture:
    values, header, warning = dicom.decode(encoded.data, MOST_PIXELS, window)
    if values.ndim == 3:
        values = luminance(values)
    is_windowed = bool(header.pop("windowed", ""))
    return Picture(to_grey(values), encoded.sha256, header, warning, None, is_windowed)


def _brief(e: Exception) -> str:
    text = str(e).partition("\n")[0] or type(e).__name__
    return text if len(text) <= 120 else text[:117] + "..."


def _decode_picture(encoded: Encoded, window: HounsfieldWindow | None) -> Picture:
    data = png.unpacked(encoded.data) or encoded.data
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise Unreadable(f"{width} x {height} pixels, more than any radiograph has")
        frames = getattr(image, "n_frames", 1)
        warning = f"the first of {frames} frames is used" if frames > 1 else ""
        image.seek(0)
        deep = has_deep_colour(image)
        image.load()
        if image.format == "PNG" and data is encoded.data:
            _check_png(data)
        # The tag is read before the turn, which drops the tags.
        inverted = image.format == "TIFF" and _white_is_zero(image)
        values = _values(_turned(_deepened(image, deep, data)))
        values = _inverted(values) if inverted else values
        units = None if window is None else hounsfield.units_of(values)
        grey = to_grey(values) if window is None or units is None else window.grey(units)
        stack = np.asarray(image) if image.mode == "RGB" and png.MADE_WITH in image.info else None
        return Picture(grey, encoded.sha256, {}, warning, stack, units is not None)


def _check_png(data: bytes) -> None:
    """Refuse what Pillow reads without a word: a flipped byte, an end that is missing."""
    for kind, _, whole in png.chunks(data):
        if not whole:
            name = kind.decode("ascii", "replace")
            raise Unreadable(f"damaged: the checksum of its {name} chunk is wrong")
        if kind == b"IEND":
            return
    raise Unreadable("truncated: its end is missing")


def has_deep_colour(image: Image.Image) -> bool:
    """Whether an image has 16 bits a colour channel, of which Pillow would keep the upper 8.

    A radiograph of 12 bits saved so would be left with 16 grey levels.
    """
    grey = image.mode in SIXTEEN or image.mode == "I"
    return not grey and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _deepened(image: Image.Image, deep: bool, data: bytes) -> Image.Image:
    """Decode deep colour again with OpenCV, which keeps all of its bits."""
    if not deep:
        return image
    import cv2

    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16:
        return image
    if values.ndim == 3:
        values = luminance(values[..., 2::-1]) if values.shape[2] > 2 else values[..., 0]
    grey = Image.fromarray(values)
    grey.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    return grey


def _inverted(values: NDArray[Any]) -> NDArray[Any]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return values
    # The sum may overflow its type; the difference comes back into it.
    return np.asarray(finite.max() + finite.min() - values)


def _white_is_zero(image: Image.Image) -> bool:
    """Whether low values of a TIFF are white; Pillow inverts only those of up to 8 bits."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(262) == 0 and (image.mode in SIXTEEN or image.mode in ("I", "F"))


def _turned(image: Image.Image) -> Image.Image:
    try:
        upright = image.getexif().get(ORIENTATION, 1) == 1
        return image if upright else ImageOps.exif_transpose(image)
    except Exception:
        return image  # A damaged EXIF block says nothing about the pixels.


def _values(image: Image.Image) -> NDArray[Any]:
    """Reduce any mode to one channel, at the depth it has."""
    if image.mode in SIXTEEN:
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("I", "F", "L"):
        return np.asarray(image)
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L"))
    if image.mode in ("P", "PA", "CMYK", "YCbCr", "HSV"):
        image = image.convert("RGB")
    return np.asarray(image.convert("L"))


def checked(path: str) -> str:
    """Refuse a name that no table can hold: that of a bare image may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise Unreadable("its name is not UTF-8", "Rename the file.") from None
    return path


def write_png(
    path: str | os.PathLike[str], pixels: Grey, made_with: str = "", findings: str = ""
) -> bytes:
    """Write a PNG, whole or not at all, with notes of what made it; return its bytes."""
    data = png.encode(pixels, {png.MADE_WITH: made_with, png.FINDINGS: findings})
    with disk.atomic(path) as file:
        file.write(data)
    return data


def is_made(path: str | os.PathLike[str], made_with: str) -> bool:
    """Whether a PNG exists, is complete, and was made with the same options."""
    return recorded_findings(path, made_with) is not None


def recorded_findings(path: str | os.PathLike[str], made_with: str) -> str | None:
    """Read the findings recorded in a PNG; None if it is damaged or made with other options.

    A link was not made by cxrtool, and is not read.
    """
    if os.path.islink(path):
        return None
    try:
        data = disk.read_bytes(path, MOST_BYTES)
    except (OSError, ValueError):
        return None
    notes = png.notes(data)
    good = notes.get(png.MADE_WITH) == made_with and png.is_whole(data)
    return notes.get(png.FINDINGS, "") if good else None
