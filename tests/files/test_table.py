"""CSV in and out: every cell comes back, and every damage is named with its row."""

import csv
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import table
from cxrtool.files.table import Table

CELLS = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=8
) | st.sampled_from(["", "007", "NA", 'a"b', "a,b", "a\nb", "a\r\nb", "a\rb", " x ", "\ufeff"])
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6)
)

pure = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, content: bytes) -> list[list[str]]:
    path.write_bytes(content)
    return list(Table(str(path)).rows())


def refusal(path: Path, content: bytes) -> str:
    with pytest.raises(CxrtoolError) as raised:
        read(path, content)
    return str(raised.value).removeprefix(f"{path}: ")


@pure
@given(TABLES)
def test_what_is_written_is_read(tmp_path: Path, rows: list[list[str]]) -> None:
    file = str(tmp_path / "t.csv")
    columns = [f"c{i}" for i in range(len(rows[0]) if rows else 2)]
    table.write(file, columns, rows)
    again = Table(file)
    assert again.columns == columns
    assert list(again.rows()) == rows
    assert [row for chunk in Table(file).chunks() for row in chunk] == rows


@pure
@given(TABLES)
def test_what_the_csv_module_writes_is_read(tmp_path: Path, rows: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    width = len(rows[0]) if rows else 2
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([[f"c{i}" for i in range(width)], *rows])
    assert read(tmp_path / "t.csv", buffer.getvalue().encode()) == rows


def test_plain_rows_are_written_byte_for_byte(tmp_path: Path) -> None:
    content = 'path,note\na.png,007\nb.png,"a,b"\nc.png,"say ""hi"""\nd.png,"two\nlines"\ne.png,\n'
    file = tmp_path / "t.csv"
    file.write_text(content)
    read_from = Table(str(file))
    table.write(str(tmp_path / "out.csv"), read_from.columns, read_from.rows())
    assert (tmp_path / "out.csv").read_text() == content


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfpath,label\na,x\nb,y\n",
        b"path,label\r\na,x\r\nb,y\r\n",
        b"path,label\ra,x\rb,y\r",
        b"path,label\na,x\nb,y",
        b"\n\npath,label\n\na,x\n\nb,y\n\n",
        b'"path","label"\n"a","x"\n"b","y"\n',
        b"path,label\na,x\npath,label\nb,y\n",
    ],
    ids=["BOM", "CRLF", "CR", "no final newline", "blank lines", "quoted", "header twice"],
)
def test_styles_of_csv_do_not_matter(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path / "t.csv", content) == [["a", "x"], ["b", "y"]]
    chunks = Table(str(tmp_path / "t.csv")).chunks()
    assert [row for chunk in chunks for row in chunk] == [["a", "x"], ["b", "y"]]


QUOTES = "Correct the quotation marks there."
SAVE = "Save it again as CSV, UTF-8."
COMMA = "A comma in a cell needs quotation marks around the cell."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty, without even a header. Check how it was created."),
        (b"\n\n", "empty, without even a header. Check how it was created."),
        (b"a,b\n1,2\n3\n", "row 3: 1 cells where the header has 2. Complete the row."),
        (b"a,b\n1,2,3\n", f"row 2: 3 cells where the header has 2. {COMMA}"),
        (b"a,b,a\n1,2,3\n", "row 1: column 'a' occurs twice in the header. Rename one."),
        (b"a,b\n1,2\n3,\0\n", f"row 3: it holds a NUL byte. {SAVE}"),
        (b"a,b\n1,2\n3,\xff\n", f"row 3: it is not UTF-8. {SAVE}"),
        # Rows are counted as records, so that a cell of two lines does not shift the number.
        (b'a,b\n1,"2\n2"\n3,\xff\n', f"row 3: it is not UTF-8. {SAVE}"),
        ("a,b\n1,2\n".encode("utf-16"), f"row 1: it is UTF-16. {SAVE}"),
        (
            b"\x1f\x8b\x08\0abc",
            "row 1: it is compressed (gzip). Unpack it first: gunzip -c FILE | cxrtool ...",
        ),
        (b"PK\3\4abc", f"row 1: it is a spreadsheet or a ZIP archive. {SAVE}"),
        (
            b'a,b\n1,2\n"3,4\n5,6\n',
            f"row 3: a quotation mark opens here or before and never closes. {QUOTES}",
        ),
        (b'a,b\n1,"2"2\n', f"row 2: not CSV (',' expected after '\"'). {QUOTES}"),
        (
            b"a,b\n1," + b"2" * (1 << 21) + b"\n",
            "row 2: a cell of over 1 MiB: a quotation mark opens here or before and never "
            f"closes. {QUOTES}",
        ),
        (b"x" * (1 << 25), "row 1: a line is too long. This is not a CSV file."),
        (
            b"a,b\n1,2\na,b,c\n1,2,3\n",
            "row 3: a second header with other columns. "
            "Join manifests with: cxrtool ingest A.csv B.csv",
        ),
    ],
)
def test_damage_is_named_with_its_row(tmp_path: Path, content: bytes, message: str) -> None:
    assert refusal(tmp_path / "t.csv", content) == message
    with pytest.raises(CxrtoolError) as raised:
        list(Table(str(tmp_path / "t.csv")).chunks())
    assert str(raised.value).endswith(message)


