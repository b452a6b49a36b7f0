import pytest

from cxrtool.core.errors import CxrtoolError, Skip


def test_reads_the_published_layout(read, table):
    rows, skips = read("montgomery")
    assert table(rows, "path", "label", "patient", "view", "age", "sex", "finding") == [
        "MontgomerySet/CXR_png/MCUCXR_0001_0.png|normal|MCUCXR_0001|PA|27|F|normal",
        "MontgomerySet/CXR_png/MCUCXR_0104_1.png|tuberculosis|MCUCXR_0104|PA|51|M|"
        "cavitary infiltrate in RUL; active TB",
        "MontgomerySet/CXR_png/MCUCXR_0108_1.png|tuberculosis|MCUCXR_0108|PA|||",
    ]
    halves = "MontgomerySet/ManualMask/leftMask/MCUCXR_0001_0.png|" + (
        "MontgomerySet/ManualMask/rightMask/MCUCXR_0001_0.png|"
    )
    assert table(rows, "mask_left", "mask_right", "mask") == [
        halves,
        "||masks/MCUCXR_0104_1.png",
        "||",
    ]
    assert skips == [
        Skip("MontgomerySet/CXR_png/Thumbs.png", "not named like MCUCXR_0001_0.png", "", False),
        Skip(
            "MontgomerySet/ClinicalReadings/MCUCXR_0108_1.txt",
            "row 1: it is not UTF-8. Save it again as UTF-8.",
        ),
    ]


def test_does_without_masks_and_readings(read, table):
    rows, skips = read("montgomery", {"MCUCXR_0001_0.png": None, "more/MCUCXR_0001_0.png": None})
    assert table(rows, "path", "age", "mask_left") == ["MCUCXR_0001_0.png||"]
    assert [s.path for s in skips] == ["more/MCUCXR_0001_0.png"]


def test_says_what_it_looks_for(read):
    with pytest.raises(CxrtoolError, match=r"no images named like MCUCXR_0001_0\.png"):
        read("montgomery", {"CHNCXR_0001_0.png": None})
