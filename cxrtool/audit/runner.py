"""Run the checks: fix the plan, keep finished checks, adjust, and conclude."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool import __version__
from cxrtool.audit import image_measurements, verdicts
from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import CheckRow, NotAssessed
from cxrtool.core import progress, registry
from cxrtool.files import disk, json_writer, table

ESTIMAND = (
    "AUC minus AUC over pairs of a positive and a negative image of the same group (source, view, "
    "other columns, similar bystander score); for bystanders the AUC of a fixed learner without "
    "the lungs, for new patients."
)
TABLE, SUMMARY, PAGE, KEPT = "audit.csv", "audit.json", "audit.html", "checks"
FILES = (TABLE, SUMMARY, PAGE, image_measurements.TABLE)
COLUMNS = (
    "check",
    "kind",
    "verdict",
    "value",
    "low",
    "high",
    "p",
    "detectable",
    "patients",
    "sources",
    "meaning",
    "next",
)
MOST_BYTES = 1 << 28
# Raised where the same data have other rows than before: kept checks of older rules do not count.
RULES = 3


@dataclass(frozen=True)
class Plan:
    """What is fixed before any outcome is read."""

    checks: list[str]
    family: list[str]
    changed: list[str]  # options that were changed from their defaults
    absent: list[str]  # columns that are not there

    def record(self, case: Case) -> dict[str, Any]:
        """Return the plan for audit.json."""
        return {
            "overall": None,
            "estimand": ESTIMAND,
            "margin": case.margin,
            "alpha": verdicts.ALPHA,
            "family": self.family,
            "seed": case.seed,
            "changed": self.changed,
            "absent": self.absent,
            "positive": case.positive,
            "negatives": case.negatives,
            "models": [model.name for model in case.models],
            "images": len(case.images),
            "judged": len(case.judged),
            "not_in_manifest": case.unmatched,
            "version": __version__,
        }


def plan(case: Case, checks: Sequence[str], changed: Sequence[str]) -> tuple[Case, Plan]:
    """Fix the family of confirmatory tests, from columns and models alone."""
    family = [name for check in checks for name in hypotheses(check, case)]
    absent = [c for c in ("source", "view", "sex", "age") if not case.images.has(c)]
    return replace(case, family=family), Plan([*checks], family, [*changed], absent)


def module(check: str) -> ModuleType:
    """Import a check by its name."""
    return registry.module("checks", check)


def hypotheses(check: str, case: Case) -> list[str]:
    """Return the names of the tests of a check; many checks describe or count, and test nothing."""
    own = module(check)
    return own.hypotheses(case) if hasattr(own, "hypotheses") else []


def assess(check: str, case: Case) -> list[CheckRow]:
    """Return the rows of a check; where it lacks something, the row that says so."""
    own = module(check)
    try:
        rows: list[CheckRow] = own.assess(case)
    except NotAssessed as lacking:
        name = getattr(own, "NAME", check)
        rows = [verdicts.not_assessed(name, lacking.why, lacking.remedy, own.KIND)]
    for row in rows:
        row.check = check
    return rows


def run(case: Case, plan: Plan, folder: str, *, again: bool = False) -> list[CheckRow]:
    """Run the checks of a plan; a finished check of the same plan and data is not repeated."""
    kept = os.path.join(folder, KEPT)
    disk.make_folder(kept)
    json_writer.write(os.path.join(folder, SUMMARY), plan.record(case) | {"checks": []})
    rows: list[CheckRow] = []
    for number, check in enumerate(plan.checks, 1):
        progress.detail(f"check {number} of {len(plan.checks)}: {check}")
        rows += _kept_or_run(case, plan, check, os.path.join(kept, f"{check}.json"), again)
    verdicts.adjust(rows, max(1, len(plan.family)))
    return rows


def _kept_or_run(case: Case, plan: Plan, check: str, file: str, again: bool) -> list[CheckRow]:
    key = _key(case, plan, check)
    if not again and (finished := _read(file, key)) is not None:
        return finished
    rows = assess(check, case)
    json_writer.write(file, {"key": key, "rows": [row.record() for row in rows]})
    return rows


def _key(case: Case, plan: Plan, check: str) -> str:
    """Return a digest of all that the outcome of a check depends on."""
    said = [RULES, plan.record(case), plan.checks, case.within, check]
    digest = hashlib.sha256(json.dumps(said).encode())
    images = case.images
    for column in sorted(images.columns):
        digest.update("\0".join([column, *images.columns[column].names]).encode())
        digest.update(images.columns[column].codes.astype(np.int64).tobytes())
    arrays: list[NDArray[Any]] = [images.positive, images.patients, *images.identities.values()]
    others = [case.without_lungs[1]] if case.without_lungs else []
    digest.update("\0".join(case.lungs_out_controls).encode())
    others += [model for _, model in case.lungs_out_controls.values()]
    for model in [*case.models, *others]:
        digest.update(repr(model.preprocessing).encode())
        arrays += [model.rows, model.scores, model.predicted]
    if "images" in module(check).NEEDS and (values := case.measured()) is not None:
        arrays.append(values)
    if "run" in module(check).NEEDS and case.network is not None:
        digest.update(case.network.state(case))
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _read(file: str, key: str) -> list[CheckRow] | None:
    """Read the rows of a finished check; a damaged file, or one of other data, is not believed."""
    try:
        record = json.loads(disk.read_bytes(file, MOST_BYTES))
        return [CheckRow.of(row) for row in record["rows"]] if record["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(case: Case, plan: Plan, rows: Sequence[CheckRow], folder: str) -> str:
    """Write audit.csv and audit.json, and return the overall verdict."""
    overall = verdicts.overall(rows)
    table.write(os.path.join(folder, TABLE), COLUMNS, [_cells(row) for row in rows])
    record = plan.record(case) | {"overall": overall, "checks": [_public(row) for row in rows]}
    json_writer.write(os.path.join(folder, SUMMARY), record)
    return overall


def _cells(row: CheckRow) -> list[str]:
    numbers = [row.value, row.low, row.high, row.p, row.detectable]
    counts = [row.patients or "", row.sources or ""]
    shown = ["" if np.isnan(number) else f"{number:.6g}" for number in numbers]
    return [row.name, row.kind, row.verdict, *shown, *map(str, counts), row.meaning, row.next]


def _public(row: CheckRow) -> dict[str, Any]:
    record = row.record()
    hidden = ("check", "ladder", "sentences", "blocks", "limit")
    name = record.pop("name")
    return {"check": name} | {k: v for k, v in record.items() if k not in hidden}