def test_the_row_is_right_beyond_the_first_block(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,2\n" * 200_000
    assert refusal(tmp_path / "t.csv", content + b"3\n").startswith("row 200002: 1 cells")
    assert refusal(tmp_path / "t.csv", content + b"3,\xff\n").startswith("row 200002: it is not")


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_guessed(tmp_path: Path, separator: str, name: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text(f"path{separator}label\na{separator}x\n")
    with pytest.raises(
        CxrtoolError, match=f"row 1: its cells are separated by {name}. Save it with co"
    ):
        Table(str(file))


def test_a_missing_column_is_named_among_those_there(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("path,label\n")
    with pytest.raises(CxrtoolError) as raised:
        Table(str(file)).index("patient")
    assert str(raised.value) == (
        f"{file}: no column 'patient' among: path, label. Check the header."
    )


@pytest.mark.parametrize(
    ("wanted", "header", "remedy"),
    [
        ("pateint", "path,patient", "Did you mean 'patient'?"),  # the user typed it
        ("label", "path,lable", "Rename 'lable' to 'label'."),
        ("source", "path,souce", "Rename 'souce' to 'source'."),
        ("finding", "path,findings", "Rename 'findings' to 'finding'."),
        ("dhash", "path,dhash_sq", "Rename 'dhash_sq' to 'dhash'."),
        ("source", "path,score", "Give --group none."),
    ],
)
def test_a_misspelled_column_is_answered_with_the_nearest(
    tmp_path: Path, wanted: str, header: str, remedy: str
) -> None:
    (tmp_path / "t.csv").write_text(f"{header}\n")
    with pytest.raises(CxrtoolError) as raised:
        Table(str(tmp_path / "t.csv")).index(wanted, "Give --group none.")
    assert str(raised.value).endswith(f". {remedy}")


def test_the_rows_can_be_read_again(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,b\n1,2\n")
    twice = Table(str(file), again=True)
    assert list(twice.rows()) == list(twice.rows()) == [["1", "2"]]


def test_a_fifo_can_be_read_again(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"a,b\n1,2\n",))
    writer.start()
    twice = Table(str(fifo), again=True)
    writer.join()
    assert list(twice.rows()) == list(twice.rows()) == [["1", "2"]]


def test_a_file_that_changes_between_two_readings_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,b\n1,2\n")
    twice = Table(str(file), again=True)
    assert list(twice.rows()) == [["1", "2"]]
    file.write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(CxrtoolError, match="it changed while it was read"):
        list(twice.rows())


def test_the_first_rows_come_before_the_last_are_there() -> None:
    class Slow(io.RawIOBase):
        """A pipe whose writer has written two rows so far."""

        parts = [b"a,b", b"\n1,2\n"]

        def read(self, size: int = -1) -> bytes:
            return self.parts.pop(0) if self.parts else pytest.fail("read beyond what is there")

    rows = Table.__new__(Table)
    rows.path, rows.name = "-", "standard input"
    assert next(rows._records(Slow())) == ["a", "b"]  # type: ignore[arg-type]


def test_records_need_their_columns(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,b\n1,2\n")
    assert list(table.records(str(file), "b")) == [{"a": "1", "b": "2"}]
    with pytest.raises(CxrtoolError, match="no column 'c' among: a, b"):
        list(table.records(str(file), "c"))


def test_a_reader_has_each_row_as_soon_as_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    seen = []

    def rows() -> Iterator[list[str]]:
        for number in range(4):
            if number:
                seen.append(os.read(reading, 999))
            yield [str(number), "x"]

    with os.fdopen(writing, "w") as out:
        monkeypatch.setattr("sys.stdout", out)
        table.write("-", ["a", "b"], rows(), chunk=1)
        seen.append(os.read(reading, 999))
    os.close(reading)
    assert seen == [b"a,b\n0,x\n", b"1,x\n", b"2,x\n", b"3,x\n"]


@pytest.mark.parametrize("chunk", [1, 2, 128])
def test_the_size_of_a_chunk_changes_nothing(tmp_path: Path, chunk: int) -> None:
    rows = [["1", "a,b"], ["", ""], ["2", "c\nd"], ["3", "e"], ["4", '"']]
    table.write(str(tmp_path / "t.csv"), ["a", "b"], iter(rows), chunk=chunk)
    assert (tmp_path / "t.csv").read_text() == 'a,b\n1,"a,b"\n,\n2,"c\nd"\n3,e\n4,""""\n'


@pytest.mark.parametrize("chunk", [1, 128])
def test_nothing_is_written_when_the_first_row_cannot_be_made(tmp_path: Path, chunk: int) -> None:
    def rows() -> Iterator[list[str]]:
        raise CxrtoolError("no")
        yield []

    with pytest.raises(CxrtoolError):
        table.write(str(tmp_path / "t.csv"), ["a"], rows(), chunk=chunk)
    assert os.listdir(tmp_path) == []
