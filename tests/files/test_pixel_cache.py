"""Images are framed as they are said to be, and kept for the next run only where they are whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import odd
import pytest
from handy import noise, write
from PIL import Image

from cxrtool.core import choices
from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.core.parallel import Crew
from cxrtool.files import pixel_cache
from cxrtool.files.pixel_cache import Frame, framed_by, gathered

WIDE = np.random.default_rng(0).integers(0, 256, (40, 64), np.uint8)
ALONE = Crew(1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, {f"{n}.png": noise(i, 32) for i, n in enumerate("abc")})


def saved(path: Path, values: np.ndarray) -> str:
    path.write_bytes(odd.saved(Image.fromarray(values), "PNG"))
    return str(path)


def test_the_images_come_in_their_order(folder: Path) -> None:
    array, skips = gathered(["c.png", "a.png"], Frame(32), "cache", ALONE)
    assert (array.shape, array.dtype, skips) == ((2, 1, 32, 32), np.uint8, {})
    for found, name in zip(array, ("c.png", "a.png"), strict=True):
        with Image.open(name) as picture:
            np.testing.assert_array_equal(found[0], np.asarray(picture))


def test_several_workers_give_the_same(folder: Path) -> None:
    names = [f"{n}.png" for n in "abcabcab"]
    one, _ = gathered(names, Frame(16), "one", ALONE)
    two, _ = gathered(names, Frame(16), "two", Crew(2))
    np.testing.assert_array_equal(one, two)


# --- frames ---------------------------------------------------------------------------------------


def test_an_image_of_the_size_is_left_as_it_is() -> None:
    square = WIDE[:, :40]
    for fit in ("squash", "pad"):
        np.testing.assert_array_equal(framed_by(square, 40, fit), square)


@pytest.mark.parametrize("size, way", [(32, cv2.INTER_AREA), (50, cv2.INTER_CUBIC)])
def test_squash(size: int, way: int) -> None:
    expected = cv2.resize(WIDE, (size, size), interpolation=way)
    np.testing.assert_array_equal(framed_by(WIDE, size, "squash"), expected)


def test_crop_takes_the_middle() -> None:
    expected = cv2.resize(WIDE[2:37, 14:49], (35, 35))
    np.testing.assert_array_equal(framed_by(WIDE, 35, "crop"), expected)


def test_crop_is_resize_256_and_center_crop_224() -> None:
    big = cv2.resize(WIDE, (512, 256), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(framed_by(big, 224, "crop"), big[16:240, 144:368])


def test_pad_keeps_the_shape() -> None:
    found = framed_by(WIDE, 64, "pad")
    np.testing.assert_array_equal(found[12:52], WIDE)
    assert not found[:12].any() and not found[52:].any()


@pytest.mark.parametrize("fit", choices.FITS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 2), (7, 5)])
def test_any_shape_becomes_a_square(fit: str, shape: tuple[int, int]) -> None:
    found = framed_by(np.full(shape, 77, np.uint8), 16, fit)
    assert found.shape == (16, 16) and found.any()


@pytest.mark.parametrize("fit", choices.FITS)
def test_three_channels_are_framed_alike(fit: str) -> None:
    colour = np.dstack([WIDE, 255 - WIDE, WIDE // 2])
    found = framed_by(colour, 24, fit)
    for channel in range(3):
        one = framed_by(np.ascontiguousarray(colour[..., channel]), 24, fit)
        np.testing.assert_array_equal(found[..., channel], one)


def test_grey_for_three_channels(folder: Path) -> None:
    array, _ = gathered(["a.png"], Frame(32, 3), "cache", ALONE)
    assert array.shape == (1, 3, 32, 32)
    assert (array[0, 0] == array[0, 1]).all() and (array[0, 0] == array[0, 2]).all()


def test_deep_images_keep_their_order(tmp_path: Path) -> None:
    ramp = np.linspace(0, 60000, 32 * 32).reshape(32, 32).astype(np.uint16)
    found = Frame(32)(saved(tmp_path / "deep.png", ramp))
    assert isinstance(found, np.ndarray)
    assert (np.diff(found.ravel().astype(int)) >= 0).all() and len(np.unique(found)) > 200


def test_root(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.png").rename("in/a.png")
    found = Frame(32, root="in")("a.png")
    assert isinstance(found, np.ndarray)


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    assert Frame(32)("absent.png") == Skip(
        "absent.png", "no such file or directory", "Check the path and its rights."
    )


# --- the cache ------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_black_and_not_kept(folder: Path) -> None:
    array, skips = gathered(["a.png", "absent.png", "b.png"], Frame(32), "cache", ALONE)
    assert list(skips) == [1] and not array[1].any() and array[0].any() and array[2].any()
    assert os.listdir("cache") == []
    write(folder, {"absent.png": noise(9, 32)})
    array, skips = gathered(["a.png", "absent.png", "b.png"], Frame(32), "cache", ALONE)
    assert skips == {} and array[1].any()


def test_what_lacks_an_image_never_has_a_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed must not leave black images for the next one."""
    named: list[str] = []
    monkeypatch.setattr(os, "replace", lambda *a: named.append(str(a)))
    gathered(["a.png", "absent.png"], Frame(32), "cache", ALONE)
    assert named == []


