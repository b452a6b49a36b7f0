"""COVIDx (Wang et al., 2020): train.txt, val.txt and test.txt beside folders of the same names.

A line is patient, file, class and source, separated by blanks (older lists have no source). The
classes are `covid`, `normal` and `pneumonia`; lists of two classes say only positive (`covid`) or
negative, and `negative` it stays, since healthy people and other pneumonias are in it. `finding`
keeps the word, `folder` is the list. `source` names the collection that the image is from (cohen,
fig1, actmed, sirm, rsna, ricord, bimcv, ...), whose patients `patient` counts; those of fig1, which
are images, are joined to persons as `figure1` does. The lists of COVID-Net's repository are chosen
by `version=8B` (train_COVIDx8B.txt) or `version=CXR-3A`.
Source: https://github.com/lindawangg/COVID-Net/blob/master/docs/COVIDx.md
"""

import os
import re
from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.data.collections._shared import Entry, pair, tables
from cxrtool.data.collections.figure1 import person
from cxrtool.files.text import lines

PARTS = ("train", "val", "test")
LABELS = {
    "covid-19": "covid",
    "positive": "covid",
    "negative": "negative",
    "normal": "normal",
    "pneumonia": "pneumonia",
}


class Version(str):
    """The part of the lists' names that differs between versions."""

    def __new__(cls, text: str) -> "Version":
        """Refuse what is no part of a file's name."""
        if not re.fullmatch(r"[\w.-]*", text):
            raise CxrtoolError(f"version '{text}' is in no list's name", "Write it as 8B.")
        return super().__new__(cls, text)


def rows(
    root: str,
    *,
    version: Version = Version(""),  # noqa: B008 - it never changes.
) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image that the lists name."""
    suffixes = (f"_COVIDx{version}", f"_COVIDx_{version}") if version else ("",)
    names = [f"{part}{suffix}.txt" for part in PARTS for suffix in suffixes]
    paths = tables(root, *names, remedy="Name the list, as in covidx:version=8B.")
    entries = (entry for path in paths for entry in _entries(path))
    yield from pair(root, entries, " or ".join(map(os.path.basename, paths)))


def _entries(path: str) -> Iterator[Entry]:
    folder = os.path.basename(path).removesuffix(".txt").partition("_")[0]
    for row, line in lines(path):
        patient, *name, finding, source = _cells(line)
        if not name or finding.lower() not in LABELS:
            what = f"{path}: row {row}: '{line}' is not: patient, file, class, source"
            raise CxrtoolError(what, "Correct the line.")
        cells = {
            "label": LABELS[finding.lower()],
            "patient": person(patient) if source == "fig1" else patient,
            "finding": finding,
            "folder": folder,
        }
        yield f"{folder}/{' '.join(name)}", cells | ({"source": source} if source else {})


def _cells(line: str) -> list[str]:
    """Split a line into patient, file, class and source, the last of which may be empty."""
    cells = line.split()
    if cells[-1].lower() in LABELS:
        cells.append("")
    return cells if len(cells) > 2 else ["", "", ""]
