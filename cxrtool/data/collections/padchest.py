"""PadChest (Bustos et al., 2019): one PADCHEST_..._160K CSV beside the images in folders 0/ to 54/.

The classes are `pneumonia` (also atypical), `tuberculosis`, `normal` and `other`; `finding` keeps
the labels (`infiltrates|pneumonia`), most of them mined from the Spanish reports. Images marked
`exclude`, or said only to be unchanged or suboptimal, have no class and are left out. `age` is the
year of the study less that of the birth. AP_horizontal is written `AP Supine`; COSTAL and L are
kept. From 2009 to 2017: no COVID-19.
Source: https://bimcv.cipf.es/bimcv-projects/padchest/
"""

import os
import re
from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._shared import Entry, age, pair, sex, tables, view
from cxrtool.files.table import records

NAMES = (
    "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv",
    "PADCHEST_chest_x_ray_images_labels_160K.csv",
)

# What is said of the picture, not of the person.
EMPTY = {"unchanged", "suboptimal study"}


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image that the table lists."""
    table = tables(root, *NAMES)[0]
    yield from pair(root, _entries(table), os.path.basename(table))


def _entries(table: str) -> Iterator[Entry]:
    for record in records(table, "ImageID", "PatientID", "Projection", "Labels"):
        labels = parse(record["Labels"])
        label = _label(labels)
        row = {
            "label": label,
            "patient": record["PatientID"],
            "view": view(record["Projection"]),
            "age": _age(record.get("StudyDate_DICOM", ""), record.get("PatientBirth", "")),
            "sex": sex(record.get("PatientSex_DICOM", "")),
            "finding": "|".join(labels),
        }
        name = "/".join(filter(None, (record.get("ImageDir", ""), record["ImageID"])))
        if record["Projection"] == "EXCLUDE":
            yield name, "the projection is EXCLUDE"
        else:
            yield name, row if label else f"no class in the labels {record['Labels'] or '[]'}"


def parse(text: str) -> list[str]:
    """Read the labels, a Python list as text: `['infiltrates', ' pneumonia']`, stray blanks too."""
    quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", text)
    return [label for label in ((a or b).strip() for a, b in quoted) if label]


def _label(labels: list[str]) -> str:
    said = {label.lower() for label in labels} - EMPTY
    if not said or "exclude" in said:
        return ""
    if said & {"pneumonia", "atypical pneumonia"}:
        return "pneumonia"
    if "tuberculosis" in said:
        return "tuberculosis"
    return "normal" if said == {"normal"} else "other"


def _age(study: str, birth: str) -> str:
    born = birth.removesuffix(".0")
    known = study[:4].isdecimal() and born.isdecimal()
    return age(str(int(study[:4]) - int(born))) if known else ""
