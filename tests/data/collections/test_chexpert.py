import pytest
from trees import SMALL, chexpert

from cxrtool.core.errors import CxrtoolError, Skip

FIRST = f"{SMALL}/train/patient00001/study1/view1_frontal.jpg"
UNCERTAIN = f"{SMALL}/train/patient00002/study2/view1_frontal.jpg"


def test_reads_the_published_layout(read, table):
    rows, skips = read("chexpert", inside=SMALL)
    columns = ("path", "label", "patient", "view", "age", "sex", "finding", "folder")
    assert table(rows, *columns) == [
        "train/patient00001/study1/view1_frontal.jpg|normal|patient00001|AP|68|F|No Finding|train",
        "train/patient00002/study1/view1_frontal.jpg|pneumonia|patient00002|PA|87|M|"
        "Lung Opacity|Pneumonia|Pleural Effusion?|train",
        "train/patient00002/study2/view2_lateral.jpg|other|patient00002|L|87|M|Cardiomegaly|train",
        "valid/patient64541/study1/view1_frontal.jpg|other|patient64541|AP|73|M|"
        "Cardiomegaly|Lung Opacity|valid",
    ]
    assert skips == [
        Skip(
            UNCERTAIN.removeprefix(f"{SMALL}/"), "whether it is pneumonia is uncertain", "", False
        ),
        Skip("train/patient00003/study1/view1_frontal.jpg", "no finding is positive", "", False),
        Skip(
            f"{SMALL}/train/patient00004/study1/view1_frontal.jpg",
            "listed in train.csv or valid.csv but absent",
        ),
    ]


@pytest.mark.parametrize(
    ("uncertain", "label", "finding"),
    [
        ("positive", "pneumonia", "Lung Opacity|Edema|Pneumonia"),
        ("negative", "other", "Lung Opacity"),
    ],
)
def test_reads_uncertain_findings_as_told(read, uncertain, label, finding):
    rows, _ = read("chexpert", uncertain=uncertain)
    row = next(r for r in rows if r["path"] == UNCERTAIN)
    assert (row["label"], row["finding"]) == (label, finding)


def test_leaves_out_what_is_only_uncertain(read):
    tree = {"train.csv": chexpert((f"{FIRST},Male,5,Frontal,LL", {"Edema": "-1.0"})), FIRST: None}
    assert read("chexpert", tree) == ([], [Skip(FIRST, "every finding is uncertain", "", False)])


def test_finds_the_full_release_in_its_batches(read, table):
    csv = chexpert(
        (
            "CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg,Male,5,Frontal,AP",
            {"Edema": "1"},
        )
    )
    found = "CheXpert-v1.0 batch 2 (train 1)/patient00001/study1/view1_frontal.jpg"
    rows, skips = read(
        "chexpert",
        {"CheXpert-v1.0 batch 1 (validate & csv)/train.csv": csv, found: None},
    )
    assert table(rows, "path", "label") == [f"{found}|other"]
    assert skips == []


def test_names_the_tables_it_misses(read):
    with pytest.raises(CxrtoolError, match=r"no train\.csv or valid\.csv in it, nor in a folder"):
        read("chexpert", {"train/patient00001/study1/view1_frontal.jpg": None})
