"""Files that a comma joins: the error says how the command takes several, or that it takes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from handy import in_process

from cxrtool.cli import joined_files
from cxrtool.cli.app import build

BLANKS = "Files are separated by blanks: a.csv b.csv."
JOIN = "Name one of them, or join them first: cxrtool ingest a.csv b.csv -o both.csv"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv", "a.png", "b.png"):
        (tmp_path / name).write_text("path\n")


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        ("compare a.csv,b.csv", BLANKS),
        ("audit a.csv,b.csv -d made", BLANKS),
        ("ingest a.csv,b.csv", BLANKS),
        ("split a.csv,b.csv", JOIN),
        ("equalize a.csv,b.csv -d made", JOIN),
        ("train a.csv,b.csv -d made", JOIN),
        ("split a.csv,absent.csv", "Check the path."),
        ("compare absent.csv", "Check the path."),
    ],
)
def test_the_error_says_what_the_command_takes(
    typed: str, remedy: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(*typed.split()) == 2
    said = capfd.readouterr().err
    assert said.endswith(f". {remedy}\n") and said.count("\n") == 1


@pytest.mark.parametrize("verb", ["evaluate", "cam"])
def test_some_commands_take_several_images_but_one_table(verb: str) -> None:
    command = build(verb).commands[verb]
    for word, remedy in [
        ("a.csv,b.csv", JOIN),
        ("a.png,b.png", "Files are separated by blanks: a.png b.png."),
    ]:
        said = f"{word}: no such file or directory"
        assert joined_files.remedy(said, command, ["run", word]) == remedy


def test_the_value_of_an_option_is_one_file() -> None:
    command, words = build("ingest").commands["ingest"], ["x", "--metadata", "a.csv,b.csv"]
    assert not joined_files.remedy("a.csv,b.csv: no such file or directory", command, words)
