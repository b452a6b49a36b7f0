"""A table is built once: rounded in text and HTML, in full in CSV, and names break no format."""

from __future__ import annotations

import csv
import doctest
import io
import json

import pytest

from cxrtool.figures import tables
from cxrtool.figures.tables import PValue, ReportTable

NAN = float("nan")
TABLE = ReportTable(
    ["model", "AUC", "p", "n", "note"],
    [["a", (0.91234, 0.85, 0.95), PValue(0.00123), 12, None], ["b", 1 / 3, PValue(NAN), 7, ""]],
)


def test_the_examples() -> None:
    assert doctest.testmod(tables).failed == 0


def test_text_is_rounded() -> None:
    assert TABLE.without_empty().as_text("github").splitlines()[2:] == [
        "| a       | 0.912 [0.850, 0.950] | 0.00123 | 12  |",
        "| b       | 0.333                |         | 7   |",
    ]


def test_csv_is_in_full() -> None:
    rows = [[cell[0] if isinstance(cell, tuple) else cell for cell in row] for row in TABLE.rows]
    read = list(csv.reader(io.StringIO(ReportTable(TABLE.columns, rows).as_csv(), newline="")))
    assert read == [
        ["model", "AUC", "p", "n", "note"],
        ["a", "0.91234", "0.00123", "12", ""],
        ["b", "0.3333333333333333", "", "7", ""],
    ]


def test_an_interval_is_no_single_cell_of_csv() -> None:
    with pytest.raises(ValueError, match="a column of its own"):
        TABLE.as_csv()


@pytest.mark.parametrize("cell", ["a,b", 'say "x"', "two\nlines", "a\rb", " ", "=1+1", "肺炎"])
def test_csv_keeps_every_text(cell: str) -> None:
    text = ReportTable(["x", "y"], [[cell, 0]]).as_csv()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["x", "y"], [cell, "0"]]


def test_empty_columns_are_dropped_but_for_the_first() -> None:
    table = ReportTable(["a", "b", "c", "d"], [["", None, 0, NAN], ["", "", 0, NAN]])
    assert list(table.without_empty().columns) == ["c"]
    assert table.without_empty(keep=1) == ReportTable(["a", "c"], [["", 0], ["", 0]])
    assert list(ReportTable(["a", "b"], []).without_empty(keep=1).columns) == ["a"]


def test_a_column_moves_to_the_front() -> None:
    moved = ReportTable(["a", "b", "c"], [[1, 2, 3]]).starting_with(2)
    assert moved == ReportTable(["c", "a", "b"], [[3, 1, 2]])


@pytest.mark.parametrize("kind", [kind for kind in tables.formats() if kind not in ("csv", "json")])
def test_names_break_no_format(kind: str) -> None:
    """A line break in a name begins no row, and a bar no cell."""
    plain = ReportTable(["x", "y"], [["a b", 1], ["c", 2]]).as_text(kind)
    odd = ReportTable(["x", "y"], [["a\nb", 1], ["|", 2]]).as_text(kind)
    assert odd.count("\n") == plain.count("\n")


def test_numbers_sort_by_their_value() -> None:
    cells: list[tables.Cell] = [0.25, (0.5, 0, 1), 3, PValue(0.01), "0.9", None, NAN, (NAN, 0, 1)]
    sorted_by = [tables.sorted_by(cell) for cell in cells]
    assert sorted_by == [0.25, 0.5, 3, 0.01, None, None, None, None]
    assert json.dumps(sorted_by[:4]) == "[0.25, 0.5, 3.0, 0.01]"
