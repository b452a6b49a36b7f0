"""Collections whose folders name the classes: labels, parts, and archives still packed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from trees import TREES

from cxrtool.core.errors import CxrtoolError, Skip

Read = Callable[..., tuple[list[dict[str, str]], list[Skip]]]
Show = Callable[..., list[str]]


def test_prashant268(read: Read, table: Show) -> None:
    rows, skips = read("prashant268")
    assert table(rows, "path", "label", "finding", "folder") == [
        "Data/test/COVID19/COVID19(460).jpg|covid|COVID19|test",
        "Data/train/COVID19/COVID19(0).jpg|covid|COVID19|train",
        "Data/train/NORMAL/NORMAL(0).jpg|normal|NORMAL|train",
        "Data/train/PNEUMONIA/PNEUMONIA(0).jpg|pneumonia|PNEUMONIA|train",
    ]
    assert [(s.path, s.failed) for s in skips] == [("Data/cover.jpg", False)]


def test_scov(read: Read, table: Show) -> None:
    rows, _ = read("scov")
    assert table(rows, "path", "label", "view") == [
        "COVID/Covid (1).png|covid|Axial",
        "COVID/Covid (2).png|covid|Axial",
        "non-COVID/Non-Covid (1).png|negative|Axial",
    ]


def test_the_folder_of_one_class_may_be_named_itself(read: Read, table: Show) -> None:
    rows, _ = read("scov", inside="non-COVID")
    assert table(rows, "path", "label") == ["Non-Covid (1).png|negative"]


def test_ictcf(read: Read, table: Show) -> None:
    rows, skips = read("ictcf")
    assert table(rows, "path", "label") == [
        "nCT/nCT1.jpg|negative",
        "nCT/nCT9762.jpg|negative",
        "pCT/pCT3593.jpg|covid",
    ]
    assert skips == [Skip("NiCT/NiCT12.jpg", "a slice without lung (NiCT)", failed=False)]
    rows, skips = read("ictcf", uninformative="keep")
    assert table(rows, "path", "label")[0] == "NiCT/NiCT12.jpg|other"
    assert not skips


def test_ccxri(read: Read, table: Show) -> None:
    rows, skips = read("ccxri", inside="COVID-19_Radiography_Dataset")
    assert table(rows, "path", "label", "mask") == [
        "COVID/images/COVID-1.png|covid|COVID/masks/COVID-1.png",
        "Lung_Opacity/images/Lung_Opacity-1.png|other|Lung_Opacity/masks/Lung_Opacity-1.png",
        "Normal/images/Normal-1.png|normal|",
        "Viral Pneumonia/images/Viral Pneumonia-1.png|virus|"
        "Viral Pneumonia/masks/Viral Pneumonia-1.png",
    ]
    assert not skips


def test_ccxri_of_2020_has_no_folders_of_images(read: Read, table: Show) -> None:
    folder = "COVID-19 Radiography Database"
    tree = dict.fromkeys([f"{folder}/COVID-19/COVID-19 (1).png", f"{folder}/NORMAL/NORMAL (1).png"])
    rows, _ = read("ccxri", tree)
    assert table(rows, "label", "mask") == ["covid|", "normal|"]


def test_andrewmvd(read: Read, table: Show) -> None:
    rows, _ = read("andrewmvd")
    assert table(rows, "path", "label") == [
        "X rays/00870a9c.jpg|covid",
        "X rays/16654_2_1.png|covid",
    ]


@pytest.mark.parametrize("name", ["ccii", "ccxri", "ictcf", "mgc", "prashant268", "scov"])
@pytest.mark.parametrize("packed", [False, True])
def test_an_archive_that_is_still_packed_is_named(name: str, packed: bool, read: Read) -> None:
    tree: dict[str, Any] = {"elsewhere/a.png": None}
    if packed:
        tree["part-1.zip"] = b"PK\x03\x04"
    with pytest.raises(CxrtoolError, match="no images in") as raised:
        read(name, tree)
    assert ("archives such as part-1.zip: unpack them" in str(raised.value)) == packed


def test_every_collection_of_class_folders_is_here() -> None:
    assert {"andrewmvd", "ccii", "ccxri", "ictcf", "mgc", "prashant268", "scov"} <= set(TREES)
