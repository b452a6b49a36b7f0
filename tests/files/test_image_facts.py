"""What a file says beside its pixels: format, depth, colour, size, and how JPEG rounded."""

from __future__ import annotations

import odd
import pytest

from cxrtool.core.errors import Unreadable
from cxrtool.files import dicom_recognition, image_facts
from cxrtool.files.image import Encoded

KNOWN = {
    "l.png": ("PNG", 8, 1),
    "p.png": ("PNG", 8, 3),
    "rgb.png": ("PNG", 8, 3),
    "rgba.png": ("PNG", 8, 4),
    "i16.png": ("PNG", 16, 1),
    "rgb16.png": ("PNG", 16, 3),
    "i16.tif": ("TIFF", 16, 1),
    "l.bmp": ("BMP", 8, 1),
    "l.webp": ("WEBP", 8, 3),
}


@pytest.mark.parametrize("name", KNOWN)
def test_depth_and_colour(name: str) -> None:
    data = odd.PICTURES[name]()
    facts = image_facts.facts(Encoded(data))
    assert (facts.format, facts.bits, facts.channels) == KNOWN[name]
    assert facts.size == len(data)
    assert facts.quantization == ()


@pytest.mark.parametrize("name", odd.PICTURES)
def test_every_picture_has_facts(name: str) -> None:
    data = odd.PICTURES[name]()
    facts = image_facts.facts(Encoded(data, dicom_recognition.claims(data, name)))
    assert facts.format and facts.bits in (1, 8, 16, 32) and 1 <= facts.channels <= 4
    assert len(facts.quantization) == (64 if facts.format == "JPEG" else 0)


@pytest.mark.parametrize("name", odd.DICOMS)
def test_every_dicom_has_facts(name: str) -> None:
    facts = image_facts.facts(Encoded(odd.DICOMS[name](), True))
    assert facts.format == "DICOM" and 1 <= facts.bits <= 32 and facts.channels in (1, 3)


@pytest.mark.parametrize("is_dicom", [False, True])
def test_what_is_no_image_is_refused(is_dicom: bool) -> None:
    with pytest.raises(Unreadable):
        image_facts.facts(Encoded(b"no image at all", is_dicom))
