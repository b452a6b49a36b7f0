"""Who the images show: ages, children, lateral views and missing cells, class by class.

Children among the healthy and adults among the ill were one of the faults of the collections of
2020: a network that recognises children needs no disease.
"""

from collections.abc import Callable

import numpy as np

from cxrtool.audit.case import AGE_BAND, Case
from cxrtool.audit.verdicts import DESCRIPTIVE, NOT_ASSESSED, CheckRow
from cxrtool.figures import numbers
from cxrtool.stats.metrics import Ints

TITLE = "Patients and views in each class"
KIND = "descriptive"
NEEDS = ("manifest",)
REFERENCE = (
    "M. Roberts et al., Common pitfalls and recommendations for using machine learning to detect "
    "and prognosticate for COVID-19, Nature Machine Intelligence 3, 2021."
)
# A share that differs so much between the classes is named.
NOTABLE = 0.1
KINDS: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    ("children (0-17)", AGE_BAND, lambda band: band == "0-17"),
    ("80 years and older", AGE_BAND, lambda band: band == "80+"),
    ("female", "sex", lambda sex: sex.upper().startswith("F")),
    ("lateral view", "view", lambda view: view.upper().startswith("L")),
    ("AP view", "view", lambda view: view.upper().startswith("AP")),
    ("mask that looks wrong", "mask_flag", bool),
)
# What tells whether the patients and views of the classes are alike.
ASKED = ("view", "age", "sex")
COMPLETE = ("patient", "source", "view", "age", "sex")


def assess(case: Case) -> list[CheckRow]:
    """Return one row, with a table of shares in each class."""
    rows = case.judged
    groups = [rows[case.images.positive[rows] == code] for code in (1, 0)]
    cells = [cell for kind in KINDS if (cell := _share(case, kind, groups))]
    cells += [cell for column in COMPLETE if (cell := _missing(case, column, groups))]
    row = CheckRow("composition", DESCRIPTIVE, patients=len(np.unique(case.images.patients[rows])))
    unknown = [column for column in ASKED if not _is_known(case, column, groups)]
    row.meaning = _meaning(cells, unknown)
    if unknown == [*ASKED] and not _notable(cells):
        row.verdict = NOT_ASSESSED
        row.next = "Add columns 'view', 'age' and 'sex' to the manifest or predictions."
    names = [case.positive, "other classes" if len(case.negatives) > 1 else case.negatives[0]]
    table = {
        "kind": "table",
        "columns": ["images that are", *names],
        "rows": [[name, *map(numbers.share, shares)] for name, *shares in cells],
        "caption": "Share of the judged images of each class.",
    }
    row.blocks = [table] if cells else []
    return [row]


def _share(
    case: Case, kind: tuple[str, str, Callable[[str], bool]], groups: list[Ints]
) -> tuple[str, float, float] | None:
    """Return the share of each class among the images where the column is known."""
    name, column, is_one = kind
    if column not in case.images.columns:
        return None
    coded = case.images.columns[column]
    marks = np.array([is_one(text) for text in coded.names], bool)[coded.codes]
    # A mask without a flag looks right: an empty cell is known.
    known = case.images.known(column) if column != "mask_flag" else np.ones(len(marks), bool)
    groups = [rows[known[rows]] for rows in groups]
    if not all(map(len, groups)) or not any(marks[rows].any() for rows in groups):
        return None
    return name, float(marks[groups[0]].mean()), float(marks[groups[1]].mean())


def _missing(case: Case, column: str, groups: list[Ints]) -> tuple[str, float, float] | None:
    if column == "patient":
        unknown = case.images.identities["patient"] == 0
    elif column in case.images.columns:
        unknown = ~case.images.known(column)
    else:
        return None
    if not all(map(len, groups)) or not any(unknown[rows].any() for rows in groups):
        return None
    return (
        f"without {column}",
        float(unknown[groups[0]].mean()),
        float(unknown[groups[1]].mean()),
    )


def _is_known(case: Case, column: str, groups: list[Ints]) -> bool:
    """Tell whether a column has a value in both classes."""
    if column not in case.images.columns:
        return False
    known = case.images.known(column)
    return all(known[rows].any() for rows in groups)


def _notable(cells: list[tuple[str, float, float]]) -> list[str]:
    return [
        f"{name} ({numbers.share(first)} against {numbers.share(second)})"
        for name, first, second in cells
        if abs(first - second) >= NOTABLE
    ]


def _meaning(cells: list[tuple[str, float, float]], unknown: list[str]) -> str:
    names = numbers.listed(unknown)
    if notable := _notable(cells):
        sentence = (
            f"These shares differ between positive and negative images: {', '.join(notable)}."
        )
    elif unknown == [*ASKED]:
        return f"Of {names} none is known for both classes, so that they were not compared."
    else:
        sentence = (
            "None of the known shares differs by 10 percentage points or more between the classes."
        )
    return (
        f"{sentence} Not known for both classes, and so not compared: {names}."
        if unknown
        else sentence
    )
