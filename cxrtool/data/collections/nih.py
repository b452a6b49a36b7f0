"""ChestX-ray14 (Wang et al., 2017): Data_Entry_2017.csv beside images/ or images_001/ to _012/.

The classes are `normal` (No Finding), `pneumonia` (whenever Pneumonia is among the findings) and
`other`; `finding` keeps the list (`Edema|Pneumonia`). The labels were mined from the reports.
`folder` is the published split where test_list.txt and train_val_list.txt lie beside the table.
Ages are `58` or `058Y`; those over 120 years, which old copies have, are dropped.
Source: https://nihcc.app.box.com/v/ChestXray-NIHCC
"""

import os
from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._shared import Entry, age, pair, sex, tables, view
from cxrtool.files.table import records
from cxrtool.files.text import lines

NAMES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv", "sample_labels.csv")
LISTS = {"test_list.txt": "test", "train_val_list.txt": "train"}


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image that the table lists."""
    table = tables(root, *NAMES)[0]
    yield from pair(root, _entries(table), os.path.basename(table))


def _entries(table: str) -> Iterator[Entry]:
    folders = _published_split(os.path.dirname(table))
    for record in records(table, "Image Index", "Finding Labels", "Patient ID"):
        name = record["Image Index"]
        # The 2020 version says Sex where the older ones say Gender.
        gender = record.get("Patient Gender") or record.get("Patient Sex") or ""
        yield (
            name,
            {
                "label": _label(record["Finding Labels"]),
                "patient": record["Patient ID"],
                "view": view(record.get("View Position", "")),
                "age": age(record.get("Patient Age", "")),
                "sex": sex(gender),
                "finding": record["Finding Labels"],
                "folder": folders.get(name, ""),
            },
        )


def _label(findings: str) -> str:
    listed = findings.split("|")
    if "Pneumonia" in listed:
        return "pneumonia"
    return "normal" if listed == ["No Finding"] else "other"


def _published_split(folder: str) -> dict[str, str]:
    there = {os.path.join(folder, name): part for name, part in LISTS.items()}
    return {
        image: part
        for path, part in there.items()
        if os.path.isfile(path)
        for _, image in lines(path)
    }
