import pytest

from cxrtool.core.errors import Skip
from cxrtool.data.collections._nlm import parse


def test_reads_the_published_layout(read, table):
    rows, skips = read("shenzhen")
    start = "ChinaSet_AllFiles/CXR_png/"
    assert table(rows, "path", "label", "patient", "age", "sex", "finding", "mask") == [
        f"{start}CHNCXR_0001_0.png|normal|CHNCXR_0001|45|M|normal|mask/CHNCXR_0001_0_mask.png",
        f"{start}CHNCXR_0115_0.png|normal|CHNCXR_0115|1|M|normal|",
        f"{start}CHNCXR_0327_1.png|tuberculosis|CHNCXR_0327|28|F|STB right|",
        f"{start}CHNCXR_0328_1.png|tuberculosis|CHNCXR_0328||||",
    ]
    lesion = "ChinaSet_AllFiles/Annotations-2/masks/CHNCXR_0327_1_Cavity_1.png"
    assert skips == [Skip(lesion, "not named like CHNCXR_0001_0.png", "", False)]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ("", "", "")),
        ("female 64days\nnormal", ("F", "0", "normal")),
        ("Male,38yr, miliary TB", ("M", "38", "miliary TB")),
        ("male 38 miliary TB", ("M", "38", "miliary TB")),
        ("mediastinal lymph nodes", ("", "", "mediastinal lymph nodes")),
        ("Patient's Sex: O\nPatient's Age: 004Y\nnormal", ("", "4", "normal")),
    ],
)
def test_reads_what_a_doctor_typed(text, read):
    assert tuple(parse(text).values()) == read
