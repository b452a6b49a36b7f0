"""An image in all its versions: those of each kind, framed as a run frames its images."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cxrtool.audit.changed_images import KINDS, Changed, Changer, Place
from cxrtool.core.errors import Skip
from cxrtool.files.pixel_cache import Frame


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A grey image of 120 x 100 with a mask of two lungs and a white mark in the first corner."""
    pixels = np.random.default_rng(0).integers(60, 120, (100, 120), dtype=np.uint8)
    pixels[3:9, 3:9] = 255
    mask = np.zeros((100, 120), np.uint8)
    mask[30:80, 20:50] = mask[30:80, 70:100] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return Place("a.png", str(tmp_path / "a.png"), str(tmp_path / "mask.png"))


def changed(kind: str, place: Place, frame: Frame) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    result = Changer(kind, frame)(place)
    assert isinstance(result, Changed)
    return dict(zip(KINDS[kind].names, result.versions, strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
def test_every_kind_has_its_versions_in_the_frame(kind: str, fit: str, place: Place) -> None:
    frame = Frame(48, 1, fit)
    versions = changed(kind, place, frame)
    assert all(one.shape == (1, 48, 48) and one.dtype == np.uint8 for one in versions.values())
    # Unchanged is what training and prediction see.
    assert (versions["unchanged"] == frame(place.file)).all()


def test_a_mark_differs_from_the_blank_patch_in_its_corner_alone(place: Place) -> None:
    versions = changed("markers", place, Frame(100, 1))
    for corner, quarter in {"upper left": np.s_[:50, :50], "lower right": np.s_[50:, 50:]}.items():
        blank = versions[f"blank {corner}"][0]
        letter, patch = (versions[f"{mark} {corner}"][0] for mark in ("letter", "white patch"))
        for marked in (letter, patch):
            there = marked != blank
            assert there[quarter].any() and there.sum() == there[quarter].sum()
            assert marked[there].max() > 180
        assert (patch >= letter)[letter != blank].all()
    # The mark that was there is gone where the corner is covered, and there where it is mirrored.
    assert versions["corners covered"][0, :12, :12].max() < 130
    assert versions["corners mirrored"][0, :15, :15].max() > 200


def test_lungs_alone_and_lungs_out_have_no_pixel_in_common(place: Place) -> None:
    versions = changed("ablation", place, Frame(100, 1))
    lungs, rest = versions["lungs alone"][0] > 0, versions["lungs out"][0] > 0
    assert lungs.any() and rest.any() and not (lungs & rest).any()
    equalised = versions["histogram equalised"][0]
    assert equalised.max() == 255 and np.ptp(equalised) > np.ptp(versions["unchanged"][0]) / 2


def test_without_a_mask_the_lungs_are_found(tmp_path: Path, place: Place) -> None:
    result = Changer("lungs", Frame(32, 1))(place._replace(mask=""))
    assert isinstance(result, Changed) and result.lungs is not None
    assert result.lungs.shape == (32, 32)


def test_a_mask_that_cannot_be_read_is_named(tmp_path: Path, place: Place) -> None:
    (tmp_path / "mask.png").write_bytes(b"no image")
    result = Changer("lungs", Frame(32, 1))(place)
    assert isinstance(result, Skip) and result.path == "a.png"
    assert result.reason.startswith(f"its mask {tmp_path / 'mask.png'} cannot be read: ")


def test_a_mask_is_framed_as_its_image_is(place: Place) -> None:
    result = Changer("lungs", Frame(64, 1, "crop"))(place)
    assert isinstance(result, Changed) and result.lungs is not None
    truth = cv2.imread(place.mask, cv2.IMREAD_GRAYSCALE) > 127
    # The central 87 pixels: the share of the lungs in them.
    assert result.lungs.mean() == pytest.approx(truth[6:93, 16:103].mean(), abs=0.03)


def test_what_cannot_be_read_is_named(tmp_path: Path, place: Place) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    result = Changer("markers", Frame(32))(place)
    assert isinstance(result, Skip) and result.path == "a.png"
