"""The generated files are those of the command line, and read as such in the real programs."""

import pathlib
import re
import shutil
import subprocess

import pytest

from cxrtool.cli import manual
from cxrtool.cli.descriptions import verbs
from cxrtool.core import registry

ROOT = pathlib.Path(manual.ROOT)


def test_nothing_has_drifted():
    differing = [
        path
        for path, text in manual.generated(str(ROOT)).items()
        if pathlib.Path(path).read_text(encoding="utf-8") != text
    ]
    assert differing == [], "run make manual"


def test_check_tells_what_differs_and_writing_mends_it(tmp_path, capsys):
    folder = tmp_path / manual.GUIDES
    folder.mkdir(parents=True)
    marks = (f"<!-- {name} -->\n<!-- end of {name} -->\n" for name in manual.tables(verbs()))
    (tmp_path / "README.md").write_text("".join(marks))
    (folder / "notes.md").write_text("# Notes\n\nNone.\n")
    root = str(tmp_path)
    assert manual.main(["--check"], root) == 1
    assert "man/cxrtool-split.1 differs" in capsys.readouterr().out
    assert manual.main([], root) == 0
    assert manual.main(["--check"], root) == 0


def test_no_page_says_twice_that_an_option_may_be_repeated():
    texts = [page.read_text() for page in (ROOT / "man").glob("*.1")]
    lines = [line for text in texts for line in text.splitlines() if "May be repeated" in line]
    assert lines and not [line for line in lines if "May be given several times" in line]


def see_also(verb):
    text = (ROOT / "man" / f"cxrtool-{verb}.1").read_text()
    return re.findall(r"^\.BR (\S+) \((\d)\)", text.replace("\\-", "-"), re.MULTILINE)


@pytest.mark.parametrize("verb", registry.names("commands"))
def test_every_command_names_its_guides_and_every_page_that_it_names_is_there(verb):
    named = see_also(verb)
    assert [name for name, section in named if section == "7"]
    assert [p for p in named if not (ROOT / "man" / f"{p[0]}.{p[1]}").is_file()] == []


@pytest.mark.parametrize("verb", registry.names("commands"))
def test_exit_codes_are_told_of_the_command_itself(verb):
    text = (ROOT / "man" / f"cxrtool-{verb}.1").read_text().replace("\\-", "-")
    status = text.partition(".SH EXIT STATUS\n")[2].partition(".SH")[0]
    assert ("a verdict that --fail-on names" in status) == (verb == "audit")
    assert ("there are findings" in status) == (verb == "split")
    options = text.partition(".SH EXIT STATUS\n")[0]
    named = set(re.findall(r"--[a-z-]+", status))
    assert [option for option in named if option not in options] == []
    assert ("some inputs failed" in status) == ("--failures" in options)


@pytest.mark.skipif(shutil.which("man") is None, reason="install man-db")
@pytest.mark.parametrize("verb", ["", *registry.names("commands")])
def test_man_shows_every_page_without_a_warning(verb):
    page = ROOT / "man" / f"cxrtool{'-' * bool(verb)}{verb}.1"
    done = subprocess.run(
        ["man", "--warnings", "-l", str(page)],
        capture_output=True,
        text=True,
        env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"):
        assert f"\n{heading}\n" in done.stdout


def test_the_page_of_cxrtool_names_every_page():
    text = (ROOT / "man" / "cxrtool.1").read_text().partition("SEE ALSO")[2].replace("\\-", "-")
    named = {f"{name}.{section}" for name, section in re.findall(r"\.BR (\S+) \((\d)\)", text)}
    assert named == {file.name for file in (ROOT / "man").glob("cxrtool-*.[1-8]")}


@pytest.mark.skipif(shutil.which("man") is None, reason="install man-db")
@pytest.mark.parametrize("name", manual.guide_names(manual.ROOT))
def test_man_shows_every_guide_without_a_warning(name):
    done = subprocess.run(
        ["man", "--warnings", "-l", str(ROOT / "man" / f"cxrtool-{name}.7")],
        capture_output=True,
        text=True,
        env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    for heading in ("NAME", "DESCRIPTION", "SEE ALSO", "NOTES"):
        assert f"\n{heading}\n" in done.stdout
