"""Recipes put together of their own lines and of parts."""

from __future__ import annotations

from cxrtool.recipes import assembly

PARTS = {
    "_one": """\
set -eu

# Used by nobody.
lost() { # ARGUMENT
  echo lost
}

WORD=word

OTHER=second

first() {
  second "$1"
}

second() { # lost is only said here
  echo "$WORD" "$1"
}
""",
    "_two": """\
third() {
  first of @name@
}
""",
}
SCRIPT = """\
#!/bin/sh
# id: Q1
# name: q1-query
# cost: full: hours;
#   small: minutes
#
# Words.

# include: one two
third
"""


def test_a_script_gets_what_it_uses_of_its_parts() -> None:
    made = assembly.assembled(SCRIPT, PARTS.__getitem__)
    assert made.startswith(SCRIPT.partition("# include")[0] + "set -eu\n\nWORD=word\n\nfirst() {")
    assert made.endswith("}\n\nthird() {\n  first of q1-query\n}\n\nthird\n")
    assert "lost()" not in made
    assert "Used by nobody" not in made
    assert "OTHER" not in made


def test_functions_that_only_call_each_other_are_left_out() -> None:
    made = assembly.assembled(SCRIPT.replace("\nthird\n", "\n"), PARTS.__getitem__)
    assert "() {" not in made
    assert "WORD" not in made


def test_a_script_without_parts_is_left_as_it_is() -> None:
    assert assembly.assembled("#!/bin/sh\necho\n", PARTS.__getitem__) == "#!/bin/sh\necho\n"


def test_a_header_may_run_over_a_line() -> None:
    wanted = {"id": "Q1", "name": "q1-query", "cost": "full: hours; small: minutes"}
    assert assembly.header(SCRIPT) == wanted
