"""An option that takes one value and is given twice: no input is dropped, and the rest is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from handy import in_process

from cxrtool.cli import file_roles
from cxrtool.cli.descriptions import Flag, verbs
from cxrtool.cli.file_roles import Role
from cxrtool.core import registry

INPUTS = [
    (verb.name, parameter.shown)
    for verb in verbs()
    for parameter in file_roles.parameters(registry.module("commands", verb.name).run)
    for flag in map(Flag, verb.options)
    if parameter.role in (Role.READS, Role.SEARCHES)
    if flag.long == parameter.shown and not flag.repeats
]


@pytest.mark.parametrize(("verb", "option"), INPUTS)
def test_no_input_is_dropped(verb: str, option: str, capfd: pytest.CaptureFixture[str]) -> None:
    there = {flag.long for v in verbs() if v.name == verb for flag in map(Flag, v.options)}
    folder = ["-d", "made"] if "--dir" in there else []
    assert in_process(verb, "x", option, "a", f"{option}=b", *folder) == 2
    said = capfd.readouterr().err
    assert f"{option} is given 2 times, but takes one. Run the command for each" in said


def test_of_other_options_the_last_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--seed", "1", "-o", "a.csv", "--seed=2", "--output", "b.csv", "-d", "made"]
    assert in_process("phantom", "2", "--size", "32", *options) == 0
    said = capfd.readouterr().err
    assert "--seed is given 2 times: the last one counts, 2" in said
    assert "--output is given 2 times: the last one counts, b.csv" in said
    assert (tmp_path / "b.csv").exists() and not (tmp_path / "a.csv").exists()
    assert in_process("phantom", "2", "--size", "32", *options, "-q") == 0
    assert "counts" not in capfd.readouterr().err


def test_flags_and_options_that_repeat_are_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.csv").write_text("path,label,patient\na.png,x,p\nb.png,y,q\n")
    where = ["--where", "label=x", "--where", "patient=p"]
    assert in_process("split", "m.csv", *where, "--test", "0.5", "-f", "-f", "-o", "s.csv") in (
        0,
        2,
    )
    assert "times" not in capfd.readouterr().err
