"""`cxrtool equalize`: what it writes, what it says, and how it ends, through real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import cv2
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
    random_png,
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
from PIL import Image

from cxrtool.core import registry
from cxrtool.files import image
from cxrtool.files.boxes import Box
from cxrtool.images.covering import cover
from cxrtool.images.text_boxes import find
from cxrtool.phantoms import plan, render
from cxrtool.preprocess.moves import Move, moved

COLUMNS = ["path", "raw", "label", "patient", "mask", "odd, column"]


def rows(*paths: str, **more: str) -> list[Row]:
    """Return rows of a manifest for some images."""
    cells = dict.fromkeys(COLUMNS, "") | {"label": "x", "odd, column": "007, NA"} | more
    return [cells | {"path": p, "raw": p} for p in paths]


@pytest.fixture
def xrays(tmp_path: Path) -> Path:
    """Three images with a manifest, m.csv."""
    names = [f"xrays/{n}.png" for n in "abc"]
    write(tmp_path, {name: noise(i) for i, name in enumerate(names)})
    write_table(tmp_path / "m.csv", rows(*names))
    return tmp_path


def enhanced(path: Path, spec: str = "hist", bits: int = 8) -> np.ndarray:
    """Enhance an image in this process."""
    _, plugin, given = registry.load("equalizers", spec, "equalize")
    result: np.ndarray = plugin.equalize(image.read(path).grey, bits, **given)
    return result


# --- the manifest and the images ------------------------------------------------------------------


def test_the_manifest_points_at_the_images_that_are_made(cxrtool: Run, xrays: Path) -> None:
    done = cxrtool("equalize", "m.csv", "-d", "eq")
    assert (done.returncode, done.stderr) == (0, "")
    made, given = table(done.stdout), rows_of(xrays / "m.csv")
    assert list(made[0]) == [*COLUMNS, "preprocessing"]
    for row, old in zip(made, given, strict=True):
        assert row["path"].startswith(f"eq/{Path(old['path']).stem}-")
        assert (xrays / row["path"]).is_file()
        assert row["preprocessing"] == "equalize --method hist"
        assert {**row, "path": ""} == {**old, "path": "", "preprocessing": row["preprocessing"]}
    assert sorted(os.listdir(xrays / "eq")) == [os.path.basename(r["path"]) for r in made]


SPECS = [
    "none",
    "hist",
    "ahe:disk=7",
    "ahe:tiles=4",
    "clahe:clip=3,tiles=4",
    "beasf:1.5",
    "match:reference=xrays/c.png",
]


@pytest.mark.parametrize("spec", SPECS)
def test_the_pixels_are_those_of_the_method(
    spec: str, cxrtool: Run, xrays: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(xrays)
    made = table(cxrtool("equalize", "m.csv", "-d", "eq", "--method", spec).stdout)
    assert len(made) == 3
    for row in made:
        with Image.open(row["path"]) as picture:
            assert (picture.format, picture.mode) == ("PNG", "L")
            np.testing.assert_array_equal(np.asarray(picture), enhanced(Path(row["raw"]), spec))


def test_a_stack_has_its_channels_in_their_order(cxrtool: Run, xrays: Path) -> None:
    spec = "stack:clahe+raw+beasf,gamma=2,clip=4,tiles=2"
    made = table(cxrtool("equalize", "m.csv", "-d", "eq", "--method", spec).stdout)
    for row in made:
        with Image.open(xrays / row["path"]) as picture:
            assert picture.mode == "RGB"
        channels = np.moveaxis(pixels(xrays / row["path"]), 2, 0)
        for channel, method in zip(
            channels, ("clahe:clip=4,tiles=2", "none", "beasf:gamma=2"), strict=True
        ):
            np.testing.assert_array_equal(channel, enhanced(xrays / row["raw"], method))
        assert row["preprocessing"] == (
            "equalize --method stack:channels=clahe+raw+beasf,gamma=2.0,clip=4.0,tiles=2"
        )


def test_a_stack_is_not_enhanced_again(cxrtool: Run, xrays: Path) -> None:
    cxrtool("equalize", "m.csv", "-d", "eq", "--method", "stack", "-o", "eq.csv")
    stack = rows_of(xrays / "eq.csv")[0]["path"]
    write_table(xrays / "both.csv", rows("xrays/a.png", stack))
    done = cxrtool("equalize", "both.csv", "-d", "again")
    assert (done.returncode, [r["raw"] for r in table(done.stdout)]) == (1, ["xrays/a.png"])
    assert done.stderr.splitlines() == [
        f"cxrtool equalize: {stack}: it is a stack of three enhanced channels already. "
        "Equalize the picture that it was made from.",
        "cxrtool equalize: 1 skipped, listed in again/failures.csv",
    ]
    assert rows_of(xrays / "again" / "failures.csv") == [
        {
            "path": stack,
            "reason": "it is a stack of three enhanced channels already",
            "remedy": "Equalize the picture that it was made from.",
            "command": "equalize ../both.csv",
        }
    ]


DEEP = ("i16.png", "i12.tif", "explicit.dcm", "l.png")


@pytest.mark.parametrize("spec", ["hist", "clahe:2"])
def test_sixteen_bits(spec: str, cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path, {n: {**odd.PICTURES, **odd.DICOMS}[n]() for n in DEEP})
    write_table(tmp_path / "m.csv", rows(*DEEP))
    done = cxrtool("equalize", "m.csv", "-d", "eq", "--method", spec, "--bits", "16")
    for row in table(done.stdout):
        result, expected = pixels(tmp_path / row["path"]), enhanced(tmp_path / row["raw"], spec, 16)
        np.testing.assert_array_equal(result, expected)
        assert result.dtype == (np.uint8 if row["raw"] == "l.png" else np.uint16)
        assert row["preprocessing"].endswith(" --bits 16")


def test_deep_images_become_eight_bits(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path, {n: {**odd.PICTURES, **odd.DICOMS}[n]() for n in DEEP})
    write_table(tmp_path / "m.csv", rows(*DEEP))
    for row in table(cxrtool("equalize", "m.csv", "-d", "eq", "--method", "none").stdout):
        odd.check_ramp(pixels(tmp_path / row["path"]))
        assert pixels(tmp_path / row["path"]).dtype == np.uint8


@pytest.mark.parametrize(
    ("size", "name", "how"),
    [
        (40, "area", cv2.INTER_AREA),
        (40, "linear", cv2.INTER_LINEAR),
        (40, "cubic", cv2.INTER_CUBIC),
        (100, "area", cv2.INTER_CUBIC),
        (100, "nearest", cv2.INTER_NEAREST),
        (60, "area", cv2.INTER_CUBIC),  # One side grows.
    ],
)
def test_size(size: int, name: str, how: int, cxrtool: Run, tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 256, (50, 80), np.uint8)
    write(tmp_path, {"a.png": odd.saved(Image.fromarray(values), "PNG")})
    command = ("equalize", "-", "-d", "eq", "--method", "none", "--size", size)
    done = cxrtool(*command, "--interpolation", name, stdin="path\na.png\n")
    (row,) = table(done.stdout)
    assert row["preprocessing"] == (f"equalize --method none --size {size} --interpolation {name}")
    np.testing.assert_array_equal(
        pixels(tmp_path / row["path"]), cv2.resize(values, (size, size), interpolation=how)
    )


def test_what_is_done_comes_after_what_was_done(cxrtool: Run, xrays: Path) -> None:
    cxrtool("equalize", "m.csv", "-d", "small", "--method", "none", "--size", 32, "-o", "s.csv")
    done = cxrtool("equalize", "s.csv", "-d", "eq", "--method", "clahe")
    for row, small in zip(table(done.stdout), rows_of(xrays / "s.csv"), strict=True):
        assert row["preprocessing"] == (
            "equalize --method none --size 32 --interpolation area | "
            "equalize --method clahe:clip=2.0,tiles=8"
        )
        assert row["raw"] == small["raw"] != small["path"] != row["path"]
        assert len(row["path"]) - len("eq") == len(small["path"]) - len("small")
        np.testing.assert_array_equal(
            pixels(xrays / row["path"]), enhanced(xrays / small["path"], "clahe")
        )


def test_a_manifest_of_paths_alone(cxrtool: Run, xrays: Path) -> None:
    done = cxrtool("equalize", "-", "-d", "eq", stdin="path\nxrays/a.png\n")
    (row,) = table(done.stdout)
    assert list(row) == ["path", "preprocessing"]


# --- names ----------------------------------------------------------------------------------------


def test_two_rows_never_share_a_file(cxrtool: Run, tmp_path: Path) -> None:
    names = ["a/same.png", "b/same.png", "b/Same.png", "b/same.PNG", "b/same.bmp.png"]
    write(tmp_path, {name: noise(i) for i, name in enumerate(names)})
    given = [*rows(*names), {**rows("a/same.png")[0], "raw": "b/same.png"}]
    made = table(cxrtool("equalize", write_table(tmp_path / "m.csv", given), "-d", "eq").stdout)
    assert len({r["path"].lower() for r in made}) == len(os.listdir(tmp_path / "eq")) == 6
    for row, old in zip(made, given, strict=True):
        np.testing.assert_array_equal(
            pixels(tmp_path / row["path"]), enhanced(tmp_path / old["path"])
        )


def test_a_row_has_the_same_name_whatever_is_beside_it(cxrtool: Run, xrays: Path) -> None:
    first = {r["raw"]: r["path"] for r in table(cxrtool("equalize", "m.csv", "-d", "eq").stdout)}
    options = ("--method", "none", "--size", 16, "--where", "path=xrays/b.png", "-j", 1)
    (row,) = table(cxrtool("equalize", "m.csv", "-d", "eq", *options).stdout)
    assert row["path"] == first["xrays/b.png"]


def test_the_name_of_a_dicom_file_is_not_kept(cxrtool: Run, tmp_path: Path) -> None:
    secret = "/".join(("Zzname", "Zzname_Secret_19010203.dcm"))
    write(tmp_path, {secret: odd.dicom(), "Zzother": odd.dicom()})
    write_table(tmp_path / "m.csv", rows(secret, "Zzother"))
    made = table(cxrtool("equalize", "m.csv", "-d", "eq").stdout)
    assert len(made) == 2
    for row in made:
        name = os.path.basename(row["path"])
        assert len(name) == len("0123456789abcdef.png") and int(name[:16], 16)
    assert not any(b"Zz" in data for data in snapshot(tmp_path / "eq").values())


# --- where things come from and go to -------------------------------------------------------------


def test_where(cxrtool: Run, xrays: Path) -> None:
    done = cxrtool("equalize", "m.csv", "-d", "eq", "--where", "path=xrays/a.png,xrays/c.png")
    assert [r["raw"] for r in table(done.stdout)] == ["xrays/a.png", "xrays/c.png"]
    assert len(os.listdir(xrays / "eq")) == 2


def test_relative_paths_are_relative_to_root(cxrtool: Run, xrays: Path, tmp_path: Path) -> None:
    command = ("equalize", "../m.csv", "-d", "../out/eq", "-o", "eq.csv")
    (tmp_path / "here").mkdir()
    done = cxrtool(*command, "--root", "..", cwd=tmp_path / "here")
    assert (done.returncode, done.stderr) == (0, "")
    made = rows_of(tmp_path / "here" / "eq.csv")
    assert [r["raw"] for r in made] == [f"xrays/{n}.png" for n in "abc"]
    assert all(r["path"].startswith("out/eq/") for r in made)
    assert all((tmp_path / r["path"]).is_file() for r in made)
    by_environment = cxrtool(*command, env={"CXRTOOL_ROOT": ".."}, cwd=tmp_path / "here")
    assert by_environment.returncode == 0 and rows_of(tmp_path / "here" / "eq.csv") == made


def test_a_folder_outside_of_root_is_named_whole(cxrtool: Run, xrays: Path, tmp_path: Path) -> None:
    write_table(tmp_path / "r.csv", rows("a.png"))
    done = cxrtool("equalize", "r.csv", "-d", "eq", "--root", "xrays")
    (row,) = table(done.stdout)
    assert os.path.dirname(row["path"]) == str(tmp_path / "eq") and row["raw"] == "a.png"


def test_an_absolute_path_needs_no_root(cxrtool: Run, xrays: Path, tmp_path: Path) -> None:
    given = f"path\n{xrays / 'xrays' / 'a.png'}\n"
    done = cxrtool("equalize", "-", "-d", "eq", "--root", "nowhere", stdin=given)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("manifest", ["", "/dev/stdin"])
def test_the_manifest_may_come_down_a_pipe(manifest: str, xrays: Path) -> None:
    done = shell(xrays, f"cat m.csv | cxrtool equalize {manifest} -d eq | cat > eq.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert [r["raw"] for r in rows_of(xrays / "eq.csv")] == [f"xrays/{n}.png" for n in "abc"]


def test_one_equalize_feeds_another(xrays: Path) -> None:
    script = "cxrtool equalize m.csv --size 32 -d one | cxrtool equalize --method clahe -d two"
    done = shell(xrays, script)
    assert (done.returncode, done.stderr) == (0, "")
    assert [r["path"][:6] for r in table(done.stdout)] == ["two/a-", "two/b-", "two/c-"]


def test_output_and_standard_output_are_the_same(cxrtool: Run, xrays: Path) -> None:
    streamed = cxrtool("equalize", "m.csv", "-d", "eq").stdout
    written = cxrtool("equalize", "m.csv", "-d", "eq", "-o", "eq.csv", "-j", 1)
    assert (written.returncode, written.stdout) == (0, "")
    assert (xrays / "eq.csv").read_text() == streamed


def test_the_list(cxrtool: Run) -> None:
    done = cxrtool("equalize", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    listed = table(done.stdout)
    assert list(listed[0]) == ["name", "options", "summary"]
    assert [r["name"] for r in listed] == registry.names("equalizers")
    assert {r["name"]: r["options"] for r in listed}["clahe"] == "clip=2.0,tiles=8"


def test_dry_run_touches_nothing(cxrtool: Run, xrays: Path) -> None:
    before = sorted(map(str, xrays.rglob("*")))
    done = cxrtool("equalize", "m.csv", "-d", "eq", "-n", "-o", "eq.csv", "--where", "label=x")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "cxrtool equalize: would make 3 images in eq: equalize --method hist\n"
    assert sorted(map(str, xrays.rglob("*"))) == before


def test_failures_go_where_they_are_asked_for(cxrtool: Run, xrays: Path) -> None:
    write_table(xrays / "m.csv", rows("xrays/a.png", "absent.png"))
    done = cxrtool("equalize", "m.csv", "-d", "eq", "--failures", "bad.csv")
    assert done.returncode == 1 and len(os.listdir(xrays / "eq")) == 1
    assert rows_of(xrays / "bad.csv") == [
        {
            "path": "absent.png",
            "reason": "no such file or directory",
            "remedy": "Check the path and its rights.",
            "command": "equalize m.csv",
        }
    ]


def test_a_list_that_is_out_of_date_goes(cxrtool: Run, xrays: Path) -> None:
    good = (xrays / "m.csv").read_bytes()
    write_table(xrays / "m.csv", rows("absent.png"))
    assert cxrtool("equalize", "m.csv", "-d", "eq").returncode == 2
    assert os.listdir(xrays / "eq") == ["failures.csv"]
    (xrays / "m.csv").write_bytes(good)
    assert cxrtool("equalize", "m.csv", "-d", "eq").returncode == 0
    assert "failures.csv" not in os.listdir(xrays / "eq")


# --- burnt-in text --------------------------------------------------------------------------------


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """A phantom with a side marker, t.png, and its manifest."""
    picture = render(plan(1)[0], 256).image.copy()
    cv2.putText(picture, "PORTABLE", (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
    write(tmp_path, {"t.png": odd.saved(Image.fromarray(picture), "PNG"), "u.png": noise(1, 100)})
    write_table(tmp_path / "m.csv", rows("t.png", "u.png"))
    return tmp_path


def test_boxes_are_covered(cxrtool: Run, marked: Path) -> None:
    (marked / "b.csv").write_text("path,x,y,width,height\nt.png,10,8,120,30\nt.png,5,200,9,9\n")
    done = cxrtool("equalize", "m.csv", "-d", "eq", "--method", "none", "--conceal", "b.csv")
    made = table(done.stdout)
    assert [r["concealed"] for r in made] == ["2", "0"]
    assert {r["preprocessing"] for r in made} == {"equalize --method none --conceal"}
    boxes = [Box(10, 8, 120, 30), Box(5, 200, 9, 9)]
    grey = pixels(marked / "t.png")
    covered = pixels(marked / made[0]["path"])
    np.testing.assert_array_equal(covered, cover(grey, boxes))
    assert (covered != grey).any(), "the text is gone"
    np.testing.assert_array_equal(pixels(marked / made[1]["path"]), pixels(marked / "u.png"))


def test_boxes_are_found_by_the_raw_file_too(cxrtool: Run, marked: Path) -> None:
    cxrtool("equalize", "m.csv", "-d", "one", "--method", "none", "-o", "one.csv")
    (marked / "b.csv").write_text("path,x,y,width,height\nt.png,10,8,120,30\n")
    options = ("--method", "none", "--conceal", "b.csv")
    made = table(cxrtool("equalize", "one.csv", "-d", "eq", *options).stdout)
    assert [r["concealed"] for r in made] == ["1", "0"]
    np.testing.assert_array_equal(
        pixels(marked / made[0]["path"]), cover(pixels(marked / "t.png"), [Box(10, 8, 120, 30)])
    )


def test_text_is_found_and_covered_before_all_else(cxrtool: Run, marked: Path) -> None:
    options = ("--conceal", "auto", "--size", 128)
    made = table(cxrtool("equalize", "m.csv", "-d", "eq", *options).stdout)
    assert list(made[0]) == [*COLUMNS, "preprocessing", "concealed"]
    for row in made:
        grey = pixels(marked / row["raw"])
        boxes = find(grey)
        assert row["concealed"] == str(len(boxes))
        small = cv2.resize(cover(grey, boxes), (128, 128), interpolation=cv2.INTER_AREA)
        if row["raw"] == "u.png":  # It is enlarged.
            small = cv2.resize(cover(grey, boxes), (128, 128), interpolation=cv2.INTER_CUBIC)
        _, hist, _ = registry.load("equalizers", "hist", "equalize")
        np.testing.assert_array_equal(pixels(marked / row["path"]), hist.equalize(small, 8))
    assert int(made[0]["concealed"]) >= 1, "the word PORTABLE"


def test_how_much_was_covered_is_known_at_the_next_run(cxrtool: Run, marked: Path) -> None:
    command = ("equalize", "m.csv", "-d", "eq", "--conceal", "auto")
    first = cxrtool(*command).stdout
    made = ages(marked / "eq")
    assert cxrtool(*command).stdout == first
    assert ages(marked / "eq") == made


def test_other_boxes_make_only_their_images_anew(cxrtool: Run, marked: Path) -> None:
    header = "path,x,y,width,height\n"
    (marked / "b.csv").write_text(header + "t.png,10,8,120,30\nu.png,1,1,5,5\n")
    command = ("equalize", "m.csv", "-d", "eq", "--conceal", "b.csv")
    first = table(cxrtool(*command).stdout)
    made = ages(marked / "eq")
    (marked / "b.csv").write_text(header + "t.png,10,8,120,31\nu.png,1,1,5,5\n")
    cxrtool(*command)
    again = ages(marked / "eq")
    changed = [r["raw"] for r in first if made[r["path"][3:]] != again[r["path"][3:]]]
    assert changed == ["t.png"]


def test_a_table_without_boxes_still_tells_that_none_was_covered(
    cxrtool: Run, marked: Path
) -> None:
    (marked / "b.csv").write_text("path,x,y,width,height\n")
    made = table(cxrtool("equalize", "m.csv", "-d", "eq", "--conceal", "b.csv").stdout)
    assert [r["concealed"] for r in made] == ["0", "0"]


# --- mistakes -------------------------------------------------------------------------------------

METHODS = "ahe, beasf, clahe, hist, match, none, stack"


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (
            ["m.csv"],
            "missing option '--dir' / '-d'. Name a folder to write to, for example -d eq/.",
        ),
        (
            ["m.csv", "-d", "eq", "--method", "clahee"],
            f"--method 'clahee' is not one of: {METHODS}. Did you mean 'clahe'?",
        ),
        (
            ["m.csv", "-d", "eq", "--method", "clahe:clp=2"],
            "option of clahe 'clp' is not one of: clip, tiles. Did you mean 'clip'?",
        ),
        (
            ["m.csv", "-d", "eq", "--method", "clahe:tiles=0"],
            "tiles=0 is not a whole number from 1 to 64. Its default is 8.",
        ),
        (
            ["m.csv", "-d", "eq", "--method", "hist:clip=1"],
            "'hist' takes no options, not 'clip=1'. Write 'hist' alone.",
        ),
        (
            ["m.csv", "-d", "eq", "--method", "match"],
            "'match' needs reference. Write it as match:reference=FILE.",
        ),
        (
            ["m.csv", "-d", "eq", "--method", "match:reference=absent.png"],
            "absent.png, which match needs: no such file or directory. "
            "Check the path and its rights (--method).",
        ),
        (
            ["m.csv", "-d", "eq", "--method", "match:reference=m.csv"],
            "m.csv, which match needs: not an image in a known format. "
            "Repair or remove it (--method).",
        ),
        (
            ["m.csv", "-d", "eq", "--method", "stack:raw+hist"],
            "channels 'raw+hist' are 2, not three. Join three with +: stack:beasf+clahe+raw.",
        ),
        (
            ["m.csv", "-d", "eq", "--interpolation", "cubik"],
            "--interpolation 'cubik' is not one of: area, cubic, linear, nearest. "
            "Did you mean 'cubic'?",
        ),
        (
            ["m.csv", "-d", "eq", "--bits", "12"],
            "--bits '12' is not one of: 8, 16. Choose one of them.",
        ),
        (
            ["m.csv", "-d", "eq", "--size", "-1"],
            "--size '-1' is not one of: none, a whole number from 1 to 8192. Write it as 1.",
        ),
        (
            ["m.csv", "-d", "eq", "--conceal", "absent.csv"],
            "--conceal 'absent.csv' is not one of: auto, an existing table of boxes. "
            "Write auto or its path.",
        ),
        (
            ["m.csv", "-d", "eq", "--conceal", "bad.csv"],
            "bad.csv: row 3: x,y,width,height are '1,2,3,x', not whole pixels of a box. "
            "Correct the row.",
        ),
        (
            ["m.csv", "-d", "eq", "--conceal", "m.csv"],
            f"m.csv: no column 'x' among: {', '.join(COLUMNS)}. Check the header.",
        ),
        (["m.csv", "-d", "m.csv"], "m.csv: file exists. Choose a place that can be written."),
        (
            ["m.csv", "-d", "m.csv/eq"],
            "m.csv/eq: not a directory. Choose a place that can be written.",
        ),
        (
            ["m.csv", "-d", "eq", "-o", "no/eq.csv"],
            "no/eq.csv: no such folder. Choose a place that can be written.",
        ),
        (["m.csv", "-d", "eq", "-o", "xrays"], "xrays: is a folder. Name a file in it."),
        (
            ["m.csv", "-d", "eq", "--failures", "xrays"],
            "xrays: is a folder. Name a file in it.",
        ),
        (
            ["m.csv", "-d", "eq", "--engine", "nonsense"],
            "--engine 'nonsense' is not one of: local, dask=ADDRESS. "
            "Write it as dask=tcp://HOST:8786.",
        ),
        (
            ["m.csv", "-d", "eq", "--engine", "dask"],
            "--engine 'dask' is not one of: local, dask=ADDRESS. Write it as dask=tcp://HOST:8786.",
        ),
        (
            ["m.csv", "-d", "eq", "--where", "label=y"],
            "m.csv: no row fulfils label=y. The values of label are: 'x' (3).",
        ),
        (
            ["xrays", "-d", "eq"],
            "xrays: is a folder, not a table. "
            "Make a manifest of it first: cxrtool ingest FOLDER -o FILE.csv",
        ),
        (
            ["ragged.csv", "-d", "eq"],
            "ragged.csv: row 3: 1 cells where the header has 2. Complete the row.",
        ),
    ],
)
def test_mistakes(
    args: list[str],
    line: str,
    xrays: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(xrays)
    Path("bad.csv").write_text("path,x,y,width,height\na,1,2,3,4\na,1,2,3,x\n")
    Path("ragged.csv").write_text("path,label\nxrays/a.png,x\nxrays/b.png\n")
    assert in_process("equalize", *args) == 2
    assert capfd.readouterr() == ("", f"cxrtool equalize: {line}\n")
    assert not os.path.exists("eq"), "nothing is done"


def test_the_first_bad_input_ends_a_strict_run(cxrtool: Run, xrays: Path) -> None:
    write_table(xrays / "m.csv", rows("absent.png", "xrays/a.png"))
    done = cxrtool("equalize", "m.csv", "-d", "eq", "--strict", "-o", "eq.csv")
    assert (done.returncode, (xrays / "eq.csv").exists()) == (2, False)
    assert done.stderr == (
        "cxrtool equalize: absent.png: no such file or directory. Check the path and its rights.\n"
    )


def test_nothing_usable_gives_no_table(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path, {"a.png": b"", "b.png": b"x"})
    write_table(tmp_path / "m.csv", rows("a.png", "b.png"))
    done = cxrtool("equalize", "m.csv", "-d", "eq")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[:3] == [
        "cxrtool equalize: a.png: the file is empty. Repair or remove it.",
        "cxrtool equalize: b.png: not an image in a known format. Repair or remove it.",
        "cxrtool equalize: 2 skipped, listed in eq/failures.csv",
    ]
    assert [r["path"] for r in rows_of(tmp_path / "eq" / "failures.csv")] == ["a.png", "b.png"]


def test_a_path_that_is_empty_is_a_bad_input(cxrtool: Run, xrays: Path) -> None:
    done = cxrtool("equalize", "-", "-d", "eq", stdin="path,label\n,x\nxrays/a.png,x\n")
    assert done.returncode == 1 and len(table(done.stdout)) == 1
    assert len(rows_of(xrays / "eq" / "failures.csv")) == 1


# --- the odd folder -------------------------------------------------------------------------------


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(p): (p.lstat().st_size, p.lstat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
        if not p.is_dir()
    }


@pytest.fixture(scope="module")
def equalized(hostile: Path) -> tuple[subprocess.CompletedProcess[bytes], list[Row], bool]:
    """Equalize everything in the folder; with the rows, and whether the inputs stayed."""
    inputs = listing(hostile / "in")
    files = [os.path.relpath(p, hostile) for p in inputs]
    given = rows(*files, "in/names/up", "in/absent.png")
    write_table(hostile / "all.csv", given)
    process = start(hostile, "equalize", "all.csv", "-d", "eq", "-o", "eq.csv")
    out, error = process.communicate(timeout=120)
    done = subprocess.CompletedProcess([], process.returncode, out, error)
    return done, given, listing(hostile / "in") == inputs


LOST = {
    *odd.BROKEN,
    *odd.LEFT_OUT,
    "bomb.dcm",
    "bomb.png",
    "abort.dcm",
    "dangling.png",
    "fifo.png",
    "up",
    "absent.png",
}


def test_every_row_is_in_the_manifest_or_in_the_list(hostile: Path, equalized) -> None:
    done, given, _ = equalized
    assert (done.returncode, done.stdout) == (1, b"")
    used = [r["raw"] for r in rows_of(hostile / "eq.csv")]
    reasons = {r["path"]: r["reason"] for r in rows_of(hostile / "eq" / "failures.csv")}
    assert used == [r["raw"] for r in given if r["raw"] not in reasons], "in their order"
    assert {os.path.basename(p) for p in reasons} == LOST
    assert len(used) + len(reasons) == len(given)
    assert reasons["in/broken/bomb.dcm"] == "unpacks to more than 256 MiB"
    assert reasons["in/broken/bomb.png"] == "needs more than 1 GiB of memory"
    assert reasons["in/broken/abort.dcm"] == "crashed the decoder (SIGABRT)"
    for name, (_, reason) in odd.BROKEN.items():
        assert reason is None or reasons[f"in/broken/{name}"] == reason


def test_one_line_a_cause(equalized) -> None:
    lines = equalized[0].stderr.decode().splitlines()
    assert all(line.startswith("cxrtool equalize: ") for line in lines)
    assert not any("Traceback" in line for line in lines)
    told = [line for line in lines if ": in/" in line and ": warning: " not in line]
    assert len(told) == len(LOST) - len(odd.LEFT_OUT)
    assert "cxrtool equalize: in/broken/empty.png: the file is empty. Repair or remove it." in lines
    assert "cxrtool equalize: in/read/pages.tif: warning: the first of 3 frames is used" in lines
    assert "cxrtool equalize: left out 1: a DICOM document (SR), not an image" in lines
    assert lines[-1] == f"cxrtool equalize: {len(LOST)} skipped, listed in eq/failures.csv"


def test_every_good_input_has_its_own_image(hostile: Path, equalized) -> None:
    made = rows_of(hostile / "eq.csv")
    paths = [r["path"] for r in made]
    assert len({p.lower() for p in paths}) == len(paths)
    left = {os.path.basename(p) for p in paths} | {"failures.csv"}
    assert set(os.listdir(hostile / "eq")) == left, "no leftovers"
    for row in made:
        with Image.open(hostile / row["path"]) as picture:
            assert (picture.format, picture.mode) == ("PNG", "L")
            assert np.asarray(picture).std() > 0


def test_the_order_of_the_grey_levels_stays(hostile: Path, equalized) -> None:
    for row in rows_of(hostile / "eq.csv"):
        if row["raw"].startswith("in/read/"):
            grey = pixels(hostile / row["path"])
            lossy = any(w in row["raw"] for w in ("jp", "cmyk", "lab", "ycbcr", "mpo"))
            slack = 0.1 if lossy else 0
            assert (np.diff(grey[3].astype(float)) >= -slack * 255).all(), row["raw"]


def test_the_inputs_are_as_they_were(equalized) -> None:
    assert equalized[2]


def test_nothing_identifies_a_patient(hostile: Path, equalized) -> None:
    written = [equalized[0].stderr, (hostile / "eq.csv").read_bytes()]
    written += snapshot(hostile / "eq").values()
    everything = b"\n".join([*written, *map(os.fsencode, os.listdir(hostile / "eq"))]).lower()
    for secret in odd.SECRETS.values():
        assert secret.lower().encode() not in everything


# --- how it ends ----------------------------------------------------------------------------------


def test_a_closed_pipe(xrays: Path) -> None:
    process = start(xrays, "equalize", "m.csv", "-d", "eq")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (141, b"")
    process.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("redirect", "line"),
    [
        (">&-", "standard output is closed. Name an output file (--output)."),
        (
            ">/dev/full",
            "standard output: no space left on device. Free some space, then run it again.",
        ),
        (
            "-o /dev/full",
            "/dev/full: no space left on device. Make room, then run the same command again.",
        ),
    ],
)
def test_an_output_that_cannot_be_written(redirect: str, line: str, xrays: Path) -> None:
    done = shell(xrays, f"cxrtool equalize m.csv -d eq {redirect}")
    assert (done.returncode, done.stderr) == (3, f"cxrtool equalize: {line}\n")


def test_a_full_disk_in_a_worker(xrays: Path) -> None:
    """A limit on the size of files stands for a full disk: the run says so, and resumes."""
    write(xrays, {"xrays/b.png": random_png(256)})
    done = shell(xrays, "ulimit -f 16; cxrtool equalize m.csv -d eq -o eq.csv -j 1 --method none")
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("cxrtool equalize: ") and "eq/b-" in line
    assert line.endswith(": file too large. Make room, then run the same command again.")
    assert not (xrays / "eq.csv").exists() and not list(xrays.glob("eq/.*"))
    assert all(name.startswith(("a-", "c-")) for name in os.listdir(xrays / "eq"))


def test_rights(xrays: Path) -> None:
    run = weak(xrays)
    (xrays / "xrays" / "b.png").chmod(0)
    (xrays / "locked").mkdir(mode=0o555)
    done = run("equalize", "m.csv", "-d", "eq")
    assert done.returncode == 1 and len(table(done.stdout)) == 2
    assert rows_of(xrays / "eq" / "failures.csv") == [
        {
            "path": "xrays/b.png",
            "reason": "permission denied",
            "remedy": "Check the path and its rights.",
            "command": "equalize ../m.csv",
        }
    ]
    for args, named in (
        (["-d", "locked"], "locked"),
        (["-d", "locked/eq"], "locked/eq"),
        (["-d", "eq", "-o", "locked/eq.csv"], "locked/eq.csv"),
    ):
        done = run("equalize", "m.csv", *args)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"cxrtool equalize: {named}: permission denied. Choose a place that can be written.\n"
        )


def test_a_folder_that_can_be_written_but_not_read(xrays: Path) -> None:
    run = weak(xrays)
    (xrays / "eq").mkdir(mode=0o333)
    done = run("equalize", "m.csv", "-d", "eq", "-o", "eq.csv")
    assert done.returncode in (0, 2), done.stderr
    (xrays / "eq").chmod(0o755)


def feed(folder: Path, number: int, *options: str) -> subprocess.Popen[bytes]:
    """Start equalize, and give it the first rows of a manifest that is still to be written."""
    command = ("equalize", "-", "-d", "eq", *options)
    process = start(folder, *command, stdin=subprocess.PIPE, bufsize=0)
    assert process.stdin is not None
    process.stdin.write(b"path,n\n" + b"".join(b"xrays/a.png,%d\n" % n for n in range(number)))
    process.stdin.flush()
    return process


def test_the_first_rows_come_out_while_the_last_are_to_come(xrays: Path) -> None:
    process = feed(xrays, 5, "-j", "1")
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == b"path,n,preprocessing\n"
    assert process.stdout.readline().endswith(b".png,0,equalize --method hist\n")
    process.stdin.write(b"xrays/b.png,last\n")
    out, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, b"")
    assert [line.split(b",")[1] for line in out.splitlines()] == [b"1", b"2", b"3", b"4", b"last"]


def test_two_at_once(xrays: Path) -> None:
    first = feed(xrays, 5, "-j", "1")
    assert first.stdout is not None
    first.stdout.readline()
    for name in ("eq", "./eq/../eq"):
        second = start(xrays, "equalize", "m.csv", "-d", name, "-o", "2.csv")
        assert second.communicate(timeout=60) == (
            b"",
            f"cxrtool equalize: {name}: another run is writing into it. Wait for its end, or "
            "name another folder: commands of one pipe need one each.\n".encode(),
        )
        assert second.returncode == 2 and not (xrays / "2.csv").exists()
    _, error = first.communicate(timeout=60)
    assert (first.returncode, error) == (0, b"")
    third = start(xrays, "equalize", "m.csv", "-d", "eq", "-o", "2.csv")
    assert (*third.communicate(timeout=60), third.returncode) == (b"", b"", 0)


# --- a run that is run again ----------------------------------------------------------------------


@pytest.fixture
def once(cxrtool: Run, xrays: Path) -> Path:
    """The images, equalized into eq/ once."""
    assert cxrtool("equalize", "m.csv", "-d", "eq", "-o", "eq.csv").returncode == 0
    return xrays


def again(cxrtool: Run, folder: Path, *options: object) -> set[str]:
    """Run it again: which of the images were made anew, by the raw files they are from."""
    before = ages(folder / "eq")
    done = cxrtool("equalize", "m.csv", "-d", "eq", "-o", "eq.csv", *options)
    assert (done.returncode, done.stderr) == (0, "")
    after = ages(folder / "eq")
    assert before.keys() == after.keys()
    return {name[0] for name in after if after[name] != before[name]}


def test_nothing_is_made_again(cxrtool: Run, once: Path) -> None:
    manifest = (once / "eq.csv").read_bytes()
    assert again(cxrtool, once, "-j", 1) == set()
    assert (once / "eq.csv").read_bytes() == manifest


def test_what_is_not_whole_is_made_again(cxrtool: Run, once: Path) -> None:
    files = snapshot(once / "eq")
    name = min(files)
    whole = files[name]
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for spoilt in (whole[:-20], flipped, b"", noise(0)):
        (once / "eq" / name).write_bytes(spoilt)
        assert again(cxrtool, once) == {"a"}
        assert snapshot(once / "eq") == files


def test_what_is_gone_is_made_again(cxrtool: Run, once: Path) -> None:
    files, made = snapshot(once / "eq"), ages(once / "eq")
    gone = once / "eq" / min(files)
    gone.unlink()
    assert cxrtool("equalize", "m.csv", "-d", "eq", "-o", "eq.csv").returncode == 0
    assert snapshot(once / "eq") == files
    assert {n for n, age in ages(once / "eq").items() if age != made[n]} == {gone.name}


@pytest.mark.slow
def test_other_options_make_all_of_them_again(cxrtool: Run, once: Path) -> None:
    for options in (
        ("--method", "clahe"),
        ("--method", "clahe", "--size", 64),
        ("--method", "clahe", "--size", 64, "--interpolation", "nearest"),
        ("--method", "clahe", "--bits", 16),
        ("--conceal", "auto"),
    ):
        assert again(cxrtool, once, *options) == {"a", "b", "c"}


def test_the_same_choice_in_other_words_makes_nothing_again(cxrtool: Run, once: Path) -> None:
    again(cxrtool, once, "--method", "clahe")
    for spec in ("clahe:clip=2", "clahe:tiles=8,clip=2.0", "clahe:2"):
        assert again(cxrtool, once, "--method", spec) == set()


def test_a_changed_input_is_made_again(cxrtool: Run, once: Path) -> None:
    (once / "xrays" / "b.png").write_bytes(noise(7))
    assert again(cxrtool, once) == {"b"}


def test_an_input_that_was_touched_is_not_made_again(cxrtool: Run, once: Path) -> None:
    os.utime(once / "xrays" / "b.png")
    assert again(cxrtool, once) == set()


@pytest.mark.slow
def test_a_reference_that_is_a_bomb_is_one_line(cxrtool: Run, once: Path) -> None:
    (once / "bomb.png").write_bytes(odd.png_bomb())
    done = cxrtool("equalize", "m.csv", "-d", "eq", "--method", "match:reference=bomb.png")
    what = "bomb.png, which match needs: needs more than 1 GiB of memory. Name a smaller one"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cxrtool equalize: {what} (--method).\n"


def test_a_changed_reference_makes_all_of_them_again(cxrtool: Run, once: Path) -> None:
    write(once, {"r.png": noise(8), "s.png": noise(8)})
    again(cxrtool, once, "--method", "match:reference=r.png")
    assert again(cxrtool, once, "--method", "match:reference=r.png") == set()
    (once / "r.png").write_bytes(noise(9))
    assert again(cxrtool, once, "--method", "match:reference=r.png") == {"a", "b", "c"}


def test_force_makes_the_same_bytes_again(cxrtool: Run, once: Path) -> None:
    files = snapshot(once / "eq")
    assert again(cxrtool, once, "--force") == {"a", "b", "c"}
    assert snapshot(once / "eq") == files


def test_an_input_that_is_gone_is_told_though_its_image_is_there(cxrtool: Run, once: Path) -> None:
    (once / "xrays" / "b.png").unlink()
    done = cxrtool("equalize", "m.csv", "-d", "eq")
    assert (done.returncode, len(table(done.stdout))) == (1, 2)


MANY = 120


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough to be interrupted in: a manifest with whole paths."""
    top = tmp_path_factory.mktemp("many")
    names = [f"x/{n:03}.png" for n in range(MANY)]
    write(top, {name: random_png(384, n) for n, name in enumerate(names)})
    return write_table(top / "m.csv", rows(*(str(top / name) for name in names)))


