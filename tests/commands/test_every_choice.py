"""Every option that takes one of some names refuses all others, before anything is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_origin

import handy
import pytest

from cxrtool.cli import app
from cxrtool.cli.descriptions import Flag, verbs
from cxrtool.core import choices, registry
from cxrtool.learn import losses, optimizers

# Each option that has choices, as the command line itself tells: the verb, its name, the choices.
CHOOSING = [
    (verb.name, flag.long, flag.choices)
    for verb in verbs()
    for flag in map(Flag, verb.options)
    if flag.choices
]
# The classes of a run are known when the run is read.
BY_RUN = [("cam", "--class")]
# What may be said of a choice: the words in its metavar.
WORDS = re.compile(r"(?<![=:\w])[a-z][a-z0-9]*(?![=:\w])")

# What reads like a SPEC, and has a test of its own.
LIKE_SPECS = ("--augment", "--blur", "--published")

Plug = tuple[str, str, Callable[..., Any]]


def plugs() -> Iterator[tuple[str, str, list[Plug]]]:
    """Yield each option that takes a SPEC, and what each of its names does."""
    for verb in verbs():
        for flag in map(Flag, verb.options):
            if flag.metavar.startswith("NAME[:KEY=VALUE") and flag.long != "--published":
                yield verb.name, flag.long, list(functions(verb, flag))


def functions(verb: Any, flag: Flag) -> Iterator[Plug]:
    known = {
        "--loss": losses.LOSSES,
        "--optimizer": optimizers.OPTIMIZERS,
        "--schedule": optimizers.SCHEDULES,
    }
    for name in flag.choices:
        if flag.long in known:
            yield flag.long, name, known[flag.long][name]
        else:
            folder, function = verb.plugins
            yield flag.long, name, getattr(registry.module(folder, name), function)


SPECS = list(plugs())


def wrong(option: registry.Option) -> str:
    """Write what no such option takes."""
    kind = option.kind
    if kind is str:
        pytest.fail(f"{option.name}: any text is taken; give it a type that refuses")
    if get_origin(kind) is Literal or kind is bool:
        return "maybe"
    return "a b" if isinstance(kind, type) and issubclass(kind, str) else "two"


def refused(
    capfd: pytest.CaptureFixture[str], folder: Path, verb: str, option: str, value: str
) -> str:
    """Give an option a wrong value; return the one line that refuses it."""
    assert app.run([verb, option, value, "nowhere.csv"]) == 2, value
    out, err = capfd.readouterr()
    assert out == "", value
    assert err.count("\n") == 1, err
    assert err.startswith(f"cxrtool {verb}: "), err
    assert "nowhere.csv" not in err, "it is refused before anything is read"
    assert not list(folder.iterdir()), "nothing is written"
    return err


def misspelled(name: str, is_spec: bool) -> Iterator[str]:
    """Yield what looks like a choice and is none."""
    yield f"{name[:-1]}{'x' if name[-1] != 'x' else 'y'}"
    if name.upper() != name:
        yield name.upper()
    if not is_spec:
        yield from (f"{name}:x", f"{name}:")


@pytest.mark.parametrize(
    ("verb", "option", "names"),
    [case for case in CHOOSING if case[:2] not in BY_RUN],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_misspelled_choice_is_refused_with_those_there_are(
    verb: str,
    option: str,
    names: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    is_spec = option in LIKE_SPECS or (verb, option) in {case[:2] for case in SPECS}
    wrong = ["", *(text for name in names[:6] for text in misspelled(name, is_spec))]
    for text in wrong:
        err = refused(capfd, tmp_path, verb, option, text)
        assert option in err
        assert all(name in err for name in names), err


@pytest.mark.parametrize(
    ("verb", "option", "found"), SPECS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_spec_is_refused_by_its_name_its_key_and_its_value(
    verb: str,
    option: str,
    found: list[Plug],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for _, name, function in found:
        known = registry.options(function)
        err = refused(capfd, tmp_path, verb, option, f"{name}:nokey=1")
        assert all(o.name in err for o in known), err
        assert known or f"'{name}' takes no options" in err
        for one in known:
            if one.kind is registry.File:
                continue  # Whether a file is there, the command sees.
            err = refused(capfd, tmp_path, verb, option, f"{name}:{one.name}={wrong(one)}")
            assert wrong(one) in err or "torchxrayvision" in err
            if one.between is not None:
                over = f"{name}:{one.name}={one.between.high + 1:g}"
                assert "from" in refused(capfd, tmp_path, verb, option, over)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--published", "luiz:nokey=1", "--published luiz 'nokey' is not one of: model,"),
        ("--published", "luiz:experiment=zz", "experiment 'zz' is not one of: "),
        ("--augment", "rotat=5", "augmentation 'rotat' is not one of: rotate, shift,"),
        ("--augment", "rotate=left", "augmentation rotate=left is neither a number nor LOW..HIGH"),
        ("--blur", "box:1.5", "--blur 'box:1.5' is no width in pixels"),
        ("--blur", "gaussian:x", "--blur 'gaussian:x' is no width in pixels"),
    ],
)
def test_what_is_like_a_spec_is_refused_alike(
    option: str,
    value: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    verb = {"--published": "compare", "--augment": "train", "--blur": "segment"}[option]
    assert message in refused(capfd, tmp_path, verb, option, value)


@pytest.mark.parametrize("wrong", ["predicted:x", "predicte", "PREDICTED", ""])
def test_a_class_is_refused_with_those_of_the_run(
    wrong: str, small_run: Path, phantoms: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [str(small_run), str(phantoms / "split.csv"), "-d", str(tmp_path / "maps")]
    assert handy.in_process("cam", *given, "--class", wrong) == 2
    err = capfd.readouterr().err
    assert f"--class '{wrong}' is not one of: predicted, label, covid, normal" in err
    assert not (tmp_path / "maps").exists()


def test_every_option_whose_help_names_words_checks_them() -> None:
    choosing = {case[:2] for case in CHOOSING}
    for verb in verbs():
        for flag in map(Flag, verb.options):
            words = [w for part in flag.metavar.split("|") for w in WORDS.findall(part)]
            if "|" in flag.metavar and words and "=N" not in flag.metavar:
                assert (verb.name, flag.long) in choosing, f"{verb.name} {flag.long}"


def test_names_of_choices_are_listed_once() -> None:
    """A list of names in a command would drift from the one that readers of files check."""
    once = [set(names) for names in vars(choices).values() if isinstance(names, tuple)]
    for name in registry.names("commands"):
        lists = [v for v in vars(registry.module("commands", name)).values() if type(v) is list]
        assert not [names for names in lists if set(names) in once]
