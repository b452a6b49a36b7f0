"""The list of what is left out is complete, in its place, and no other file is lost to it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cxrtool.artifacts.failures import Failures
from cxrtool.errors import CxrtoolError, Skip

BAD = Skip("a.png", "it is damaged", "Remove it.")
RULE = Skip("b.png", "view is 'L', not AP", failed=False)


def listed(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_lists_everything_and_fails_for_what_failed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skipped = Failures(None, output=str(tmp_path / "m.csv"))
    skipped.add(RULE)
    assert skipped.close() == 0
    skipped.add(BAD)
    assert skipped.close() == 1 and len(skipped) == 2
    assert listed(tmp_path / "failures.csv") == [
        ["path", "reason", "remedy"],
        ["b.png", "view is 'L', not AP", ""],
        ["a.png", "it is damaged", "Remove it."],
    ]
    told = capfd.readouterr().err
    assert "a.png: it is damaged. Remove it.\n" in told
    assert "left out 1: view is 'L', not AP\n" in told and "b.png" not in told


@pytest.mark.parametrize(
    ("given", "folder", "output", "place"),
    [
        (None, None, "-", None),
        (None, None, "/dev/null", None),
        (None, None, "m.csv", "failures.csv"),
        (None, None, "x/m.csv", "x/failures.csv"),
        (None, "d", "m.csv", "d/failures.csv"),
        (None, "d", "-", "d/failures.csv"),
        ("f.csv", "d", "m.csv", "f.csv"),
        ("f.csv", None, "-", "f.csv"),
    ],
)
def test_place(given: str | None, folder: str | None, output: str, place: str | None) -> None:
    assert Failures(given, folder=folder, output=output).file == place


def test_the_list_of_an_earlier_run_goes(tmp_path: Path) -> None:
    place = tmp_path / "failures.csv"
    place.write_text("path,reason,remedy\na.png,it was damaged,\n")
    assert Failures(None, folder=str(tmp_path)).close() == 0
    assert not place.exists()


def test_a_list_beside_the_output_may_be_another_commands_and_stays(tmp_path: Path) -> None:
    place = tmp_path / "failures.csv"
    place.write_text("path,reason,remedy\na.png,it was damaged,\n")
    assert Failures(None, output=str(tmp_path / "m.csv")).close() == 0
    assert "a.png" in place.read_text()


def test_a_list_that_was_asked_for_is_there_even_if_empty(tmp_path: Path) -> None:
    place = tmp_path / "mine.csv"
    assert Failures(str(place)).close() == 0
    assert place.read_text() == "path,reason,remedy\n"


def test_a_list_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError, match="no such folder"):
        Failures(str(tmp_path / "absent" / "mine.csv"))


def test_a_file_of_the_users_own_stays(tmp_path: Path) -> None:
    place = tmp_path / "failures.csv"
    place.write_text("equipment,failures\nx,1\n")
    with pytest.raises(CxrtoolError, match="--failures FILE"):
        Failures(None, folder=str(tmp_path))
    assert place.read_text() == "equipment,failures\nx,1\n"


def test_strict_ends_at_the_first_failure() -> None:
    skipped = Failures(None, strict=True)
    skipped.add(RULE)
    with pytest.raises(CxrtoolError, match=r"^a\.png: it is damaged\. Remove it\.$"):
        skipped.add(BAD)


def test_odd_names(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    skipped = Failures(None, folder=str(tmp_path))
    skipped.add(Skip('new\nline,".png', "r\nr"))
    skipped.add(Skip("\udcff.png", "its name is not UTF-8"))
    skipped.close()
    rows = listed(tmp_path / "failures.csv")
    assert rows[1:] == [
        ['new\nline,".png', "r\nr", ""],
        ["\\udcff.png", "its name is not UTF-8", ""],
    ]
    assert len(capfd.readouterr().err.splitlines()) == 3
