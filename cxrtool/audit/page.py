"""The audit on one page: the verdict first, a row for each check, then evidence and methods."""

import math
from collections.abc import Sequence
from typing import Any

from cxrtool.audit import verdicts
from cxrtool.audit.case import Case
from cxrtool.audit.runner import ESTIMAND, Plan, module
from cxrtool.audit.verdicts import (
    CONFIRMATORY,
    EXCLUDED,
    INCONCLUSIVE,
    NOT_ASSESSED,
    NOT_IDENTIFIABLE,
    SHOWN,
    CheckRow,
)
from cxrtool.figures.html_page import Level, Page, Section
from cxrtool.figures.tables import Cell, ReportTable

# What each overall verdict means, as the first sentence of the page.
CONCLUSIONS: dict[str, tuple[Level, str]] = {
    SHOWN: (
        "bad",
        "The evidence shows that the data set contributes to the result: at least one check "
        "finds an effect beyond the margin.",
    ),
    NOT_IDENTIFIABLE: (
        "bad",
        "These data cannot tell the disease from the data set. A high AUC on them is no evidence "
        "for either.",
    ),
    INCONCLUSIVE: (
        "note",
        "No check shows an effect of the data set, but there are too few images to exclude one "
        "of the size of the margin.",
    ),
    NOT_ASSESSED: (
        "note",
        "What was assessed is consistent with the use of the disease; some checks lack their "
        "inputs.",
    ),
    EXCLUDED: (
        "good",
        "All confirmatory checks exclude an effect beyond the margin: the evidence is consistent "
        "with the use of the disease.",
    ),
}
CHECK_COLUMNS = ("check", "verdict", "value", "meaning", "next step")
VERDICTS = (
    ("shown", "The interval lies beyond the margin."),
    ("excluded", "The interval lies inside the margin."),
    ("inconclusive", "Neither; 'detectable' is what these images show with a power of 80 %."),
    ("not identifiable", "The data do not overlap enough: no number of images would tell."),
    ("not assessed", "An input is missing; the next step supplies it."),
)


def page(case: Case, plan: Plan, rows: Sequence[CheckRow], overall: str) -> Page:
    """Write the whole page."""
    result = Page("Audit: disease or data set?", _lead(case))
    _verdict(result.section("Verdict"), rows, overall)
    _checks(result.section("Checks"), rows)
    _evidence(result, plan, rows)
    _methods(result.section("Methods"), case, plan)
    _references(result.section("References"), plan)
    return result


def _lead(case: Case) -> str:
    models = ", ".join(model.name for model in case.models) or "no model"
    negatives = ", ".join(case.negatives)
    return (
        f"{len(case.judged)} images are judged: {case.positive} against {negatives}. "
        f"Predictions: {models}. Research software, not a medical device."
    )


def _verdict(section: Section, rows: Sequence[CheckRow], overall: str) -> None:
    level, text = CONCLUSIONS[overall]
    section.finding(level, f"Overall: {overall}. {text}")
    for row in rows:
        if row.kind == CONFIRMATORY and row.verdict == overall and overall != EXCLUDED:
            section.text(f"{row.name}: {row.meaning}")


def _checks(section: Section, rows: Sequence[CheckRow]) -> None:
    for kind, caption in (
        (CONFIRMATORY, "Confirmatory checks, which decide the verdict."),
        ("descriptive", "Descriptive checks: they are shown, and decide nothing."),
        ("control", "Controls of the audit itself, on these data."),
    ):
        own = [_cells(row) for row in rows if row.kind == kind]
        if own:
            section.table(ReportTable(CHECK_COLUMNS, own), caption)


def _cells(row: CheckRow) -> list[Cell]:
    value: Cell = row.value if math.isnan(row.low) else (row.value, row.low, row.high)
    return [row.name, row.verdict, value, row.meaning, row.next]


def _evidence(page: Page, plan: Plan, rows: Sequence[CheckRow]) -> None:
    for check in plan.checks:
        title = module(check).TITLE
        blocks = [block for row in rows if _is_of(row, check) for block in row.blocks]
        if blocks:
            add_blocks(page.section(title), blocks)


def _is_of(row: CheckRow, check: str) -> bool:
    return row.check == check


def add_blocks(section: Section, blocks: Sequence[dict[str, Any]]) -> None:
    """Add tables, texts and pictures that checks keep as data."""
    for block in blocks:
        if block["kind"] == "table":
            cells = [[_cell(value) for value in row] for row in block["rows"]]
            section.table(ReportTable(block["columns"], cells), block["caption"])
        elif block["kind"] == "picture":
            section.picture(block["file"], block["alt"], block["caption"])
        else:
            section.text(block["text"])


def _cell(value: Any) -> Cell:
    """Return a cell of a table: a list is a value with its interval, null is unknown."""
    if isinstance(value, list | tuple):
        numbers = [math.nan if part is None else float(part) for part in value]
        return numbers[0] if math.isnan(numbers[1]) else (numbers[0], numbers[1], numbers[2])
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _methods(section: Section, case: Case, plan: Plan) -> None:
    section.text(
        f"Estimand: {ESTIMAND}",
        f"Margin: {case.margin:g}. Family: {len(plan.family)} confirmatory tests, adjusted "
        f"together by Holm's procedure at {verdicts.ALPHA:g} (two-sided); it was written to "
        "audit.json before outcomes were read. Intervals keep the images of a patient together.",
        f"Changed from the defaults: {', '.join(plan.changed) or 'nothing'}.",
        f"Columns that are absent: {', '.join(plan.absent) or 'none'}. What is not in a column "
        "was not looked for in it.",
    )
    section.table(ReportTable(["verdict", "when"], VERDICTS), "The five verdicts.")


def _references(section: Section, plan: Plan) -> None:
    references = [module(check).REFERENCE for check in plan.checks]
    section.text(*dict.fromkeys(text for text in references if text))
