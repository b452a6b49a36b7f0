"""DICOM: the pixels as they are meant to be seen, and four header fields, no more.

Of the header only view, sex, age and a keyed pseudonym of the patient leave this module.
"""

import functools
import hmac
import io
import os
import re
import secrets
import zlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError, Unreadable
from cxrtool.files import disk
from cxrtool.files.hounsfield import HounsfieldWindow

DEFLATED = b"1.2.840.10008.1.2.1.99"
# A deflated data set may not unpack to more; pydicom would unpack all of it before it says a word.
MOST_INFLATED = 256 << 20
DIRECTORY = "1.2.840.10008.1.3.10"
# Value representations whose length takes four bytes.
LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
SHORT = {
    b"AE",
    b"AS",
    b"AT",
    b"CS",
    b"DA",
    b"DS",
    b"DT",
    b"FD",
    b"FL",
    b"IS",
    b"LO",
    b"LT",
    b"PN",
    b"SH",
    b"SL",
    b"SS",
    b"ST",
    b"TM",
    b"UI",
    b"UL",
    b"US",
}
# So many bytes show whether a file is DICOM.
HEAD = 512
ENDINGS = (".dcm", ".dicom", ".dic")
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")

# The modalities of an export that hold no image: reports, keys, presentation states.
NO_IMAGES = {"AU", "DOC", "KO", "PLAN", "PR", "REG", "RTPLAN", "RTRECORD", "RTSTRUCT", "SR"}
IMAGES = {"CR", "CT", "DX", "MR", "NM", "OT", "PT", "RF", "RG", "US", "XA"}


def claims(data: bytes, path: str) -> bool:
    """Whether a file is DICOM by its name or content; some are pictures despite their ending."""
    named = path.lower().endswith(ENDINGS) and not data.startswith(PICTURES)
    return named or begins(data[:HEAD])


def begins(head: bytes) -> bool:
    """Whether the first bytes are DICOM: a preamble, or elements where there is none."""
    if head[128:132] == b"DICM":
        return True
    syntaxes: list[tuple[Literal["little", "big"], bool]]
    syntaxes = [("little", True), ("little", False), ("big", True)]
    return any(_begins_with_elements(head, order, explicit) for order, explicit in syntaxes)


def _begins_with_elements(head: bytes, order: Literal["little", "big"], explicit: bool) -> bool:
    """Whether bytes are elements in the order of their tags, from group 0002 or 0008 on.

    An element is a tag, a VR where that is explicit, a length, and a value of that length (DICOM
    PS3.5, 7.1). The first ones are short, and two of them are hardly chance.
    """
    at, last, count = 0, (0, 0), 0
    while count < 2 and at + 12 <= len(head):
        group, element = (int.from_bytes(head[i : i + 2], order) for i in (at, at + 2))
        length, start = _length(head, at + 4, order, explicit)
        known = group in ((0x0002, 0x0008) if not count else range(0x0002, 0x0011))
        if not known or (count and (group, element) <= last) or length is None:
            return False
        last, count, at = (group, element), count + 1, start + length
    return count == 2


def _length(
    head: bytes, at: int, order: Literal["little", "big"], explicit: bool
) -> tuple[int | None, int]:
    """Read the length of a value, or None if there is none, and where the value starts."""
    if not explicit:
        return int.from_bytes(head[at : at + 4], order), at + 4
    vr = head[at : at + 2]
    if vr in LONG:
        return int.from_bytes(head[at + 4 : at + 8], order), at + 8
    return int.from_bytes(head[at + 2 : at + 4], order) if vr in SHORT else None, at + 4


def decode(
    data: bytes, most_pixels: int, window: HounsfieldWindow | None = None
) -> tuple[NDArray[Any], dict[str, str], str]:
    """Decode the first frame: grey values, the allowed header fields, and a warning if any.

    `window` replaces that of the header, if the image is a CT; the field `windowed` says so.
    """
    try:
        dataset = _open(data)
        frames, known = _check(dataset, most_pixels), header(dataset)
    except (Unreadable, MemoryError):
        raise
    except Exception as e:
        # The text of the exception may quote the header, where names are.
        raise Unreadable(f"damaged DICOM header ({type(e).__name__})") from None
    window = window if dataset.get("Modality") == "CT" else None
    known |= {"windowed": "yes"} if window else {}
    try:
        values, warning = _pixels(dataset, window)
    except MemoryError:
        raise
    except Exception as e:
        cut = "are cut short" if "less than expected" in str(e) else "cannot be decoded"
        raise Unreadable(f"its pixels {cut} ({_coding(dataset)})") from None
    if frames > 1:
        warning = f"the first of {frames} frames is used" + (f"; {warning}" if warning else "")
    return values, known, warning


