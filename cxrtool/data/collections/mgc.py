"""COVID-CT (Zhao et al., 2020): slices in CT_COVID/ and CT_NonCOVID/, unpacked.

The classes are `covid` and `negative` (no COVID-19; many have other diseases). The slices were cut
out of the figures of articles: 2020.02.10.20021584-p6-52%0.png is panel 0 of a figure on page 6.
The patients are in COVID-CT-MetaInfo.xlsx; saved as COVID-CT-MetaInfo.csv beside the folders, with
its columns `File name` and `Patient ID`, it is read. Without it, all slices of one article are one
`patient`: such a split by patient is stricter than needed. `folder` is the published part, where
the lists of Data-split/ are beside the images.
Source: https://github.com/UCSD-AI4H/COVID-CT
"""

import os
import re
from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._classed import classed
from cxrtool.files.text import lines, old_records
from cxrtool.files.tree import files

CLASSES = {"ct_covid": "covid", "ct_noncovid": "negative"}
TABLE = "COVID-CT-MetaInfo.csv"
_LIST = re.compile(r"(train|val|test)CT_(?:Non)?COVID\.txt")
_ARTICLE = re.compile(r"(.+)-p\d+-\d+.*")


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every slice."""
    there = [path for path in files(root) if isinstance(path, str)]
    parts = {name: part for path in there for name, part in _published(path)}
    patients = {k: v for p in there if os.path.basename(p) == TABLE for k, v in _patients(p)}
    remedy = "Unpack CT_COVID.zip and CT_NonCOVID.zip of Images-processed/, and name that folder."
    for found in classed(root, CLASSES, expected="CT_COVID/ and CT_NonCOVID/", remedy=remedy):
        if isinstance(found, Skip):
            yield found
            continue
        path, folder, label = found
        name = os.path.basename(path)
        yield {
            "path": path,
            "label": label,
            "patient": patients.get(os.path.splitext(name)[0], "") or _article(name),
            "view": "Axial",
            "finding": folder,
            "folder": parts.get(name, ""),
        }


def _published(path: str) -> Iterator[tuple[str, str]]:
    if match := _LIST.fullmatch(os.path.basename(path)):
        yield from ((name, match[1]) for _, name in lines(path))


def _patients(path: str) -> Iterator[tuple[str, str]]:
    for record in old_records(path, "File name", "Patient ID"):
        yield os.path.splitext(record["File name"])[0], record["Patient ID"].replace("/", "-")


def _article(name: str) -> str:
    match = _ARTICLE.fullmatch(name)
    return match[1] if match else ""
