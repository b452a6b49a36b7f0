"""`ingest` warns of folders of hospitals, and not of folders of patients, studies or views."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from cxrtool.data.folder_levels import MOST, FolderLevels


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def warned(tree: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    for path in tree:
        Path("top", path).mkdir(parents=True, exist_ok=True)
    levels = FolderLevels("top")
    for path in tree:
        levels.add(f"top/{path}/1.png")
    levels.warn()
    return capfd.readouterr().err


def below(upper: list[str], lower: list[str]) -> list[str]:
    return [f"{one}/{other}" for one, other in itertools.product(upper, lower)]


HOSPITALS = ["north", "south"]


@pytest.mark.parametrize(
    "tree",
    [
        below(HOSPITALS, ["covid", "normal"]),
        below(HOSPITALS, ["Healthy", "TB"]),
        # Each hospital has one class alone: the label is the source.
        ["north/covid", "south/No_Finding"],
        [*below(["north"], ["covid", "normal"]), "south/covid"],
        [
            f"{place}/{part}/{label}"
            for place in HOSPITALS
            for part in ("train", "test")
            for label in ("covid", "normal")
        ],
        [f"{place}/images" for place in below(HOSPITALS, ["covid", "normal"])],
        [f"{place}/p1/study2" for place in below(HOSPITALS, ["covid", "normal"])],
        # The archive of a collection, in the folder that it was unpacked in.
        below(["chest_xray"], ["NORMAL", "PNEUMONIA"]),
    ],
)
def test_hospitals_are_warned_of_with_the_remedy(
    tree: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    said = warned(tree, capfd)
    assert said.count("\n") == 1
    upper = sorted(
        {next(f for f in path.split("/") if f not in ("train", "test")) for path in tree}
    )
    assert f"warning: top: the labels are {', '.join(upper)}, and the folders in these" in said
    assert said.endswith(f"cxrtool ingest {' '.join(f'top/{name}' for name in upper)}\n")


@pytest.mark.parametrize("between", ["train", "images"])
def test_the_remedy_names_no_folder_that_is_not_there(
    between: str, capfd: pytest.CaptureFixture[str]
) -> None:
    tree = [f"{between}/{place}" for place in below(HOSPITALS, ["covid", "normal"])]
    assert warned(tree, capfd).endswith("name the folders that hold them, each a source\n")


@pytest.mark.parametrize(
    "tree",
    [
        ["covid", "normal"],
        below(["covid", "normal"], ["p1", "p2"]),
        below(["covid", "pneumonia"], ["1", "2"]),
        below(["covid", "normal"], ["hospital-a", "hospital-b"]),
        below(["covid", "normal"], ["north", "south"]),
        below(["covid", "tb"], ["north", "south"]),
        below(["covid", "pneumonia"], ["adult", "child"]),
        below(["covid", "pneumonia"], ["erect", "supine"]),
        below(["covid", "pneumonia"], ["PA", "AP Supine"]),
        below(["covid", "pneumonia"], ["female", "male"]),
        below(["covid", "normal"], ["images"]),
        below(["train", "test"], ["covid", "normal"]),
        below(["covid", "pneumonia"], ["train", "val", "test"]),
        ["covid/anna", "pneumonia/bert"],
        # Some images lie beside the folders.
        [*below(HOSPITALS, ["covid", "normal"]), "north"],
        below(["covid", "pneumonia"], [f"case {chr(97 + k)}" for k in range(MOST + 1)]),
        [],
    ],
)
def test_classes_are_not_warned_of(tree: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert warned(tree, capfd) == ""
