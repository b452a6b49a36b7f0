"""The manual of the formats tells of all that is in them, and of nothing else."""

from dataclasses import fields
from pathlib import Path

from handy import in_process, rows_of

from cxrtool.cli import manual
from cxrtool.files import formats, predictions, run_folder, run_record


def test_every_field_of_run_json_is_told() -> None:
    assert set(formats.FIELDS) == {field.name for field in fields(run_record.About)}


def test_every_file_of_a_run_is_told() -> None:
    weights = {run_folder.WEIGHTS, run_folder.IMAGES, run_folder.LAST}
    files = {run_folder.ABOUT, run_folder.LAST_ABOUT, run_folder.HISTORY, run_folder.CURVES}
    files |= {run_folder.RATES, run_folder.RATE_CURVE, run_folder.EVENTS, run_folder.MLFLOW}
    assert set(formats.RUN) == weights | files | {"failures.csv"}


def test_the_columns_of_predictions_are_told() -> None:
    told = ", ".join(formats.PREDICTIONS).split(", ")
    assert set(predictions.COLUMNS) <= set(told)


def test_the_columns_that_commands_write_are_told(tmp_path: Path) -> None:

    made = str(tmp_path / "made.csv")
    folder = tmp_path / "in"
    given = ["phantom", "24", "--size", "32", "-d", str(folder), "-q", "-j", "1"]
    assert in_process(*given, "-o", made) == 0
    split, seen = str(tmp_path / "split.csv"), str(tmp_path / "seen.csv")
    assert in_process("split", made, "--folds", "2", "-q", "-o", split) == 0
    told = ["segment", split, "--model", "threshold", "-d", str(tmp_path / "out"), "-j", "1"]
    assert in_process(*told, "-q", "-o", seen) == 0
    raw = str(tmp_path / "raw.csv")
    assert in_process("ingest", str(folder / "images"), "-q", "-o", raw, "-j", "1") == 0
    columns = {*rows_of(Path(seen))[0], *rows_of(Path(raw))[0]}
    # These three are of segment, where there are masks to compare with.
    assert columns - {"dice", "iou", "hd95"} <= set(formats.MANIFEST)


def test_the_pages_tell_of_them() -> None:
    pages = manual.formats_pages()
    assert set(pages) == {"man/cxrtool-manifest.5", "man/cxrtool-run.5"}
    for names, page in ((formats.MANIFEST, "manifest"), (formats.FIELDS, "run")):
        text = pages[f"man/cxrtool-{page}.5"]
        assert all(f".B {manual.roff(name)}\n" in text for name in names)
