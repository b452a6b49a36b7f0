"""Compare reading 16 bits and DICOM with the decoders' own rate, on 1024 x 1024 pixels of 12 bits.

    python tests/benchmarks/decoding.py

What cxrtool adds is the digest of the file, the checks of its parts, and the grey levels at their
depth. An uncompressed file has no decoder to speak of: there the digest alone takes twice as long
as the bytes take to be copied. Where a DICOM file has a window, the decoder is pydicom with its own
function for it.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from PIL import Image
from pydicom import uid
from pydicom.pixels import apply_voi_lut

sys.path.insert(0, str(Path(__file__).parents[1]))
import odd

from cxrtool.files import image

SIDE, REPEATS = 1024, 15


def radiograph() -> np.ndarray:
    """Draw soft shapes under a detector's noise."""
    random = np.random.default_rng(0)
    soft = cv2.GaussianBlur(random.random((SIDE, SIDE)).astype(np.float32), (0, 0), 20)
    soft = (soft - soft.min()) / np.ptp(soft)
    return (soft * 3500 + random.normal(0, 20, soft.shape) + 200).clip(0, 4095).astype(np.uint16)


def by_pillow(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)))


def by_pydicom(data: bytes) -> Any:
    return pydicom.dcmread(io.BytesIO(data)).pixel_array


def with_window(data: bytes) -> Any:
    dataset = pydicom.dcmread(io.BytesIO(data))
    return apply_voi_lut(dataset.pixel_array, dataset)


def best(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def main() -> None:
    cv2.setNumThreads(1)
    deep = radiograph()
    files = {
        "PNG, 16 bits": (cv2.imencode(".png", deep)[1].tobytes(), by_pillow),
        "TIFF, 16 bits, uncompressed": (odd.saved(Image.fromarray(deep), "TIFF"), by_pillow),
        "DICOM, uncompressed": (odd.dicom(deep), by_pydicom),
        "DICOM, with a window": (
            odd.dicom(deep, WindowCenter="2000", WindowWidth="3000"),
            with_window,
        ),
        "DICOM, RLE": (odd.compressed(uid.RLELossless, deep), by_pydicom),
        **{
            f"DICOM, {kind}": (odd.by_gdcm(kind, deep), by_pydicom)
            for kind in ("JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless")
        },
    }
    print(f"{'':34}{'decoder':>10}{'cxrtool':>10}{'ratio':>8}")
    for name, (data, decoder) in files.items():
        encoded = image.Encoded(data, name.startswith("DICOM"))
        alone = best(lambda data=data, decoder=decoder: decoder(data))
        whole = best(lambda e=encoded: image.decode(image.Encoded(e.data, e.is_dicom)))
        print(f"{name:34}{alone:7.2f} ms{whole:7.2f} ms{alone / whole:8.2f}")


if __name__ == "__main__":
    main()
