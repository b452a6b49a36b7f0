"""The table of boxes that --conceal covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import boxes
from cxrtool.files.boxes import Box

HEADER = "path,x,y,width,height\n"


def read(folder: Path, text: str) -> dict[str, list[Box]]:
    (folder / "b.csv").write_text(text)
    return boxes.read(str(folder / "b.csv"))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(CxrtoolError) as refused:
        read(folder, text)
    assert refused.value.code == 2
    return str(refused.value).removeprefix(f"{folder / 'b.csv'}: ")


def test_an_image_may_have_several(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "a.png,1,2,3,4\nb.png,0,0,1,1\na.png,5,6,7,8\n") == {
        "a.png": [Box(1, 2, 3, 4), Box(5, 6, 7, 8)],
        "b.png": [Box(0, 0, 1, 1)],
    }


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    text = "note,height,width,y,path,x\n007,4,3,2,a.png,1\n"
    assert read(tmp_path, text) == {"a.png": [Box(1, 2, 3, 4)]}


def test_a_box_may_begin_outside_of_the_image(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "a.png,-5,-1,30,4\n") == {"a.png": [Box(-5, -1, 30, 4)]}


@pytest.mark.parametrize(
    "cells",
    ["1,2,3,x", "1,2,3,", "1.5,2,3,4", "1,2,0,4", "1,2,3,-4", ",,,", "nan,0,1,1", "1e3,0,1,1"],
)
def test_what_is_no_box_is_named_with_its_row(cells: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, f"{HEADER}a.png,1,2,3,4\na.png,{cells}\n") == (
        f"row 3: x,y,width,height are '{cells}', not whole pixels of a box. Correct the row."
    )


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "path,x,y,width\na,1,2,3\n") == (
        "no column 'height' among: path, x, y, width. Check the header."
    )
    assert refusal(tmp_path, "picture,x,y,width,height\na,1,2,3,4\n") == (
        "no column 'path' among: picture, x, y, width, height. "
        "It needs path, x, y, width and height, in pixels of the image."
    )


def test_no_table(tmp_path: Path) -> None:
    with pytest.raises(
        CxrtoolError, match=r"absent: no such file or directory\. Check the path\.$"
    ):
        boxes.read(str(tmp_path / "absent"))
