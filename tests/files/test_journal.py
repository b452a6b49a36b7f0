"""A journal keeps its rows in parts, and goes on behind those of an earlier run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cxrtool.files import journal as journals
from cxrtool.files.journal import Journal


def texts(folder: Path) -> list[str]:
    return [Path(part).read_text() for part in journals.parts(str(folder))]


def test_rows_wait_until_they_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "ROWS", 2)
    journal = Journal(str(tmp_path / "kept"), ("path", "value"))
    journal.add(["a", "1"])
    journal.write_due()
    assert journals.parts(journal.folder) == []
    journal.add(["b", "2"])
    journal.write_due()
    journal.add(["c", "3"])
    journal.close()
    assert texts(tmp_path / "kept") == ["path,value\na,1\nb,2\n", "path,value\nc,3\n"]


def test_rows_that_waited_long_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(str(tmp_path), ("path",))
    journal.add(["a"])
    journal.write_due()
    assert texts(tmp_path) == []
    monkeypatch.setattr(journals, "SECONDS", 0.0)
    journal.write_due()
    assert texts(tmp_path) == ["path\na\n"]


def test_a_later_run_goes_on_and_removes_its_parts_alone(tmp_path: Path) -> None:
    for row in ("a", "b"):
        journal = Journal(str(tmp_path), ("path",))
        journal.add([row])
        journal.close()
    (tmp_path / "notes.csv").write_text("mine")
    assert texts(tmp_path) == ["path\na\n", "path\nb\n"]
    journal.remove()
    assert [file.name for file in tmp_path.iterdir()] == ["notes.csv"]
    (tmp_path / "notes.csv").unlink()
    journal.remove()
    assert not tmp_path.exists()