def test_the_second_time_nothing_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = gathered(["a.png", "b.png"], Frame(16), "cache", ALONE)
    monkeypatch.setattr(Frame, "__call__", None)
    second, _ = gathered(["a.png", "b.png"], Frame(16), "cache", ALONE)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "paths, frame",
    [
        (["a.png"], Frame(16)),
        (["b.png", "a.png"], Frame(16)),
        (["a.png", "b.png"], Frame(17)),
        (["a.png", "b.png"], Frame(16, 3)),
        (["a.png", "b.png"], Frame(16, fit="pad")),
    ],
)
def test_other_images_or_frames_are_another_array(
    folder: Path, paths: list[str], frame: Frame
) -> None:
    gathered(["a.png", "b.png"], Frame(16), "cache", ALONE)
    gathered(paths, frame, "cache", ALONE)
    assert len(os.listdir("cache")) == 2


def test_a_changed_image_is_another_array(folder: Path) -> None:
    first, _ = gathered(["a.png"], Frame(16), "cache", ALONE)
    write(folder, {"a.png": noise(7, 32)})
    second, _ = gathered(["a.png"], Frame(16), "cache", ALONE)
    assert (first != second).any()


@pytest.mark.parametrize("dtype, order", [("|u1", "F"), ("|i1", "C"), ("<u2", "C")])
def test_another_array_in_its_place_is_made_again(folder: Path, dtype: str, order: str) -> None:
    first, _ = gathered(["a.png", "b.png"], Frame(16), "cache", ALONE)
    whole = np.array(first)
    (name,) = os.listdir("cache")
    np.save(f"cache/{name}", np.asarray(np.zeros((2, 1, 16, 16), dtype), order=order))
    second, _ = gathered(["a.png", "b.png"], Frame(16), "cache", ALONE)
    np.testing.assert_array_equal(whole, second)


def test_a_full_disk_leaves_nothing_half_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CxrtoolError, match=r"no space left on device\. Make room"):
        gathered(["a.png"], Frame(16), "cache", ALONE)
    assert os.listdir("cache") == []


def test_no_images(folder: Path) -> None:
    with pytest.raises(CxrtoolError, match="no images to read"):
        gathered([], Frame(16), "cache", ALONE)


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pixel_cache.default_folder() == str(tmp_path / "cxrtool" / "pixels")


# --- what the cache says is not believed ----------------------------------------------------------


def cached(name: str = "cache") -> Path:
    (place,) = Path(name).glob("*.npy")
    return place


def test_every_flipped_byte_is_noticed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = np.array(gathered(["a.png", "b.png"], Frame(8), "cache", ALONE)[0])
    content = cached().read_bytes()
    # In the header's first words, in its shape, in either image, in either checksum.
    for place in (3, 70, 130, 200, len(content) - 7, len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= 4
        cached().write_bytes(damaged)
        found, _ = gathered(["a.png", "b.png"], Frame(8), "cache", ALONE)
        np.testing.assert_array_equal(found, whole)
        assert cached().read_bytes() == content
        said = capfd.readouterr().err
        assert said.endswith(": damaged; the images are read again\n") and said.count("\n") == 1


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b""])
def test_a_file_of_another_length_is_made_again(folder: Path, change: Any) -> None:
    whole = np.array(gathered(["a.png", "b.png"], Frame(8), "cache", ALONE)[0])
    content = cached().read_bytes()
    cached().write_bytes(change(content))
    np.testing.assert_array_equal(gathered(["a.png", "b.png"], Frame(8), "cache", ALONE)[0], whole)
    assert cached().read_bytes() == content


def test_a_file_replaced_by_one_of_the_same_length_and_time(folder: Path) -> None:
    Path("a.pgm").write_bytes(b"P5 2 2 255\n\0\0\0\0")
    before = os.stat("a.pgm")
    black = np.array(gathered(["a.pgm"], Frame(8), "cache", ALONE)[0])
    Path("b.pgm").write_bytes(b"P5 2 2 255\n\xff\xff\xff\xff")
    os.utime("b.pgm", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace("b.pgm", "a.pgm")
    assert os.stat("a.pgm").st_mtime_ns == before.st_mtime_ns
    white = gathered(["a.pgm"], Frame(8), "cache", ALONE)[0]
    assert not black.any() and (white == 255).all()


def test_another_digest_in_the_manifest_is_another_array(folder: Path) -> None:
    for digest in ("", "1" * 64, "2" * 64):
        gathered(["a.png"], Frame(8), "cache", ALONE, digests=[digest])
    assert len(os.listdir("cache")) == 3


def test_a_planted_link_is_not_written_through(folder: Path) -> None:
    gathered(["a.png"], Frame(8), "cache", ALONE)
    place, victim = cached(), Path("victim")
    victim.write_bytes(b"precious")
    place.unlink()
    place.symlink_to(victim.absolute())
    gathered(["a.png"], Frame(8), "cache", ALONE)
    assert victim.read_bytes() == b"precious" and not place.is_symlink()


def test_a_fifo_in_its_place_is_not_waited_for(folder: Path) -> None:
    gathered(["a.png"], Frame(8), "cache", ALONE)
    place = cached()
    place.unlink()
    os.mkfifo(place)
    gathered(["a.png"], Frame(8), "cache", ALONE)
    assert place.is_file()
