"""A raw file is the same radiograph for all predictions, unless patient, source or label differ."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from handy import in_process

Row = dict[str, str]


def rows_of(place: str, model: str, **more: str) -> list[Row]:
    """Make predictions of 40 radiographs of 20 patients of one hospital."""
    return [
        {
            "path": f"{place}/{k}.png",
            "raw": f"images/{k}.png",
            "label": ["no", "covid"][k % 2],
            "patient": f"{place}/{k // 2}",
            "source": place,
            "model": model,
            "p_no": f"0.{3 + k % 5}",
            "p_covid": f"0.{7 - k % 5}",
        }
        | more
        for k in range(40)
    ]


def write_rows(file: Path, rows: list[Row]) -> Path:
    with file.open("w", newline="") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def judged(folder: Path, *tables: list[Row]) -> int:
    files = [str(write_rows(folder / f"{k}.csv", rows)) for k, rows in enumerate(tables)]
    options = ["--positive", "covid", "--checks", "overlap", "--fail-on", "none"]
    assert in_process("audit", *files, *options, "-d", str(folder / "out")) == 0
    return int(json.loads((folder / "out" / "audit.json").read_text())["judged"])


def overlap(folder: Path) -> Row:
    with (folder / "out" / "audit.csv").open(newline="") as file:
        return next(row for row in csv.DictReader(file) if row["check"] == "overlap")


def test_the_same_names_of_files_in_two_hospitals_are_other_images(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert judged(tmp_path, rows_of("A", "a"), rows_of("B", "b")) == 80
    said = capfd.readouterr().err
    assert said.count("warning: 80 predictions have the raw file of an image of another") == 1
    assert overlap(tmp_path)["sources"] == "2"


@pytest.mark.parametrize("column", ["patient", "source", "label"])
def test_each_of_patient_source_and_label_tells_images_apart(column: str, tmp_path: Path) -> None:
    first = rows_of("A", "a")
    second = [r | {"path": f"B/{k}.png", "model": "b"} for k, r in enumerate(first)]
    for row in second[:6]:
        row[column] = {"no": "covid", "covid": "no"}.get(row[column], "other")
    assert judged(tmp_path, first, second) == 40 + 6


def test_what_one_table_does_not_know_is_no_difference(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = rows_of("A", "a", source="A ")
    second = [r | {"path": f"hist/{k}.png", "model": "b"} for k, r in enumerate(first)]
    unknown = [r | {"patient": "", "source": "", "model": "c"} for r in second]
    assert judged(tmp_path, first, [r | {"source": "A"} for r in second], unknown) == 40
    assert "have the raw file" not in capfd.readouterr().err


def test_one_path_is_one_image_for_all_models(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first, other = rows_of("A", "a"), rows_of("B", "c")
    again = [r | {"model": "b"} for r in first]
    assert judged(tmp_path, first, again, other) == 80
    assert "warning: 120 predictions" in capfd.readouterr().err


def test_one_path_with_two_sources_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = [r | {"path": r["raw"]} for r in rows_of("A", "a")]
    second = [r | {"path": r["raw"]} for r in rows_of("B", "b")]
    assert judged(tmp_path, first, second) == 40
    said = capfd.readouterr().err
    assert "warning: 40 predictions, such as of images/0.png, have another patient or" in said


@pytest.mark.parametrize("manifest", [True, False])
def test_one_path_of_one_patient_is_not_named(
    manifest: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    known = rows_of("A", "a")
    unknown = [r | {"patient": "", "source": "", "model": "b"} for r in known]
    if manifest:
        known = [{k: r[k] for k in ("path", "raw", "label", "patient", "source")} for r in known]
    judged(tmp_path, known, unknown)
    assert "another patient" not in capfd.readouterr().err
