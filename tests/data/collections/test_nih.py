import pytest
from trees import TREES

from cxrtool.core.errors import CxrtoolError, Skip

CSV = "Data_Entry_2017.csv"


def test_reads_the_published_layout(read, table):
    rows, skips = read("nih")
    columns = ("path", "label", "patient", "view", "age", "sex", "finding", "folder")
    assert table(rows, *columns) == [
        "images_001/images/00000001_000.png|other|1|PA|58|M|Cardiomegaly|train",
        "images_001/images/00000002_000.png|normal|2|AP||F|No Finding|",
        "images_002/images/00000003_000.png|pneumonia|3|AP|0|F|Edema|Pneumonia|test",
    ]
    assert skips == [
        Skip("00000004_000.png", f"listed in {CSV} but absent"),
        Skip("images_002/images/00000009_000.png", f"not listed in {CSV}", failed=False),
    ]


def test_reads_the_version_of_2020(read, table):
    text = str(TREES["nih"][CSV]).replace("Gender", "Sex")
    tree = {"labels/Data_Entry_2017_v2020.csv": text, "images/00000001_000.png": None}
    rows, _ = read("nih", tree)
    assert table(rows, "path", "sex", "folder") == ["images/00000001_000.png|M|"]


def test_names_the_tables_it_looks_for(read):
    with pytest.raises(
        CxrtoolError, match=r"no Data_Entry_2017_v2020\.csv or Data_Entry_2017\.csv"
    ):
        read("nih", {"images/00000001_000.png": None})


def test_refuses_to_choose_between_two_collections(read):
    with pytest.raises(CxrtoolError, match=r"holds both .*a/Data_Entry.* and .*b/Data_Entry"):
        read("nih", {f"a/{CSV}": "", f"b/{CSV}": ""})
