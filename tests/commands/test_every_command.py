"""What holds for every command, whoever adds one."""

import csv
import inspect
import io
import os
import re
import shlex

import handy
import pytest
from handy import in_process, shell

from cxrtool.cli import options
from cxrtool.cli.descriptions import Flag, verbs
from cxrtool.core import registry

VERBS = registry.names("commands")
# The argument list that makes a command read a manifest, for those that do.
READERS = {
    v.name: ["-d", "made"] if any(Flag(o).long == "--dir" for o in v.options) else []
    for v in verbs()
    if [a.metavar for a in v.arguments] == ["MANIFEST"]
}
READERS["ingest"] = ["-"]

BAD = {
    "empty": ("", "standard input: empty, without even a header"),
    "header only": ("path,label,patient,split\n", "standard input: no rows after the header"),
    "no path": ("file,label\na.png,x\n", "standard input: no column 'path' among: file, label"),
    "ragged": (
        "path,label,patient,split\na.png,x\n",
        "standard input: row 2: 2 cells where the header",
    ),
    "NUL": (
        "path,label,patient,split\na\0.png,x,p\n",
        "standard input: row 2: it holds a NUL byte",
    ),
    "not UTF-8": (
        b"path,label,patient,split\n\xff.png,x,p\n",
        "standard input: row 2: it is not UTF-8",
    ),
    "twice": (
        "path,label,label\na.png,x,p\n",
        "standard input: row 1: column 'label' occurs twice",
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_every_option_and_exits_0(cxrtool, verb):
    done = cxrtool(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    command = next(v for v in verbs() if v.name == verb)
    for option in command.options:
        assert Flag(option).long in done.stdout
        assert option.help


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_option_is_one_line_and_exit_2(cxrtool, verb):
    done = cxrtool(verb, "--quite")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cxrtool {verb}: no such option: --quite. Did you mean --quiet?\n"


@pytest.mark.parametrize("verb", VERBS)
def test_an_option_without_its_value_names_the_help_of_its_command(verb, capfd):
    command = next(v for v in verbs() if v.name == verb)
    option = next(Flag(o).long for o in command.options if not o.is_flag)
    assert in_process(verb, option) == 2
    said = capfd.readouterr().err
    assert said == (
        f"cxrtool {verb}: option '{option}' requires an argument. See cxrtool {verb} --help.\n"
    )


@pytest.mark.parametrize("verb", VERBS)
def test_a_missing_folder_is_named_with_an_example(verb, capfd):
    """Every example of a command with a folder has one."""
    command = next(v for v in verbs() if v.name == verb)
    needed = {Flag(o).long for o in command.options if o.required}
    assert needed <= {"--dir"}
    if needed:
        assert in_process(verb, *["1" for _ in command.arguments]) == 2
        said = capfd.readouterr().err
        start = f"cxrtool {verb}: missing option '--dir' / '-d'. Name a folder to write to, for "
        assert re.fullmatch(re.escape(start) + r"example -d [a-z]\S+\.\n", said)


@pytest.mark.parametrize("mistake", BAD)
@pytest.mark.parametrize("verb", READERS)
def test_a_bad_manifest_is_one_line_and_exit_2(cxrtool, verb, mistake, tmp_path):
    content, message = BAD[mistake]
    done = cxrtool(verb, *READERS[verb], stdin=content)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cxrtool {verb}: {message}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "made").exists(), "nothing was done"


@pytest.mark.parametrize("verb", READERS)
def test_a_missing_manifest_is_one_line_and_exit_2(cxrtool, verb):
    done = cxrtool(verb, "nowhere.csv", *(READERS[verb] if verb != "ingest" else []))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cxrtool {verb}: nowhere.csv: no such file")
    assert done.stderr.count("\n") == 1


def test_letters_mean_the_same_everywhere():
    meaning = dict(re.findall(r"(?<!\S)(-\w) (--[\w-]+)", options.__doc__))
    for command in verbs():
        for flag in map(Flag, command.options):
            assert not flag.short or meaning[flag.short] == flag.long


def test_shared_options_are_spelled_once():
    shared = {"--where", "--root", "--jobs", "--seed", "--dry-run", "--force", "--output", "--dir"}
    for verb in VERBS:
        source = inspect.getsource(registry.module("commands", verb))
        for name in shared:
            again = re.search(rf'Option\([^)]*"{name}"', source)
            assert not again, f"{verb} spells {name} itself"


@pytest.mark.parametrize("verb", VERBS)
def test_the_examples_parse(verb):
    command = next(v for v in verbs() if v.name == verb)
    known = {n for f in map(Flag, command.options) for n in (f.long, f.short) if n}
    for example, text in command.paragraphs():
        for line in text.splitlines() if example else ():
            for part in line.split("|"):
                words = shlex.split(part)
                if words[:2] == ["cxrtool", verb]:
                    assert {w.partition("=")[0] for w in words if w.startswith("-")} <= known | {
                        "-"
                    }


def listing(verb: str) -> bool:
    """Return whether a command has choices to list: plug-ins, or what its options refer to."""
    command = next(v for v in verbs() if v.name == verb)
    return command.plugins is not None or any("--list" in Flag(o).help for o in command.options)


@pytest.mark.parametrize("verb", VERBS)
def test_list_is_the_one_option_that_lists_choices(verb, capfd):
    command = next(v for v in verbs() if v.name == verb)
    flags = [Flag(o) for o in command.options]
    listers = [f.long for f in flags if f.help.startswith("List the") and not f.metavar]
    assert listers in ([], ["--list"])
    assert not any("list" in f.choices for f in flags)
    if not listers:
        assert not listing(verb)
        return
    assert handy.in_process(verb, "--list") == 0
    head, *rows = csv.reader(io.StringIO(capfd.readouterr().out, newline=""))
    if command.plugins is not None:
        more = ["input", "parameters", "provider"] if verb == "train" else []
        assert head == ["name", "options", "summary", *more]
    assert "name" in head and rows and all(len(row) == len(head) for row in rows)


@pytest.mark.parametrize("arguments", ["--version", "--help", *(f"{v} --help" for v in VERBS)])
def test_a_closed_standard_output_is_no_success(tmp_path, arguments):
    done = shell(tmp_path, f"cxrtool {arguments} >&-")
    assert done.returncode == 3
    name = f"cxrtool {arguments}".partition(" --")[0]
    assert done.stderr == f"{name}: standard output is closed. Send it to a file, or to a pipe.\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", ["--version", "--help", "split --help", "equalize --list"])
def test_a_full_standard_output_is_no_success(tmp_path, arguments):
    done = shell(tmp_path, f"cxrtool {arguments} > /dev/full")
    assert done.returncode == 3
    assert "no space left on device" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", VERBS)
def test_a_word_that_is_not_utf8_is_one_line_and_exit_2(verb, capfd):
    assert handy.in_process(verb, "-d", "in\udcff") == 2
    said = capfd.readouterr().err
    assert said == f"cxrtool {verb}: 'in\\udcff' is not UTF-8. Rename it, or write it so.\n"
