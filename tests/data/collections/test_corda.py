import pytest
from trees import TREES

from cxrtool.core.errors import CxrtoolError, Skip


def test_reads_the_table_of_the_paper(read, table):
    rows, skips = read("corda")
    assert table(rows, "path", "label", "finding", "patient") == [
        "RX+-COVID+/p1.png|covid|RX+-COVID+|",
        "RX--COVID+/p2.png|covid|RX--COVID+|",
        "RX--COVID-/p3.png|normal|RX--COVID-|",
        "RX+-COVID-/p4.png|other|RX+-COVID-|",
    ]
    assert skips == [
        Skip("RX+-COVID-/p5", "listed in CORDA.csv but absent"),
        Skip("RX+-COVID-/p6.png", "not listed in CORDA.csv", failed=False),
    ]


def test_reads_the_folders_alone(read, table):
    tree = {k: v for k, v in TREES["corda"].items() if v is None} | {"figure.png": None}
    rows, skips = read("corda", tree)
    assert table(rows, "path", "label") == [
        "RX+-COVID+/p1.png|covid",
        "RX+-COVID-/p4.png|other",
        "RX+-COVID-/p6.png|other",
        "RX--COVID+/p2.png|covid",
        "RX--COVID-/p3.png|normal",
    ]
    assert skips == [Skip("figure.png", "not in a folder such as RX+-COVID+", failed=False)]


def test_reads_the_folds_of_the_release(read, table):
    head = "path,covid,rx,age,sex,modality,institution,patient_id\n"
    tree = {
        "fold0_train.csv": head + "a/1,1.0,,61.0,F,DX,0,007\na/2,0,,,,CR,3,8\na/3,0,0,,,CT,3,8\n",
        "fold0_test.csv": head + "b/1,,,,,CR,1,9\n",
        "a/1.dcm": None,
        "a/2.dcm": None,
        "a/3.dcm": None,
        "b/1.dcm": None,
    }
    rows, skips = read("corda", tree)
    assert table(rows, "path", "label", "patient", "age", "sex", "institution", "finding") == [
        "a/1.dcm|covid|007|61|F|0|COVID+",
        "a/2.dcm|negative|8|||3|COVID-",
    ]
    assert skips == [
        Skip("a/3.dcm", "modality is CT, not CR or DX", failed=False),
        Skip("b/1.dcm", "no result of the swab", failed=False),
    ]


def test_names_what_it_misses(read):
    with pytest.raises(CxrtoolError, match=r"CORDA\.csv.* nor folders such as RX\+-COVID\+"):
        read("corda", {"data/a.png": None})


def test_refuses_to_choose_between_two_versions(read):
    with pytest.raises(CxrtoolError, match="holds both"):
        read("corda", {"v3/CORDA.csv": "", "v4/CORDA.csv": "", "v3/RX+-COVID+/a.png": None})
