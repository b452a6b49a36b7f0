"""Judging a split that is already there: what stands in two parts, and what is missing from one."""

from collections import Counter, defaultdict

from cxrtool.artifacts.manifest import PARTS, Manifest
from cxrtool.progress import note

COLUMNS = ("finding", "column", "value", "parts", "rows")

# What may not stand in two parts, and what it is called if it does.
TOGETHER = {
    "patient": "patient in several parts",
    "path": "image in several parts",
    "sha256": "exact duplicate in several parts",
    "dup_group": "near duplicate in several parts",
}
# What ought to stand in every part.
EVERYWHERE = ("label", "source")

Finding = tuple[str, str, str, str, str]


def check(manifest: Manifest) -> list[Finding]:
    """Find what is wrong with a split: a row a finding."""
    split = manifest.index("split", "Make one with: cxrtool split.")
    at = {c: manifest.columns.index(c) for c in manifest.columns}
    fold = at.get("fold")
    # For each column, how many rows of each value there are in each part.
    seen: dict[str, dict[str, Counter[str]]] = {
        c: defaultdict(Counter) for c in (*TOGETHER, *EVERYWHERE) if c in at
    }
    parts = Counter[str]()
    for row in manifest.rows():
        part = f"fold {row[fold]}" if fold is not None and row[fold] else row[split]
        parts[part] += 1
        for column, values in seen.items():
            if row[at[column]]:
                values[row[at[column]]][part] += 1
    findings = _strange(parts)
    findings += [f for column in TOGETHER for f in _torn(column, seen.get(column, {}))]
    findings += [f for column in EVERYWHERE for f in _missing(column, seen.get(column, {}), parts)]
    _tell(manifest, parts, findings)
    return findings


def _strange(parts: Counter[str]) -> list[Finding]:
    found: list[Finding] = []
    for part, rows in parts.items():
        if not part:
            found.append(("row in no part", "split", "", "", str(rows)))
        elif part not in PARTS and not part.startswith("fold "):
            found.append(("unknown part", "split", part, part, str(rows)))
    return found


def _torn(column: str, values: dict[str, Counter[str]]) -> list[Finding]:
    return [
        (TOGETHER[column], column, value, " ".join(sorted(parts)), str(sum(parts.values())))
        for value, parts in values.items()
        if len(parts) > 1
    ]


def _missing(
    column: str, values: dict[str, Counter[str]], parts: Counter[str]
) -> list[Finding]:
    folds = [p for p in parts if p.startswith("fold ")]
    if column == "source" and folds and all(len(v) == 1 for v in values.values()):
        # One fold a source is the design of --leave-out source.
        if len(values) == len(folds):
            return []
    return [
        (f"{column} missing from a part", column, value, part, "0")
        for value, there in values.items()
        for part in sorted(parts)
        if part and part not in there
    ]


def _tell(manifest: Manifest, parts: Counter[str], findings: list[Finding]) -> None:
    for column, kind in (("patient", "leaks of patients"), ("dup_group", "near duplicates")):
        if column not in manifest.columns:
            note(f"no column '{column}': {kind} are not judged")
    sizes = ", ".join(f"{part or '(none)'} {rows}" for part, rows in sorted(parts.items()))
    verdict = f"{len(findings)} findings" if findings else "no findings"
    note(f"{verdict} in {sum(parts.values())} rows: {sizes}")
