"""RSNA Pneumonia Detection Challenge (Shih et al., 2018): two tables beside stage_2_train_images/.

The classes are `pneumonia` (Target 1), `normal` (class Normal) and `other` (class No Lung Opacity /
Not Normal); `finding` keeps the class. The labels have a row a box; here an image is one row. The
test images, which have no labels, are left out. `patient` is the collection's patientId, which is
one an image: the images are from ChestX-ray14, where the same person may have several. View, age
and sex are in the DICOM headers.
Source: https://www.kaggle.com/c/rsna-pneumonia-detection-challenge
"""

import os
from collections.abc import Iterator

from cxrtool.artifacts.table import records
from cxrtool.collections._shared import Entry, pair, tables
from cxrtool.errors import Skip

EXTRA = ("finding",)

LABELS = ("stage_2_train_labels.csv", "stage_1_train_labels.csv")
CLASSES = ("stage_2_detailed_class_info.csv", "stage_1_detailed_class_info.csv")


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image that the labels list."""
    labels, classes = tables(root, *LABELS)[0], tables(root, *CLASSES)[0]
    yield from pair(root, _entries(labels, classes), os.path.basename(labels))


def _entries(labels: str, classes: str) -> Iterator[Entry]:
    named = {r["patientId"]: r["class"] for r in records(classes, "patientId", "class")}
    seen: set[str] = set()
    for record in records(labels, "patientId", "Target"):
        patient = record["patientId"]
        if patient in seen:
            continue
        seen.add(patient)
        finding = named.get(patient, "")
        label = _label(record["Target"], finding)
        if label:
            yield patient, {"label": label, "patient": patient, "finding": finding}
        else:
            yield patient, f"no class in {os.path.basename(classes)}"


def _label(target: str, finding: str) -> str:
    if target == "1":
        return "pneumonia"
    return "normal" if finding == "Normal" else finding and "other"
