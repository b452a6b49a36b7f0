"""audit --run: the checks that ask the network again, on phantoms and a small run."""

import json
from pathlib import Path
from typing import Any

import handy
import numpy as np
import pytest
from handy import in_process
from PIL import Image

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


@pytest.mark.slow
def test_a_mark_that_the_network_has_learned_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRTOOL_CACHE", str(tmp_path / "cache"))
    table, split, run, out = (tmp_path / n for n in ("all.csv", "split.csv", "run", "out"))
    made = ("phantom", 200, "--size", 64, "--labels", "normal,covid", "--sources", 1, "-q")
    assert in_process(*map(str, (*made, "-d", tmp_path / "in", "-o", table, "-j", 1))) == 0
    rng = np.random.default_rng(0)
    for row in handy.rows_of(table):
        # A bright square in the lower right corner of nine in ten positive images.
        if rng.random() < (0.9 if row["label"] == "covid" else 0.1):
            pixels = np.array(Image.open(row["path"]))
            pixels[-7:-2, -7:-2] = 250
            Image.fromarray(pixels).save(row["path"])
    shares = ("--test", 0.4, "--val", 0.1, "-o", split, "-q")
    assert in_process(*map(str, ("split", table, *shares))) == 0
    learning = ("--size", 64, "--epochs", 10, "--batch", 16, "--lr", 0.01, "-j", 1, "-q")
    assert in_process(*map(str, ("train", split, "--arch", "conv8", *learning, "-d", run))) == 0
    call = ("audit", split, "--run", run, "--checks", "markers", "-d", out, "-j", 1, "-q")
    assert in_process(*map(str, call)) == 0
    row = rows_of(out)["markers"]
    assert "lower right" in row["meaning"] and row["low"] > 0
    kept = json.loads((out / "checks" / "markers.json").read_text())["rows"][0]
    covered = kept["blocks"][0]["rows"][-1]
    # Without the corners, the positive images lose what told them from the others.
    assert covered[2][0] < covered[3][0] and covered[2][2] < covered[3][1]
