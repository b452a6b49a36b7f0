"""Lists are split in one way everywhere: blanks do not count, quotation marks keep a comma."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrtool.compare import cross_matrix
from cxrtool.core import commas, registry
from cxrtool.files.manifest import Where
from cxrtool.learn import augmentation

ENTRY = st.text(st.characters(blacklist_categories=("Cs",)), max_size=8)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("a", ["a"]),
        ("", [""]),
        ("a,b", ["a", "b"]),
        (" a , b\t", ["a", "b"]),
        ("a,,b,", ["a", "", "b", ""]),
        ("AP Supine, PA", ["AP Supine", "PA"]),
        ('"a, b", c', ["a, b", "c"]),
        ('" a ",b', [" a ", "b"]),
        ('a"b,c', ['a"b', "c"]),
        ('"a,b', ['"a', "b"]),
    ],
)
def test_a_list_is_split_at_its_commas(text: str, entries: list[str]) -> None:
    assert commas.split(text) == entries


@given(st.lists(ENTRY, min_size=1, max_size=5))
def test_what_is_quoted_comes_back(entries: list[str]) -> None:
    quoted = (' "' + entry.replace('"', '""') + '" ' for entry in entries)
    assert commas.split(",".join(quoted)) == entries


def test_every_reader_of_a_list_passes_over_blanks() -> None:
    assert Where.parse("view = PA, AP") == Where.parse("view=PA,AP")
    assert Where.parse("view != PA , AP") == Where.parse("view!=PA,AP")
    assert augmentation.parse("rotate=5, hflip=0.5") == augmentation.parse("rotate=5,hflip=0.5")
    assert cross_matrix.columns_of(" train , test", ["train", "test"]) == ("train", "test")
    spec = registry.load("equalizers", "clahe:clip=3, tiles=4", "equalize")
    assert spec[2] == {"clip": 3.0, "tiles": 4}
