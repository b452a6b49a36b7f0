"""BIMCV-COVID19: the class by the collection, the view by the name or the header."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from trees import TREES

from cxrtool.core.errors import CxrtoolError, Skip

Read = Callable[..., tuple[list[dict[str, str]], list[Skip]]]
Show = Callable[..., list[str]]
LABELS = "derivatives/labels/labels_covid19_posi.tsv"


def test_reads_the_published_layout(read: Read, table: Show) -> None:
    rows, skips = read("bimcv")
    columns = ("label", "patient", "view", "age", "sex", "finding", "photometric")
    assert table(rows, *columns) == [
        "covid|sub-S03047|AP|72|M|COVID 19|pneumonia|MONOCHROME1",
        "covid|sub-S03047|PA|72|M|normal|unchanged|MONOCHROME2",
        "covid|sub-S03999|L||||",
    ]
    assert not skips, "a volume is no image"


@pytest.mark.parametrize("name", ["labels_SARS-cov-2_nega.tsv", "labels_covid_neg.tsv"])
def test_the_other_collection_is_negative(name: str, read: Read) -> None:
    tree = {k.replace("labels_covid19_posi.tsv", name): v for k, v in TREES["bimcv"].items()}
    rows, _ = read("bimcv", tree)
    assert {row["label"] for row in rows} == {"negative"}


def test_names_what_is_not_downloaded_yet(read: Read) -> None:
    tree = {k: v for k, v in TREES["bimcv"].items() if k != LABELS}
    with pytest.raises(CxrtoolError, match=r"no derivatives/labels/.*head.*metadata"):
        read("bimcv", tree)


def test_needs_images(read: Read) -> None:
    with pytest.raises(CxrtoolError, match=r"no images in sub-S.*archives of the subjects"):
        read("bimcv", {LABELS: TREES["bimcv"][LABELS]})


def test_every_iteration_has_a_table_of_its_own(read: Read, table: Show) -> None:
    second = (
        "\tPatientID\tReportID\tReport\tLabels\tLocalizations\n"
        "0\tsub-S03999\tses-E08000\t.\t['effusion']\t[]\n"
    )
    rows, _ = read("bimcv", TREES["bimcv"] | {f"iter2/{LABELS}": second})
    assert table(rows, "patient", "finding") == [
        "sub-S03047|COVID 19|pneumonia",
        "sub-S03047|normal|unchanged",
        "sub-S03999|effusion",
    ]


def test_the_two_collections_are_not_mixed(read: Read) -> None:
    other = {"derivatives/labels/labels_SARS-cov-2_nega.tsv": TREES["bimcv"][LABELS]}
    with pytest.raises(CxrtoolError, match=r"holds both .*nega\.tsv and .*posi\.tsv"):
        read("bimcv", TREES["bimcv"] | other)


def test_another_version_of_the_table_is_named(read: Read) -> None:
    with pytest.raises(CxrtoolError, match=r"posi\.tsv: no column 'ReportID': PatientID, Study"):
        read("bimcv", TREES["bimcv"] | {LABELS: "PatientID\tStudy\n"})