@pytest.fixture(scope="module")
def undisturbed(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing interrupts."""
    top = tmp_path_factory.mktemp("undisturbed")
    process = start(top, "equalize", many, "-d", "eq", "-o", "eq.csv")
    assert (*process.communicate(timeout=120), process.returncode) == (b"", b"", 0)
    return top


@pytest.mark.parametrize(
    ("how", "code", "line"),
    [
        (
            signal.SIGTERM,
            143,
            b"cxrtool equalize: terminated. Run it again to finish\n",
        ),
        (
            signal.SIGINT,
            130,
            b"cxrtool equalize: interrupted. Run it again to finish\n",
        ),
        (signal.SIGKILL, -9, b""),
    ],
)
def test_interrupted_and_resumed(
    how: int, code: int, line: bytes, many: Path, undisturbed: Path, tmp_path: Path, cxrtool: Run
) -> None:
    command = ("equalize", many, "-d", "eq", "-o", "eq.csv")
    process = start(tmp_path, *command, start_new_session=True)
    wait_for(lambda: len(list(tmp_path.glob("eq/*.png"))) >= 5)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # As a terminal does.
    else:
        process.send_signal(how)
    # The pipe closes when the last worker is gone.
    out, error = process.communicate(timeout=30)
    assert (process.returncode, out, error) == (code, b"", line)
    assert not (tmp_path / "eq.csv").exists()
    first = ages(tmp_path / "eq")
    assert 5 <= len(first) < MANY
    if how != signal.SIGKILL:
        assert not list(tmp_path.glob("eq/.*"))
    done = cxrtool(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob("eq/.*")), "no leftovers"
    assert first.items() <= ages(tmp_path / "eq").items(), "what was whole is not made again"
    assert snapshot(tmp_path / "eq") == snapshot(undisturbed / "eq")
    assert (tmp_path / "eq.csv").read_bytes() == (undisturbed / "eq.csv").read_bytes()


@pytest.mark.slow
def test_ctrl_c_at_any_time(many: Path, tmp_path: Path) -> None:
    for wait in (0.2, 0.4, 0.6):
        process = start(tmp_path, "equalize", many, "-d", "eq", start_new_session=True)
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=30)
        if process.returncode == 130:
            early = b"cxrtool: interrupted before any work began\n"
            assert error in (b"cxrtool equalize: interrupted. Run it again to finish\n", early)
        else:  # Before the program, Python itself; or it was done.
            assert process.returncode in (0, -signal.SIGINT, 1)


def test_the_number_of_workers_changes_nothing(many: Path, undisturbed: Path, cxrtool: Run) -> None:
    done = cxrtool("equalize", many, "-d", "eq", "-j", 5)
    assert done.stdout == (undisturbed / "eq.csv").read_text()


def test_moved_copies_are_turned_and_lose_their_masks(
    xrays: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(xrays)
    write(xrays, {"masks/a.png": noise(9)})
    write_table(xrays / "m.csv", rows("xrays/a.png", mask="masks/a.png", lesion="masks/a.png"))
    given = ["m.csv", "-d", "turned", "--method", "none", "--move", "rotate=5", "-o", "turned.csv"]
    assert in_process("equalize", *given) == 0
    [row] = rows_of(xrays / "turned.csv")
    assert (row["mask"], row["lesion"], row["raw"]) == ("", "", "xrays/a.png")
    assert row["preprocessing"] == "equalize --method none --move rotate=5"
    plain, turned = pixels(xrays / "xrays/a.png"), pixels(xrays / row["path"])
    np.testing.assert_array_equal(turned, moved(plain, Move(rotate=5)))
    assert (turned != plain).any()


def test_copies_by_another_move_are_made_anew(xrays: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(xrays)
    for move in ("rotate=5", "rotate=6"):
        given = ["m.csv", "-d", "eq", "--method", "none", "--move", move, "-o", "o.csv"]
        assert in_process("equalize", *given) == 0
        [row, *_] = rows_of(xrays / "o.csv")
        wanted = moved(pixels(xrays / "xrays/a.png"), Move(rotate=float(move[-1])))
        np.testing.assert_array_equal(pixels(xrays / row["path"]), wanted)
