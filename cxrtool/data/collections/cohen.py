"""COVID-ChestXRay (Cohen et al., 2020): metadata.csv beside images/.

The classes are `covid`, `normal`, `tuberculosis` and `pneumonia` (every other pneumonia, ARDS and
SARS included); `finding` keeps the collection's own word. CT rows are left out, and so are rows
labelled `todo` or `Unknown`. File names in metadata.csv may have another ending than the file, and
a few files are listed twice: the first row counts. Lung outlines in masks/, where there are any,
become `mask`.
Source: https://github.com/ieee8023/covid-chestxray-dataset
"""

import os
from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._shared import Entry, age, lung_class, pair, sex, tables, view
from cxrtool.files.table import records
from cxrtool.files.tree import Index


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every X-ray that metadata.csv lists."""
    table = tables(root, "metadata.csv")[0]
    top = os.path.dirname(table)
    masks = os.path.join(top, "masks")
    outlines = Index(masks) if os.path.isdir(masks) else None
    yield from pair(os.path.join(top, "images"), _entries(table, outlines), "metadata.csv")


def _entries(table: str, outlines: Index | None) -> Iterator[Entry]:
    needed = ("patientid", "finding", "view", "modality", "filename")
    for record in records(table, *needed):
        name, finding = record["filename"], record["finding"]
        label = lung_class(finding)
        if record["modality"] != "X-ray":
            yield name, f"modality is {record['modality']}, not X-ray"
        elif not label:
            yield name, f"the finding is '{finding}'"
        else:
            yield (
                name,
                {
                    "label": label,
                    "patient": record["patientid"],
                    "view": view(record["view"]),
                    "age": age(record.get("age", "")),
                    "sex": sex(record.get("sex", "")),
                    "mask": (outlines and outlines.find(name)) or "",
                    "finding": finding,
                },
            )
