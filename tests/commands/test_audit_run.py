"""audit --run: the checks that ask the network again, on phantoms and a small run."""

import json
from pathlib import Path
from typing import Any

import handy
import pytest
from handy import in_process

CHECKS = "ablation,heat,markers,source-probe"


@pytest.fixture(scope="module")
def unsplit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighty phantoms of two hospitals without a split: all of them are predicted."""
    top = tmp_path_factory.mktemp("unsplit")
    made = ("phantom", "80", "--size", "32", "--labels", "normal,covid", "--sources", "2", "-q")
    assert in_process(*made, "-d", str(top / "in"), "-o", str(top / "all.csv"), "-j", "1") == 0
    return top / "all.csv"


def rows_of(folder: Path) -> dict[str, dict[str, Any]]:
    record = json.loads((folder / "audit.json").read_text())
    return {row["check"]: row for row in record["checks"]}


def audit(table: Path, run: Path, out: Path, *more: str) -> int:
    call = ("audit", table, "--run", run, "--checks", CHECKS, "-d", out, "--fail-on", "none", "-q")
    return in_process(*map(str, call), *more)


def test_a_run_is_asked_again(
    tmp_path: Path, unsplit: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRTOOL_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    assert audit(unsplit, small_run, out, "-j", "1") == 0
    rows = rows_of(out)
    assert set(rows) == {"ablation", "heat", "markers", "source probe"}
    assert all(row["kind"] == "descriptive" and row["verdict"] == "" for row in rows.values())
    assert 0 < rows["source probe"]["value"] <= 1 and rows["source probe"]["sources"] == 2
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows.values())
    # Nothing of it decides: no confirmatory check was run.
    assert json.loads((out / "audit.json").read_text())["overall"] == "not assessed"
    # Finished checks are kept, and other numbers of workers give the same bytes.
    before = [(out / name).read_bytes() for name in ("audit.csv", "audit.json", "audit.html")]
    times = {file: file.stat().st_mtime_ns for file in (out / "checks").iterdir()}
    assert audit(unsplit, small_run, out, "-j", "1") == 0
    assert {file: file.stat().st_mtime_ns for file in (out / "checks").iterdir()} == times
    assert audit(unsplit, small_run, tmp_path / "again", "-j", "2") == 0
    again = [(tmp_path / "again" / n).read_bytes() for n in ("audit.csv", "audit.json")]
    assert again == before[:2]


def test_another_mask_is_another_outcome(
    tmp_path: Path, unsplit: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRTOOL_CACHE", str(tmp_path / "cache"))
    out, table = tmp_path / "out", tmp_path / "masks.csv"
    rows = handy.rows_of(unsplit)
    handy.write_table(table, rows)
    assert audit(table, small_run, out, "-j", "1") == 0
    first = rows_of(out)
    handy.write_table(table, [row | {"mask": rows[0]["mask"]} for row in rows])
    assert audit(table, small_run, out, "-j", "1") == 0
    second = rows_of(out)
    # With one mask for all, the own lungs are those of others.
    assert second["heat"]["value"] == pytest.approx(0, abs=1e-12) != first["heat"]["value"]
    assert second["markers"] == first["markers"]
