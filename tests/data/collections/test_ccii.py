"""CC-CCII: the patient of a slice, the slices with a lesion, and scans that are absent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from trees import TREES

from cxrtool.core.errors import CxrtoolError, Skip

Read = Callable[..., tuple[list[dict[str, str]], list[Skip]]]
Show = Callable[..., list[str]]


def test_reads_the_published_layout(read: Read, table: Show) -> None:
    rows, skips = read("ccii")
    assert table(rows, "path", "label", "patient", "scan") == [
        "CP/1070/3100/0000.jpg|pneumonia|CP-1070|3100",
        "NCP/328/1805/0000.png|covid|NCP-328|1805",
        "NCP/328/1805/0001.png|covid|NCP-328|1805",
        "Normal/328/640/0000.jpg|normal|Normal-328|640",
    ]
    assert skips == [
        Skip("Normal/stray.png", "not in Normal/PATIENT/SCAN/", failed=False),
        Skip("NCP/911/2453", "listed in unzip_filenames.csv but absent"),
    ]


def test_the_archive_of_an_absent_scan_is_named(build: Callable[..., object]) -> None:
    from cxrtool.data.collections import ccii

    (absent,) = [
        s for s in ccii.rows(str(build(TREES["ccii"]))) if isinstance(s, Skip) and s.failed
    ]
    assert absent.remedy == "Unpack NCP-13.zip."


def test_slices_with_a_lesion(read: Read, table: Show) -> None:
    rows, skips = read("ccii", slices="lesion")
    # Of normal scans, no slice has a lesion: all are taken.
    assert table(rows, "path") == ["NCP/328/1805/0001.png", "Normal/328/640/0000.jpg"]
    assert "not among the slices with a lesion" in {s.reason for s in skips}


def test_slices_with_a_lesion_need_their_list(read: Read) -> None:
    tree = {k: v for k, v in TREES["ccii"].items() if "lesion" not in k}
    with pytest.raises(CxrtoolError, match=r"no lesions_slices\.csv or .* or take all slices"):
        read("ccii", tree, slices="lesion")
    with pytest.raises(CxrtoolError, match="lists no slices such as"):
        read("ccii", tree | {"lesions_slices.csv": "imgpath\n0001.png\n"}, slices="lesion")
