"""Check an existing split: what occurs in several parts, and what is missing from a part."""

import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.codes import Codes
from cxrtool.core.progress import note
from cxrtool.data import assignment
from cxrtool.files.manifest import PARTS, Manifest

COLUMNS = ("finding", "column", "value", "parts", "rows")

# Columns whose values belong into one part, and the finding where they do not.
TOGETHER = {
    "patient": "patient in several parts",
    "path": "image in several parts",
    "sha256": "exact duplicate in several parts",
    "dup_group": "near duplicate in several parts",
}
# Columns whose values should occur in every part.
EVERYWHERE = ("label", "source")

Finding = tuple[str, str, str, str, str]
Marks = NDArray[np.bool_]


def check(manifest: Manifest) -> list[Finding]:
    """Find what is wrong with a split: a row a finding."""
    at = {c: i for i, c in enumerate(manifest.columns)}
    if "fold" not in at:
        manifest.index("split", "Make one with: cxrtool split.")
    part = Codes()
    # Only hashes of the many values are kept; the few that are torn are read again.
    hashes = {c: array.array("q") for c in TOGETHER if c in at}
    seen: dict[str, Counter[tuple[str, str]]] = {c: Counter() for c in EVERYWHERE if c in at}
    for chunk in manifest.chunks():
        parts = [_part(row, at) for row in chunk]
        part.add(parts)
        for column, values in hashes.items():
            values.extend(map(hash, map(itemgetter(at[column]), chunk)))
        for column, pairs in seen.items():
            pairs.update(zip(map(itemgetter(at[column]), chunk), parts, strict=True))
    torn = {c: _suspects(np.frombuffer(h, np.int64), part) for c, h in hashes.items()}
    sizes = _sizes(part)
    findings = _strange(sizes) + _torn(manifest, at, torn)
    findings += [f for column in seen for f in _missing(column, seen[column], list(sizes))]
    _note_findings(manifest, sizes, findings)
    if "patient" in hashes:
        unknown = hashes["patient"].count(0)
        if unknown:
            note(f"warning: {unknown} rows have no patient and cannot be checked for leaks")
    return findings


def _part(row: list[str], at: dict[str, int]) -> str:
    """Name the part of a row: with folds, train is divided into them."""
    split = row[at["split"]] if "split" in at else ""
    fold = row[at["fold"]] if "fold" in at else ""
    return f"fold {fold}" if fold and split in ("train", "") else split


def _sizes(part: Codes) -> dict[str, int]:
    names = list(part.known)
    count = dict(zip(names, np.bincount(part.codes()).tolist(), strict=True))
    return {name: count[name] for name in sorted(names, key=_order)}


def _order(part: str) -> tuple[int, int, str]:
    """Sort train, val, test, unseen, then the folds by number."""
    number = part.removeprefix("fold ")
    known = PARTS.index(part) if part in PARTS else len(PARTS)
    return known, int(number) if number.isdecimal() else 0, part


def _suspects(hashes: NDArray[np.int64], part: Codes) -> Marks:
    """Mark the rows whose value occurs in several parts; the hash of an empty cell is 0."""
    marks = np.zeros(len(hashes), bool)
    judged = (hashes != 0) & (part.known_only() >= 0)
    if judged.any():
        values = np.unique(hashes[judged], return_inverse=True)[1]
        marks[judged] = assignment.straddling(values, part.codes()[judged])
    return marks


def _torn(manifest: Manifest, at: dict[str, int], torn: dict[str, Marks]) -> list[Finding]:
    """List the values that occur in several parts, from a second reading."""
    if not any(marks.any() for marks in torn.values()):
        return []
    parts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    rows = chain.from_iterable(manifest.chunks())
    for row, marks in zip(
        rows, zip(*(m.tolist() for m in torn.values()), strict=True), strict=True
    ):
        for column, marked in zip(torn, marks, strict=True):
            if marked:
                parts[column, row[at[column]]][_part(row, at)] += 1
    return [
        (TOGETHER[column], column, value, _listed(there), str(there.total()))
        for column in torn
        for (of, value), there in parts.items()
        if of == column and len(there) > 1
    ]


def _listed(parts: Iterable[str]) -> str:
    return "; ".join(sorted(parts, key=_order))


def _strange(sizes: dict[str, int]) -> list[Finding]:
    findings: list[Finding] = []
    for part, rows in sizes.items():
        if not part:
            findings.append(("row in no part", "split", "", "", str(rows)))
        elif part not in PARTS and not part.removeprefix("fold ").isdecimal():
            findings.append(("unknown part", "split", part, part, str(rows)))
    return findings


def _missing(column: str, pairs: Iterable[tuple[str, str]], parts: list[str]) -> list[Finding]:
    there = set(pairs)
    values = dict.fromkeys(value for value, _ in there if value)
    folds = [p for p in parts if p.startswith("fold ")]
    if column == "source" and len(folds) == len(values) == len(there) > 1:
        # One fold a source is the design of --leave-out source.
        return []
    return [
        (f"{column} missing from a part", column, value, part, "0")
        for value in sorted(values)
        for part in parts
        if part and (value, part) not in there
    ]


def _note_findings(manifest: Manifest, sizes: dict[str, int], findings: list[Finding]) -> None:
    for column, kind, remedy in (
        ("patient", "leaks of patients", ""),
        ("dup_group", "near duplicates", " (cxrtool ingest FILE finds them)"),
        ("label", "missing classes", ""),
    ):
        if column not in manifest.columns:
            note(f"no column '{column}': {kind} are not checked{remedy}")
    listed = ", ".join(f"{part or '(none)'} {rows}" for part, rows in sizes.items())
    for kind, count in Counter(finding for finding, *_ in findings).most_common():
        rows = sum(int(f[4]) for f in findings if f[0] == kind)
        note(f"{kind}: {count}" + (f" ({rows} rows)" if rows else ""))
    verdict = f"{len(findings) or 'no'} finding{'s'[: len(findings) != 1]}"
    note(f"{verdict} in {sum(sizes.values())} rows: {listed}")
