"""Any picture comes out as grey levels in their order, upright, at the depth it has."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

import numpy as np
import odd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from cxrtool.core.errors import Unreadable
from cxrtool.files import grey_levels, image, png

LOSSY = ("jpg", "jpeg", "cmyk", "lab", "ycbcr")
EXACT8 = [
    "l.png",
    "la.png",
    "p.png",
    "rgb.png",
    "rgba.png",
    "interlaced.png",
    "apng.png",
    "l.tif",
    "lzw.tif",
    "pages.tif",
    "l.bmp",
    "l.gif",
    "l.webp",
    "l.pgm",
    "white0-8.tif",
    "png-named.jpg",
    "png-named.dcm",
    "l.jp2",
]
EXACT16 = ["i16.png", "rgb16.png", "interlaced16.png", "i16.tif", "i16b.tif", "i32.tif", "i16.pgm"]


def read(tmp_path: Path, name: str, data: bytes) -> image.Picture:
    path = tmp_path / name
    path.write_bytes(data)
    return image.read(path)


@pytest.mark.parametrize("name", odd.PICTURES)
def test_shows_the_ramp(name: str, tmp_path: Path) -> None:
    picture = read(tmp_path, name, odd.PICTURES[name]())
    odd.check_ramp(picture.grey, 0.02 if any(word in name for word in LOSSY) else 0)
    assert picture.grey.dtype in (np.uint8, np.uint16)


@pytest.mark.parametrize("name", EXACT8)
def test_eight_bits_stay_as_they_are(name: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, name, odd.PICTURES[name]()).grey, odd.RAMP8)


@pytest.mark.parametrize("name", EXACT16)
def test_sixteen_bits_stay_as_they_are(name: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, name, odd.PICTURES[name]()).grey, odd.RAMP16)


@pytest.mark.parametrize("name", ["i12.png", "i12.tif", "rgb12.png", "la16.png"])
def test_twelve_bits_stay_as_they_are(name: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, name, odd.PICTURES[name]()).grey, odd.RAMP12)


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_turns_deep_colour_too(turn: int) -> None:
    upright = np.arange(6, dtype=np.uint16).reshape(2, 3) * 9000
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: upright.T[::-1],
        7: upright.T[::-1, ::-1],
        8: upright.T[:, ::-1],
    }
    plain = odd.png(odd.rgb16(np.ascontiguousarray(stored[turn])), 2)
    tagged = plain[:33] + odd.chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + plain[33:]
    np.testing.assert_array_equal(image.decode(image.Encoded(tagged)).grey, upright)


def test_one_bit(tmp_path: Path) -> None:
    black_white = Image.fromarray(odd.RAMP8).point(lambda v: 255 * (v > 127)).convert("1")
    grey = read(tmp_path, "bit.png", odd.saved(black_white, "PNG")).grey
    np.testing.assert_array_equal(grey, np.where(odd.RAMP8 > 127, 255, 0))


@pytest.mark.parametrize("value", [0, 77, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (9, 7)])
def test_constant_and_thin(value: int, shape: tuple[int, int]) -> None:
    flat = np.full(shape, value, np.uint8)
    for data in (odd.saved(Image.fromarray(flat), "PNG"), odd.tiff(flat)):
        np.testing.assert_array_equal(image.decode(image.Encoded(data)).grey, flat)


@pytest.mark.parametrize("name", ["apng.png", "pages.tif", "mpo.jpg", "animated.gif"])
def test_tells_of_further_frames(name: str, tmp_path: Path) -> None:
    warning = read(tmp_path, name, odd.PICTURES[name]()).warning
    assert warning.startswith("the first of ") and warning.endswith(" frames is used")


def test_what_is_not_a_number_is_black() -> None:
    grey = image.decode(image.Encoded(odd.PICTURES["float-nan.tif"]())).grey
    assert grey[-1, 0] == 0 and grey[-1, 1] == 65535 and grey[-1, 2] == 0
    everywhere = np.full((4, 4), np.nan, np.float32)
    np.testing.assert_array_equal(image.decode(image.Encoded(odd.tiff(everywhere))).grey, 0)
    np.testing.assert_array_equal(
        image.decode(image.Encoded(odd.tiff(everywhere, white_is_zero=True))).grey, 0
    )


def test_white_is_zero_with_holes() -> None:
    values = 1 - odd.ramp(256).astype(np.float32) / 255
    values[-1, 0] = np.nan
    odd.check_ramp(image.decode(image.Encoded(odd.tiff(values, white_is_zero=True))).grey)


@pytest.mark.parametrize("name", [n for n in odd.BROKEN if not n.endswith(".dcm")])
def test_refuses(name: str, tmp_path: Path) -> None:
    make, reason = odd.BROKEN[name]
    with pytest.raises(Unreadable) as refused:
        read(tmp_path, name, make())
    assert reason is None or refused.value.reason == reason
    assert "\n" not in refused.value.reason and len(refused.value.reason) < 160


@pytest.mark.parametrize("name", ["l.png", "i16.png", "rgb16.png"])
def test_a_corrupted_png_is_refused_or_the_same(name: str) -> None:
    data = odd.PICTURES[name]()
    whole = image.decode(image.Encoded(data)).grey
    refused = 0
    for number in range(150):
        try:
            grey = image.decode(image.Encoded(odd.corrupted(data, number))).grey
        except Unreadable:
            refused += 1
        else:
            np.testing.assert_array_equal(grey, whole)
    assert refused > 100


def outcome(data: bytes) -> tuple[object, ...]:
    """Say what comes of a file, be it its pixels or why there are none."""
    try:
        picture = image.decode(image.Encoded(data))
    except Unreadable as e:
        return e.reason, e.remedy
    stack = None if picture.stack is None else picture.stack.tobytes()
    return picture.grey.dtype, picture.grey.shape, picture.grey.tobytes(), stack, picture.warning


def summed_again(data: bytes) -> bytes:
    """Give every chunk of a PNG the checksum of what it holds."""
    return png.SIGNATURE + b"".join(png.chunk(k, bytes(body)) for k, body, _ in png.chunks(data))


@pytest.mark.parametrize("name", [n for n in (*odd.PICTURES, *odd.BROKEN) if n.endswith(".png")])
def test_how_a_png_is_unpacked_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = odd.PICTURES[name]() if name in odd.PICTURES else odd.BROKEN[name][0]()
    spoilt = [odd.corrupted(data, n) for n in range(40)] if len(data) > 1 else []
    # Wrong sums would keep most of these from Intel's inflate.
    every = [data, *spoilt, *map(summed_again, spoilt)]
    found = list(map(outcome, every))
    monkeypatch.setattr(png, "unpacked", lambda data: None)
    assert list(map(outcome, every)) == found


@pytest.mark.parametrize(
    "name", ["l.jpg", "i16.tif", "lzw.tif", "l.gif", "l.webp", "l.bmp", "l.jp2"]
)
def test_corruption_raises_nothing_else(name: str) -> None:
    data = odd.PICTURES[name]()
    for number in range(60):
        try:
            grey = image.decode(image.Encoded(odd.corrupted(data, number))).grey
        except (Unreadable, MemoryError):
            continue
        assert grey.ndim == 2 and grey.dtype in (np.uint8, np.uint16)


def test_what_follows_the_end_does_not_matter() -> None:
    data = odd.PICTURES["l.png"]()
    np.testing.assert_array_equal(image.decode(image.Encoded(data + b"trailing")).grey, odd.RAMP8)


def test_a_mask_too_large_for_memory_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a worker any other error would cost the image of the same row."""

    def full(_: object) -> image.Picture:
        raise MemoryError

    monkeypatch.setattr(image, "read", full)
    with pytest.raises(Unreadable, match="it needs too much memory"):
        image.read_beside("mask.png")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no such file or directory"):
        image.read(tmp_path / "absent.png")
    with pytest.raises(Unreadable, match="is a directory"):
        image.read(tmp_path)


