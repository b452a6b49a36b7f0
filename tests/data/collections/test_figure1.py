import pytest

from cxrtool.core.errors import CxrtoolError, Skip


def test_reads_the_published_layout(read, table):
    rows, skips = read("figure1")
    assert table(rows, "path", "label", "patient", "view", "age", "sex", "finding") == [
        "images/COVID-00001.jpg|covid|COVID-00001|AP Erect|33|M|COVID-19",
        "images/COVID-00015a.png|covid|COVID-00015||||COVID-19",
        "images/COVID-00015b.png|covid|COVID-00015||||COVID-19",
        "images/COVID-00023.jpg|normal|COVID-00023||||No finding",
        "images/COVID-00031.jpg|pneumonia|COVID-00031||||Pneumonia",
    ]
    assert skips == [
        Skip("images/COVID-00007.jpg", "no finding", failed=False),
        Skip("COVID-00048", "listed in metadata.csv but absent"),
    ]


def test_names_a_byte_that_no_encoding_has(read):
    with pytest.raises(CxrtoolError, match=r"metadata\.csv: row 2: it is not UTF-8"):
        read("figure1", {"metadata.csv": b"patientid,finding,view\nCOVID-00001,\x81,PA\n"})
