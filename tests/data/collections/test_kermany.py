import os

import pytest

from cxrtool.core.errors import CxrtoolError


def test_reads_the_published_layout(read, table):
    rows, skips = read("kermany", inside="chest_xray")
    assert table(rows, "path", "label", "patient", "finding", "folder") == [
        "chest_xray/test/NORMAL/IM-0001-0001.jpeg|normal|IM-0001|NORMAL|test",
        "train/NORMAL/IM-0115-0001.jpeg|normal|IM-0115|NORMAL|train",
        "train/NORMAL/NORMAL2-IM-0115-0001.jpeg|normal|NORMAL2-IM-0115|NORMAL|train",
        "train/PNEUMONIA/VIRUS-40699-0001.jpeg|virus|40699|PNEUMONIA|train",
        "train/PNEUMONIA/person1000_bacteria_2931.jpeg|bacteria|person1000|PNEUMONIA|train",
        "train/PNEUMONIA/person1000_virus_1681.jpeg|virus|person1000|PNEUMONIA|train",
        "val/PNEUMONIA/strange.jpeg|pneumonia||PNEUMONIA|val",
    ]
    assert [(s.path, s.failed) for s in skips] == [
        ("test/NORMAL/IM-0001-0001.jpeg", False),
        ("test/figure.jpeg", False),
    ]
    assert skips[0].reason.startswith("a second copy of ")
    assert skips[1].reason == "not in a folder NORMAL or PNEUMONIA"


@pytest.mark.parametrize("inside", ["", "chest_xray/train", "chest_xray/train/NORMAL"])
def test_knows_the_part_wherever_it_starts(read, inside):
    rows, _ = read("kermany", inside=inside)
    parts = {os.path.basename(row["path"]): row["folder"] for row in rows}
    assert parts["IM-0115-0001.jpeg"] == "train"


def test_says_what_it_looks_for(read):
    with pytest.raises(CxrtoolError, match=r"no images in train/NORMAL/.* Name the folder"):
        read("kermany", {"covid/a.png": None})