def depth(data: bytes) -> tuple[int, int]:
    """Return how many bits a channel has, and how many channels there are."""
    dataset = _open(data)
    bits = int(dataset.get("BitsStored") or dataset.get("BitsAllocated") or 0)
    return bits, int(dataset.get("SamplesPerPixel") or 1)


def _open(data: bytes) -> Any:
    import pydicom

    _refuse_bomb(data)
    magic = data[128:132] == b"DICM"
    dataset = pydicom.dcmread(io.BytesIO(data), force=not magic)
    if not magic and "Rows" not in dataset and "SOPClassUID" not in dataset:
        raise Unreadable("not a DICOM file")
    return dataset


def _refuse_bomb(data: bytes) -> None:
    syntax, start = _meta(data)
    if syntax != DEFLATED:
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = 0
    for at in range(start, len(data), 1 << 16):
        piece = data[at : at + (1 << 16)]
        while piece and not inflater.eof:
            inflated += len(inflater.decompress(piece, 1 << 20))
            piece = inflater.unconsumed_tail
            if inflated > MOST_INFLATED:
                raise Unreadable(f"unpacks to more than {MOST_INFLATED >> 20} MiB")


def _meta(data: bytes) -> tuple[bytes, int]:
    """Find the transfer syntax, and the end of the file meta; no library reads both safely."""
    at, syntax = 132 if data[128:132] == b"DICM" else 0, b""
    while data[at : at + 2] == b"\x02\0":
        element, wide = data[at + 2 : at + 4], data[at + 4 : at + 6] in LONG
        length = data[at + 8 : at + 12] if wide else data[at + 6 : at + 8]
        at += 12 if wide else 8
        value = data[at : at + int.from_bytes(length, "little")]
        at += int.from_bytes(length, "little")
        if element == b"\x10\0":
            syntax = value.rstrip(b"\0 ")
    return syntax, at


def _check(dataset: Any, most_pixels: int) -> int:
    """Refuse what has no pixels or too many; return the number of frames."""
    if dataset.file_meta.get("MediaStorageSOPClassUID") == DIRECTORY:
        raise Unreadable("a DICOMDIR index, not an image", failed=False)
    if "PixelData" not in dataset:
        raise _without_pixels(str(dataset.get("Modality") or ""))
    height, width = int(dataset.Rows), int(dataset.Columns)
    if height * width > most_pixels:
        raise Unreadable(f"{width} x {height} pixels, more than any radiograph has")
    if not height * width > 0:
        raise Unreadable("it has no pixels")
    return int(dataset.get("NumberOfFrames") or 1)


def _without_pixels(modality: str) -> Unreadable:
    if modality in NO_IMAGES:
        return Unreadable(f"a DICOM document ({modality}), not an image", failed=False)
    known = f" ({modality})" if modality in IMAGES else ""
    return Unreadable(f"DICOM without pixel data{known}", "Copy it again, or remove it.")


def _coding(dataset: Any) -> str:
    """Name the transfer syntax; the UID itself could be anything."""
    from pydicom import uid

    syntax = uid.UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
    return str(syntax.name) if syntax in uid.AllTransferSyntaxes else "unknown transfer syntax"


def _pixels(dataset: Any, window: HounsfieldWindow | None) -> tuple[NDArray[Any], str]:
    """Decode the first frame as it is meant to be seen, dark to light, and a warning if any."""
    from pydicom import pixels

    if not hasattr(dataset.file_meta, "TransferSyntaxUID"):
        dataset.file_meta.TransferSyntaxUID = _guess_syntax(dataset)
    values = pixels.pixel_array(dataset, index=0)
    photometric = dataset.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        values = pixels.apply_color_lut(values, dataset)
    if values.ndim == 3:
        return values, ""
    padding = _padding(dataset, values)
    if window is not None:
        return np.where(padding, 0, window.grey(pixels.apply_modality_lut(values, dataset))), ""
    shown, warning = _through_luts(values, dataset)
    if padding.any() and not padding.all():
        # Padding is no tissue: it takes the darkest shown value, whatever number it has.
        dark = np.max if photometric == "MONOCHROME1" else np.min
        shown = np.where(padding, dark(shown[~padding]), shown)
    if photometric == "MONOCHROME1":
        shown = shown.max() + shown.min() - shown
    small = shown.dtype.kind in "iu" and shown.min() >= 0 and shown.max() <= 255
    return (shown.astype(np.uint8) if small and dataset.BitsStored <= 8 else shown), warning


def _through_luts(values: NDArray[Any], dataset: Any) -> tuple[NDArray[Any], str]:
    """Apply the modality LUT and the VOI LUT or window; a useless window is left out.

    Archives hold windows of no width, and windows beside all values: one grey for every pixel.
    """
    from pydicom import pixels

    levels, places = _levels(values)
    plain = pixels.apply_modality_lut(levels, dataset)
    try:
        if dataset.get("VOILUTSequence"):
            table = pixels.apply_voi(plain, dataset)
        else:
            table = _windowed(plain, dataset)
    except MemoryError:
        raise
    except Exception:
        return plain[places], "its window is damaged and not applied"
    shown = values if table is levels else table[places]
    if shown.min() == shown.max() and values.min() != values.max():
        return plain[places], "its window maps all pixels to one grey level and is not applied"
    return shown, ""


