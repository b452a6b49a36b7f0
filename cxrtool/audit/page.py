"""The audit on one page: the verdict first, a row for each check, then evidence and methods."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cxrtool.audit import page_methods, pictures
from cxrtool.audit.case import Case
from cxrtool.audit.checks import bystanders
from cxrtool.audit.runner import Plan, module
from cxrtool.audit.verdicts import (
    CONFIRMATORY,
    CONTROL,
    DESCRIPTIVE,
    EXCLUDED,
    INCONCLUSIVE,
    NOT_ASSESSED,
    NOT_IDENTIFIABLE,
    SHOWN,
    CheckRow,
)
from cxrtool.compare.display import Plot
from cxrtool.figures.html_page import Entry, Level, Page, Section
from cxrtool.figures.numbers import counted
from cxrtool.figures.tables import Cell, PValue, ReportTable

LEVELS: dict[str, Level] = {
    SHOWN: "bad",
    NOT_IDENTIFIABLE: "bad",
    INCONCLUSIVE: "note",
    NOT_ASSESSED: "note",
    EXCLUDED: "good",
}
# What each overall verdict means, as the first sentence of the page.
CONCLUSIONS = {
    SHOWN: "The evidence shows an effect of the data set that is larger than the margin.",
    NOT_IDENTIFIABLE: "These data cannot tell the disease from the data set. A high AUC on them is "
    "no evidence for either.",
    INCONCLUSIVE: "No check shows an effect of the data set, but these images are too few to "
    "exclude one as large as the margin.",
    NOT_ASSESSED: "What could be checked is consistent with the use of the disease, but some "
    "checks lack an input.",
    EXCLUDED: "All confirmatory checks exclude an effect beyond the margin: the evidence is "
    "consistent with the use of the disease.",
}
# Of what is counted, not tested, `shown` is a fault: a leak, or a score that is always the same.
FAULTY = "The test itself is at fault, so that its result says little about the disease."
# The images differ, and no model is shown to use it.
CUE = (
    "The images carry a cue that follows the label without the disease. Whether a model uses it is "
    "not shown here."
)
# These rows are about the images, whatever was predicted of them.
OF_MANIFEST = (bystanders.WHOLE, bystanders.INSIDE)
# Of more reasons, the first are given in full below the verdict.
REASONS = 3
NO_MODEL = "What was assessed of these data shows no effect of the data set. No model was judged."
GUESS = "No effect of the data set is shown, but neither is the model better than a guess."
UNTESTED = "No fault was found, but no effect of the data set was tested."
NOTHING = "No check had the inputs that it needs, so that nothing is known."
COLUMNS = ("check", "verdict", "value", "p", "detectable", "patients", "sources")
KINDS = (
    (
        CONFIRMATORY,
        "Confirmatory checks: the worst of them is the overall verdict. Rows with a `p` are tests, "
        "with intervals and verdicts adjusted for all tests together. `detectable` is the smallest "
        "true value that these images show with a power of 80 %, empty if no effect is expected "
        "to be so large. It can lie beyond a narrow interval, as chance changes a difference more "
        "where there is an effect. Values of `within` and of `used` are differences of AUC, those "
        "of the other checks AUC, shares or counts, as their sentences say. `p` is for an effect "
        "beyond the margin, before the adjustment; 1 means that the value itself is inside.",
    ),
    (DESCRIPTIVE, "Descriptive checks: they decide nothing."),
    (CONTROL, "Controls of the audit itself, on these data."),
)
# Commands stand between apostrophes where they are printed to a terminal.
COMMAND = re.compile(r"'(cxrtool [^']+)'")
# How the row that is printed names a table of the page, which the page has as a link.
CUES = "the table of cues in audit.html"


def page(
    case: Case,
    plan: Plan,
    rows: Sequence[CheckRow],
    overall: str,
    drawn: Sequence[tuple[Plot, str]] = (),
    left_out: str = "",
) -> Page:
    """Write the whole page; the pictures come with their files.

    `left_out` says in words what is not judged.
    """
    result = Page("Audit: disease or data set?", _lead(case, left_out), compact=True)
    rows = _linked(plan, rows)
    # Where the classes do not overlap, the picture of it is the whole explanation.
    first = [p for p in drawn if p[0].kind == pictures.PATIENTS and overall == NOT_IDENTIFIABLE]
    _verdict(result.section("Verdict"), case, plan, rows, overall, first)
    _checks(result.section("Checks"), case, plan, rows)
    if rest := [picture for picture in drawn if picture not in first]:
        _pictures(result.section("Evidence"), rest)
    _details(result, plan, rows)
    page_methods.write(result.section("Methods"), case, plan)
    page_methods.write_references(result.section("References"), plan)
    return result


def _lead(case: Case, left_out: str) -> str:
    rows = case.judged
    source = f"predictions of {case.judges}" if case.models else "a manifest without predictions"
    unknown = int((case.images.identities["patient"][rows] == 0).sum())
    if unknown:
        own = "counts as a patient of its own" if unknown == 1 else "count as patients of their own"
        source += f"; {counted(unknown, 'image')} without a patient {own}"
    judged = (
        f"{len(rows)} images of {len(np.unique(case.images.patients[rows]))} patients are judged: "
        f"{case.positive} against {', '.join(case.negatives)}; {source}."
    )
    sentences = (judged, left_out, "Research software, not a medical device.")
    return " ".join(sentence for sentence in sentences if sentence)


def conclusion(case: Case, rows: Sequence[CheckRow], overall: str) -> str:
    """Say in one sentence what the overall verdict means."""
    confirmatory = [row for row in rows if row.kind == CONFIRMATORY]
    own = [row for row in confirmatory if row.verdict == overall]
    if overall == SHOWN and not any(row.is_tested for row in own):
        return FAULTY
    if overall == SHOWN and all(row.name in OF_MANIFEST for row in own):
        return CUE
    if overall in (SHOWN, NOT_IDENTIFIABLE, INCONCLUSIVE):
        return CONCLUSIONS[overall]
    excluded = [row for row in confirmatory if row.verdict == EXCLUDED]
    if not excluded:
        return NOTHING
    if not case.models:
        return NO_MODEL
    if any(row.check == "broken" and not row.low > 0.5 for row in rows):
        return GUESS
    return CONCLUSIONS[overall] if any(row.is_tested for row in excluded) else UNTESTED


def _verdict(
    section: Section,
    case: Case,
    plan: Plan,
    rows: Sequence[CheckRow],
    overall: str,
    drawn: Sequence[tuple[Plot, str]],
) -> None:
    section.finding(LEVELS[overall], conclusion(case, rows, overall), overall)
    if "--checks" in plan.changed:
        section.text(f"{', '.join(plan.checks)}.", lead="Only these checks were run")
    if overall == EXCLUDED:
        return
    own = [row for row in rows if row.kind == CONFIRMATORY and row.verdict == overall]
    # What cues tell is plain once it is said how the sources overlap.
    own.sort(key=lambda row: row.check == "bystanders")
    for row in own[:REASONS]:
        section.text(_prose(row.meaning), lead=f"Why ({row.name})")
    if len(own) > REASONS:
        more = len(own) - REASONS
        have = "1 more check has" if more == 1 else f"{more} more checks have"
        section.text(f"{have} this verdict: see the table.")
    # Before all else the sources are named: what else is advised hangs on them.
    unnamed = [row for row in rows if row.check == "overlap" and row.verdict == NOT_ASSESSED]
    larger = ["Add patients of both classes from the same sources."] * (overall == INCONCLUSIVE)
    advice = [*(row.next for row in unnamed), *larger, *(row.next for row in own)]
    steps = dict.fromkeys(filter(None, advice))
    if steps:
        section.text(_prose(" ".join(steps)), lead="What to do")
    for picture, file in drawn:
        section.picture(file, picture.alt, picture.caption)


def _linked(plan: Plan, rows: Sequence[CheckRow]) -> list[CheckRow]:
    """Name the table of cues by its number on this page, and link to it.

    The tables of the checks come after one table for each kind of rows, and are not on paper.
    """
    named = [
        row.name
        for check in plan.checks
        for row in rows
        if row.check == check
        for block in row.blocks
        if block["kind"] == "table"
    ]
    if bystanders.WHOLE not in named:
        return list(rows)
    number = len({row.kind for row in rows}) + named.index(bystanders.WHOLE) + 1
    link = f"[Table {number}](#table-{number}) (on the screen)"
    return [replace(row, next=row.next.replace(CUES, link)) for row in rows]


def _checks(section: Section, case: Case, plan: Plan, rows: Sequence[CheckRow]) -> None:
    for kind, caption in KINDS:
        own = [row for row in rows if row.kind == kind]
        if own:
            entries = [_entry(row) for row in own]
            caption += _untested(own) + _beyond_judged(case, own) + _lacking(own)
            section.entries(COLUMNS, entries, caption, brief=kind != CONFIRMATORY)
    if plan.absent:
        section.text(
            f"{', '.join(plan.absent)}. A cause that only such a column would show was not "
            "looked for.",
            lead="Columns that are absent",
        )


def _untested(rows: Sequence[CheckRow]) -> str:
    """Say what an interval without a test is."""
    has_auc = any(row.check == "broken" and not math.isnan(row.low) for row in rows)
    return " The interval of `broken` is that of the AUC, of 95 %, and tests nothing." * has_auc


def _beyond_judged(case: Case, rows: Sequence[CheckRow]) -> str:
    """Say why a row counts more patients than are judged."""
    judged = len(np.unique(case.images.patients[case.judged]))
    names = [f"`{row.name}`" for row in rows if row.name in OF_MANIFEST and row.patients > judged]
    if not names:
        return ""
    use = "uses" if len(names) == 1 else "use"
    return f" {' and '.join(names)} {use} all labelled images of the manifest, also of training."


def _is_printed(row: CheckRow) -> bool:
    """Tell whether a row stands on paper, too: what decides nothing and says nothing does not."""
    return row.kind == CONFIRMATORY or row.verdict != NOT_ASSESSED


def _lacking(rows: Sequence[CheckRow]) -> str:
    """Name the rows that are left out on paper."""
    names = [row.name for row in rows if not _is_printed(row)]
    return f" Not assessed, and only on the screen: {', '.join(names)}." if names else ""


def _entry(row: CheckRow) -> Entry:
    value: Cell = row.value if math.isnan(row.low) else (row.value, row.low, row.high)
    numbers: list[Cell] = [value, PValue(row.p), row.detectable]
    counts: list[Cell] = [row.patients or None, row.sources or None]
    level = LEVELS.get(row.verdict) if row.kind == CONFIRMATORY else None
    return Entry(
        row.name,
        row.verdict,
        level,
        [*numbers, *counts],
        _prose(row.meaning),
        _prose(row.next),
        _is_printed(row),
    )


def _prose(text: str) -> str:
    """Set commands as code."""
    return COMMAND.sub(r"`\1`", text)


def _pictures(section: Section, drawn: Sequence[tuple[Plot, str]]) -> None:
    for picture, file in drawn:
        section.picture(file, picture.alt, picture.caption, half=picture.kind in pictures.HALF)


def _details(page: Page, plan: Plan, rows: Sequence[CheckRow]) -> None:
    """Add what checks show besides their rows; it is for the screen, as paper has two sides."""
    shown = [
        (check, [b for r in rows if r.check == check for b in r.blocks]) for check in plan.checks
    ]
    if not any(blocks for _, blocks in shown):
        return
    section = page.section("Tables of the checks", printed=False)
    for check, blocks in shown:
        if blocks:
            section.heading(module(check).TITLE)
            add_blocks(section, blocks)


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
