"""DICOM files are recognised by their first bytes."""

from __future__ import annotations

import struct

import odd
import pytest

from cxrtool.files import dicom_recognition


@pytest.mark.parametrize("name", odd.DICOMS)
def test_every_dicom_file_is_recognised_by_its_first_bytes(name: str) -> None:
    assert dicom_recognition.begins(odd.DICOMS[name]()[: dicom_recognition.HEAD])


def element(group: int, number: int, vr: bytes, length: int) -> bytes:
    return struct.pack("<HH2sH", group, number, vr, length) + bytes(length)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        bytes(512),
        b"\x08\0" * 256,
        b"\x02\0\0\0" + b"\xff" * 508,
        element(8, 5, b"CS", 10),  # one element alone may be chance
        element(8, 8, b"CS", 10) + element(8, 5, b"CS", 10),  # tags rise
        element(8, 5, b"ZZ", 10) + element(8, 8, b"CS", 10),
        element(9, 5, b"CS", 10) + element(16, 8, b"CS", 10),
        element(8, 5, b"CS", 600),
        *(make()[:512] for make in odd.PICTURES.values()),
    ],
)
def test_what_is_no_dicom_is_not_taken_for_it(head: bytes) -> None:
    assert not dicom_recognition.begins(head)
