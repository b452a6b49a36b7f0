"""Tables are put into their places, and guides become man pages."""

from __future__ import annotations

import pytest

from cxrtool.cli import guides
from cxrtool.core.errors import CxrtoolError

TABLES = {"a": ["| x |"], "b": ["| y |"]}
PAGES = {
    "one": "1\n<!-- a -->\nold\n<!-- end of a -->\n2\n",
    "two": "<!-- b -->\n<!-- end of b -->",
}


def test_tables_are_put_between_their_marks() -> None:
    assert guides.filled(PAGES, TABLES) == {
        "one": "1\n<!-- a -->\n| x |\n<!-- end of a -->\n2\n",
        "two": "<!-- b -->\n| y |\n<!-- end of b -->",
    }


@pytest.mark.parametrize(
    "pages",
    [
        {"one": PAGES["one"]},  # a table without a place
        {**PAGES, "three": PAGES["two"]},  # two places
        {**PAGES, "three": "<!-- c -->\n<!-- end of c -->"},  # a place without a table
        {**PAGES, "two": "<!-- b -->\n"},  # marks that are no pair
        {**PAGES, "two": "<!-- end of b -->\n"},
    ],
)
def test_a_missing_or_repeated_mark_is_refused(pages: dict[str, str]) -> None:
    with pytest.raises(CxrtoolError, match="the guides have the marks of the table"):
        guides.filled(pages, TABLES)


def test_a_guide_becomes_a_man_page() -> None:
    page = guides.man_page(
        "x",
        "# What it is\n\nA `b` **c** *d* [e](f.md)\n.dot\n\n## Part\n\n- one\n- two\n  more\n\n"
        "```sh\ncxrtool a --b\n```\n\n    one\n\n    two\n\n| h | i |\n|---|---|\n| `j` | k |\n\n"
        "![p](q.png)\n\n<!-- m -->\n",
        "1.0",
    )
    assert page == (
        '.TH CXRTOOL\\-X 7 "" "cxrtool 1.0" "cxrtool manual"\n'
        ".SH NAME\ncxrtool\\-x \\- What it is\n.SH DESCRIPTION\n"
        ".PP\nA \\fBb\\fR \\fBc\\fR \\fId\\fR e\n\\&.dot\n"
        ".SH Part\n.IP \\(bu 3\none\n.IP \\(bu 3\ntwo\nmore\n"
        ".PP\n.RS 4\n.nf\ncxrtool a \\-\\-b\n.fi\n.RE\n"
        ".PP\n.RS 4\n.nf\none\n\ntwo\n.fi\n.RE\n"
        ".PP\n\\fIh: i\\fR\n.TP\n\\fBj\\fR\nk\n"
        ".SH SEE ALSO\n.BR cxrtool (1)\n.SH NOTES\nResearch software, not a medical device.\n"
    )


@pytest.mark.parametrize(
    ("table", "shown"),
    [
        ("| check | what it asks |\n|---|---|\n| a | b |", ["\\fIcheck: what it asks\\fR", "b"]),
        ("| | what it asks |\n|---|---|\n| a | b |", ["\\fIwhat it asks\\fR", "b"]),
        ("| x | y | z |\n|---|---|---|\n| a | b | c |", ["\\fIx\\fR", "y: b;", "z: c"]),
    ],
)
def test_the_heads_of_a_table_stay(table: str, shown: list[str]) -> None:
    lines = guides.man_page("x", f"# X\n\n{table}\n", "1.0").splitlines()
    assert [line for line in shown if line not in lines] == []
