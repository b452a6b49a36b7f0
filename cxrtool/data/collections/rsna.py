"""RSNA Pneumonia Detection Challenge (Shih et al., 2018): two tables beside stage_2_train_images/.

The classes are `pneumonia` (Target 1), `normal` (class Normal) and `other` (class No Lung Opacity /
Not Normal); `finding` keeps the class. The labels have a row a box; here an image is one row, with
`boxes` around the opacities (left, top, width and height in pixels), from which ingest can draw the
mask `lesion`. The test images, which have no labels, are left out. The collection's patientId is
one an image; yet the images are from ChestX-ray14, where a person may have several. Persons are
listed in RSNA's file pneumonia-challenge-dataset-mappings_2018.json: with it beside the tables
`patient` is the Patient ID of ChestX-ray14 and `nih_image` the image's name there; without it
`patient` is the patientId, and a split by patient leaks. View, age and sex are in the headers.
Source: https://www.kaggle.com/c/rsna-pneumonia-detection-challenge
"""

import os
from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.data.collections._shared import Entry, pair, tables
from cxrtool.files.table import records
from cxrtool.files.text import read_json

LABELS = ("stage_2_train_labels.csv", "stage_1_train_labels.csv")
CLASSES = ("stage_2_detailed_class_info.csv", "stage_1_detailed_class_info.csv")
ORIGINS = "pneumonia-challenge-dataset-mappings_2018.json"


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image that the labels list."""
    labels, classes = tables(root, *LABELS)[0], tables(root, *CLASSES)[0]
    origins = {k: v for path in tables(root, ORIGINS, needed=False) for k, v in _origins(path)}
    yield from pair(root, _entries(labels, classes, origins), os.path.basename(labels))


def _entries(labels: str, classes: str, origins: dict[str, str]) -> Iterator[Entry]:
    named = {r["patientId"]: r["class"] for r in records(classes, "patientId", "class")}
    targets: dict[str, str] = {}
    boxes: dict[str, list[str]] = {}
    for record in records(labels, "patientId", "Target"):
        targets.setdefault(record["patientId"], record["Target"])
        if box := _box(record):
            boxes.setdefault(record["patientId"], []).append(box)
    for name, target in targets.items():
        finding, origin = named.get(name, ""), origins.get(name, "")
        # 00000061_012.png is an image of patient 61.
        person = origin.partition("_")[0].lstrip("0") or name
        row = {
            "label": _label(target, finding),
            "patient": person,
            "finding": finding,
            "nih_image": origin,
            "boxes": ";".join(boxes.get(name, ())),
            "lesion": "",
        }
        yield name, row if row["label"] else f"no class in {os.path.basename(classes)}"


def _box(record: dict[str, str]) -> str:
    numbers = [record.get(name, "") for name in ("x", "y", "width", "height")]
    return " ".join(number.removesuffix(".0") for number in numbers) if all(numbers) else ""


def _origins(path: str) -> Iterator[tuple[str, str]]:
    try:
        for image in read_json(path):
            yield str(image["subset_img_id"]), str(image["img_id"])
    except (TypeError, KeyError):
        what = f"{path}: not a list of images with subset_img_id and img_id"
        raise CxrtoolError(what, "Download it again.") from None


def _label(target: str, finding: str) -> str:
    if target == "1":
        return "pneumonia"
    return "normal" if finding == "Normal" else finding and "other"
