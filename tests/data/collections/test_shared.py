import pytest

from cxrtool.core.errors import CxrtoolError
from cxrtool.data.collections._shared import age, lung_class, sex, tables, view


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("58", "58"),
        ("058Y", "58"),
        ("58.0", "58"),
        (" 7 years ", "7"),
        ("0", "0"),
        ("18 months", "1"),
        ("007M", "0"),
        ("60w", "1"),
        ("400D", "1"),
        ("120", "120"),
        ("121", ""),
        ("411", ""),
        ("50+", ""),
        ("20-30", ""),
        ("early 40s", ""),
        ("", ""),
        ("-3", ""),
        ("nan", ""),
    ],
)
def test_age(text, years):
    assert age(text) == years


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pa", "PA"),
        ("AP supine", "AP Supine"),
        ("AP_horizontal", "AP Supine"),
        ("APS", "AP Supine"),
        ("AP erect", "AP Erect"),
        ("LATERAL", "L"),
        ("l", "L"),
        ("?", ""),
        (" ", ""),
    ],
)
def test_view(text, name):
    assert view(text) == name


@pytest.mark.parametrize(
    ("text", "letter"),
    [("male", "M"), ("F", "F"), ("Female", "F"), ("O", ""), ("", ""), ("Unknown", "")],
)
def test_sex(text, letter):
    assert sex(text) == letter


@pytest.mark.parametrize(
    ("finding", "label"),
    [
        ("Pneumonia/Viral/COVID-19", "covid"),
        ("COVID-19, ARDS", "covid"),
        ("No finding", "normal"),
        ("Tuberculosis", "tuberculosis"),
        ("Pneumonia/Fungal", "pneumonia"),
        ("todo", ""),
        ("", ""),
    ],
)
def test_lung_class(finding, label):
    assert lung_class(finding) == label


def test_tables_refuses_a_file_for_a_folder(tmp_path):
    path = tmp_path / "data.csv"
    path.touch()
    with pytest.raises(CxrtoolError, match="no such folder"):
        tables(str(path), "data.csv")


def test_tables_prefers_the_folder_itself(tmp_path):
    for name in ("data.csv", "sub/data.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert tables(str(tmp_path), "data.csv") == [str(tmp_path / "data.csv")]
