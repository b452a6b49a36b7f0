import json

import pytest
from trees import TREES

from cxrtool.core.errors import CxrtoolError, Skip


def test_reads_the_published_layout(read, table):
    rows, skips = read("rsna")
    assert table(rows, "path", "label", "patient", "finding") == [
        "stage_2_train_images/0004cfab.dcm|other|0004cfab|No Lung Opacity / Not Normal",
        "stage_2_train_images/00436515.dcm|pneumonia|00436515|Lung Opacity",
        "stage_2_train_images/000924cf.dcm|normal|000924cf|Normal",
    ]
    unknown = "no class in stage_2_detailed_class_info.csv"
    assert skips == [
        Skip("stage_2_train_images/00aaaaaa.dcm", unknown, failed=False),
        Skip("00bbbbbb", "listed in stage_2_train_labels.csv but absent"),
        Skip(
            "stage_2_test_images/0000a175.dcm", "not listed in stage_2_train_labels.csv", "", False
        ),
    ]


def test_the_boxes_of_an_image_are_one_cell(read, table):
    rows, _ = read("rsna")
    assert table(rows, "boxes", "lesion") == ["|", "264 152 213 379;562 152 256 453|", "|"]


def test_labels_without_boxes_are_read(read, table):
    labels = "patientId,Target\n0004cfab,0\n00436515,1\n"
    rows, _ = read("rsna", TREES["rsna"] | {"stage_2_train_labels.csv": labels})
    assert table(rows, "label", "boxes") == ["other|", "pneumonia|"]


def test_needs_both_tables(read):
    tree = {k: v for k, v in TREES["rsna"].items() if "class_info" not in k}
    with pytest.raises(CxrtoolError, match=r"no stage_2_detailed_class_info\.csv or stage_1_"):
        read("rsna", tree)


ORIGINS = "pneumonia-challenge-dataset-mappings_2018.json"


def test_names_the_persons_where_the_origins_are_known(read, table):
    known = {"subset_img_id": "0004cfab", "img_id": "00000061_012.png", "orig_labels": ["Edema"]}
    rows, skips = read("rsna", TREES["rsna"] | {ORIGINS: json.dumps([known])})
    assert table(rows, "patient", "nih_image") == ["61|00000061_012.png", "00436515|", "000924cf|"]
    assert len(skips) == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [("[", "not JSON"), ("{}{", "not JSON"), ("[1]", "not a list"), ("3", "not a list")],
)
def test_names_a_damaged_file_of_origins(read, text, why):
    with pytest.raises(CxrtoolError, match=rf"mappings_2018\.json: {why}"):
        read("rsna", TREES["rsna"] | {ORIGINS: text})
