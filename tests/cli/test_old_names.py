"""Old names of options still work, with a note that says the new one."""

from __future__ import annotations

from pathlib import Path

import pytest
from handy import in_process, write_table

from cxrtool.cli import old_names
from cxrtool.cli.descriptions import Flag, verbs

RENAMED = [
    (verb, old, new) for verb, names in old_names.OLD_NAMES.items() for old, new in names.items()
]


@pytest.mark.parametrize("verb, old, new", RENAMED)
def test_the_new_name_is_an_option_and_the_old_one_is_not(verb: str, old: str, new: str) -> None:
    there = {Flag(o).long for v in verbs() if v.name == verb for o in v.options}
    assert new in there and old not in there


@pytest.mark.parametrize("verb, old, new", RENAMED)
def test_an_old_name_is_replaced(verb: str, old: str, new: str) -> None:
    given = ["-q", verb, "a", old, "1", f"{old}=2", f"{old}x", "--", old]
    words, notes = old_names.replaced(verb, given)
    assert words == ["-q", verb, "a", new, "1", f"{new}=2", f"{old}x", "--", old]
    assert notes == [f"{old} is now {new}; the old name works in this version only"] * 2


def test_other_commands_keep_their_options() -> None:
    given = ["split", "m.csv", "--test", "0.2", "--check", "--val", "0"]
    assert old_names.replaced("split", given) == (given, [])


@pytest.mark.parametrize(
    "verb, given, words, note",
    [
        ("train", ["--size", "0"], ["--size", "auto"], "--size 0 is now --size auto"),
        ("train", ["--clip=0.0"], ["--clip=none"], "--clip 0.0 is now --clip none"),
        ("tsne", ["--pca", "0"], ["--pca", "all"], "--pca 0 is now --pca all"),
        ("split", ["-j", "0"], ["-j", "auto"], "-j 0 is now -j auto"),
        ("train", ["--patience", "10"], ["--patience", "10"], ""),
        ("train", ["--patience"], ["--patience"], ""),
        ("phantom", ["--size", "0"], ["--size", "0"], ""),
    ],
)
def test_a_zero_that_stood_for_a_word(
    verb: str, given: list[str], words: list[str], note: str
) -> None:
    assert old_names.replaced(verb, given) == (words, [note] if note else [])


@pytest.mark.parametrize("given", [["--published", "list"], ["--published=list"]])
def test_a_value_that_became_an_option(given: list[str]) -> None:
    words, notes = old_names.replaced("compare", [*given, "--by", "list"])
    assert set(words[:-2]) == {"--list"} and words[-2:] == ["--by", "list"]
    assert notes == ["--published list is now --list"]


def test_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "path": f"{n}.png",
            "label": "ab"[n % 2],
            "patient": str(n),
            "model": m,
            "p_a": p,
            "p_b": q,
        }
        for n in range(60)
        for m, p, q in (("x", "0.4", "0.6"), ("y", "0.6", "0.4"))
    ]
    write_table(Path("p.csv"), rows)
    given = ["p.csv", "--metrics", "accuracy", "--positive", "b", "--bootstrap", "0"]
    assert in_process("compare", *given, "--paired-test", "mcnemar", "-o", "new.csv") == 0
    assert "works in this version only" not in capfd.readouterr().err
    assert in_process("compare", *given, "--test", "mcnemar", "-o", "old.csv") == 0
    assert "--test is now --paired-test; the old name works in this version only" in (
        capfd.readouterr().err
    )
    assert in_process("compare", *given, "--test", "mcnemar", "-o", "quiet.csv", "-q") == 0
    assert "works in this version only" not in capfd.readouterr().err
    assert Path("old.csv").read_bytes() == Path("new.csv").read_bytes()
