"""BIMCV-COVID19 (de la Iglesia Vaya et al., 2020): sub-S.../ses-E.../mod-rx/, derivatives/labels/.

One of its two collections at a time: that of patients with COVID-19 (BIMCV-COVID19+, class
`covid`) or of patients without (BIMCV-COVID19-, class `negative`), by the name of the table in
derivatives/labels/. The class is the patient's, by a test near the study: the radiograph may look
normal. `finding` are the labels of the report. The view is in the file's name (vp-pa) or in the
.json beside it, age and sex in participants.tsv. `photometric` is that of the .json: a PNG whose
header said MONOCHROME1 shows bones dark, and is not turned here. CT volumes (.nii.gz) are left out.
The layout is read off public code that uses the first two iterations, not off the collection.
Source: https://bimcv.cipf.es/bimcv-projects/bimcv-covid19/
"""

import os
import re
from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.data.collections._shared import age, sex, view
from cxrtool.files.text import read_json, tab_records
from cxrtool.files.tree import files, images

# `..._vp-pa_dx.png`; ll is a lateral.
_VIEW = re.compile(r"_vp-([a-z]+)_")
_SUBJECT, _SESSION = re.compile(r"sub-\w+"), re.compile(r"ses-\w+")
VIEWS = {"LL": "L", "LATERAL": "L"}
# DICOM elements as the .json names them.
PHOTOMETRIC, POSITION = "00280004", "00185101"
REMEDY = "Unpack the archive whose name has 'head' or 'metadata' into the same folder."


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every radiograph of a session."""
    there = [path for path in files(root) if isinstance(path, str)]
    label, findings = _labels(root, there)
    persons = {k: v for path in there if _is(path, "participants.tsv") for k, v in _persons(path)}
    sidecars = {path for path in there if path.endswith(".json")}
    some = False
    for path in images(root):
        if isinstance(path, Skip):
            yield path
            continue
        subject, session = _part(path, _SUBJECT), _part(path, _SESSION)
        if not (subject and session):
            yield Skip(path, "not in sub-.../ses-.../mod-rx/", failed=False)
            continue
        some = True
        finding = findings.get(session, "")
        row = {"path": path, "label": label, "patient": subject, "finding": finding}
        yield row | persons.get(subject, {"age": "", "sex": ""}) | _seen(path, sidecars)
    if not some:
        what = f"{root}: no images in sub-S.../ses-E.../mod-rx/"
        raise CxrtoolError(what, "Unpack the archives of the subjects into this folder.")


def _is(path: str, name: str) -> bool:
    return os.path.basename(path) == name


def _part(path: str, pattern: re.Pattern[str]) -> str:
    folders = path.split(os.sep)[:-1]
    return next((f for f in reversed(folders) if pattern.fullmatch(f)), "")


def _labels(root: str, there: list[str]) -> tuple[str, dict[str, str]]:
    """Tell the collection by the tables of labels; the findings by session are in them."""
    pattern = re.compile(r"labels_.*(posi|nega?)\.tsv", re.IGNORECASE)
    named = [(path, pattern.fullmatch(os.path.basename(path))) for path in there]
    tables = sorted((match[1].lower()[:3], path) for path, match in named if match)
    kinds = dict(tables)
    if not kinds:
        raise CxrtoolError(f"{root}: no derivatives/labels/labels_....tsv", REMEDY)
    if len(kinds) > 1:
        both = " and ".join(sorted(kinds.values()))
        raise CxrtoolError(f"{root}: holds both {both}", "Name one collection's folder.")
    # An iteration of the collection has a table of its own.
    records = [r for _, table in tables for r in tab_records(table, "ReportID", "Labels")]
    findings = {r["ReportID"]: "|".join(_listed(r["Labels"])) for r in records}
    (kind,) = kinds
    return "covid" if kind == "pos" else "negative", findings


def _listed(text: str) -> list[str]:
    """Read the labels of a report: ['normal', 'COVID 19'], with commas or tabs between them."""
    return [word.strip() for word in re.findall(r"'([^']*)'", text) if word.strip()]


def _persons(path: str) -> Iterator[tuple[str, dict[str, str]]]:
    for record in tab_records(path, "participant"):
        # An age a session: ['72', '73'].
        ages = re.findall(r"\d+", record.get("age", ""))
        known = {"age": age(ages[0]) if ages else "", "sex": sex(record.get("gender", ""))}
        yield record["participant"], known


def _seen(path: str, sidecars: set[str]) -> dict[str, str]:
    """Tell the view and the photometric interpretation by the name and the .json of an image."""
    match = _VIEW.search(os.path.basename(path))
    sidecar = os.path.splitext(path)[0] + ".json"
    header = read_json(sidecar) if sidecar in sidecars else {}
    position = match[1] if match else _first(header, POSITION)
    shown = view(position)
    return {
        "view": VIEWS.get(shown, shown),
        "photometric": _first(header, PHOTOMETRIC),
    }


def _first(header: object, element: str) -> str:
    field = header.get(element) if isinstance(header, dict) else None
    values = field.get("Value") if isinstance(field, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""