def _levels(values: NDArray[Any]) -> tuple[NDArray[Any], Any]:
    """List the levels that pixels may have, and where each pixel's is among them.

    An image has twenty times as many pixels as there are levels of 16 bits.
    """
    if values.dtype in (np.uint8, np.uint16, np.int16):
        unsigned = np.dtype(f"u{values.dtype.itemsize}")
        every = np.arange(256**values.dtype.itemsize, dtype=unsigned)
        return every.view(values.dtype), values.view(unsigned)
    return values, ...


def _windowed(values: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """Apply the first window (DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3), to 16 bits.

    pydicom's own shows the negative of an image whose rescale slope is negative.
    """
    center, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None:
        return values
    function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
    exact = function != "LINEAR"
    if width <= 0 if exact else width < 1:
        raise ValueError(f"a window of width {width}")
    shift = values.astype(np.float64) - (center if exact else center - 0.5)
    if function == "SIGMOID":
        share = 1 / (1 + np.exp(-4 * shift / width))
    else:
        share = np.clip(shift / max(width if exact else width - 1, 1e-9) + 0.5, 0, 1)
    return np.asarray(np.rint(share * 65535).astype(np.uint16))


def _first(value: Any) -> float | None:
    """Take the first of the numbers that a field may hold."""
    if value is None or value == "" or isinstance(value, str):
        return float(value) if value else None
    return float(value[0] if hasattr(value, "__len__") else value)


def _padding(dataset: Any, values: NDArray[Any]) -> NDArray[np.bool_]:
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return np.zeros(values.shape, bool)
    last = dataset.get("PixelPaddingRangeLimit", first)
    low, high = sorted((int(first), int(last)))
    inside: NDArray[np.bool_] = (values >= low) & (values <= high)
    return inside


def _guess_syntax(dataset: Any) -> str:
    from pydicom import uid

    implicit, little = dataset.original_encoding
    if implicit:
        return str(uid.ImplicitVRLittleEndian)
    return str(uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian)


def header(dataset: Any) -> dict[str, str]:
    """Take the allowed fields out of a header; the patient comes as the raw identifier."""
    burned = str(dataset.get("BurnedInAnnotation") or "").strip().upper() == "YES"
    view = str(dataset.get("ViewPosition") or "").strip().upper()
    sex = str(dataset.get("PatientSex") or "").strip().upper()
    return {
        "view": view if re.fullmatch(r"[A-Z]{1,4}", view) else "",
        "sex": sex if sex in ("M", "F") else "",
        "age": _age(str(dataset.get("PatientAge") or "")),
        "patient": str(dataset.get("PatientID") or "").strip(),
        **({"burned_in": "yes"} if burned else {}),
    }


def _age(text: str) -> str:
    """Bring a DICOM age (`045Y`, `008M`) to years."""
    match = re.fullmatch(r"(\d{1,3})([DWMY])?", text.strip())
    if match is None:
        return ""
    years = int(match[1]) / {"D": 365.25, "W": 52.18, "M": 12, "Y": 1, None: 1}[match[2]]
    return f"{years:.3g}"


def pseudonym(patient: str, key: bytes) -> str:
    """Replace a patient's identifier by one that only the holder of the key can reproduce."""
    return hmac.new(key, patient.encode(), "sha256").hexdigest()[:16] if patient else ""


def pseudonyms(file: str | None) -> Callable[[str], str]:
    """Return what replaces identifiers, by the key of a file or the user's own.

    A file that is no key is refused immediately. The user's own key is created when it is first
    needed, so that a folder of PNG files leaves none behind.
    """
    key = functools.cache(lambda: load_key(file))
    if file is not None:
        key()
    return lambda patient: pseudonym(patient, key())


def load_key(file: str | None) -> bytes:
    """Read the key of the pseudonyms; the default key is created when it is first needed."""
    if file is not None:
        with disk.open_input(file) as stream:
            key = stream.read(1 << 16).strip()
        if len(key) < 16:
            raise CxrtoolError(f"{file}: a key needs 16 bytes or more", "Use a longer secret.")
        return key
    cache = disk.user_cache()
    if not os.path.isabs(cache):
        what = "no home folder for the key of the pseudonyms"
        raise CxrtoolError(what, "Name a key file.", settings=["key"])
    path = os.path.join(cache, "pseudonym.key")
    if not os.path.exists(path):
        disk.make_folder(os.path.dirname(path))
        disk.create(path, secrets.token_hex(32).encode())
    return load_key(path)
