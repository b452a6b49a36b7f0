import pytest
from trees import TREES

from cxrtool.core.errors import CxrtoolError, Skip


def test_reads_the_published_layout(read, table):
    rows, skips = read("covidx")
    assert table(rows, "path", "label", "patient", "finding", "folder", "source") == [
        "train/ARDSSevere.png|pneumonia|5|pneumonia|train|cohen",
        "train/COVID-00003b.jpg|covid|COVID-00003|COVID-19|train|fig1",
        "train/CR.1.2.png|normal|ANON56|normal|train|actmed",
        "test/MIDRC-RICORD-1C-419639-003251-46647-0.png|covid|419639-003251|positive|test|ricord",
        "test/47c78742.png|negative|47c78742|negative|test|rsna",
        "test/old.jpg|covid|19|COVID-19|test|-",
    ]
    assert skips == [
        Skip("train/gone.png", "listed in train.txt or test.txt but absent"),
        Skip("competition_test/1.png", "not listed in train.txt or test.txt", failed=False),
    ]


@pytest.mark.parametrize(
    ("version", "name"), [("8B", "train_COVIDx8B.txt"), ("CXR-3A", "train_COVIDx_CXR-3A.txt")]
)
def test_takes_the_list_of_a_version(read, table, version, name):
    tree = {f"labels/{name}": TREES["covidx"]["train.txt"], "data/train/CR.1.2.png": None}
    rows, _ = read("covidx", tree, version=version)
    assert table(rows, "path", "folder") == ["data/train/CR.1.2.png|train"]


def test_says_how_to_name_a_list(read):
    with pytest.raises(CxrtoolError, match=r"no train\.txt or val\.txt or test\.txt.*version=8B"):
        read("covidx", {"labels/train_COVIDx8B.txt": "1 a.png negative cohen"})


@pytest.mark.parametrize("line", ["a.png", "1 a.png", "1 a.png cat cohen", "a.png normal"])
def test_names_a_line_that_is_wrong(read, line):
    with pytest.raises(CxrtoolError, match=rf"train\.txt: row 2: '{line}' is not: patient, file"):
        read("covidx", {"train.txt": f"\n{line}\n"})


def test_names_a_line_that_is_not_utf8(read):
    with pytest.raises(CxrtoolError, match=r"train\.txt: row 2: it is not UTF-8"):
        read("covidx", {"train.txt": b"1 a.png normal cohen\n\xff\n"})