@given(
    arrays.arrays(
        st.sampled_from([np.int16, np.int32, np.uint32, np.float32, np.float64, np.bool_]),
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=8),
    )
)
def test_to_grey_keeps_the_order(values: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        finite = np.isfinite(values.astype(np.float32)) & np.isfinite(values.astype(np.float64))
        grey = grey_levels.to_grey(values)
        assert grey.shape == values.shape and grey.dtype in (np.uint8, np.uint16)
        order = np.argsort(values[finite].astype(np.float32), kind="stable")
    assert (np.diff(grey[finite].astype(int)[order]) >= 0).all()


@given(arrays.arrays(np.uint16, arrays.array_shapes(min_dims=2, max_dims=2, max_side=8)))
def test_to8_spreads_and_keeps_the_order(grey: np.ndarray) -> None:
    eight = grey_levels.to8(grey)
    assert eight.dtype == np.uint8
    order = np.argsort(grey, axis=None, kind="stable")
    assert (np.diff(eight.ravel()[order].astype(int)) >= 0).all()
    if grey.min() != grey.max():
        assert (eight.min(), eight.max()) == (0, 255)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_what_is_written_is_what_is_read(kind: type, tmp_path: Path) -> None:
    grey = odd.ramp(256 if kind is np.uint8 else 65536).astype(kind)
    data = image.write_png(tmp_path / "a.png", grey, "test 1")
    again = image.read(tmp_path / "a.png")
    np.testing.assert_array_equal(again.grey, grey)
    assert (again.grey.dtype, again.sha256) == (kind, sha256(data).hexdigest())
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.text == {"cxrtool": "test 1"}
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert not image.is_made(path, "test 1")
    image.write_png(path, odd.RAMP8, "test 1")
    assert image.is_made(path, "test 1")
    assert not image.is_made(path, "test 2") and not image.is_made(path, "test")
    data = path.read_bytes()
    for spoilt in (data[:-1], data[:-12], data + b"x", data[:200] + b"?" + data[201:]):
        path.write_bytes(spoilt)
        assert not image.is_made(path, "test 1")


def test_luminance_is_pillows() -> None:
    colour = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    expected = np.asarray(Image.fromarray(colour).convert("L")).astype(int)
    np.testing.assert_array_equal(grey_levels.luminance(colour), expected)
    deep = grey_levels.luminance(colour.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16 and np.abs(deep / 257 - expected).max() <= 1


def test_reads_nothing_but_pictures() -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n"
    with pytest.raises(Unreadable, match="not an image in a known format"):
        image.decode(image.Encoded(eps))
    stream = io.BytesIO()
    Image.new("L", (9, 9)).save(stream, "TGA")
    with pytest.raises(Unreadable):
        image.decode(image.Encoded(stream.getvalue()))
