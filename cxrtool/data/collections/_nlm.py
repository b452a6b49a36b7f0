"""The two tuberculosis sets of the National Library of Medicine, which are built alike."""

import os
import re
from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.data.collections._shared import age, sex
from cxrtool.files.text import read_text
from cxrtool.files.tree import files, images

# `Patient's Sex: F Patient's Age: 027Y normal`, `femal 32yrs, PTB`, `male 16month normal`.
_READING = re.compile(
    r"(?:Patient's Sex:\s*)?(?:(?P<sex>(?:fe)?mal\w*|[mfou])\b)?[\s,]*"
    r"(?:Patient's Age:\s*)?(?P<age>\d+\s*(?:(?:y|yrs?|years?|m|months?|d|days?)(?![a-z]))?)?"
    r"[\s,.]*(?P<finding>.*)",
    re.IGNORECASE,
)


def rows(root: str, series: str, masks: tuple[str, ...]) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every radiograph of the series, with those of the masks that it has."""
    pattern = re.compile(rf"({series}_\d+_[01])(_mask)?", re.IGNORECASE)
    by_kind: dict[str, dict[str, str]] = {"": {}}
    for path in images(root):
        if isinstance(path, Skip):
            yield path
        elif (match := pattern.fullmatch(_stem(path))) is None:
            yield Skip(path, f"not named like {series}_0001_0.png", failed=False)
        else:
            kind = "mask" if match[2] else _kind(path, root)
            if (first := by_kind.setdefault(kind, {}).setdefault(match[1], path)) != path:
                yield Skip(path, f"a second copy of {first}", failed=False)
    if not by_kind[""]:
        what = f"{root}: no images named like {series}_0001_0.png or {series}_0001_1.png"
        raise CxrtoolError(what, "Name the folder that holds CXR_png/ and ClinicalReadings/.")
    texts = {_stem(p): p for p in files(root) if isinstance(p, str) and p.endswith(".txt")}
    for stem, path in by_kind[""].items():
        yield from _row(path, stem, texts, {m: by_kind.get(m, {}).get(stem, "") for m in masks})


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _kind(path: str, root: str) -> str:
    """Recognise a mask, which may have the name of its radiograph, by its folder."""
    folders = os.path.relpath(path, root).lower().split(os.sep)[:-1]
    if "leftmask" in folders or "rightmask" in folders:
        return "mask_left" if "leftmask" in folders else "mask_right"
    return "mask" if any("mask" in folder for folder in folders) else ""


def _row(
    path: str, stem: str, texts: dict[str, str], masks: dict[str, str]
) -> Iterator[dict[str, str] | Skip]:
    reading = {"sex": "", "age": "", "finding": ""}
    if stem in texts:
        try:
            reading = parse(read_text(texts[stem]))
        except CxrtoolError as e:
            reason = str(e).removeprefix(f"{texts[stem]}: ")
            yield Skip(texts[stem], reason, "The image is read without age and sex.")
    patient, _, sick = stem.rpartition("_")
    label = "tuberculosis" if sick == "1" else "normal"
    yield {"path": path, "label": label, "patient": patient, "view": "PA", **reading, **masks}


def parse(text: str) -> dict[str, str]:
    """Read sex, age and finding off a clinical reading."""
    match = _READING.match(" ".join(text.split()))
    reading = match.groupdict("") if match else {}
    return {
        "sex": sex(reading.get("sex", "")),
        "age": age(reading.get("age", "")),
        "finding": reading.get("finding", "").strip(),
    }
