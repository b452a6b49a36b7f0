"""`cxrtool segment`: what it writes, what it says, and how it ends, through real processes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import odd
import pytest
from handy import (
    Row,
    Run,
    ages,
    in_process,
    noise,
    pixels,
    rows_of,
    shell,
    snapshot,
    start,
    table,
    wait_for,
    weak,
    write,
    write_table,
)
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from cxrtool.core import registry
from cxrtool.files import grey_levels, png
from cxrtool.preprocess.segmenters import threshold

FOUND = ["lung_fraction", "mask_flag", "dice", "iou", "hd95"]
NUMBER = 5
# The quickest model, which needs no weights; a later --model wins.
SEGMENT = ("segment", "--model", "threshold")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of phantoms with masks and lesions, by their whole paths."""
    top = tmp_path_factory.mktemp("phantoms")
    command = ("phantom", NUMBER, "-d", top / "ph", "--size", 96, "-o", "p.csv")
    process = start(top, *command)
    assert (*process.communicate(timeout=60), process.returncode) == (b"", b"", 0)
    return top / "p.csv"


def segmented(cxrtool: Run, manifest: Path, *options: object, folder: str = "out") -> list[Row]:
    done = cxrtool(*SEGMENT, manifest, "-d", folder, *options)
    assert done.returncode == 0, done.stderr
    return table(done.stdout)


def is_set(path: Path) -> NDArray[np.bool_]:
    """Read a mask that is black and white and nothing between."""
    grey = pixels(path)
    assert grey.dtype == np.uint8 and set(np.unique(grey)) <= {0, 255}
    return grey == 255


def framed(mask: NDArray[np.bool_], margin: float = 0) -> tuple[slice, slice]:
    """Frame a mask, as the manual words it."""
    sides = []
    for axis in (1, 0):
        places = np.flatnonzero(mask.any(axis=axis))
        low, high = places[0], places[-1] + 1
        more = round(margin * (high - low))
        sides.append(slice(max(0, low - more), min(mask.shape[1 - axis], high + more)))
    return sides[0], sides[1]


# --- what is kept ---------------------------------------------------------------------------------


