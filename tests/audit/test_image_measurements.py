"""Images are measured once; a killed run goes on; what cannot be read is reported."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handy import noise
from numpy.typing import NDArray
from PIL import Image

from cxrtool.audit import image_measurements
from cxrtool.audit.image_measurements import (
    KEPT,
    NAMES,
    TABLE,
    Item,
    MeasuredImages,
    measure,
    measured,
)
from cxrtool.core.errors import CxrtoolError, ExitCode
from cxrtool.core.parallel import Crew
from cxrtool.files import image, image_facts
from cxrtool.files import journal as journals
from cxrtool.files.failures import Failures
from cxrtool.images import bystanders, exposure, outside_lungs

ALONE = Crew(1)
COUNT = 6


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for i in range(COUNT):
        (tmp_path / f"{i}.png").write_bytes(noise(i, 48))
    mask = np.zeros((48, 48), np.uint8)
    mask[10:40, 8:20] = mask[10:40, 28:40] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that are measured, in this process."""
    names: list[str] = []

    def each(function: Any, items: Any, crew: Crew) -> Any:
        for item in items:
            names.append(item.path)
            yield function(item)

    monkeypatch.setattr(image_measurements.parallel, "each", each)
    return names


def items(mask: str = "") -> list[Item]:
    return [Item(f"{i}.png", os.path.abspath(f"{i}.png"), "", mask) for i in range(COUNT)]


def run(
    wanted: list[Item], out: str = "out", crew: Crew = ALONE
) -> tuple[MeasuredImages, ExitCode]:
    os.makedirs(out, exist_ok=True)
    skipped = Failures(None, folder=out)
    return measure(wanted, crew, out, skipped, "never"), skipped.close()


def columns(result: MeasuredImages, names: Sequence[str]) -> NDArray[np.float64]:
    """Return some of the measurements."""
    return result.values[:, [NAMES.index(name) for name in names]]


def table(out: str = "out") -> bytes:
    return Path(out, TABLE).read_bytes()


def test_the_numbers_are_those_of_the_functions(folder: Path) -> None:
    result, code = run(items("mask.png"))
    assert (code, result.lost, result.values.shape) == (ExitCode.DONE, {}, (COUNT, len(NAMES)))
    encoded = image.load("3.png")
    grey, mask = image.decode(encoded).grey, image.read("mask.png").grey > 0
    expected = np.concatenate(
        [
            bystanders.measure(grey, image_facts.facts(encoded)),
            exposure.exposure(grey),
            outside_lungs.outside_lungs(grey, mask),
            outside_lungs.mask_shape(mask),
            outside_lungs.mask_quality(mask),
        ]
    )
    np.testing.assert_allclose(result.values[3], expected, rtol=1e-5)
    np.testing.assert_array_equal(
        columns(result, outside_lungs.QUALITY)[3], result.values[3, -len(outside_lungs.QUALITY) :]
    )


def test_the_first_numbers_are_those_by_which_the_audit_decides() -> None:
    # The check of bystanders takes so many, whatever else is measured.
    assert NAMES[: len(bystanders.NAMES)] == bystanders.NAMES


def test_without_masks_their_columns_are_empty(folder: Path) -> None:
    result, _ = run(items())
    assert np.isnan(columns(result, outside_lungs.OUTSIDE)).all()
    assert not np.isnan(columns(result, bystanders.GROUPS["border"])).any()


def test_two_workers_give_the_same_bytes(folder: Path) -> None:
    one, _ = run(items("mask.png"), "one")
    two, _ = run(items("mask.png"), "two", Crew(2))
    assert table("one") == table("two")
    np.testing.assert_array_equal(one.values, two.values)


def test_what_is_measured_is_not_measured_again(folder: Path, read: list[str]) -> None:
    first, _ = run(items())
    before = table()
    read.clear()
    second, _ = run(items())
    assert read == [] and table() == before
    np.testing.assert_array_equal(first.values, second.values)
    assert not Path("out", KEPT).exists()


