"""Published checklists, filled with what the audit knows (facts -> CSV)."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrtool.audit.checklist_facts import Fact
from cxrtool.files import table
from cxrtool.files.text import read_text

FOLDER = Path(__file__).with_name("checklists")
COLUMNS = ("item", "question", "answer", "evidence")
SOURCE = "source"


@dataclass(frozen=True)
class ChecklistItem:
    """One item of a checklist: its number, what it asks, and the fact that answers it."""

    number: str
    question: str
    fact: str


def names() -> list[str]:
    """List the checklists."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))


def items(name: str) -> list[ChecklistItem]:
    """Read the items of a checklist; the first says where it is published."""
    rows = csv.DictReader(io.StringIO(read_text(str(FOLDER / f"{name}.csv")), newline=""))
    return [ChecklistItem(row["item"], row["question"], row["fact"]) for row in rows]


def write(name: str, facts: Mapping[str, Fact], folder: str) -> tuple[int, int]:
    """Write a checklist beside the audit; return how many items it fills, and of how many."""
    rows = [_row(item, facts) for item in items(name)]
    table.write(os.path.join(folder, f"checklist-{name}.csv"), COLUMNS, rows)
    asked = [row for row in rows if row[0] != SOURCE]
    return sum(1 for row in asked if row[2] or row[3]), len(asked)


def _row(item: ChecklistItem, facts: Mapping[str, Fact]) -> Sequence[str]:
    fact = facts[item.fact] if item.fact else Fact("", "")
    return item.number, item.question, fact.answer, fact.evidence
