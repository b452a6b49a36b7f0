"""PNG files: others decode what is encoded, and what is spoilt is told from what is whole."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cxrtool.files import png

SHAPES = [(1, 1), (1, 7), (7, 1), (3, 5), (64, 64), (101, 33), (2, 4097)]


def noise(shape: tuple[int, ...], kind: Any, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max, shape, kind, endpoint=True)


def by_opencv(data: bytes) -> NDArray[Any]:
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert values is not None
    return values[..., ::-1] if values.ndim == 3 else values


def by_pillow(data: bytes) -> NDArray[Any]:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def check(pixels: NDArray[Any]) -> None:
    data = png.encode(pixels, {})
    np.testing.assert_array_equal(by_opencv(data), pixels)
    if pixels.ndim == 2 or pixels.dtype == np.uint8:  # Pillow has no colour of 16 bits.
        np.testing.assert_array_equal(by_pillow(data), pixels)
    assert png.is_whole(data)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_others_decode_what_is_encoded(shape: Any, channels: Any, kind: Any) -> None:
    check(noise(shape + channels, kind))


@pytest.mark.parametrize("strip", [1, 64, 100, 1 << 12])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_strips_leave_no_seam(strip: int, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "STRIP", strip)
    check(noise((37, 41), kind))
    check(noise((37, 41, 3), kind))


def test_a_picture_of_more_than_one_strip() -> None:
    check(noise((2049, 2500), np.uint8))


@pytest.mark.parametrize(
    "view",
    [
        noise((40, 60), np.uint8)[::2, ::3],
        noise((40, 60), np.uint16).T,
        noise((40, 60, 3), np.uint8)[:, ::-1, ::-1],
        noise((40, 60), np.uint8)[5:6],
        noise((40, 60), np.uint16).astype(">u2"),
    ],
    ids=["steps", "turned", "mirrored", "one row", "big endian"],
)
def test_any_layout_in_memory(view: NDArray[Any]) -> None:
    check(view)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_no_pixels_are_no_png(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be a PNG"):
        png.encode(np.zeros(shape, np.uint8), {})


def test_the_pixels_are_left_alone() -> None:
    pixels = noise((9, 9), np.uint16)
    before = pixels.copy()
    png.encode(pixels, {})
    np.testing.assert_array_equal(pixels, before)


def test_the_same_pixels_give_the_same_bytes() -> None:
    pixels = noise((50, 50), np.uint8)
    assert png.encode(pixels, {"a": "b"}) == png.encode(np.asfortranarray(pixels), {"a": "b"})


def test_notes_come_back_here_and_in_pillow() -> None:
    data = png.encode(
        noise((4, 4), np.uint8), {png.MADE_WITH: "0.1 x=1,y=2", png.FINDINGS: '{"a":1}'}
    )
    assert png.notes(data) == {png.MADE_WITH: "0.1 x=1,y=2", png.FINDINGS: '{"a":1}'}
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info == {png.MADE_WITH: "0.1 x=1,y=2", png.FINDINGS: '{"a":1}'}


def test_an_empty_note_is_none() -> None:
    assert png.notes(png.encode(noise((4, 4), np.uint8), {png.MADE_WITH: "", "a": "b"})) == {
        "a": "b"
    }


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"GIF89a" * 9, png.SIGNATURE, png.SIGNATURE * 9])
def test_what_is_no_png_has_no_notes_and_is_not_whole(data: bytes) -> None:
    assert (png.notes(data), png.is_whole(data)) == ({}, False)


SMALL = png.encode(noise((5, 6), np.uint8), {png.MADE_WITH: "0.1 hist of abc", png.FINDINGS: "2"})


def test_every_cut_shows() -> None:
    assert [n for n in range(len(SMALL)) if png.is_whole(SMALL[:n])] == []


@pytest.mark.parametrize("change", [1, 128, 255])
def test_every_flipped_byte_shows(change: int) -> None:
    blind = []
    for at in range(len(SMALL)):
        spoilt = bytearray(SMALL)
        spoilt[at] ^= change
        if png.is_whole(bytes(spoilt)):
            blind.append(at)
    assert blind == []


def test_bytes_that_are_lost_or_added_show() -> None:
    for at in range(len(SMALL)):
        assert not png.is_whole(SMALL[:at] + SMALL[at + 1 :])
        assert not png.is_whole(SMALL[:at] + b"\0" + SMALL[at:])
    assert not png.is_whole(SMALL + b"\0")


def test_a_spoilt_note_is_no_note() -> None:
    at = SMALL.index(b"hist")
    spoilt = SMALL[:at] + b"Hist" + SMALL[at + 4 :]
    assert png.notes(spoilt) == {png.FINDINGS: "2"}
