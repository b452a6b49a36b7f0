"""A name that no file can have is refused by every option that names one, before any work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from handy import in_process

from cxrtool.cli import file_roles
from cxrtool.cli.file_roles import Parameter, Role
from cxrtool.core import registry

Said = pytest.CaptureFixture[str]

# What every command needs at least; none of these files is there, and none is looked for.
LEAST = {
    "audit": "m.csv -d made",
    "cam": "run m.csv -d made",
    "compare": "p.csv",
    "demo": "-d made",
    "equalize": "m.csv -d made",
    "evaluate": "run m.csv",
    "ingest": "in",
    "phantom": "2 -d made",
    "recipe": "T3",
    "segment": "m.csv -d made",
    "split": "m.csv",
    "train": "m.csv -d made",
    "tsne": "run m.csv",
}
PLACES = [
    (verb, parameter)
    for verb in registry.names("commands")
    for parameter in file_roles.parameters(registry.module("commands", verb).run)
]


def of(found: tuple[str, Parameter]) -> str:
    return f"{found[0]} {found[1].shown}"


def words(verb: str, parameter: Parameter, value: str) -> list[str]:
    """Give a value to a parameter of a command, and to the others what they need at least."""
    least = LEAST[verb].split()
    if parameter.shown == "--dir":
        return [verb, *least[:-1], value]
    if parameter.is_argument:
        several = [p for v, p in PLACES if v == verb and p.is_argument]
        number = several.index(parameter)
        return [verb, *least[:number], value, *least[number + 1 :]]
    return [verb, *least, parameter.shown, value]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("found", PLACES, ids=of)
def test_an_empty_name_is_refused(found: tuple[str, Parameter], capfd: Said) -> None:
    """As a variable of a script that is not set gives it."""
    verb, parameter = found
    assert in_process(*words(verb, parameter, "")) == 2
    out, told = capfd.readouterr()
    assert (out, told.count("\n")) == ("", 1)
    assert told.startswith(f"cxrtool {verb}: {parameter.shown}"), told
    assert not os.listdir(), "nothing was done"


FILES = [found for found in PLACES if found[1].role in (Role.WRITES, Role.LISTS)]


@pytest.mark.parametrize("found", FILES, ids=of)
def test_the_name_of_a_folder_is_no_file(found: tuple[str, Parameter], capfd: Said) -> None:
    verb, parameter = found
    assert in_process(*words(verb, parameter, "new/")) == 2
    what = f"{parameter.shown} new/: is the name of a folder. Name a file in it."
    assert capfd.readouterr() == ("", f"cxrtool {verb}: {what}\n")
    assert not os.listdir(), "nothing was done"
