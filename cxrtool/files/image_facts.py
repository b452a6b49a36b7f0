"""What a file says of an image beside its pixels: format, depth, colour, and how it was packed."""

import io
from dataclasses import dataclass

from PIL import Image

from cxrtool.core.errors import Unreadable
from cxrtool.files import dicom, image

# Bits a channel in Pillow's modes; all others have 8.
BITS = {"1": 1, "I": 32, "F": 32} | dict.fromkeys(image.SIXTEEN, 16)


@dataclass(frozen=True)
class Facts:
    """An image file without its pixels."""

    format: str  # Pillow's name, or DICOM
    bits: int  # a channel
    channels: int
    size: int  # of the file in bytes
    quantization: tuple[int, ...] = ()  # the luminance table of a JPEG, in any order


def facts(encoded: image.Encoded) -> Facts:
    """Read the facts of an image file from its header; Unreadable says why not."""
    try:
        if encoded.is_dicom:
            bits, channels = dicom.depth(encoded.data)
            return Facts("DICOM", bits, channels, len(encoded.data))
        return _of_picture(encoded.data)
    except (Unreadable, MemoryError):
        raise
    except Exception as e:
        # Decoders refuse damaged files with exceptions of a dozen unrelated classes.
        raise Unreadable(f"its header is damaged or not supported ({type(e).__name__})") from None


def _of_picture(data: bytes) -> Facts:
    with Image.open(io.BytesIO(data), formats=image.FORMATS) as picture:
        bits = 16 if image.has_deep_colour(picture) else BITS.get(picture.mode, 8)
        tables = getattr(picture, "quantization", None) or {}
        # A palette is colour, whatever the number of its indices is.
        channels = 3 if picture.mode in ("P", "PA") else len(picture.getbands())
        luminance = tuple(map(int, tables[min(tables)])) if tables else ()
        # MPO is a JPEG with further frames.
        name = {"MPO": "JPEG"}.get(picture.format or "", picture.format or "")
        return Facts(name, bits, channels, len(data), luminance)
