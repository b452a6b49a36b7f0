"""CheXpert (Irvin et al., 2019): train.csv and valid.csv beside train/ and valid/.

The classes are `normal` (No Finding), `pneumonia` (whenever Pneumonia is positive) and `other` (any
other positive finding; support devices alone are none). The labels were mined from the reports, and
some are uncertain (-1): such an image is left out when its class depends on it, unless
`uncertain=positive` or `uncertain=negative` says how to read them. `finding` lists the positive
ones, then the uncertain ones with a question mark (`Edema|Pneumonia?`); what the report does not
mention is not in the list, and counts as absent. `folder` is `train` or `valid`. Works on the full
release in its four batches, and on the small one, whatever prefix the column Path has.
Source: https://stanfordmlgroup.github.io/competitions/chexpert/
"""

import os
from collections.abc import Iterator
from typing import Literal

from cxrtool.core import finding_lists
from cxrtool.core.errors import Skip
from cxrtool.data.collections._shared import Entry, age, pair, sex, tables, view
from cxrtool.files.table import records
from cxrtool.files.tree import images

FINDINGS = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
)

Uncertain = Literal["skip", "positive", "negative"]


def rows(root: str, *, uncertain: Uncertain = "skip") -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image that the tables list."""
    paths = tables(root, "train.csv", "valid.csv")
    # Every study has a view1_frontal.jpg: only patient, study and view together name a file.
    by_tail = {_tail(path): path for path in images(root) if isinstance(path, str)}
    entries = (entry for table in paths for entry in _entries(table, uncertain))
    where = " or ".join(map(os.path.basename, paths))
    yield from pair(root, entries, where, lambda name: by_tail.get(_tail(name)))


def _tail(path: str) -> str:
    return "/".join(path.replace(os.sep, "/").split("/")[-3:])


def _entries(table: str, uncertain: Uncertain) -> Iterator[Entry]:
    folder = os.path.splitext(os.path.basename(table))[0]
    for record in records(table, "Path", "No Finding", *FINDINGS):
        positive, doubtful = _read(record, uncertain)
        label, reason = _label(positive, doubtful)
        lateral = record.get("Frontal/Lateral", "") == "Lateral"
        row = {
            "label": label,
            "patient": _tail(record["Path"]).partition("/")[0],
            "view": "L" if lateral else view(record.get("AP/PA", "")),
            "age": age(record.get("Age", "")),
            "sex": sex(record.get("Sex", "")),
            "finding": finding_lists.written(positive, doubtful),
            "folder": folder,
        }
        yield record["Path"], row if label else reason


def _read(record: dict[str, str], uncertain: Uncertain) -> tuple[list[str], list[str]]:
    """List the positive findings, and those on which it has to be decided yet."""
    said = {name: record[name].removesuffix(".0") for name in ("No Finding", *FINDINGS)}
    if uncertain != "skip":
        chosen = "1" if uncertain == "positive" else "0"
        said = {name: chosen if value == "-1" else value for name, value in said.items()}
    positive = [name for name, value in said.items() if value == "1"]
    return positive, [name for name in FINDINGS if said[name] == "-1"]


def _label(positive: list[str], doubtful: list[str]) -> tuple[str, str]:
    """Name the class, or the reason why there is none."""
    if "Pneumonia" in positive:
        return "pneumonia", ""
    if "Pneumonia" in doubtful:
        return "", "whether it is pneumonia is uncertain"
    if positive:
        return ("normal" if positive == ["No Finding"] else "other"), ""
    return "", "every finding is uncertain" if doubtful else "no finding is positive"
