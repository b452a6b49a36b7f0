"""Tables of results, built once and written as text, HTML or CSV (cells -> table).

A cell is a text or a number. The writer decides how a number looks: rounded for readers, in full
for programs and for sorting.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cxrtool.core.errors import one_line
from cxrtool.figures import numbers
from cxrtool.files import table


class PValue(float):
    """A p-value, which is written with significant digits."""


# A text, a number, or a value with its confidence interval: (value, low, high).
Cell = str | int | float | None | tuple[float, float, float]
# Formats of tabulate in which a vertical bar would begin another cell.
WITH_BARS = ("github", "pipe", "orgtbl", "jira", "presto", "psql")


@dataclass(frozen=True)
class ReportTable:
    """Columns and rows of a table that is not yet written.

    >>> results = ReportTable(["model", "AUC"], [["a", (0.9, 0.85, 0.95)], ["b", 0.8]])
    >>> print(results.as_text("plain"), end="")
    model    AUC
    a        0.900 [0.850, 0.950]
    b        0.800
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def without_empty(self, *, keep: int = 0) -> "ReportTable":
        """Drop the columns that are empty in all rows, but for the first `keep` of them."""
        filled = [
            k
            for k in range(len(self.columns))
            if k < keep or any(written(row[k]) for row in self.rows)
        ]
        rows = [[row[k] for k in filled] for row in self.rows]
        return ReportTable([self.columns[k] for k in filled], rows)

    def starting_with(self, column: int) -> "ReportTable":
        """Move a column to the front, where a page expects what a row is called."""
        order = [column, *(k for k in range(len(self.columns)) if k != column)]
        rows = [[row[k] for k in order] for row in self.rows]
        return ReportTable([self.columns[k] for k in order], rows)

    def as_csv(self) -> str:
        """Write the table as CSV, numbers with every digit."""
        return table.lines([self.columns, *(list(map(in_full, row)) for row in self.rows)])

    def as_text(self, kind: str) -> str:
        """Write the table in a format of tabulate; names are data, and break no format."""
        import tabulate

        texts = [self.columns, *(list(map(written, row)) for row in self.rows)]
        head, *body = [[_safe(text, kind) for text in row] for row in texts]
        result: str = tabulate.tabulate(body, head, tablefmt=kind, disable_numparse=True)
        if kind.startswith("latex") and kind != "latex_raw":
            # After a line's end LaTeX takes a bracket for an option.
            result = re.sub(r"(?m)^(\s*)\[", r"\1{[}", result)
        return result + "\n"


def formats() -> list[str]:
    """List what a table can be written as: csv, json, and the formats of `as_text`."""
    import tabulate

    return ["csv", "json", *tabulate.tabulate_formats]


def written(cell: Cell) -> str:
    """Write a cell for readers."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case (value, low, high):
            return numbers.interval(value, low, high)
        case PValue():
            return numbers.p_value(cell)
        case float():
            return numbers.value(cell)
    return str(cell)


def in_full(cell: Cell) -> str:
    """Write a cell for programs; an interval takes three columns there."""
    if isinstance(cell, tuple):
        raise ValueError(f"{cell} is three numbers: each needs a column of its own")
    if isinstance(cell, float):
        return numbers.exact(cell)
    return "" if cell is None else str(cell)


def sorted_by(cell: Cell) -> float | None:
    """Return the number by which a cell is sorted, if it has one."""
    number = cell[0] if isinstance(cell, tuple) else cell
    if number is None or isinstance(number, str) or math.isnan(number):
        return None
    return float(number)


def _safe(text: str, kind: str) -> str:
    text = one_line(text)
    return text.replace("|", "\\|") if kind in WITH_BARS else text
