"""PNG files: others decode what is encoded, and what is spoilt is told from what is whole."""

from __future__ import annotations

import io
import struct
import zlib
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


def saved(mode: str, **options: Any) -> bytes:
    """Save noise in a mode, as Pillow does."""
    picture = Image.fromarray(noise((37, 41, 3), np.uint8)).convert("RGBA")
    picture.putalpha(Image.fromarray(noise((37, 41), np.uint8)))
    if mode == "I;16":
        picture = Image.fromarray(noise((37, 41), np.uint16))
    file = io.BytesIO()
    picture.convert(mode).save(file, "PNG", **options)
    return file.getvalue()


PICTURES = {
    **{mode: saved(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    "two bits": saved("P", bits=2),
    "transparent": saved("L", transparency=7),
    "notes": png.encode(noise((9, 8, 3), np.uint8), {png.MADE_WITH: "1", png.FINDINGS: "2"}),
    "one pixel": png.encode(noise((1, 1), np.uint8), {}),
    "flat": png.encode(np.zeros((700, 900), np.uint8), {}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_an_unpacked_picture_is_the_same(name: str) -> None:
    data = png.unpacked(PICTURES[name])
    assert data is not None
    assert png.is_whole(data)
    with Image.open(io.BytesIO(PICTURES[name])) as packed, Image.open(io.BytesIO(data)) as other:
        packed.load()
        other.load()
        assert (packed.mode, packed.info) == (other.mode, other.info)
        assert packed.tobytes() == other.tobytes()
        assert packed.getpalette() == other.getpalette()


def framed(data: bytes, *others: bytes, at: int) -> bytes:
    """Put chunks into a PNG, at the place of one of its own."""
    parts = [png.chunk(kind, bytes(body)) for kind, body, _ in png.chunks(data)]
    return b"".join([png.SIGNATURE, *parts[:at], *others, *parts[at:]])


def with_rows(body: bytes, header: bytes = struct.pack(">IIBBBBB", 6, 5, 8, 0, 0, 0, 0)) -> bytes:
    chunks = png.chunk(b"IHDR", header), png.chunk(b"IDAT", body)
    return b"".join([png.SIGNATURE, *chunks, png.END])


ROWS = zlib.compress(bytes(5 * 7))
ODD = {
    "nothing": b"",
    "no PNG": b"GIF89a" * 9,
    "signature alone": png.SIGNATURE,
    "animated": framed(SMALL, png.chunk(b"acTL", bytes(8)), at=1),
    "rows in two places": framed(
        framed(SMALL, png.chunk(b"tEXt", b"a\0b"), at=4), png.chunk(b"IDAT", b""), at=5
    ),
    "interlaced": with_rows(ROWS, struct.pack(">IIBBBBB", 6, 5, 8, 0, 0, 0, 1)),
    "unknown colour": with_rows(ROWS, struct.pack(">IIBBBBB", 6, 5, 8, 5, 0, 0, 0)),
    "no pixels": with_rows(ROWS, struct.pack(">IIBBBBB", 0, 0, 8, 0, 0, 0, 0)),
    "short header": with_rows(ROWS, b"\0" * 12),
    "a row too few": with_rows(zlib.compress(bytes(4 * 7))),
    "a row too many": with_rows(zlib.compress(bytes(6 * 7))),
    "a bomb": with_rows(zlib.compress(bytes(1 << 20))),
    "huge": with_rows(ROWS, struct.pack(">IIBBBBB", 1 << 20, 1 << 20, 8, 0, 0, 0, 0)),
    "no deflate": with_rows(b"abcdefgh"),
    "wrong sum of its rows": with_rows(ROWS[:-1] + bytes([ROWS[-1] ^ 1])),
    "no rows": with_rows(b""),
}


@pytest.mark.parametrize("name", ODD)
def test_what_only_pillow_judges_stays_packed(name: str) -> None:
    assert png.unpacked(ODD[name]) is None


@pytest.mark.parametrize("change", [1, 128, 255])
def test_what_is_spoilt_stays_packed(change: int) -> None:
    for at in range(len(SMALL)):
        spoilt = bytearray(SMALL)
        spoilt[at] ^= change
        assert png.unpacked(bytes(spoilt)) is None
        assert png.unpacked(SMALL[:at]) is None