def test_the_manifest_points_at_what_is_made(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    done = cxrtool(*SEGMENT, phantoms, "-d", "out")
    assert (done.returncode, done.stderr) == (0, "")
    made, given = table(done.stdout), rows_of(phantoms)
    assert list(made[0]) == [*given[0], *FOUND, "preprocessing"]
    ours = ("path", "mask", *FOUND, "preprocessing")
    for row, old in zip(made, given, strict=True):
        assert {k: v for k, v in row.items() if k not in ours} == {
            k: v for k, v in old.items() if k not in ours
        }
        assert row["path"].startswith("out/phantom-") and row["mask"].startswith("out/phantom-")
        assert row["mask"] == row["path"].replace(".png", "-mask.png")
        assert row["preprocessing"] == "segment --model threshold:size=256 --keep lungs"
    names = {os.path.basename(r[c]) for r in made for c in ("path", "mask")}
    assert set(os.listdir(tmp_path / "out")) == names and len(names) == 2 * NUMBER


def test_the_lungs_alone(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    for row in segmented(cxrtool, phantoms):
        grey, mask = pixels(Path(row["raw"])), is_set(tmp_path / row["mask"])
        np.testing.assert_array_equal(mask, threshold.segment(grey))
        np.testing.assert_array_equal(pixels(tmp_path / row["path"]), np.where(mask, grey, 0))
        with Image.open(tmp_path / row["path"]) as picture:
            assert (picture.format, picture.mode) == ("PNG", "L")
        assert row["lung_fraction"] == f"{mask.mean():.4f}"


def test_all_but_the_lungs(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    for row in segmented(cxrtool, phantoms, "--keep", "background"):
        grey, mask = pixels(Path(row["raw"])), is_set(tmp_path / row["mask"])
        np.testing.assert_array_equal(pixels(tmp_path / row["path"]), np.where(mask, 0, grey))


@pytest.mark.parametrize(
    ("blur", "soften", "words"),
    [
        ("3", lambda m: ndimage.gaussian_filter(m, 3, mode="reflect"), "gaussian:3"),
        ("gaussian:1.5", lambda m: ndimage.gaussian_filter(m, 1.5, mode="reflect"), "gaussian:1.5"),
        ("box:3", lambda m: ndimage.uniform_filter(m, 7, mode="reflect"), "box:3"),
    ],
)
@pytest.mark.parametrize("keep", ["lungs", "background"])
def test_a_soft_edge(
    keep: str, blur: str, soften: Any, words: str, cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    for row in segmented(cxrtool, phantoms, "--keep", keep, "--blur", blur):
        grey, mask = pixels(Path(row["raw"])), is_set(tmp_path / row["mask"])
        weights = soften(mask.astype(float))
        exact = grey * (weights if keep == "lungs" else 1 - weights)
        # The filter counts in float32: what lies at a half may go either way.
        assert np.abs(pixels(tmp_path / row["path"]) - exact).max() <= 0.501
        assert row["preprocessing"].endswith(f" --keep {keep} --blur {words}")


def test_a_blur_of_nothing_is_none(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    hard = segmented(cxrtool, phantoms)
    made = ages(tmp_path / "out")
    assert segmented(cxrtool, phantoms, "--blur", "gaussian:0") == hard
    assert ages(tmp_path / "out") == made


def test_the_mask_alone(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    for row in segmented(cxrtool, phantoms, "--keep", "mask"):
        assert row["path"] == row["mask"]
        grey = pixels(Path(row["raw"]))
        np.testing.assert_array_equal(is_set(tmp_path / row["mask"]), threshold.segment(grey))
    assert len(os.listdir(tmp_path / "out")) == NUMBER


@pytest.mark.parametrize("margin", [0, 0.05, 10])
def test_the_box_of_the_lungs(margin: float, cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    options = ("--margin", margin) if margin else ()
    made = segmented(cxrtool, phantoms, "--keep", "box", *options)
    for row, old in zip(made, rows_of(phantoms), strict=True):
        grey = pixels(Path(row["raw"]))
        mask = threshold.segment(grey)
        window = framed(mask, margin)
        np.testing.assert_array_equal(pixels(tmp_path / row["path"]), grey[window])
        np.testing.assert_array_equal(is_set(tmp_path / row["mask"]), mask[window])
        lesion = pixels(Path(old["lesion"])) > 127
        np.testing.assert_array_equal(is_set(tmp_path / row["lesion"]), lesion[window])
        assert row["lung_fraction"] == f"{mask.mean():.4f}", "of the whole image"
    assert len(os.listdir(tmp_path / "out")) == 3 * NUMBER


def test_a_wider_mask(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    narrow = segmented(cxrtool, phantoms, "--keep", "mask", folder="narrow")
    wide = segmented(cxrtool, phantoms, "--dilate", 6)
    for row, old in zip(wide, narrow, strict=True):
        before, after = is_set(tmp_path / old["mask"]), is_set(tmp_path / row["mask"])
        square = np.ones((13, 13), bool)
        np.testing.assert_array_equal(after, ndimage.binary_dilation(before, square))
        grey = pixels(Path(row["raw"]))
        np.testing.assert_array_equal(pixels(tmp_path / row["path"]), np.where(after, grey, 0))
        assert {c: row[c] for c in FOUND} == {c: old[c] for c in FOUND}, "of the mask as found"
        assert row["preprocessing"].endswith(" --keep lungs --dilate 6")


def test_the_box_of_a_wider_mask(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    for row in segmented(cxrtool, phantoms, "--keep", "box", "--dilate", 4, "--margin", 0.1):
        grey = pixels(Path(row["raw"]))
        mask = ndimage.binary_dilation(threshold.segment(grey), np.ones((9, 9), bool))
        window = framed(mask, 0.1)
        np.testing.assert_array_equal(pixels(tmp_path / row["path"]), grey[window])


@pytest.fixture
def deep(phantoms: Path, tmp_path: Path) -> Path:
    """The first phantom in 16 bits, from 1000 to 61000."""
    (row, *_) = rows_of(phantoms)
    grey = pixels(Path(row["path"])).astype(np.uint16)
    levels = (1000 + (grey - grey.min()) * (60000 // (grey.max() - grey.min()))).astype(np.uint16)
    write(tmp_path, {"deep.png": odd.saved(Image.fromarray(levels), "PNG")})
    return write_table(tmp_path / "deep.csv", [{**row, "path": "deep.png", "raw": "deep.png"}])


@pytest.mark.parametrize("bits", [8, 16])
def test_the_depth(bits: int, cxrtool: Run, deep: Path, tmp_path: Path) -> None:
    (row,) = segmented(cxrtool, deep, "--bits", bits)
    grey, mask = pixels(tmp_path / "deep.png"), is_set(tmp_path / row["mask"])
    assert mask.any() and grey.dtype == np.uint16
    kept = pixels(tmp_path / row["path"])
    np.testing.assert_array_equal(
        kept, np.where(mask, grey if bits == 16 else grey_levels.to8(grey), 0)
    )
    assert kept.dtype == (np.uint16 if bits == 16 else np.uint8)
    (soft,) = segmented(cxrtool, deep, "--bits", bits, "--blur", 2, folder="soft")
    assert pixels(tmp_path / soft["path"]).dtype == kept.dtype


@pytest.mark.slow
def test_a_stack_keeps_its_channels(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    cxrtool("equalize", phantoms, "--method", "stack", "-d", "eq", "-o", "eq.csv")
    stacks = {r["raw"]: pixels(tmp_path / r["path"]) for r in rows_of(tmp_path / "eq.csv")}
    for row in segmented(cxrtool, tmp_path / "eq.csv"):
        stack, mask = stacks[row["raw"]], is_set(tmp_path / row["mask"])
        assert stack.shape == (*mask.shape, 3) and mask.any()
        np.testing.assert_array_equal(pixels(tmp_path / row["path"]), stack * mask[..., None])
        assert row["preprocessing"].count(" | ") == 1
    for row in segmented(cxrtool, tmp_path / "eq.csv", "--blur", 2, folder="soft"):
        weights = ndimage.gaussian_filter(is_set(tmp_path / row["mask"]).astype(float), 2)
        exact = stacks[row["raw"]] * weights[..., None]
        assert np.abs(pixels(tmp_path / row["path"]) - exact).max() <= 0.501
    for row in segmented(cxrtool, tmp_path / "eq.csv", "--keep", "box", folder="box"):
        box = pixels(tmp_path / row["path"])
        assert box.shape == (*is_set(tmp_path / row["mask"]).shape, 3)


@pytest.mark.slow
def test_a_stack_may_be_segmented_twice(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    cxrtool("equalize", phantoms, "--method", "stack", "-d", "eq", "-o", "eq.csv")
    cxrtool(*SEGMENT, "eq.csv", "--keep", "box", "-d", "box", "-o", "box.csv")
    for row in segmented(cxrtool, tmp_path / "box.csv"):
        assert pixels(tmp_path / row["path"]).ndim == 3


# --- what is said of the masks --------------------------------------------------------------------


def hd95(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Compute it as it is defined, by SciPy."""
    first, second = (m & ~ndimage.binary_erosion(m) for m in (one, other))
    there = ndimage.distance_transform_edt(~second)[first]
    back = ndimage.distance_transform_edt(~first)[second]
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


def test_the_scores(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    made = segmented(cxrtool, phantoms, "--dilate", 2, "--keep", "box")
    for row, old in zip(made, rows_of(phantoms), strict=True):
        truth, mask = is_set(Path(old["mask"])), threshold.segment(pixels(Path(row["raw"])))
        both, either = (truth & mask).sum(), (truth | mask).sum()
        assert float(row["dice"]) == pytest.approx(2 * both / (both + either), abs=6e-5)
        assert float(row["iou"]) == pytest.approx(both / either, abs=6e-5)
        assert float(row["hd95"]) == pytest.approx(hd95(mask, truth), abs=1e-3)
        assert 0.7 < float(row["dice"]) < 1


def test_without_masks_there_are_no_scores(cxrtool: Run, phantoms: Path) -> None:
    paths = "".join(f"{r['path']}\n" for r in rows_of(phantoms)[:2])
    done = cxrtool(*SEGMENT, "-", "-d", "out", stdin="path\n" + paths)
    columns = ["path", "mask", "lung_fraction", "mask_flag", "preprocessing"]
    assert (done.returncode, list(table(done.stdout)[0])) == (0, columns)


def test_a_row_without_a_mask_has_no_scores(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    given = rows_of(phantoms)
    given[1]["mask"] = ""
    first, second, *_ = segmented(cxrtool, write_table(tmp_path / "m.csv", given))
    assert all(first[c] for c in ("dice", "iou", "hd95"))
    assert second["dice"] == second["iou"] == second["hd95"] == "" != second["lung_fraction"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "no such file or directory"),
        (b"", "the file is empty"),
        (b"x", "not an image in a known format"),
    ],
)
def test_a_mask_that_cannot_be_read_is_a_warning(
    data: bytes | None, reason: str, cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    given = rows_of(phantoms)[:1]
    given[0]["mask"] = "mask.png"
    if data is not None:
        write(tmp_path, {"mask.png": data})
    done = cxrtool(*SEGMENT, write_table(tmp_path / "m.csv", given), "-d", "out")
    (row,) = table(done.stdout)
    assert done.returncode == 0 and row["dice"] == row["iou"] == row["hd95"] == ""
    assert row["mask"].startswith("out/")
    line = f"{given[0]['path']}: warning: its mask mask.png cannot be compared: {reason}\n"
    assert done.stderr == f"cxrtool segment: {line}"


@pytest.mark.slow
def test_a_mask_that_is_a_bomb_costs_itself_alone(
    cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    """The image and the lesion of a row are good files, whatever the mask is."""
    given = [{**row, "mask": "bomb.png"} for row in rows_of(phantoms)[:1]]
    write(tmp_path, {"bomb.png": odd.png_bomb()})
    done = cxrtool(*SEGMENT, write_table(tmp_path / "m.csv", given), "-d", "out")
    (row,) = table(done.stdout)
    assert (done.returncode, row["dice"]) == (0, "")
    assert done.stderr.endswith("bomb.png cannot be compared: it needs too much memory\n")


def test_no_lungs_are_told(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    black = odd.saved(Image.fromarray(np.zeros((80, 60), np.uint8)), "PNG")
    write(tmp_path, {"black.png": black})
    (old, *_) = rows_of(phantoms)
    given = [old, {**old, "path": "black.png", "raw": "black.png"}]
    done = cxrtool(*SEGMENT, write_table(tmp_path / "m.csv", given), "-d", "out")
    good, empty = table(done.stdout)
    assert done.returncode == 0 and good["mask_flag"] == ""
    assert {c: empty[c] for c in FOUND} == {
        "lung_fraction": "0.0000",
        "mask_flag": "empty",
        "dice": "0.0000",
        "iou": "0.0000",
        "hd95": "inf",
    }
    assert done.stderr == (
        "cxrtool segment: 1 mask looks wrong: empty 1 (--where mask_flag= leaves them out)\n"
    )
    assert not is_set(tmp_path / empty["mask"]).any()
    assert cxrtool(*SEGMENT, tmp_path / "m.csv", "-d", "out").stderr == done.stderr
    assert cxrtool(*SEGMENT, tmp_path / "m.csv", "-d", "out", "-q").stderr == ""


def test_the_box_of_no_lungs_is_the_whole_image(cxrtool: Run, tmp_path: Path) -> None:
    flat = np.full((40, 60), 77, np.uint8)
    write(tmp_path, {"flat.png": odd.saved(Image.fromarray(flat), "PNG")})
    done = cxrtool(*SEGMENT, "-", "-d", "out", "--keep", "box", stdin="path\nflat.png\n")
    (row,) = table(done.stdout)
    assert row["mask_flag"] == "empty"
    np.testing.assert_array_equal(pixels(tmp_path / row["path"]), flat)


def test_what_looks_wrong_can_be_left_out(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    given = rows_of(phantoms)[:2]
    write(tmp_path, {"black.png": odd.saved(Image.new("L", (50, 50)), "PNG")})
    given[0] |= {"path": "black.png", "raw": "black.png"}
    cxrtool(*SEGMENT, write_table(tmp_path / "m.csv", given), "-d", "out", "-o", "s.csv")
    done = cxrtool("equalize", "s.csv", "-d", "eq", "--where", "mask_flag=")
    assert [r["raw"] for r in table(done.stdout)] == [given[1]["raw"]]


# --- lesions --------------------------------------------------------------------------------------


def test_a_lesion_that_cannot_be_read_is_a_warning_and_no_cell(
    cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    """A manifest must not name a file that is not there."""
    given = rows_of(phantoms)[:1]
    given[0]["lesion"] = "absent.png"
    done = cxrtool(*SEGMENT, write_table(tmp_path / "m.csv", given), "-d", "out", "--keep", "box")
    (row,) = table(done.stdout)
    assert done.stderr == (
        f"cxrtool segment: {given[0]['path']}: warning: its lesion absent.png cannot be cut: "
        "no such file or directory\n"
    )
    assert row["lesion"] == "" or (tmp_path / row["lesion"]).is_file()


def test_an_image_whose_lesion_cannot_be_read_is_not_made_again(
    cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    given = rows_of(phantoms)[:1]
    given[0]["lesion"] = "absent.png"
    manifest = write_table(tmp_path / "m.csv", given)
    first = cxrtool(*SEGMENT, manifest, "-d", "out", "--keep", "box")
    made = ages(tmp_path / "out")
    second = cxrtool(*SEGMENT, manifest, "-d", "out", "--keep", "box")
    assert ages(tmp_path / "out") == made
    assert (second.stdout, second.stderr) == (first.stdout, first.stderr)


def test_a_changed_lesion_is_cut_again(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    given = rows_of(phantoms)[:1]
    given[0]["lesion"] = "lesion.png"
    for value in (0, 255):
        lesion = np.full((96, 96), value, np.uint8)
        lesion[50, 50] = 255
        write(tmp_path, {"lesion.png": odd.saved(Image.fromarray(lesion), "PNG")})
        manifest = write_table(tmp_path / "m.csv", given)
        (row,) = segmented(cxrtool, manifest, "--keep", "box")
    assert is_set(tmp_path / row["lesion"]).all()


def test_a_lesion_that_is_kept_whole_stays_as_it_is(cxrtool: Run, phantoms: Path) -> None:
    made = segmented(cxrtool, phantoms)
    assert [r["lesion"] for r in made] == [r["lesion"] for r in rows_of(phantoms)]


# --- where things come from and go to -------------------------------------------------------------


def test_the_list(cxrtool: Run) -> None:
    done = cxrtool("segment", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [r["name"] for r in table(done.stdout)] == registry.names("segmenters")


def test_dry_run_touches_nothing(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    done = cxrtool(*SEGMENT, phantoms, "-d", "out", "-n", "--keep", "box", "--margin", 0.05)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        f"cxrtool segment: would make {NUMBER} images in out: "
        "segment --model threshold:size=256 --keep box --margin 0.05\n"
    )
    assert os.listdir(tmp_path) == []


def test_relative_paths_are_relative_to_root(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    write(tmp_path, {"data/x.png": Path(rows_of(phantoms)[0]["path"]).read_bytes()})
    write(tmp_path, {"data/m.png": Path(rows_of(phantoms)[0]["mask"]).read_bytes()})
    given = "path,mask,lesion\nx.png,m.png,m.png\n"
    options = ("-d", "data/out", "--root", "data", "--keep", "box")
    (row,) = table(cxrtool(*SEGMENT, "-", *options, stdin=given).stdout)
    assert float(row["dice"]) > 0.7
    for column in ("path", "mask", "lesion"):
        assert row[column].startswith("out/x-") and (tmp_path / "data" / row[column]).is_file()


def test_commands_chain(tmp_path: Path) -> None:
    done = shell(
        tmp_path,
        "cxrtool phantom 24 -d ph --size 64 | cxrtool equalize --method hist -d eq |"
        " cxrtool segment --model threshold --keep lungs --blur 3 -d lungs -q |"
        " cxrtool split --test 0.3 --val 0.2 | tee split.csv | cxrtool split --check",
    )
    assert (done.returncode, done.stdout) == (0, "finding,column,value,parts,rows\n"), done.stderr
    made = rows_of(tmp_path / "split.csv")
    assert len(made) == 24
    for row in made:
        mask = is_set(tmp_path / row["mask"])
        weights = ndimage.gaussian_filter(mask.astype(float), 3)
        hist = registry.module("equalizers", "hist").equalize(pixels(tmp_path / row["raw"]))
        assert np.abs(pixels(tmp_path / row["path"]) - hist * weights).max() <= 0.501
        assert row["preprocessing"] == (
            "equalize --method hist | "
            "segment --model threshold:size=256 --keep lungs --blur gaussian:3"
        )


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (
            [],
            "missing option '--dir' / '-d'. Name a folder to write to, for example -d lungs/.",
        ),
        (
            ["-d", "out", "--model", "treshold"],
            f"--model 'treshold' is not one of: {', '.join(registry.names('segmenters'))}. "
            "Did you mean 'threshold'?",
        ),
        (
            ["-d", "out", "--model", "threshold:sise=9"],
            "option of threshold 'sise' is not one of: size. Did you mean 'size'?",
        ),
        (
            ["-d", "out", "--keep", "lung"],
            "--keep 'lung' is not one of: lungs, background, box, mask. Did you mean 'lungs'?",
        ),
        (
            ["-d", "out", "--blur", "gausian:3"],
            "--blur 'gausian' is not one of: gaussian, box. Did you mean 'gaussian'?",
        ),
        *(
            (
                ["-d", "out", "--blur", text],
                f"--blur '{text}' is no width in pixels from 0 to 100. "
                "Write it as 3, gaussian:3 or box:3.",
            )
            for text in ("x", "", "-1", "nan", "inf", "1001", "box:1.5", "box:")
        ),
        (
            ["-d", "out", "--dilate", "-1"],
            "invalid value for '--dilate': below 0. See cxrtool segment --help.",
        ),
        (
            ["-d", "out", "--dilate", "1.5"],
            "invalid value for '--dilate': not a whole number. See cxrtool segment --help.",
        ),
        (
            ["-d", "out", "--keep", "box", "--margin", "-0.1"],
            "invalid value for '--margin': below 0. See cxrtool segment --help.",
        ),
        (["-d", "out", "--bits", "12"], "--bits '12' is not one of: 8, 16. Choose one of them."),
        (
            ["-d", "out", "--engine", "nonsense"],
            "--engine 'nonsense' is not one of: local, dask=ADDRESS. "
            "Write it as dask=tcp://HOST:8786.",
        ),
        (["-d", "m.csv"], "m.csv: file exists. Choose a place that can be written."),
    ],
)
def test_mistakes(
    args: list[str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.csv").write_text("path\na.png\n")
    assert in_process("segment", "m.csv", *args) == 2
    assert capfd.readouterr() == ("", f"cxrtool segment: {line}\n")
    assert os.listdir() == ["m.csv"], "nothing is done"


def test_a_margin_that_is_no_number(cxrtool: Run, phantoms: Path) -> None:
    done = cxrtool(*SEGMENT, phantoms, "-d", "out", "--keep", "box", "--margin", "nan")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--margin" in done.stderr


# --- how it ends ----------------------------------------------------------------------------------


def test_nothing_usable_gives_no_table(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path, {"a.png": b""})
    done = cxrtool(*SEGMENT, "-", "-d", "out", stdin="path\na.png\nb.png\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert [r["path"] for r in rows_of(tmp_path / "out" / "failures.csv")] == ["a.png", "b.png"]


def test_the_first_bad_input_ends_a_strict_run(
    cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    given = [{**r, "path": f"{n or 'absent'}.png"} for n, r in enumerate(rows_of(phantoms))]
    write_table(tmp_path / "m.csv", given)
    done = cxrtool(*SEGMENT, "m.csv", "-d", "out", "--strict", "-o", "s.csv")
    assert (done.returncode, (tmp_path / "s.csv").exists()) == (2, False)
    assert done.stderr == (
        "cxrtool segment: absent.png: no such file or directory. Check the path and its rights.\n"
    )


@pytest.mark.slow
def test_the_odd_folder(hostile: Path) -> None:
    """Every row is in the manifest or in the list; one line a cause; nothing of a patient."""
    files = sorted(p for p in (hostile / "in").rglob("*") if not p.is_dir())
    paths = [os.path.relpath(p, hostile) for p in [*files, hostile / "in" / "names" / "up"]]
    before = {p: p.lstat().st_mtime_ns for p in files}
    write_table(hostile / "s-all.csv", [{"path": p, "raw": p, "mask": ""} for p in paths])
    process = start(hostile, *SEGMENT, "s-all.csv", "-d", "lungs", "-o", "lungs.csv")
    out, error = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, b"")
    used = rows_of(hostile / "lungs.csv")
    failed = [r["path"] for r in rows_of(hostile / "lungs" / "failures.csv")]
    assert [r["raw"] for r in used] == [p for p in paths if p not in failed]
    assert {os.path.basename(p) for p in failed} == {
        *odd.BROKEN,
        *odd.LEFT_OUT,
        "bomb.dcm",
        "bomb.png",
        "abort.dcm",
        "dangling.png",
        "fifo.png",
        "up",
    }
    lines = error.decode().splitlines()
    assert all(line.startswith("cxrtool segment: ") for line in lines)
    told = [line for line in lines if ": in/" in line and ": warning: " not in line]
    assert len(told) == len(failed) - len(odd.LEFT_OUT)
    names = {os.path.basename(r[c]) for r in used for c in ("path", "mask")}
    assert set(os.listdir(hostile / "lungs")) == {*names, "failures.csv"}
    assert len({n.lower() for n in names}) == 2 * len(used)
    for row in used:
        assert is_set(hostile / row["mask"]).shape == pixels(hostile / row["path"]).shape
    assert {p: p.lstat().st_mtime_ns for p in files} == before
    written = [error, (hostile / "lungs.csv").read_bytes()]
    written += [*snapshot(hostile / "lungs").values(), *map(os.fsencode, names)]
    everything = b"\n".join(written).lower()
    assert not [s for s in odd.SECRETS.values() if s.lower().encode() in everything]


def test_a_closed_pipe(phantoms: Path, tmp_path: Path) -> None:
    process = start(tmp_path, *SEGMENT, phantoms, "-d", "out")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (141, b"")
    process.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk(phantoms: Path, tmp_path: Path) -> None:
    done = shell(tmp_path, f"cxrtool segment --model threshold {phantoms} -d out >/dev/full")
    line = "standard output: no space left on device. Free some space, then run it again."
    assert (done.returncode, done.stderr) == (3, f"cxrtool segment: {line}\n")


def test_a_full_disk_in_a_worker(phantoms: Path, tmp_path: Path) -> None:
    options = "-d out -o s.csv -j 1 --model threshold --keep background"
    done = shell(tmp_path, f"ulimit -f 1; cxrtool segment {phantoms} {options}")
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.endswith(": file too large. Make room, then run the same command again.")
    assert not (tmp_path / "s.csv").exists() and not list(tmp_path.glob("out/.*"))
    assert all(png.is_whole(p.read_bytes()) for p in tmp_path.glob("out/*.png"))


def test_a_folder_that_cannot_be_written(phantoms: Path, tmp_path: Path) -> None:
    run = weak(tmp_path)
    (tmp_path / "locked").mkdir(mode=0o555)
    write(tmp_path, {"m.csv": b"path\na.png\n"})
    done = run(*SEGMENT, "m.csv", "-d", "locked")
    assert (done.returncode, done.stderr) == (
        2,
        "cxrtool segment: locked: permission denied. Choose a place that can be written.\n",
    )


def test_two_at_once(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    first = start(tmp_path, *SEGMENT, "-", "-d", "out", stdin=subprocess.PIPE, bufsize=0)
    assert first.stdin is not None
    path = rows_of(phantoms)[0]["path"]
    first.stdin.write(f"path\n{path}\n".encode())
    wait_for(lambda: bool(list(tmp_path.glob("out/*.png"))))
    for command in ("segment", "equalize"):
        done = cxrtool(command, phantoms, "-d", "out")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"cxrtool {command}: out: another run is writing into it. "
            "Wait for its end, or name another folder: commands of one pipe need one each.\n"
        )
    out, error = first.communicate(timeout=60)
    assert (first.returncode, error, len(out.splitlines())) == (0, b"", 2)


def test_equalize_and_segment_may_share_a_folder_one_after_the_other(
    cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    """The names of what they make are never the same."""
    done = cxrtool("equalize", phantoms, "-d", "out", "-o", "eq.csv")
    assert done.returncode == 0
    assert cxrtool(*SEGMENT, "eq.csv", "-d", "out", "-o", "s.csv").returncode == 0
    before = ages(tmp_path / "out")
    assert cxrtool("equalize", phantoms, "-d", "out", "-o", "eq.csv").returncode == 0
    assert cxrtool(*SEGMENT, "eq.csv", "-d", "out", "-o", "s.csv").returncode == 0
    assert ages(tmp_path / "out") == before


# --- a run that is run again ----------------------------------------------------------------------


@pytest.mark.parametrize("keep", ["lungs", "box", "mask"])
def test_nothing_is_made_again(keep: str, cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    first = segmented(cxrtool, phantoms, "--keep", keep)
    made = ages(tmp_path / "out")
    assert segmented(cxrtool, phantoms, "--keep", keep, "-j", 1) == first, "the same cells"
    assert ages(tmp_path / "out") == made


@pytest.mark.parametrize("ending", [".png", "-mask.png"])
def test_what_is_not_whole_is_made_again(
    ending: str, cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    first = segmented(cxrtool, phantoms)
    files, made = snapshot(tmp_path / "out"), ages(tmp_path / "out")
    stem = first[0]["path"].removeprefix("out/").removesuffix(".png")
    target, whole = tmp_path / "out" / (stem + ending), files[stem + ending]
    middle = len(whole) // 2
    for spoilt in (whole[:-9], whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :]):
        target.write_bytes(spoilt)
        assert segmented(cxrtool, phantoms) == first
        assert snapshot(tmp_path / "out") == files
    target.unlink()
    assert segmented(cxrtool, phantoms) == first
    assert snapshot(tmp_path / "out") == files
    again = ages(tmp_path / "out")
    assert {n for n in made if made[n] != again[n]} <= {f"{stem}.png", f"{stem}-mask.png"}


@pytest.mark.slow
def test_other_options_make_all_of_them_again(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    segmented(cxrtool, phantoms)
    for options in (
        ("--keep", "background"),
        ("--blur", 1),
        ("--dilate", 1),
        ("--bits", 16),
        ("--model", "threshold:size=128"),
    ):
        made = ages(tmp_path / "out")
        segmented(cxrtool, phantoms, *options)
        again = ages(tmp_path / "out")
        assert made.keys() == again.keys() and all(made[n] != again[n] for n in made)


def test_force_makes_the_same_bytes_again(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    first = segmented(cxrtool, phantoms)
    files, made = snapshot(tmp_path / "out"), ages(tmp_path / "out")
    assert segmented(cxrtool, phantoms, "--force") == first
    again = ages(tmp_path / "out")
    assert snapshot(tmp_path / "out") == files and all(made[n] != again[n] for n in made)


def test_another_truth_is_compared_anew(cxrtool: Run, phantoms: Path, tmp_path: Path) -> None:
    given = rows_of(phantoms)[:1]
    mask = Path(given[0]["mask"]).read_bytes()
    given[0]["mask"] = "truth.png"
    manifest = write_table(tmp_path / "m.csv", given)
    write(tmp_path, {"truth.png": mask})
    (first,) = segmented(cxrtool, manifest)
    write(tmp_path, {"truth.png": noise(1, 96)})
    (second,) = segmented(cxrtool, manifest)
    assert second["dice"] != first["dice"] and second["mask_flag"] == first["mask_flag"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "code", "line"),
    [
        (
            signal.SIGTERM,
            143,
            b"cxrtool segment: terminated. Run it again to finish\n",
        ),
        (signal.SIGKILL, -9, b""),
    ],
)
def test_interrupted_and_resumed(
    how: int, code: int, line: bytes, cxrtool: Run, phantoms: Path, tmp_path: Path
) -> None:
    (old, *_) = rows_of(phantoms)
    picture = Path(old["path"]).read_bytes()
    names = [f"{n:03}.png" for n in range(60)]
    write(tmp_path / "in", dict.fromkeys(names, picture))
    given = [{**old, "path": f"in/{n}", "raw": f"in/{n}"} for n in names]
    write_table(tmp_path / "m.csv", given)
    command = (*SEGMENT, "m.csv", "-d", "out", "-o", "s.csv", "--keep", "box")
    process = start(tmp_path, *command)
    wait_for(lambda: len(list(tmp_path.glob("out/*-mask.png"))) >= 4)
    process.send_signal(how)
    out, error = process.communicate(timeout=30)
    assert (process.returncode, out, error) == (code, b"", line)
    made = ages(tmp_path / "out")
    assert not (tmp_path / "s.csv").exists() and len(made) < 3 * len(names)
    done = cxrtool(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob("out/.*")), "no leftovers"
    whole = {n for n in made if n.endswith("-mask.png")}
    again = ages(tmp_path / "out")
    kept = {n for n in whole if again[n] == made[n]}
    assert len(kept) >= len(whole) - os.cpu_count(), "all but those under way"  # type: ignore
    first, table_of_first = snapshot(tmp_path / "out"), (tmp_path / "s.csv").read_bytes()
    assert cxrtool(*command, "--force").returncode == 0
    assert snapshot(tmp_path / "out") == first
    assert (tmp_path / "s.csv").read_bytes() == table_of_first
