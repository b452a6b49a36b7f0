"""Errors name the options of the settings that they are about."""

import ast
import copy
from pathlib import Path

import pytest

import cxrtool
from cxrtool.cli import app, option_names
from cxrtool.core.errors import BrokenRun, CxrtoolError


def message(verb: str, error: CxrtoolError) -> str:
    with pytest.raises(type(error)) as raised, option_names.added(app.build(verb), verb):
        raise error
    return str(raised.value)


def test_the_options_of_the_settings_come_last() -> None:
    error = BrokenRun("it failed", "Use smaller batches.", settings=["batch", "folder"])
    assert message("train", error) == "it failed. Use smaller batches (--batch, --dir)."


def test_without_a_remedy_they_follow_what_is_wrong() -> None:
    assert message("train", CxrtoolError("it failed", settings=["lr"])) == "it failed (--lr)"


def test_a_setting_that_the_command_lacks_is_not_named() -> None:
    error = CxrtoolError("it failed", "Change it.", settings=["lr", "where"])
    assert message("split", error) == "it failed. Change it (--where)."
    assert message("", CxrtoolError("it failed", settings=["where"])) == "it failed"


def test_other_errors_stay_as_they_are() -> None:
    assert message("train", CxrtoolError("it failed", "Change it.")) == "it failed. Change it."


def test_every_setting_of_an_error_is_a_parameter_of_a_command() -> None:
    known = {p.name for command in app.build().commands.values() for p in command.params}
    named = set()
    for file in Path(cxrtool.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "settings":
                names = [n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
                named |= {name.partition("=")[0] for name in names if isinstance(name, str)}
    assert {"batch", "lr", "where"} <= named <= known


def test_the_settings_come_back_from_a_worker() -> None:
    # A copy is made as pickle makes it.
    error = copy.deepcopy(CxrtoolError("it failed", "Change it.", settings=["lr"]))
    assert (str(error), error.settings) == ("it failed. Change it.", ("lr",))
