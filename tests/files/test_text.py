"""Small text files beside the images: what would shift or lose a cell is refused by its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import text


def table(folder: Path, content: str) -> str:
    file = folder / "labels.tsv"
    file.write_text(content)
    return str(file)


def test_tabs_part_the_cells_and_ends_of_rows_may_be_empty(tmp_path: Path) -> None:
    file = table(tmp_path, 'id\tlabels\tnote\n1\t"a\tb"\n\n2\tc\td\t\t\n')
    assert list(text.tab_records(file, "id", "note")) == [
        {"id": "1", "labels": "a\tb", "note": ""},
        {"id": "2", "labels": "c", "note": "d"},
    ]


def test_a_cell_beyond_the_header_is_refused_as_in_a_csv(tmp_path: Path) -> None:
    """A tab without quotation marks moves what follows it into another column."""
    file = table(tmp_path, "id\tlabels\n1\ta\n2\ta\tb\n")
    with pytest.raises(CxrtoolError) as raised:
        list(text.tab_records(file))
    assert str(raised.value) == (
        f"{file}: row 3: 3 cells where the header has 2. "
        "A tab in a cell needs quotation marks around the cell."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id\n1\n", "no column 'labels': id. Check that it is the collection's own table."),
        ("", "no column 'labels': . Check that it is the collection's own table."),
    ],
)
def test_a_table_without_its_columns_is_refused(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError) as raised:
        list(text.tab_records(table(tmp_path, content), "labels"))
    assert str(raised.value).endswith(message)
