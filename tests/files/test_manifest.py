"""The manifest: conditions, paths, and that nothing is inferred from a cell."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import manifest, table
from cxrtool.files.manifest import Manifest, Where

CELL = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=6)


def made(folder: Path, text: str) -> str:
    file = folder / "m.csv"
    file.write_text(text)
    return str(file)


def kept(folder: Path, text: str, *conditions: str) -> list[str]:
    where = [Where.parse(c) for c in conditions]
    file = made(folder, text)
    rows = [row[0] for row in Manifest(file, where).rows()]
    assert [row[0] for chunk in Manifest(file, where).chunks() for row in chunk] == rows
    return rows


VIEWS = "path,view,note\na,PA,\nb,AP,x\nc,L,\nd,,x\n"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (["view=PA,AP"], "ab"),
        (["view!=PA,AP"], "cd"),
        (["view="], "d"),
        (["view!="], "abc"),
        (["view!=L", "note=x"], "bd"),
        (["view=PA,"], "ad"),
    ],
)
def test_where(tmp_path: Path, conditions: list[str], expected: str) -> None:
    assert kept(tmp_path, VIEWS, *conditions) == list(expected)


def test_where_takes_quoted_values(tmp_path: Path) -> None:
    assert kept(tmp_path, 'path,n\na,"x,y"\nb,x\n', 'n="x,y"') == ["a"]
    assert kept(tmp_path, "path,n\na,x=y\nb,x\n", "n=x=y") == ["a"]


@pytest.mark.parametrize("text", ["view", "=PA", "!=PA", ""])
def test_a_condition_without_a_column_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not COLUMN=VALUE or COLUMN!=VALUE"):
        Where.parse(text)


def test_no_row_left_says_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError) as raised:
        kept(tmp_path, VIEWS, "view=pa")
    assert str(raised.value).endswith(
        "m.csv: no row fulfils view=pa. "
        "The values of view are: 'PA' (1), 'AP' (1), 'L' (1), '' (1)."
    )


def test_a_manifest_has_paths_and_rows(tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError, match="no column 'path' among: file"):
        Manifest(made(tmp_path, "file\na\n"))
    for read in (Manifest.rows, Manifest.chunks):
        with pytest.raises(CxrtoolError, match="no rows after the header"):
            list(read(Manifest(made(tmp_path, "path,label\n"))))


def test_an_unknown_column_of_a_condition_is_named(tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError, match="no column 'veiw' among: path, view, note"):
        kept(tmp_path, VIEWS, "veiw=PA")


def test_nothing_is_inferred_from_a_cell(tmp_path: Path) -> None:
    cells = [["a", "007"], ["b", "NA"], ["c", "1e3"], ["d", "null"], ["e", " 1 "], ["f", "1.0"]]
    file = str(tmp_path / "m.csv")
    table.write(file, ("path", "patient"), cells)
    assert list(Manifest(file).rows()) == cells


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12), CELL)
def test_a_condition_and_its_contrary_share_out_the_rows(
    tmp_path: Path, rows: list[tuple[str, str]], value: str
) -> None:
    file = str(tmp_path / "m.csv")
    table.write(file, ("path", "label"), rows)
    halves = []
    for negated in (False, True):
        where = Where("label", frozenset([value]), negated)
        try:
            halves.append([tuple(r) for r in Manifest(file, [where]).rows()])
        except CxrtoolError:
            halves.append([])
    assert halves == [[r for r in rows if r[1] == value], [r for r in rows if r[1] != value]]


def test_paths_relative_to_a_root(tmp_path: Path) -> None:
    root = str(tmp_path / "data")
    image = str(tmp_path / "data" / "x" / "a.png")
    assert manifest.relative(image, None) == image
    assert manifest.relative(image, root) == "x/a.png"
    outside = str(tmp_path / "other" / "a.png")
    assert manifest.relative(outside, root) == outside
    for path in (image, outside):
        assert manifest.resolve(manifest.relative(path, root), root) == path
    assert manifest.resolve("", root) == ""
    assert manifest.resolve("a.png", None) == "a.png"
