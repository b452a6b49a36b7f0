"""COVID-CXNet's radiographs (Haghanifar et al., 2020): metadata.csv, chest_xray_images/covid19/.

All images are of COVID-19. metadata.csv came later than the images and lists some of them; the
others have no `patient`, no age and no sex, so that a split by patient cannot keep them apart. A
few names in metadata.csv are of images that are not there. The normal radiographs of the paper are
ChestX-ray14's (preset nih), and the 3,000 that it used are not listed anywhere.
Source: https://github.com/armiro/COVID-CXNet
"""

import os
from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._classed import classed
from cxrtool.data.collections._shared import age, sex, tables, view
from cxrtool.files.text import old_records
from cxrtool.files.tree import Index

CLASSES = {"covid19": "covid"}


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image in covid19/, with what metadata.csv says of it."""
    known: dict[str, dict[str, str]] = {}
    tables_here = tables(root, "metadata.csv", needed=False)
    if tables_here:
        index = Index(root)
        for record in old_records(tables_here[0], "filename", "patient_id"):
            path = index.find(record["filename"])
            if path is None:
                listed = os.path.join(root, record["filename"])
                yield Skip(listed, "listed in metadata.csv but absent", "Complete the download.")
            else:
                known.setdefault(path, _person(record))
    remedy = "Name the folder of the repository, or its chest_xray_images/covid19/."
    for found in classed(root, CLASSES, expected="chest_xray_images/covid19/", remedy=remedy):
        if isinstance(found, Skip):
            yield found
        else:
            path, _, label = found
            empty = {"patient": "", "view": "", "age": "", "sex": "", "finding": "COVID-19"}
            yield {"path": path, "label": label, **known.get(path, empty)}


def _person(record: dict[str, str]) -> dict[str, str]:
    return {
        "patient": record["patient_id"],
        "view": view(record.get("view", "")),
        "age": age(record.get("age", "")),
        "sex": sex(record.get("sex", "")),
        "finding": record.get("label", "") or "COVID-19",
    }
