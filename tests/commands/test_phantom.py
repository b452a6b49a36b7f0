"""cxrtool phantom: COUNT -> images and a manifest that tells the truth about them."""

import csv
import io

import numpy as np
import pytest
from PIL import Image


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def pixels(path):
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.asarray(image)


@pytest.fixture
def made(cxrtool, tmp_path):
    done = cxrtool("phantom", 12, "-d", "ph", "--size", 64, "--seed", 3)
    assert (done.returncode, done.stderr) == (0, "")
    return rows(done.stdout)


def test_every_row_has_its_image_and_its_truth(made, tmp_path):
    assert len(made) == 12
    for row in made:
        image, mask, lesion = (pixels(tmp_path / row[c]) for c in ("path", "mask", "lesion"))
        assert image.shape == mask.shape == lesion.shape == (64, 64)
        assert (row["width"], row["height"]) == ("64", "64")
        assert set(np.unique(mask)) == {0, 255}
        assert (lesion.max() == 255) == (row["label"] != "normal")
        assert not (lesion > mask).any()
        assert row["patient"].startswith(row["source"] + "/")
        assert row["raw"] == row["path"]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(made, cxrtool, tmp_path):
    again = cxrtool("phantom", 12, "-d", "again", "--size", 64, "--seed", 3, "-j", 1)
    assert [r["sha256"] for r in rows(again.stdout)] == [r["sha256"] for r in made]
    other = cxrtool("phantom", 12, "-d", "other", "--size", 64, "--seed", 4)
    assert not {r["sha256"] for r in rows(other.stdout)} & {r["sha256"] for r in made}


def test_what_is_whole_is_kept_and_what_is_not_is_made_again(made, cxrtool, tmp_path):
    first, second = (tmp_path / row["path"] for row in made[:2])
    whole = first.read_bytes()
    second.write_bytes(second.read_bytes()[:-20])
    old = first.stat().st_mtime_ns
    done = cxrtool("phantom", 12, "-d", "ph", "--size", 64, "--seed", 3)
    assert rows(done.stdout) == made
    assert (first.read_bytes(), first.stat().st_mtime_ns) == (whole, old)
    assert pixels(second).shape == (64, 64)


def test_other_options_make_the_files_anew(made, cxrtool, tmp_path):
    done = cxrtool("phantom", 12, "-d", "ph", "--size", 96, "--seed", 3)
    assert pixels(tmp_path / rows(done.stdout)[0]["path"]).shape == (96, 96)


def test_force_makes_the_files_anew(made, cxrtool, tmp_path):
    first = tmp_path / made[0]["path"]
    old = first.stat().st_mtime_ns
    cxrtool("phantom", 12, "-d", "ph", "--size", 64, "--seed", 3, "--force")
    assert first.stat().st_mtime_ns > old


@pytest.mark.parametrize(("confound", "sources"), [(1, {"covid": 1, "normal": 1}), (0, None)])
def test_confound_ties_the_source_to_the_label(cxrtool, confound, sources):
    options = ("--labels", "covid,normal", "--sources", 2, "--confound", confound, "--size", 32)
    made = rows(cxrtool("phantom", 40, "-d", "ph", *options).stdout)
    found = {
        label: len({r["source"] for r in made if r["label"] == label})
        for label in ("covid", "normal")
    }
    assert found == (sources or {"covid": 2, "normal": 2})


def test_root_makes_the_paths_relative_to_it(cxrtool, tmp_path):
    done = cxrtool("phantom", 2, "-d", tmp_path / "data" / "ph", "--size", 32, "--root", "data")
    assert rows(done.stdout)[0]["path"] == "ph/images/phantom-000001.png"


def test_dry_run_touches_nothing(cxrtool, tmp_path):
    done = cxrtool("phantom", 5, "-d", "ph", "-n")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "cxrtool phantom: would make 5 images of 256 x 256 pixels in ph\n"
    assert not (tmp_path / "ph").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "missing argument 'COUNT'. See cxrtool phantom --help."),
        (("x", "-d", "p"), "invalid value for 'COUNT': not a whole number. See"),
        (("0", "-d", "p"), "invalid value for 'COUNT': below 1. See"),
        (("5",), "missing option '--dir' / '-d'. Name a folder to write to, for ex"),
        (("5", "-d", "p", "--confound", "2"), "invalid value for '--confound': above 1"),
        (("5", "-d", "p", "--confound", "nan"), "invalid value for '--confound': "),
        (
            ("5", "-d", "p", "--labels", "normal,covd"),
            "--labels 'covd' is not one of: normal, pneumonia, covid. Did you mean 'covid'?",
        ),
        (("5", "-d", "p", "--labels", "covid,covid"), "--labels covid,covid names a label twice."),
    ],
)
def test_mistakes_are_one_line_and_exit_2(cxrtool, options, message):
    done = cxrtool("phantom", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cxrtool phantom: {message}")
    assert done.stderr.count("\n") == 1
