"""--root is for the paths in a manifest: what is typed is relative to the working folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from handy import in_process, rows_of, write_table

SMALL = ["--device", "cpu", "-j", "1", "-q"]
COMMANDS = {"evaluate": [], "cam": ["-d", "maps"]}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phantoms: Path) -> None:
    """Work in a folder beside the root, with a picture in each."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    (tmp_path / "work").mkdir()
    (tmp_path / "root").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    image = rows_of(phantoms / "split.csv")[0]["path"]
    shutil.copy(image, "typed.png")
    shutil.copy(image, "../root/listed.png")


@pytest.mark.parametrize("from_environment", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_image_that_is_typed_is_where_the_user_sees_it(
    command: str, from_environment: bool, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [str(small_run), "typed.png", "../root/listed.png", *COMMANDS[command], *SMALL]
    root = [] if from_environment else ["--root", "../root"]
    if from_environment:
        monkeypatch.setenv("CXRTOOL_ROOT", "../root")
    assert in_process(command, *given, *root, "-o", "out.csv") == 0
    # As a manifest under this root would have them, so that other commands find them again.
    paths = [row["path"] for row in rows_of(Path("out.csv"))]
    assert paths == [os.path.abspath("typed.png"), "listed.png"]
    write_table(Path("again.csv"), [{"path": path} for path in paths])
    again = [str(small_run), "again.csv", *COMMANDS[command], *SMALL, *root, "-o", "again-out.csv"]
    assert in_process(command, *again) == 0
    assert Path("again-out.csv").read_text() == Path("out.csv").read_text()
