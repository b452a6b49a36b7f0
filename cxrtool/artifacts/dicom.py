"""DICOM: the pixels as they are meant to be seen, and four header fields, no more.

Of the header only view, sex, age and a keyed pseudonym of the patient leave this module.
"""

import hmac
import io
import os
import re
import secrets
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool.artifacts import files
from cxrtool.errors import CxrtoolError, Unreadable

DEFLATED = b"1.2.840.10008.1.2.1.99"
# A deflated data set may not unpack to more; pydicom would unpack all of it before it says a word.
MOST_INFLATED = 256 << 20
DIRECTORY = "1.2.840.10008.1.3.10"
ENDINGS = (".dcm", ".dicom", ".dic")


def claims(data: bytes, path: str) -> bool:
    """Tell whether a file is, or says it is, DICOM."""
    return data[128:132] == b"DICM" or path.lower().endswith(ENDINGS)


def decode(data: bytes, most_pixels: int) -> tuple[NDArray[np.generic], dict[str, str], str]:
    """Decode the first frame: grey values, the allowed header fields, and a warning if any."""
    import pydicom

    _refuse_bomb(data)
    dataset = pydicom.dcmread(io.BytesIO(data), force=data[128:132] != b"DICM")
    frames = _check(dataset, most_pixels)
    warning = f"the first of {frames} frames is used" if frames > 1 else ""
    return _pixels(dataset), header(dataset), warning


def _refuse_bomb(data: bytes) -> None:
    if DEFLATED not in data[132:2048]:
        return
    # The group length, the first element of the file meta, tells where the deflated part begins.
    if data[132:138] != b"\x02\0\0\0UL":
        raise ValueError("no length of the file meta")
    start = 144 + int.from_bytes(data[140:144], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left, inflated = data[start:], 0
    while left and not inflater.eof:
        inflated += len(inflater.decompress(left, 1 << 20))
        left = inflater.unconsumed_tail
        if inflated > MOST_INFLATED:
            raise ValueError(f"unpacks to more than {MOST_INFLATED >> 20} MiB")


def _check(dataset: Any, most_pixels: int) -> int:
    """Refuse what has no pixels or too many; return the number of frames."""
    if dataset.file_meta.get("MediaStorageSOPClassUID") == DIRECTORY:
        raise Unreadable("a DICOMDIR index, not an image", failed=False)
    if "PixelData" not in dataset:
        kind = dataset.get("Modality") or "unknown modality"
        raise Unreadable(f"DICOM without pixel data ({kind})", "Remove it.")
    pixels = int(dataset.Rows) * int(dataset.Columns)
    if not 0 < pixels <= most_pixels:
        raise ValueError(f"{dataset.Columns} x {dataset.Rows} pixels")
    return int(dataset.get("NumberOfFrames") or 1)


def _pixels(dataset: Any) -> NDArray[np.generic]:
    from pydicom import pixels

    if not hasattr(dataset.file_meta, "TransferSyntaxUID"):
        dataset.file_meta.TransferSyntaxUID = _guess_syntax(dataset)
    values = pixels.pixel_array(dataset, index=0)
    photometric = dataset.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        values = pixels.apply_color_lut(values, dataset)
    if values.ndim == 3:
        from PIL import Image

        eight = values if values.dtype == np.uint8 else (values >> 8).astype(np.uint8)
        return np.asarray(Image.fromarray(eight[..., :3]).convert("L"))
    padding = _padding(dataset, values)
    shown = pixels.apply_modality_lut(values, dataset)
    shown = pixels.apply_voi_lut(shown, dataset, index=0)
    if padding.any() and not padding.all():
        # Padding is no tissue: it takes the darkest shown value, whatever number it has.
        dark = np.max if photometric == "MONOCHROME1" else np.min
        shown = np.where(padding, dark(shown[~padding]), shown)
    if photometric == "MONOCHROME1":
        shown = shown.max() + shown.min() - shown
    small = shown.dtype.kind in "iu" and shown.min() >= 0 and shown.max() <= 255
    return shown.astype(np.uint8) if small and dataset.BitsStored <= 8 else shown


def _padding(dataset: Any, values: NDArray[np.generic]) -> NDArray[np.bool_]:
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return np.zeros(values.shape, bool)
    last = dataset.get("PixelPaddingRangeLimit", first)
    low, high = sorted((int(first), int(last)))
    return (values >= low) & (values <= high)


def _guess_syntax(dataset: Any) -> str:
    from pydicom import uid

    implicit, little = dataset.original_encoding
    if implicit:
        return str(uid.ImplicitVRLittleEndian)
    return str(uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian)


def header(dataset: Any) -> dict[str, str]:
    """Take the allowed fields out of a header; the patient comes as the raw identifier."""
    view = str(dataset.get("ViewPosition") or "").strip().upper()
    sex = str(dataset.get("PatientSex") or "").strip().upper()
    return {
        "view": view if re.fullmatch(r"[A-Z]{1,4}", view) else "",
        "sex": sex if sex in ("M", "F") else "",
        "age": _age(str(dataset.get("PatientAge") or "")),
        "patient": str(dataset.get("PatientID") or "").strip(),
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


def load_key(file: str | None) -> bytes:
    """Read the key of the pseudonyms; the default one is made at the first need."""
    if file is not None:
        with files.open_input(file) as stream:
            key = stream.read(1 << 16).strip()
        if len(key) < 16:
            raise CxrtoolError(f"{file}: a key needs 16 bytes or more", "Use a longer secret.")
        return key
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(cache, "cxrtool", "pseudonym.key")
    if not os.path.exists(path):
        files.make_folder(os.path.dirname(path))
        with files.atomic(path) as stream:
            stream.write(secrets.token_hex(32).encode())
        os.chmod(path, 0o600)
    return load_key(path)
