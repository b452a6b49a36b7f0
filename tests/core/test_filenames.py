"""The names of the files that are made: readable, their own, the same at every run."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrtool.core.filenames import file_name

# Paths as manifests have them, and some that differ in little.
PATHS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30
) | st.sampled_from(
    ["a/same.png", "b/same.png", "a/Same.png", "a/same.jpg", "same.png", "a\\same.png"]
)
pure = settings(max_examples=300)


@pure
@given(PATHS, PATHS, PATHS, PATHS)
def test_two_rows_never_share_a_name(path: str, raw: str, other: str, other_raw: str) -> None:
    """Not even where upper and lower case are the same."""
    one, two = file_name(path, raw), file_name(other, other_raw)
    if (path, raw) == (other, other_raw):
        assert one == two
    else:
        assert one.lower() != two.lower()


@pure
@given(PATHS, PATHS)
def test_a_name_is_a_plain_one(path: str, raw: str) -> None:
    name = file_name(path, raw)
    assert re.fullmatch(r"[A-Za-z0-9_.-]{16,77}", name)
    assert not name.startswith(("-", "."))


@pure
@given(PATHS, PATHS)
def test_a_name_that_was_made_does_not_grow(path: str, raw: str) -> None:
    name = file_name(path, raw)
    for folder in ("eq", "lungs", "boxes"):
        longer = file_name(f"{folder}/{name}.png", raw)
        assert len(longer) == len(name) and longer[:-16] == name[:-16] and longer != name
        name = longer


@pure
@given(PATHS, PATHS)
def test_an_anonymous_name_keeps_nothing(path: str, raw: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", file_name(path, raw, anonymous=True))


@pytest.mark.parametrize(
    ("path", "readable"),
    [
        ("xrays/covid/1.png", "1-"),
        ("x.y.jpeg", "x.y-"),
        ("new\nline, and =more.png", "new_line_and_more-"),
        ("-dash.png", "dash-"),
        (".hidden", "hidden-"),
        ("ü.png", "_-"),
        ("a" * 200 + ".png", "a" * 60 + "-"),
        (os.fsdecode(b"\xff.png"), "_-"),
        ("---", ""),
        ("0123456789abcdef.png", ""),
        ("scan-0123456789abcdef.png", "scan-"),
    ],
)
def test_what_is_readable_stays(path: str, readable: str) -> None:
    name = file_name(path)
    assert name[:-16] == readable
    assert re.fullmatch("[0-9a-f]{16}", name[-16:])


def test_the_names_of_today_are_those_of_tomorrow() -> None:
    """A version that named files otherwise would make all of them again."""
    assert file_name("xrays/covid/1.png") == "1-7c18f465158ce7c7"
    assert file_name("eq/1.png", "xrays/covid/1.png") == "1-68e0414207e5ae3b"


def test_a_row_that_is_its_own_raw_file_has_one_name() -> None:
    assert file_name("a.png") == file_name("a.png", "a.png") != file_name("a.png", "b.png")