@pytest.mark.parametrize("stop", range(COUNT))
def test_a_killed_run_goes_on(
    stop: int, folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = run(items("mask.png"), "whole")
    monkeypatch.setattr(journals, "ROWS", 2)
    read.clear()

    class Killed(BaseException):
        pass

    def killed(item: Item) -> Any:
        if item.path == f"{stop}.png":
            raise Killed
        return original(item)

    original = image_measurements.measured
    monkeypatch.setattr(image_measurements, "measured", killed)
    with pytest.raises(Killed):
        run(items("mask.png"))
    assert not Path("out", TABLE).exists()
    monkeypatch.setattr(image_measurements, "measured", original)
    again, _ = run(items("mask.png"))
    assert table() == table("whole")
    np.testing.assert_array_equal(again.values, whole.values)
    assert read == [f"{i}.png" for i in (*range(stop + 1), *range(stop, COUNT))]


def test_a_kill_that_nothing_survives_costs_the_part_under_way(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "ROWS", 2)
    run(items(), "whole")
    journal = journals.Journal(os.path.join("out", KEPT), image_measurements.COLUMNS)
    os.makedirs("out")
    rows = image_measurements._read(os.path.join("whole", TABLE))
    for path, row in list(rows)[:3]:
        journal.add(image_measurements._record(path, row))
        journal.write_due()  # The third is lost with the process.
    read.clear()
    run(items())
    assert read == [f"{i}.png" for i in range(2, COUNT)]
    assert table() == table("whole")


def test_a_changed_file_is_measured_again(folder: Path, read: list[str]) -> None:
    first, _ = run(items())
    Path("2.png").write_bytes(noise(99, 48))
    os.utime("4.png", ns=(1, 1))
    read.clear()
    second, _ = run(items())
    assert read == ["2.png", "4.png"]
    same = [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(first.values[same], second.values[same])
    assert (first.values[2] != second.values[2]).any()


def test_another_digest_mask_or_version_measures_again(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(items())
    read.clear()
    changed = items()
    changed[1] = Item("1.png", changed[1].file, "0" * 64)
    changed[5] = Item("5.png", changed[5].file, "", "mask.png")
    run(changed)
    assert read == ["1.png", "5.png"]
    read.clear()
    monkeypatch.setattr(bystanders, "VERSION", 0)
    run(changed)
    assert len(read) == COUNT


def test_other_images_are_added_in_their_place(folder: Path, read: list[str]) -> None:
    run(items()[3:])
    read.clear()
    run(items())
    assert read == ["0.png", "1.png", "2.png"]
    run(items(), "whole")
    assert table() == table("whole")


def test_what_cannot_be_read_is_reported_and_tried_again(folder: Path, read: list[str]) -> None:
    os.unlink("1.png")
    Path("4.png").write_bytes(b"no image")
    result, code = run(items())
    assert code == ExitCode.SOME_INPUTS_FAILED
    assert sorted(result.lost) == [1, 4]
    assert np.isnan(result.values[[1, 4]]).all() and not np.isnan(result.values[0]).all()
    reported = Path("out", "failures.csv").read_text()
    assert "1.png,no such file" in reported and "4.png,not an image" in reported
    read.clear()
    _, code = run(items())
    assert (code, read) == (ExitCode.SOME_INPUTS_FAILED, ["1.png", "4.png"])
    Path("1.png").write_bytes(noise(1, 48))
    Path("4.png").write_bytes(noise(4, 48))
    result, code = run(items())
    assert (code, result.lost) == (ExitCode.DONE, {})
    assert not Path("out", "failures.csv").exists()


def test_a_mask_that_cannot_be_read_costs_the_mask(folder: Path, read: list[str]) -> None:
    wanted = items("mask.png")
    wanted[2] = Item("2.png", wanted[2].file, "", "absent.png")
    result, code = run(wanted)
    assert code == ExitCode.SOME_INPUTS_FAILED
    assert "absent.png" in result.lost[2].reason
    assert np.isnan(columns(result, outside_lungs.SHAPE)[2]).all()
    assert not np.isnan(columns(result, bystanders.GROUPS["border"])[2]).any()


def test_a_mask_too_large_for_memory_costs_the_mask(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = image.read

    def read(path: str) -> image.Picture:
        if path == "bomb.png":
            raise MemoryError
        return really(path)

    monkeypatch.setattr(image, "read", read)
    wanted = items("bomb.png")[0]
    cells, skip = measured(wanted)
    assert cells.startswith(measured(items()[0])[0].rstrip(",")) and skip is not None
    assert "its mask bomb.png: it needs too much memory" in skip.reason


def test_a_mask_of_another_size_is_brought_to_that_of_the_image(folder: Path) -> None:
    Image.open("mask.png").resize((96, 96), Image.Resampling.NEAREST).save("large.png")
    small, _ = run(items("mask.png"), "small")
    large, _ = run(items("large.png"), "large")
    np.testing.assert_array_equal(small.values, large.values)


@pytest.mark.parametrize(
    "damage", [b"", b"path,key\n", b"\xff\xfe", b'"', b"0.png,abc,1\n", b"x" * 4000]
)
def test_a_damaged_table_is_measured_again(damage: bytes, folder: Path) -> None:
    run(items())
    good = table()
    for kind in (damage, good[: len(good) // 2], good.replace(b",0.", b",x.", 3)):
        Path("out", TABLE).write_bytes(kind)
        run(items())
        assert table() == good


def test_a_link_in_the_place_of_the_table_is_not_followed(folder: Path) -> None:
    run(items(), "other")
    os.makedirs("out")
    precious = Path("precious.txt")
    precious.write_text("mine")
    Path("out", TABLE).symlink_to(precious.resolve())
    run(items())
    assert precious.read_text() == "mine" and table() == table("other")


def test_strict_stops_at_the_first_that_cannot_be_read(folder: Path) -> None:
    os.unlink("3.png")
    skipped = Failures(None, folder=".", strict=True)
    with pytest.raises(CxrtoolError, match=r"3\.png: no such file"):
        measure(items(), ALONE, "out", skipped, "never")
    assert not Path("out", TABLE).exists()


def test_odd_names_and_kinds_of_images(folder: Path) -> None:
    stream = io.BytesIO()
    deep = np.random.default_rng(0).integers(0, 4096, (40, 50)).astype(np.uint16)
    Image.fromarray(deep).save(stream, "PNG")
    names = ["a,b.png", 'quo"ted.png', "line\nbreak.png", "ü.png"]
    for name in names:
        Path(name).write_bytes(stream.getvalue())
    wanted = [Item(name, os.path.abspath(name)) for name in names]
    first, code = run(wanted)
    second, _ = run(wanted)
    assert code == ExitCode.DONE
    assert (columns(first, ["bits"]) == 16).all()
    np.testing.assert_array_equal(first.values, second.values)


def test_no_items(folder: Path) -> None:
    result, code = run([])
    assert (code, result.values.shape) == (ExitCode.DONE, (0, len(NAMES)))
    assert table().count(b"\n") == 1
