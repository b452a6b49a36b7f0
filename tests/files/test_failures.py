"""The list of what is left out is complete, in its place, and no other file is lost to it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cxrtool.core import outputs
from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.files.failures import Failures

HEADER = ["path", "reason", "remedy", "command"]
BAD = Skip("a.png", "it is damaged", "Remove it.")
RULE = Skip("b.png", "view is 'L', not AP", failed=False)


def listed(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@contextmanager
def running(command: str) -> Iterator[None]:
    with outputs.reserved([], [], title=command):
        yield


def close(command: str, folder: Path, *skips: Skip) -> int:
    """Run a command that skips so much."""
    with running(command):
        skipped = Failures(None, folder=str(folder))
        for skip in skips:
            skipped.add(skip)
        return skipped.close()


def test_lists_everything_and_fails_for_what_failed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with running("ingest xrays"):
        skipped = Failures(None, output=str(tmp_path / "m.csv"))
        skipped.add(RULE)
        assert skipped.close() == 0
        skipped.add(BAD)
        assert skipped.close() == 1 and len(skipped) == 2
    assert listed(tmp_path / "failures.csv") == [
        HEADER,
        ["b.png", "view is 'L', not AP", "", "ingest xrays"],
        ["a.png", "it is damaged", "Remove it.", "ingest xrays"],
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


def test_commands_that_share_a_folder_keep_their_rows_apart(tmp_path: Path) -> None:
    close("equalize m.csv", tmp_path, BAD)
    close("segment m.csv", tmp_path, BAD, RULE)
    place = tmp_path / "failures.csv"
    assert [row[-1] for row in listed(place)[1:]] == ["equalize m.csv", *["segment m.csv"] * 2]
    # Given again it has other rows in place of the old ones, and in the end none.
    close("segment m.csv", tmp_path, RULE)
    assert [row[::3] for row in listed(place)[1:]] == [
        ["a.png", "equalize m.csv"],
        ["b.png", "segment m.csv"],
    ]
    close("equalize m.csv", tmp_path)
    assert [row[-1] for row in listed(place)[1:]] == ["segment m.csv"]
    close("segment m.csv", tmp_path)
    assert not place.exists()


def test_commands_that_end_at_once_lose_no_row(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests/files')\n"
        "from pathlib import Path\n"
        "from test_failures import BAD, close\n"
        "print(end='ready\\n', flush=True); sys.stdin.read()\n"
        "sys.exit(close(sys.argv[2], Path(sys.argv[1]), BAD) != 1)\n"
    )
    names = [f"evaluate {n}" for n in range(4)]
    root = Path(__file__).parents[2]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), name],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for one in started:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.close()
    for one in started:
        assert one.wait(60) == 0
        assert one.stdout is not None
        one.stdout.close()
    assert sorted(row[-1] for row in listed(tmp_path / "failures.csv")[1:]) == names
    assert os.listdir(tmp_path) == ["failures.csv"]


def test_a_list_of_an_earlier_version_goes(tmp_path: Path) -> None:
    """Nobody can tell whose its rows are."""
    place = tmp_path / "failures.csv"
    place.write_text("path,reason,remedy\na.png,it was damaged,\n")
    assert close("equalize m.csv", tmp_path) == 0
    assert not place.exists()


def test_a_planted_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("x\n")
    (tmp_path / "eq").mkdir()
    place = tmp_path / "eq" / "failures.csv"
    for target in ("../mine.csv", "nowhere"):
        place.symlink_to(target)
        assert close("equalize m.csv", tmp_path / "eq", BAD) == 1
        assert len(listed(place)) == 2 and not place.is_symlink()
        place.unlink()
    assert (tmp_path / "mine.csv").read_text() == "x\n"
    assert sorted(os.listdir(tmp_path)) == ["eq", "mine.csv"]


def test_a_list_that_was_asked_for_is_there_even_if_empty(tmp_path: Path) -> None:
    place = tmp_path / "mine.csv"
    for _ in range(2):
        assert Failures(str(place)).close() == 0
        assert place.read_text() == "path,reason,remedy,command\n"
        place.write_text("what an earlier run wrote\n")


def test_a_list_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError, match="no such folder"):
        Failures(str(tmp_path / "absent" / "mine.csv"))


@pytest.mark.parametrize(
    "content", [b"equipment,failures\nx,1\n", b"", b"path,reason\n", b"\xff", b'path,"\n']
)
def test_a_file_of_the_users_own_stays(content: bytes, tmp_path: Path) -> None:
    place = tmp_path / "failures.csv"
    place.write_bytes(content)
    with pytest.raises(CxrtoolError, match="Name another file"):
        Failures(None, folder=str(tmp_path))
    assert place.read_bytes() == content


def test_strict_ends_at_the_first_failure() -> None:
    skipped = Failures(None, strict=True)
    skipped.add(RULE)
    with pytest.raises(CxrtoolError, match=r"^a\.png: it is damaged\. Remove it\.$"):
        skipped.add(BAD)


def test_odd_names(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    skips = Skip('new\nline,".png', "r\nr"), Skip("\udcff.png", "its name is not UTF-8")
    for _ in range(2):
        close('equalize "\udcff\n.csv', tmp_path, *skips)
        rows = listed(tmp_path / "failures.csv")
        assert rows[1:] == [
            ['new\nline,".png', "r\nr", "", 'equalize "\\udcff\n.csv'],
            ["\\udcff.png", "its name is not UTF-8", "", 'equalize "\\udcff\n.csv'],
        ]
        assert len(capfd.readouterr().err.splitlines()) == 3
