"""Images for the controls of the training without the lungs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrtool.audit.lungs_out_images import (
    CHANGES,
    CONTROLS,
    ControlImages,
    exchanged,
    rectangle,
)
from cxrtool.core.errors import Skip
from cxrtool.files import manifest
from cxrtool.preprocess.pipeline import RowUpdate

Row = dict[str, str]


def lungs(shape: tuple[int, int] = (80, 100)) -> np.ndarray:  # type: ignore[type-arg]
    mask = np.zeros(shape, bool)
    mask[20:60, 15:40] = mask[20:60, 60:85] = True
    return mask


def made(control: str, mask: np.ndarray, path: str = "a.png") -> np.ndarray:  # type: ignore[type-arg]
    return CHANGES[control](np.full(mask.shape, 100, np.uint8), mask, path)


def test_every_control_has_its_changes() -> None:
    assert {name for names in CONTROLS.values() for name in names} == set(CHANGES)


def test_a_rectangle_has_the_area_of_the_lungs_and_a_place_of_its_own() -> None:
    mask = lungs()
    areas = [np.count_nonzero(rectangle(mask, f"{k}.png")) for k in range(30)]
    assert np.abs(np.array(areas) / mask.sum() - 1).max() < 0.03
    assert (rectangle(mask, "a.png") == rectangle(mask, "a.png")).all()
    assert (rectangle(mask, "a.png") != rectangle(mask, "b.png")).any()


@pytest.mark.parametrize("mask", [np.ones((5, 7), bool), np.zeros((5, 7), bool), lungs((80, 100))])
def test_a_rectangle_fits_whatever_the_mask_is(mask: np.ndarray) -> None:  # type: ignore[type-arg]
    area = np.count_nonzero(mask)
    assert abs(np.count_nonzero(rectangle(mask, "x")) - area) <= 0.03 * area


def test_each_control_takes_away_what_it_names() -> None:
    mask = lungs()
    assert (made("other-mask", mask) == np.where(mask, 0, 100)).all()
    assert (made("sham", mask) == np.where(rectangle(mask, "a.png"), 0, 100)).all()
    assert (made("outline", mask) == np.where(mask, 255, 0)).all()
    widths = [np.count_nonzero(made(f"dilation-{k}", mask) == 0) for k in (3, 6, 12)]
    assert mask.sum() < widths[0] < widths[1] < widths[2] < mask.size
    assert not made("dilation-12", mask)[mask].any()


def test_masks_are_those_of_another_patient_of_the_same_part() -> None:
    rows = [
        {"path": f"{k}.png", "patient": f"P{k // 3}", "split": "train" if k < 45 else "test"}
        | {"mask": f"mask{k}.png"}
        for k in range(60)
    ]
    given = exchanged(rows, seed=1)
    owners = [rows[int(row["mask"][4:-4])] for row in given]
    assert all(a["patient"] != b["patient"] for a, b in zip(rows, owners, strict=True))
    assert all(a["split"] == b["split"] for a, b in zip(rows, owners, strict=True))
    assert given == exchanged(rows, seed=1) and given != exchanged(rows, seed=2)
    assert [row["path"] for row in given] == [row["path"] for row in rows]


def test_a_patient_who_is_alone_in_its_part_gets_any_other_mask() -> None:
    rows: list[Row] = [
        {"path": "a", "patient": "P", "split": "test", "mask": "1"},
        {"path": "b", "patient": "Q", "split": "train", "mask": "2"},
        {"path": "c", "patient": "Q", "split": "train", "mask": "3"},
    ]
    given = [row["mask"] for row in exchanged(rows, seed=0)]
    assert given[0] in "23" and given[1:] == ["1", "1"]
    # Where there is one patient alone, nobody else has a mask.
    assert [row["mask"] for row in exchanged(rows[1:2], seed=0)] == ["2"]


def test_an_image_is_made_once_and_again_when_its_mask_changes(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(50, 200, (80, 100), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(lungs().view(np.uint8) * np.uint8(255)).save(tmp_path / "m.png")
    folder = manifest.ImageFolder(str(tmp_path / "made"), str(tmp_path))
    (tmp_path / "made").mkdir()
    work = ControlImages("other-mask", folder, str(tmp_path))
    row = {"path": "a.png", "mask": "m.png"}
    update = work(row)
    assert isinstance(update, RowUpdate) and "other-mask" in update.cells["preprocessing"]
    file = tmp_path / update.cells["path"]
    assert (np.asarray(Image.open(file)) == np.where(lungs(), 0, pixels)).all()
    before = file.stat().st_mtime_ns
    work(row)
    assert file.stat().st_mtime_ns == before
    Image.fromarray(np.full((80, 100), 255, np.uint8)).save(tmp_path / "m.png")
    work(row)
    assert not np.asarray(Image.open(file)).any()
    assert isinstance(work(row | {"mask": "gone.png"}), Skip)
