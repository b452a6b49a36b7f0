"""Columns that no command knows pass through every manifest as they are, and where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from handy import in_process, rows_of, write_table

# What a spreadsheet, or a reader that guesses, would change.
CELLS = {
    "id": "007",
    "note, odd": "=1+1",
    "blank": " x ",
    "lines": 'a\n"b",c',
    "place": "Köln",
    "missing": "NA",
    "number": "1.10",
    "empty": "",
}
SMALL = ["-j", "1", "-q"]
DEVICE = ["--device", "cpu", *SMALL]
# Every command that writes the rows of a manifest.
WRITERS = {
    "equalize": ["m.csv", "-d", "made", *SMALL],
    "evaluate": ["run", "m.csv", "--keep-columns", *DEVICE],
    "ingest": ["m.csv", *SMALL],
    "segment": ["m.csv", "--model", "threshold", "-d", "made", *SMALL],
    "split": ["m.csv", "--test", "0.5", "--val", "0", "--stratify", "none", "-q"],
    "tsne": ["run", "m.csv", "--permutations", "1", *DEVICE],
}


@pytest.mark.parametrize("verb", WRITERS)
def test_unknown_columns_stay_as_they_are(
    verb: str,
    phantoms: Path,
    small_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    os.symlink(small_run, "run")
    first, *others = CELLS.items()
    known = [
        {"path": row["path"], "label": row["label"], "patient": row["patient"]}
        for row in rows_of(phantoms / "split.csv")[:6]
    ]
    given = [dict([first, *row.items(), *others]) for row in known]
    write_table(Path("m.csv"), given)
    assert in_process(verb, *WRITERS[verb], "-o", "out.csv") == 0
    made = rows_of(Path("out.csv"))
    assert len(made) == len(given)
    for row in made:
        assert {name: row[name] for name in CELLS} == CELLS
    order = CELLS if verb in ("evaluate", "ingest") else given[0]  # What they know comes first.
    assert [name for name in made[0] if name in order] == list(order)
