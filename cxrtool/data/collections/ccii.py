"""CC-CCII (Zhang et al., 2020): slices in NCP/, CP/ and Normal/, a folder a patient and a scan.

The classes are `covid` (NCP), `pneumonia` (CP) and `normal`; `finding` is the folder, `patient` the
folder below it with the class before it (NCP-328, as the numbers of the classes may overlap) and
`scan` the one below that. With `slices=lesion`, of NCP and CP only the slices that
lesions_slices.csv lists are taken: a slice of a patient with pneumonia need not show any. With
unzip_filenames.csv beside the folders, scans that are absent are reported with the archive that
holds them. The archives are at http://ncov-ai.big.ac.cn/download.
Source: https://doi.org/10.1016/j.cell.2020.04.045
"""

import os
from collections.abc import Iterator
from typing import Literal

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.data.collections._classed import classed
from cxrtool.data.collections._shared import tables
from cxrtool.files.table import records
from cxrtool.files.text import lines

CLASSES = {"ncp": "covid", "cp": "pneumonia", "normal": "normal"}
LESIONS = ("lesions_slices.csv", "lesion_slices.csv")
SCANS = "unzip_filenames.csv"

Slices = Literal["all", "lesion"]


def rows(root: str, *, slices: Slices = "all") -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every slice."""
    remedy = "Download it beside the folders, or take all slices."
    listed = _lesions(tables(root, *LESIONS, remedy=remedy)[0]) if slices == "lesion" else set()
    scans: set[tuple[str, ...]] = set()
    remedy = "Unpack the archives (NCP-1.zip, CP-1.zip, Normal-1.zip ...) into one folder."
    for found in classed(root, CLASSES, expected="NCP/, CP/ and Normal/", remedy=remedy):
        if isinstance(found, Skip):
            yield found
            continue
        path, folder, label = found
        place = _place(path, folder)
        if len(place) != 4:
            yield Skip(path, f"not in {folder}/PATIENT/SCAN/", failed=False)
            continue
        scans.add(place[:3])
        if slices == "lesion" and label != "normal" and "/".join(place) not in listed:
            yield Skip(path, "not among the slices with a lesion", failed=False)
        else:
            yield {"path": path, **_row(label, *place[:3])}
    yield from _absent(root, scans)


def _place(path: str, folder: str) -> tuple[str, ...]:
    """Name class, patient, scan and slice."""
    parts = os.path.abspath(path).split(os.sep)
    at = len(parts) - 1 - parts[::-1].index(folder)
    return tuple(parts[at:])


def _row(label: str, finding: str, patient: str, scan: str) -> dict[str, str]:
    return {
        "label": label,
        "patient": f"{finding}-{patient}",
        "view": "Axial",
        "finding": finding,
        "scan": scan,
    }


def _lesions(path: str) -> set[str]:
    """List the slices with a lesion: NCP/328/1805/0012.png, below a header."""
    listed = {line.strip().replace("\\", "/") for _, line in lines(path)}
    if not any(line.count("/") == 3 for line in listed):
        what = f"{path}: lists no slices such as NCP/328/1805/0012.png"
        raise CxrtoolError(what, "Download it again.")
    return listed


def _absent(root: str, scans: set[tuple[str, ...]]) -> Iterator[Skip]:
    """Report the scans that unzip_filenames.csv lists and that are not there."""
    for table in tables(root, SCANS, needed=False):
        for record in records(table, "zip_file", "label", "patient_id", "scan_id"):
            place = record["label"], record["patient_id"], record["scan_id"]
            if place not in scans:
                where = os.path.join(root, *place)
                yield Skip(where, f"listed in {SCANS} but absent", f"Unpack {record['zip_file']}.")
