"""COVID-CT: the patient of a slice, by the table or by the article."""

from __future__ import annotations

from collections.abc import Callable

from trees import TREES

from cxrtool.core.errors import Skip

Read = Callable[..., tuple[list[dict[str, str]], list[Skip]]]
Show = Callable[..., list[str]]


def test_reads_the_published_layout(read: Read, table: Show) -> None:
    rows, _ = read("mgc")
    assert table(rows, "label", "patient", "folder") == [
        "covid|2020.02.10.20021584|train",
        "covid|2020.02.10.20021584|",
        "covid||test",
        "negative||val",
    ]


def test_the_table_names_the_patients(read: Read, table: Show) -> None:
    info = (
        "File name,Image ID,Patient ID,DOI\n"
        "2020.02.10.20021584-p6-52%0.png,1,Patient 3,10.1101/x\n"
        "kjr-21-e24-g1-l-a.jpg,2,Patient 4,10.3348/x\n"
    )
    rows, _ = read("mgc", TREES["mgc"] | {"COVID-CT-MetaInfo.csv": info})
    assert table(rows, "patient") == ["Patient 3", "2020.02.10.20021584", "Patient 4", ""]
