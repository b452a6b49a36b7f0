"""DICOM: the pixels as they are meant to be seen, and four header fields, no more.

Of the header only view, sex, age and the identifier of the patient leave this module; `pseudonyms`
replaces the identifier before anything is written.
"""

import io
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import Unreadable
from cxrtool.files import dicom_recognition
from cxrtool.files.hounsfield import HounsfieldWindow

DIRECTORY = "1.2.840.10008.1.3.10"

# The modalities of an export that hold no image: reports, keys, presentation states.
NO_IMAGES = {"AU", "DOC", "KO", "PLAN", "PR", "REG", "RTPLAN", "RTRECORD", "RTSTRUCT", "SR"}
IMAGES = {"CR", "CT", "DX", "MR", "NM", "OT", "PT", "RF", "RG", "US", "XA"}


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

    dicom_recognition.refuse_bomb(data)
    magic = data[128:132] == b"DICM"
    dataset = pydicom.dcmread(io.BytesIO(data), force=not magic)
    if not magic and "Rows" not in dataset and "SOPClassUID" not in dataset:
        raise Unreadable("not a DICOM file")
    return dataset


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
