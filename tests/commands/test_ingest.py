"""`cxrtool ingest`: what it writes, what it says, and how it ends, through real processes."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import changes
import numpy as np
import odd
import pytest
from handy import (
    Run,
    in_process,
    noise,
    pixels,
    random_png,
    rows_of,
    snapshot,
    start,
    table,
    weak,
    write,
    write_table,
)
from PIL import Image

from cxrtool.core import parallel
from cxrtool.data import sources
from cxrtool.phantoms import plan, render


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """Two classes of two images each."""
    names = ("covid/1.png", "covid/2.png", "normal/1.png", "normal/2.png")
    return write(tmp_path / "xrays", {n: noise(i) for i, n in enumerate(names)})


# --- the manifest ---------------------------------------------------------------------------------


def test_a_folder_of_classes(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    done = cxrtool("ingest", "xrays")
    told = "cxrtool ingest: 4 images of unknown patients, 1 source: covid 2, normal 2\n"
    assert (done.returncode, done.stderr) == (0, told)
    rows = table(done.stdout)
    assert list(rows[0]) == [
        "path",
        "raw",
        "label",
        "patient",
        "source",
        "view",
        "age",
        "sex",
        "width",
        "height",
        "sha256",
        "dhash",
        "dhash_square",
        "fingerprint",
        "dup_group",
        "mask",
        "finding",
        "folder",
    ]
    assert [(r["path"], r["label"], r["source"]) for r in rows] == [
        ("xrays/covid/1.png", "covid", "xrays"),
        ("xrays/covid/2.png", "covid", "xrays"),
        ("xrays/normal/1.png", "normal", "xrays"),
        ("xrays/normal/2.png", "normal", "xrays"),
    ]
    for row in rows:
        data = (tmp_path / row["path"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert (row["width"], row["height"], len(row["dhash"])) == ("64", "64", 64)
        assert row["raw"] == row["path"] and row["patient"] == row["dup_group"] == ""
    assert cxrtool("ingest", "xrays", "-j", 1).stdout == done.stdout
    assert not (tmp_path / ".cache").exists(), "no key where there is no DICOM"


def test_duplicates_across_paths(cxrtool: Run, tmp_path: Path) -> None:
    picture = render(plan(1)[0], 256).image
    again = odd.saved(Image.fromarray(picture), "JPEG", quality=80)
    write(tmp_path, {"a/x.png": odd.saved(Image.fromarray(picture), "PNG"), "a/y.png": noise(1)})
    write(tmp_path, {"b/x.png": (tmp_path / "a/x.png").read_bytes(), "b/z.jpg": again})
    done = cxrtool("ingest", "a", "b")
    groups = {r["path"]: r["dup_group"] for r in table(done.stdout)}
    assert groups["a/x.png"] == groups["b/x.png"] == groups["b/z.jpg"] != ""
    assert groups["a/y.png"] == ""
    assert done.stderr.splitlines() == [
        "cxrtool ingest: 3 images are duplicates, in 1 group (dup_group)",
        "cxrtool ingest: 4 images of unknown patients, 2 sources: (no label) 4",
        "cxrtool ingest: no image has a label: for training, put each class into a folder of its "
        "own and name the folder above them, or describe the images in a table (--metadata)",
    ]
    for part in "ab":
        cxrtool("ingest", part, "-o", f"{part}.csv")
    joined = table(cxrtool("ingest", "a.csv", "b.csv").stdout)
    assert {r["path"]: r["dup_group"] for r in joined} == groups


def test_altered_copies_across_manifests(cxrtool: Run, tmp_path: Path) -> None:
    """They are looked for by what the manifests keep, and proved on the files."""
    pictures = [render(case, 256).image for case in plan(6, per_patient=1)]
    random = np.random.default_rng(0)
    copies = {"mirrored": pictures[1], "crop 5 %": pictures[2], "inverted": pictures[3]}
    write(tmp_path / "a", {f"{i}.png": saved(p) for i, p in enumerate(pictures)})
    changed = {name: changes.CHANGES[name](p, random) for name, p in copies.items()}
    write(tmp_path / "b", {f"{name}.png": saved(p) for name, p in changed.items()})
    for part in "ab":
        assert "duplicates" not in cxrtool("ingest", part, "-o", f"{part}.csv").stderr
    done = cxrtool("ingest", "a.csv", "b.csv", "-o", "both.csv")
    assert "6 images are duplicates, in 3 groups" in done.stderr
    group = {Path(r["path"]).stem: r["dup_group"] for r in rows_of(tmp_path / "both.csv")}
    for number, name in enumerate(copies, 1):
        assert group[str(number)] == group[name] != ""
    again = cxrtool("ingest", "both.csv")
    assert again.stdout == (tmp_path / "both.csv").read_text()
    # Where the files are gone, what was found before stays, and it is said what cannot be proved.
    (tmp_path / "b" / "mirrored.png").unlink()
    gone = cxrtool("ingest", "both.csv")
    assert gone.stdout == again.stdout
    assert "possible duplicates: 1 image cannot be read again" in gone.stderr


def test_a_manifest_without_fingerprints_says_what_it_lacks(cxrtool: Run, tmp_path: Path) -> None:
    picture = render(plan(1)[0], 256).image
    write(tmp_path / "a", {"1.png": saved(picture), "2.png": saved(changes.jpeg(picture, 60))})
    rows = table(cxrtool("ingest", "a").stdout)
    assert rows[0]["dup_group"] == rows[1]["dup_group"] != ""
    for row in rows:
        del row["fingerprint"], row["dup_group"]
    write_table(tmp_path / "old.csv", rows)
    done = cxrtool("ingest", "old.csv")
    assert "2 images have no fingerprint in the manifest" in done.stderr
    found = table(done.stdout)
    assert found[0]["dup_group"] == found[1]["dup_group"] != "" and not found[0]["fingerprint"]


def saved(image: np.ndarray[Any, Any]) -> bytes:
    return odd.saved(Image.fromarray(image), "PNG")


def test_a_manifest_passes_through(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    text = 'path,label,file,listed,"odd, column"\nxrays/covid/1.png,x,keep,me,007\n'
    done = cxrtool("ingest", "-", stdin=text)
    (row,) = table(done.stdout)
    assert (row["label"], row["file"], row["listed"]) == ("x", "keep", "me")
    assert row["odd, column"] == "007" and row["raw"] == "xrays/covid/1.png"
    again = cxrtool("ingest", "-", stdin=done.stdout)
    assert again.stdout == done.stdout


def test_a_measured_manifest_can_still_be_converted(
    cxrtool: Run, classes: Path, tmp_path: Path
) -> None:
    cxrtool("ingest", "xrays", "-o", "m.csv")
    done = cxrtool("ingest", "m.csv", "--convert", "png")
    rows = table(done.stdout)
    assert done.returncode == 0 and len(rows) == 4
    assert all(r["path"].startswith("png/") and r["raw"].startswith("xrays/") for r in rows)
    assert all((tmp_path / r["path"]).is_file() for r in rows)


def test_labels_are_mapped(cxrtool: Run, classes: Path) -> None:
    done = cxrtool("ingest", "xrays", "--map-label", "COV*=ill", "--map-label", "normal=")
    assert [r["label"] for r in table(done.stdout)] == ["ill", "ill"]
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "cxrtool ingest: 2 images of unknown patients, 1 source: ill 2",
        "cxrtool ingest: left out 2: its label is mapped to nothing",
    ]


def test_findings_without_labels_are_kept(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path / "xrays", {f"{i}.png": noise(i) for i in range(2)})
    (tmp_path / "meta.csv").write_text("file,found\n0.png,Edema|Mass\n1.png,\n")
    done = cxrtool("ingest", "xrays", "--metadata", "meta.csv", "--column", "found=finding")
    assert done.returncode == 0
    assert [(r["finding"], r["label"]) for r in table(done.stdout)] == [
        ("Edema|Mass", ""),
        ("", ""),
    ]
    (tmp_path / "m.csv").write_text(done.stdout)
    again = table(cxrtool("ingest", "m.csv").stdout)
    assert [r["finding"] for r in again] == ["Edema|Mass", ""]


def test_metadata(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    (tmp_path / "meta.csv").write_text(
        "filename,finding,patientid,view,age\n"
        "1.png,a,0012,PA,40\n2.jpeg,b,12,L,\nabsent.png,b,NA,PA,\n"
    )
    flat = write(tmp_path / "flat", {"1.png": noise(1), "2.png": noise(2), "3.png": noise(3)})
    done = cxrtool(
        "ingest",
        flat.name,
        "--metadata",
        "meta.csv",
        "--source",
        "here",
        "--view",
        "pa",
        "--column",
        "finding=label,patientid=patient",
        "-o",
        "m.csv",
    )
    (row,) = rows_of(tmp_path / "m.csv")
    assert (row["path"], row["label"], row["patient"]) == ("flat/1.png", "a", "here/0012")
    assert done.returncode == 1
    assert {(r["path"], r["reason"]) for r in rows_of(tmp_path / "failures.csv")} == {
        ("flat/2.png", "view is 'L', not PA"),
        ("flat/absent.png", "listed in meta.csv but absent"),
        ("flat/3.png", "not listed in meta.csv"),
    }


@pytest.mark.parametrize("table", [False, True])
def test_hospitals_in_one_folder_are_not_taken_as_classes_in_silence(
    table: bool, cxrtool: Run, tmp_path: Path
) -> None:
    places = [f"{place}/{label}" for place in ("north", "south") for label in ("covid", "normal")]
    names = [f"all/{place}/{k}.png" for k, place in enumerate(places)]
    write(tmp_path, {name: noise(k) for k, name in enumerate(names)})
    patients = "".join(f"{k}.png,p{k}\n" for k in range(len(names)))
    (tmp_path / "t.csv").write_text(f"file,patient\n{patients}")
    described = ["--metadata", "t.csv"] if table else []
    done = cxrtool("ingest", "all", "-n", *described)
    remedy = "each a source: cxrtool ingest all/north all/south\n"
    assert "warning: all: the labels are north, south, and the folders in these are covid, " in (
        done.stderr
    )
    assert done.stderr.count(remedy) == 1
    done = cxrtool("ingest", "all/north", "all/south", "-n", *described)
    assert "warning" not in done.stderr
    assert "label: covid 2, normal 2" in done.stderr


def test_a_dry_run_starts_no_workers(
    classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is measured, so that the server of the workers would be started for nothing."""
    prepared: list[str] = []
    monkeypatch.setattr(parallel, "prepare", prepared.append)
    assert in_process("ingest", str(classes), "-n") == 0
    assert prepared == []
    assert in_process("ingest", str(classes), "-j", "1", "-o", str(tmp_path / "x.csv")) == 0
    assert prepared == ["cxrtool.data.measurement"]


def test_dry_run_touches_nothing(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    before = sorted(map(str, tmp_path.rglob("*")))
    done = cxrtool("ingest", "xrays", "-n", "--convert", "png", "-o", "m.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "cxrtool ingest: source: xrays 4",
        "cxrtool ingest: label: covid 2, normal 2",
        "cxrtool ingest: view: (unknown) 4",
        "cxrtool ingest: would read 4 images",
    ]
    assert sorted(map(str, tmp_path.rglob("*"))) == before


# --- the odd folder -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ingested(hostile: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cxrtool", "ingest", "in", "-o", "m.csv", "--convert", "png"]
    home = {"HOME": str(hostile), "XDG_CACHE_HOME": str(hostile / "cache")}
    return subprocess.run(
        command,
        cwd=hostile,
        env={**os.environ, **home},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_input_is_in_the_manifest_or_in_the_list(
    hostile: Path, ingested: subprocess.CompletedProcess[str]
) -> None:
    assert (ingested.returncode, ingested.stdout) == (1, "")
    inputs = {p.relative_to(hostile) for p in (hostile / "in").rglob("*") if not p.is_dir()}
    inputs.add(Path("in/names/up"))
    used = [Path(r["raw"]) for r in rows_of(hostile / "m.csv")]
    reasons = {Path(r["path"]): r["reason"] for r in rows_of(hostile / "png" / "failures.csv")}
    assert len(used) == len(set(used)) == len(inputs) - len(reasons)
    assert {*used, *reasons} == inputs
    lost = {p.name for p in reasons}
    assert lost == {
        *odd.BROKEN,
        *odd.LEFT_OUT,
        "bomb.dcm",
        "bomb.png",
        "abort.dcm",
        "dangling.png",
        "fifo.png",
        "up",
    }
    broken = Path("in/broken")
    assert reasons[broken / "bomb.dcm"] == "unpacks to more than 256 MiB"
    assert reasons[broken / "bomb.png"] == "needs more than 1 GiB of memory"
    assert reasons[broken / "abort.dcm"] == "crashed the decoder (SIGABRT)"
    for name, (_, reason) in odd.BROKEN.items():
        assert reason is None or reasons[broken / name] == reason


def test_one_line_a_cause(ingested: subprocess.CompletedProcess[str], hostile: Path) -> None:
    lines = ingested.stderr.splitlines()
    assert all(line.startswith("cxrtool ingest: ") for line in lines)
    assert "Traceback" not in ingested.stderr
    told = [line for line in lines if ": in/" in line and ": warning: " not in line]
    failed = len(odd.BROKEN) + 5
    assert len(told) == failed
    assert "cxrtool ingest: in/broken/empty.png: the file is empty. Repair or remove it." in lines
    assert "cxrtool ingest: in/read/pages.tif: warning: the first of 3 frames is used" in lines
    assert "cxrtool ingest: left out 1: a DICOM document (SR), not an image" in lines
    listed = len(odd.BROKEN) + len(odd.LEFT_OUT) + 6
    assert lines[-1] == (f"cxrtool ingest: {listed} skipped, listed in png/failures.csv")


def test_the_pixels_that_are_written(
    hostile: Path, ingested: subprocess.CompletedProcess[str]
) -> None:
    rows = [r for r in rows_of(hostile / "m.csv") if r["raw"].startswith("in/read/")]
    assert len(rows) == len(odd.PICTURES) + len(odd.DICOMS)
    for row in rows:
        with Image.open(hostile / row["path"]) as picture:
            assert (picture.format, picture.mode) == ("PNG", "L")
            lossy = any(w in row["raw"] for w in ("jp", "cmyk", "lab", "ycbcr", "mpo"))
            odd.check_ramp(np.asarray(picture), 0.02 if lossy else 0)
        assert (row["width"], row["height"]) == (str(odd.WIDTH), str(odd.HEIGHT))


def test_no_two_rows_share_a_file(
    hostile: Path, ingested: subprocess.CompletedProcess[str]
) -> None:
    paths = [r["path"] for r in rows_of(hostile / "m.csv")]
    assert len({p.lower() for p in paths}) == len(paths)
    assert set(os.listdir(hostile / "png")) == {
        *(os.path.basename(p) for p in paths),
        "failures.csv",
    }


def test_nothing_identifies_a_patient(
    hostile: Path, ingested: subprocess.CompletedProcess[str]
) -> None:
    written = [ingested.stderr.encode(), (hostile / "m.csv").read_bytes()]
    written += [
        *snapshot(hostile / "png").values(),
        "\n".join(os.listdir(hostile / "png")).encode(),
    ]
    everything = b"\n".join(written).lower()
    for secret in odd.SECRETS.values():
        assert secret.lower().encode() not in everything
    rows = [r for r in rows_of(hostile / "m.csv") if r["raw"].endswith(".dcm")]
    people = {r["patient"] for r in rows if "png-named" not in r["raw"]}
    (person,) = people
    source, _, name = person.partition("/")
    assert source == "in" and len(name) == 16 and int(name, 16)
    assert {(r["view"], r["sex"], r["age"]) for r in rows if r["patient"]} == {("PA", "F", "45")}


def test_the_inputs_are_as_they_were(
    hostile: Path, ingested: subprocess.CompletedProcess[str]
) -> None:
    for name, make in {
        "l.png": odd.PICTURES["l.png"],
        "explicit.dcm": odd.DICOMS["explicit.dcm"],
    }.items():
        assert (hostile / "in" / "read" / name).read_bytes() == make()
    assert sorted(os.listdir(hostile / "in" / "names")) == sorted([*odd.NAMES, "up"])


def test_a_name_that_is_not_utf8(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    try:
        write(classes, {os.fsdecode(b"covid/\xff.png"): noise(9)})
    except OSError:
        pytest.skip("this file system takes no such name")
    done = cxrtool("ingest", "xrays", "-o", "m.csv")
    assert done.returncode == 1 and len(rows_of(tmp_path / "m.csv")) == 4
    assert rows_of(tmp_path / "failures.csv") == [
        {
            "path": "xrays/covid/\\udcff.png",
            "reason": "its name is not UTF-8",
            "remedy": "Repair or remove it.",
            "command": "ingest xrays -o m.csv",
        }
    ]


def test_rights(classes: Path, tmp_path: Path) -> None:
    write(classes, {"shut/1.png": noise(7), "covid/shut.png": noise(8), "covid/shut": noise(9)})
    for path in ("shut", "covid/shut.png", "covid/shut"):
        (classes / path).chmod(0)
    (classes / "closed").mkdir(mode=0o555)
    (tmp_path / "locked").mkdir(mode=0o555)

    run = weak(tmp_path)
    done = run("ingest", "xrays", "-o", "m.csv")
    assert done.returncode == 1 and len(rows_of(tmp_path / "m.csv")) == 4
    assert {(r["path"], r["reason"]) for r in rows_of(tmp_path / "failures.csv")} == {
        ("xrays/shut", "unreadable folder: permission denied"),
        ("xrays/covid/shut.png", "permission denied"),
        ("xrays/covid/shut", "permission denied"),
    }
    for args in (["-o", "xrays/closed/m.csv"], ["--convert", "locked/png"]):
        done = run("ingest", "xrays", *args)
        assert done.returncode == 2, "nothing is done"
        assert done.stderr.splitlines()[-1] == (
            f"cxrtool ingest: {args[1]}: permission denied. Choose a place that can be written."
        )


# --- how it ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ([], "no PATH. Name a folder, for example: cxrtool ingest images/."),
        (["absent"], "absent: no such file or folder. Check the path."),
        (["xrays", "--bits", "12"], "--bits '12' is not one of: 8, 16. Choose one of them."),
        (
            ["xrays", "-o", "no/m.csv"],
            "no/m.csv: no such folder. Choose a place that can be written.",
        ),
        (["xrays", "-o", "xrays"], "xrays: is a folder. Name a file in it."),
        (
            ["xrays", "--convert", "xrays/png"],
            "xrays/png is inside xrays, where the next run would read its images. "
            "Name another folder with --convert.",
        ),
        (
            ["xrays", "--metadata", "t.csv", "--column", "a"],
            "--column 'a' is not KEY=VALUE. Write both sides.",
        ),
        (
            ["xrays", "--preset", "nih"],
            "xrays: no Data_Entry_2017_v2020.csv or Data_Entry_2017.csv or sample_labels.csv in "
            "it, nor in a folder of it. Name the collection's top folder. nih is published at "
            "https://nihcc.app.box.com/v/ChestXray-NIHCC",
        ),
        (
            ["empty"],
            "empty: no image to read (0 left out). Name a folder with one subfolder of images per "
            "class, or a collection (--preset).",
        ),
        (
            ["empty", "--preset", "folder"],
            "empty: no image to read (0 left out). Check the path, the preset and the views "
            "(--preset, --view).",
        ),
    ],
)
def test_mistakes(args: list[str], line: str, cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = cxrtool("ingest", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cxrtool ingest: {line}\n"


def test_a_part_of_a_collection(cxrtool: Run, tmp_path: Path) -> None:
    names = [f"xrays/{label}/{i}.png" for label in ("covid", "normal") for i in range(6)]
    write(tmp_path, {n: noise(i) for i, n in enumerate(names)})
    done = cxrtool("ingest", "xrays", "--cap", "label=4,covid=1", "--seed", "3")
    assert done.returncode == 0
    assert [r["label"] for r in table(done.stdout)] == ["covid", *["normal"] * 4]
    assert "left out 4: over the cap of 4 for label" in done.stderr
    assert "left out 3: over the cap of 1 for covid" in done.stderr
    assert (
        cxrtool("ingest", "xrays", "--cap", "label=4,covid=1", "--seed", "3").stdout == done.stdout
    )
    dry = cxrtool("ingest", "xrays", "--cap", "label=4", "-n")
    assert "would read 8 images" in dry.stderr
    wrong = cxrtool("ingest", "xrays", "--cap", "flu=4")
    assert wrong.returncode == 2
    assert (
        "the cap 'flu' is neither a column nor a label; labels are: covid, normal" in wrong.stderr
    )


def test_a_collection_that_is_half_there(cxrtool: Run, tmp_path: Path) -> None:
    head = "Image Index,Finding Labels,Patient ID\n"
    lines = "".join(f"{i:08}_000.png,No Finding,{i}\n" for i in range(1, 8))
    files = {f"images_001/images/{i:08}_000.png": noise(i) for i in (1, 2)}
    write(tmp_path / "nih", {"Data_Entry_2017.csv": (head + lines).encode(), **files})
    done = cxrtool("ingest", "nih", "--preset", "nih", "-o", "m.csv")
    assert done.returncode == 1
    line = (
        "cxrtool ingest: warning: 5 of 7 that nih lists are absent; nih is published at "
        "https://nihcc.app.box.com/v/ChestXray-NIHCC\n"
    )
    assert done.stderr.count(line) == 1
    assert done.stderr.count("listed in Data_Entry_2017.csv but absent") == 5
    assert len(rows_of(tmp_path / "m.csv")) == 2


def test_a_window_of_hounsfield_units(cxrtool: Run, tmp_path: Path) -> None:
    units = np.linspace(-1024, 2000, 32 * 32).round().reshape(32, 32)
    rescale = {"Modality": "CT", "RescaleSlope": "1", "RescaleIntercept": "-1024"}
    ct = odd.dicom((units + 1024).astype(np.uint16), 16, **rescale)
    write(tmp_path / "ct", {"covid/1.dcm": ct, "normal/2.png": noise(1)})
    done = cxrtool("ingest", "ct", "--convert", "lung", "--window", "lung", "-o", "lung.csv")
    assert done.returncode == 0
    assert "warning: the window has no effect on 1 of 2 images: no CT of over 8 bits" in done.stderr
    shown = pixels(tmp_path / rows_of(tmp_path / "lung.csv")[0]["path"])
    share = np.clip((units + 600.5) / 1499 + 0.5, 0, 1)
    np.testing.assert_allclose(shown, share * 255, atol=0.51)
    # Another window makes the image again; the same one does not.
    files = snapshot(tmp_path / "lung")
    cxrtool("ingest", "ct", "--convert", "lung", "--window=-600,1500", "-o", "again.csv")
    assert snapshot(tmp_path / "lung") == files
    cxrtool("ingest", "ct", "--convert", "lung", "--window", "bone", "-o", "bone.csv")
    assert snapshot(tmp_path / "lung") != files
    wrong = cxrtool("ingest", "ct", "--convert", "lung", "--window", "lungs")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "cxrtool ingest: --window 'lungs' is not one of: lung, mediastinum, bone, CENTER,WIDTH. "
        "Did you mean 'lung'?\n",
    )


def rsna(folder: Path) -> None:
    """Write a small RSNA: one image with two boxes, one without."""
    labels = (
        "patientId,x,y,width,height,Target\na,2.0,3.0,4.0,5.0,1\na,20.0,10.0,6.0,7.0,1\nb,,,,,0\n"
    )
    classes = "patientId,class\na,Lung Opacity\na,Lung Opacity\nb,Normal\n"
    images = {f"stage_2_train_images/{n}.dcm": odd.dicom() for n in "ab"}
    tables = {
        "stage_2_train_labels.csv": labels.encode(),
        "stage_2_detailed_class_info.csv": classes.encode(),
    }
    write(folder, images | tables)


def test_boxes_become_masks_of_the_lesion(cxrtool: Run, tmp_path: Path) -> None:
    rsna(tmp_path / "rsna")
    done = cxrtool("ingest", "rsna", "--preset", "rsna", "-o", "m.csv")
    hint = "1 image has boxes around a lesion and no mask of it: --convert DIR or --join-masks"
    assert hint in done.stderr
    assert [r["lesion"] for r in rows_of(tmp_path / "m.csv")] == ["", ""]
    done = cxrtool("ingest", "rsna", "--preset", "rsna", "--convert", "png", "-o", "c.csv")
    assert done.returncode == 0 and "boxes" not in done.stderr
    sick, well = rows_of(tmp_path / "c.csv")
    mask = pixels(tmp_path / sick["lesion"])
    assert mask.shape == pixels(tmp_path / sick["path"]).shape == odd.RAMP12.shape
    assert set(np.unique(mask)) == {0, 255}
    assert (mask > 0).sum() == 4 * 5 + 6 * 7
    assert (mask[3:8, 2:6] > 0).all() and (mask[10:17, 20:26] > 0).all()
    assert (well["lesion"], well["boxes"]) == ("", "")
    # A manifest with boxes is enough, and a second run makes nothing again.
    files = snapshot(tmp_path / "png")
    cxrtool("ingest", "m.csv", "--convert", "png", "-o", "again.csv")
    assert snapshot(tmp_path / "png") == files
    assert rows_of(tmp_path / "again.csv")[0]["lesion"] == sick["lesion"]
    done = cxrtool("ingest", "m.csv", "--join-masks", "masks", "-o", "j.csv")
    assert done.returncode == 0
    assert rows_of(tmp_path / "j.csv")[0]["lesion"].startswith("masks/")


def test_nothing_usable(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path / "bad", {"a.png": b"", "b.png": b"x"})
    done = cxrtool("ingest", "bad", "-o", "m.csv")
    assert done.returncode == 2 and not (tmp_path / "m.csv").exists()
    assert done.stderr.endswith("cxrtool ingest: no image could be used. See the reasons above.\n")
    assert len(rows_of(tmp_path / "failures.csv")) == 2


def test_strict(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    write(classes, {"covid/0.png": b""})
    done = cxrtool("ingest", "xrays", "--strict", "-o", "m.csv")
    assert (done.returncode, (tmp_path / "m.csv").exists()) == (2, False)
    assert (
        done.stderr
        == "cxrtool ingest: xrays/covid/0.png: the file is empty. Repair or remove it.\n"
    )


def test_a_closed_pipe(classes: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "ingest", "xrays", "-q")
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
def test_an_output_that_cannot_be_written(
    redirect: str, line: str, classes: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m cxrtool ingest xrays {redirect}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (3, f"cxrtool ingest: {line}\n")


def test_a_full_disk_in_a_worker(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: the run says so, and resumes."""
    script = f"ulimit -f 2; exec {sys.executable} -m cxrtool ingest big --convert png -o m.csv"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=write(tmp_path / "w", {"big/a.png": random_png(256)}),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.endswith(": file too large. Make room, then run the same command again.")
    assert os.listdir(tmp_path / "w" / "png") == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough to be interrupted in."""
    top = tmp_path_factory.mktemp("many")
    return write(top / "many", {f"x/{n:03}.png": random_png(512, n) for n in range(120)})


def interrupted(many: Path, tmp_path: Path, how: int) -> subprocess.Popen[bytes]:
    """Start to convert, and send a signal when the first images are there."""
    process = start(
        tmp_path, "ingest", str(many), "--convert", "png", "-o", "m.csv", start_new_session=True
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if len(list(tmp_path.glob("png/*.png"))) >= 5:
            break
        time.sleep(0.01)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # As a terminal does.
    else:
        process.send_signal(how)
    return process


@pytest.mark.parametrize(
    ("how", "code", "line"),
    [
        (
            signal.SIGTERM,
            143,
            b"cxrtool ingest: terminated. Run it again to finish\n",
        ),
        (
            signal.SIGINT,
            130,
            b"cxrtool ingest: interrupted. Run it again to finish\n",
        ),
        (signal.SIGKILL, -9, b""),
    ],
)
def test_interrupted_and_resumed(
    how: int, code: int, line: bytes, many: Path, tmp_path: Path, cxrtool: Run
) -> None:
    process = interrupted(many, tmp_path, how)
    # The pipe closes when the last worker is gone.
    out, error = process.communicate(timeout=30)
    assert (process.returncode, out, error) == (code, b"", line)
    assert not (tmp_path / "m.csv").exists()
    first = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("png/*.png")}
    assert 5 <= len(first) < 120
    if how != signal.SIGKILL:
        assert not list(tmp_path.glob("png/.*"))
    done = cxrtool("ingest", many, "--convert", "png", "-o", "m.csv", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob("png/.*")), "no leftovers"
    kept = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("png/*.png")}
    assert {name: kept[name] for name in first} == first, "what was whole is not made again"
    cxrtool("ingest", many, "--convert", "undisturbed/png", "-o", "m2.csv")
    assert snapshot(tmp_path / "png") == snapshot(tmp_path / "undisturbed" / "png")
    undisturbed = (tmp_path / "m2.csv").read_text().replace("undisturbed/png", "png")
    assert (tmp_path / "m.csv").read_text() == undisturbed


def test_ctrl_c_at_any_time(many: Path, tmp_path: Path) -> None:
    for wait in (0.4, 0.6, 0.8):
        process = start(tmp_path, "ingest", str(many), "-o", "m.csv", start_new_session=True)
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=30)
        if process.returncode == 130:
            # On a slow machine the work may not have begun.
            early = b"cxrtool: interrupted before any work began\n"
            assert error in (b"cxrtool ingest: interrupted. Run it again to finish\n", early)
        else:  # Before the program, Python itself; or it was done.
            assert process.returncode in (0, -signal.SIGINT, 1)


def test_converting_again_makes_nothing_again(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    command = ("ingest", "xrays", "--convert", "png", "-o", "m.csv")
    cxrtool(*command)
    first = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in tmp_path.glob("png/*")}
    manifest = (tmp_path / "m.csv").read_bytes()
    spoilt = sorted(first)[0]
    spoilt.write_bytes(first[spoilt][1][:-20])
    assert cxrtool(*command).returncode == 0
    for path, (made, data) in first.items():
        assert path.read_bytes() == data
        assert (path.stat().st_mtime_ns == made) == (path != spoilt)
    assert (tmp_path / "m.csv").read_bytes() == manifest
    cxrtool(*command, "--force")
    assert all(path.stat().st_mtime_ns != made for path, (made, _) in first.items())
    assert {p: p.read_bytes() for p in first} == {p: data for p, (_, data) in first.items()}


def test_two_at_once(classes: Path, tmp_path: Path) -> None:
    both = [
        start(tmp_path, "ingest", "xrays", "--convert", "png", "-o", f"{n}.csv", "-q")
        for n in (1, 2)
    ]
    assert [(p.communicate(timeout=60)[1], p.returncode) for p in both] == [(b"", 0)] * 2
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert len(os.listdir(tmp_path / "png")) == 4


def test_sixteen_bits(cxrtool: Run, tmp_path: Path) -> None:
    names = ("i16.png", "i12.tif", "explicit.dcm", "l.png")
    write(tmp_path / "deep", {n: {**odd.PICTURES, **odd.DICOMS}[n]() for n in names})
    rows = table(cxrtool("ingest", "deep", "--convert", "png", "--bits", "16").stdout)
    grey = {}
    for row in rows:
        with Image.open(tmp_path / row["path"]) as picture:
            grey[os.path.basename(row["raw"])] = np.asarray(picture)
    np.testing.assert_array_equal(grey["i16.png"], odd.RAMP16)
    np.testing.assert_array_equal(grey["i12.tif"], odd.RAMP12)
    np.testing.assert_array_equal(grey["explicit.dcm"], odd.RAMP12)
    np.testing.assert_array_equal(grey["l.png"], odd.RAMP8)


def test_the_key(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path / "scans", {"a.dcm": odd.DICOMS["explicit.dcm"](), "key": b"0123456789abcdef"})

    def patient(*args: str, **options: Any) -> str:
        return table(cxrtool("ingest", "scans/a.dcm", *args, **options).stdout)[0]["patient"]

    own, given = patient(), patient("--key", "scans/key")
    assert own == patient() != given
    assert given == patient(env={"CXRTOOL_KEY": "scans/key"})
    assert (
        own.startswith("scans/") and (tmp_path / ".cache" / "cxrtool" / "pseudonym.key").is_file()
    )


def test_views_of_the_header_are_filtered(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path / "scans", {"a.dcm": odd.dicom(ViewPosition="LL"), "b.dcm": odd.dicom()})
    done = cxrtool("ingest", "scans", "--view", "PA,AP")
    assert [r["path"] for r in table(done.stdout)] == ["scans/b.dcm"]
    assert done.stderr.endswith("cxrtool ingest: left out 1: view is 'LL', not AP or PA\n")


def test_a_list_in_the_way(cxrtool: Run, classes: Path, tmp_path: Path) -> None:
    (tmp_path / "failures.csv").write_text("mine\n")
    done = cxrtool("ingest", "xrays", "-o", "m.csv")
    assert done.returncode == 2 and (tmp_path / "failures.csv").read_text() == "mine\n"
    assert done.stderr == (
        "cxrtool ingest: failures.csv: exists and is not a list of skipped inputs. "
        "Name another file for the list (--failures).\n"
    )


def test_a_table_without_labels_leaves_them_to_the_folders(cxrtool: Run, classes: Path) -> None:
    names = [f"{p.parent.name}/{p.name}" for p in sorted(classes.parent.glob("xrays/*/*"))]
    listed = "".join(f"{name},7,old\n" for name in names)
    (classes.parent / "people.csv").write_text("file,patient,notes\n" + listed)
    done = cxrtool("ingest", "xrays", "--metadata", "people.csv")
    assert {(r["label"], r["patient"]) for r in table(done.stdout)} == {
        ("covid", "xrays/7"),
        ("normal", "xrays/7"),
    }
    assert "cxrtool ingest: people.csv: columns that are not used: notes" in done.stderr


def test_a_column_of_the_metadata_that_seems_to_be_the_patient_is_named(
    cxrtool: Run, tmp_path: Path
) -> None:
    write(tmp_path, {"xrays/1.png": noise(1)})
    (tmp_path / "t.csv").write_text("file,Patient ID,label\n1.png,7,a\n")
    done = cxrtool("ingest", "xrays", "--metadata", "t.csv")
    assert "'Patient ID' is not read as the patient" in done.stderr
    assert "add --column 'Patient ID'=patient" in done.stderr
    done = cxrtool("ingest", "xrays", "--metadata", "t.csv", "--column", "Patient ID=patient")
    assert "is not read" not in done.stderr
    assert [r["patient"] for r in table(done.stdout)] == ["xrays/7"]


def test_a_manifest_as_metadata_keeps_its_patients(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path, {"xrays/1.png": noise(1), "xrays/2.png": noise(2)})
    (tmp_path / "t.csv").write_text("path,source,patient\n1.png,north,north/7\n2.png,north,8\n")
    done = cxrtool("ingest", "xrays", "--metadata", "t.csv")
    assert [r["patient"] for r in table(done.stdout)] == ["north/7", "north/8"]


def test_a_name_that_two_folders_have_is_not_guessed(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path / "xrays", {"a/1.png": noise(1), "b/1.png": noise(2), "b/2.png": noise(3)})
    (tmp_path / "t.csv").write_text("file,patient\n1.png,p\nb/2.png,q\n")
    done = cxrtool("ingest", "xrays", "--metadata", "t.csv")
    assert [r["path"] for r in table(done.stdout)] == ["xrays/b/2.png"]
    assert done.returncode == 1
    assert (
        "xrays/1.png: it may be xrays/a/1.png or xrays/b/1.png. Write the folder in t.csv too."
        in done.stderr
    )


def test_joining_from_elsewhere_says_so_and_keeps_the_groups(cxrtool: Run, tmp_path: Path) -> None:
    again = noise(1)
    write(tmp_path / "here" / "xrays", {"a/1.png": again, "b/1.png": again, "b/2.png": noise(3)})
    cxrtool("ingest", "xrays", "-o", "../m.csv", cwd=tmp_path / "here")
    done = cxrtool("ingest", "m.csv", cwd=tmp_path)
    groups = [r["dup_group"] for r in table(done.stdout)]
    assert groups[0] == groups[1] != "" == groups[2]
    assert f"some images do not exist below the root folder {tmp_path}" in done.stderr


def two_folders(top: Path) -> None:
    """Write two folders of a collection, and one table for both."""
    files = {"one/a/1.png": noise(1), "two/b/2.png": noise(2), "two/b/5.png": noise(5)}
    write(top, files)
    (top / "t.csv").write_text("file,patient\n1.png,p\n2.png,q\n3.png,r\n")


@pytest.mark.parametrize(
    "folders", [("one", "two"), ("two", "one"), ("one", "two", "two/b", "one")]
)
def test_a_row_of_the_metadata_is_absent_only_if_no_folder_has_it(
    cxrtool: Run, tmp_path: Path, folders: tuple[str, ...]
) -> None:
    two_folders(tmp_path)
    done = cxrtool("ingest", *folders, "--metadata", "t.csv", "-o", "m.csv")
    assert done.returncode == 1
    rows = {r["path"]: (r["patient"], r["label"], r["source"]) for r in rows_of(tmp_path / "m.csv")}
    assert rows == {"one/a/1.png": ("t/p", "a", "one"), "two/b/2.png": ("t/q", "b", "two")}
    skips = [(r["path"], r["reason"]) for r in rows_of(tmp_path / "failures.csv")]
    assert sorted(skips) == [
        ("3.png", "listed in t.csv but absent"),
        ("two/b/5.png", "not listed in t.csv"),
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {("a", "t/p"), ("b", "t/p")}),
        (("--source", "north"), {("north", "north/p")}),
    ],
)
def test_a_patient_of_one_table_is_one_person_in_all_folders(
    cxrtool: Run, tmp_path: Path, options: tuple[str, ...], expected: set[tuple[str, str]]
) -> None:
    write(tmp_path, {"a/1.png": noise(1), "b/2.png": noise(2)})
    (tmp_path / "t.csv").write_text("file,patient\n1.png,p\n2.png,p\n")
    done = cxrtool("ingest", "a", "b", "--metadata", "t.csv", *options)
    assert {(r["source"], r["patient"]) for r in table(done.stdout)} == expected


def test_a_name_that_two_of_the_folders_have_is_not_guessed(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path, {"one/1.png": noise(1), "two/1.png": noise(2)})
    (tmp_path / "t.csv").write_text("file,patient\n1.png,p\ntwo/1.png,q\n")
    done = cxrtool("ingest", "one", "two", "--metadata", "t.csv")
    assert [(r["path"], r["patient"]) for r in table(done.stdout)] == [("two/1.png", "t/q")]
    assert "1.png: it may be one/1.png or two/1.png. Write the folder in t.csv too." in done.stderr


# --- masks in halves ------------------------------------------------------------------------------


def half(column: slice, size: int = 32) -> bytes:
    values = np.zeros((size, size), np.uint8)
    values[4:28, column] = 255
    return odd.saved(Image.fromarray(values), "PNG")


LEFT, RIGHT = half(slice(18, 28)), half(slice(4, 14))


def montgomery(top: Path, **masks: bytes | None) -> None:
    """Write the layout that the collection is published in, of two people."""
    files: dict[str, bytes | None] = {}
    for number, name in enumerate(("MCUCXR_0001_0", "MCUCXR_0104_1")):
        files[f"CXR_png/{name}.png"] = noise(number, 32)
        files[f"ManualMask/leftMask/{name}.png"] = LEFT
        files[f"ManualMask/rightMask/{name}.png"] = RIGHT
        files[f"ClinicalReadings/{name}.txt"] = b"Patient's Sex: F\nPatient's Age: 027Y\nnormal\n"
    files |= {f"ManualMask/{k}Mask/MCUCXR_0104_1.png": data for k, data in masks.items()}
    kept = {f"mc/MontgomerySet/{name}": data for name, data in files.items() if data is not None}
    write(top, kept)


def test_halves_that_are_not_joined_are_counted(cxrtool: Run, tmp_path: Path) -> None:
    montgomery(tmp_path)
    done = cxrtool("ingest", "mc", "--preset", "montgomery")
    assert done.returncode == 0
    assert [row["mask"] for row in table(done.stdout)] == ["", ""]
    said = "2 images have a mask of each lung, but none of both; cxrtool ingest can join them"
    assert f"cxrtool ingest: {said}\n" in done.stderr


@pytest.mark.parametrize("given", [["--join-masks", "masks"], ["--convert", "masks"]])
def test_halves_are_joined_where_the_user_says(
    cxrtool: Run, tmp_path: Path, given: list[str]
) -> None:
    montgomery(tmp_path)
    done = cxrtool("ingest", "mc", "--preset", "montgomery", *given)
    assert done.returncode == 0
    assert "mask of each lung" not in done.stderr
    rows = table(done.stdout)
    assert len({row["mask"] for row in rows}) == 2
    both = np.maximum(*(np.asarray(Image.open(io.BytesIO(data))) for data in (LEFT, RIGHT)))
    for row in rows:
        assert row["mask"].startswith("masks/")
        assert np.array_equal(pixels(tmp_path / row["mask"]), both)
        converts = "--convert" in given
        assert row["path"].startswith("masks/" if converts else "mc/MontgomerySet/CXR_png/")
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "masks").iterdir()}
    assert cxrtool("ingest", "mc", "--preset", "montgomery", *given).stdout == done.stdout
    after = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "masks").iterdir()}
    assert after == before, "what is whole is not made again"


def test_halves_of_a_manifest_are_joined_later(cxrtool: Run, tmp_path: Path) -> None:
    montgomery(tmp_path)
    cxrtool("ingest", "mc", "--preset", "montgomery", "-o", "m.csv")
    done = cxrtool("ingest", "m.csv", "--join-masks", "masks")
    assert all(row["mask"].startswith("masks/") for row in table(done.stdout))


@pytest.mark.parametrize(
    ("masks", "half", "reason"),
    [
        ({"right": None}, "left", "the mask of the other lung is absent"),
        ({"left": None}, "right", "the mask of the other lung is absent"),
        ({"left": b"no picture"}, "left", "it or the mask of the other lung cannot be read: "),
        ({"left": half(slice(1, 2), 30)}, "left", "the mask of the other lung has another size"),
    ],
)
def test_a_mask_that_cannot_be_joined_is_reported(
    cxrtool: Run, tmp_path: Path, masks: dict[str, bytes | None], half: str, reason: str
) -> None:
    montgomery(tmp_path, **masks)
    done = cxrtool("ingest", "mc", "--preset", "montgomery", "--join-masks", "masks", "-o", "m.csv")
    assert done.returncode == 1
    assert [bool(row["mask"]) for row in rows_of(tmp_path / "m.csv")] == [True, False]
    (row,) = rows_of(tmp_path / "failures.csv")
    assert row["path"] == f"mc/MontgomerySet/ManualMask/{half}Mask/MCUCXR_0104_1.png"
    assert row["reason"].startswith(reason)
    assert row["remedy"] == "The image is read without a mask."


# --- files that are no images ---------------------------------------------------------------------


def test_files_that_are_no_images_are_counted(cxrtool: Run, tmp_path: Path) -> None:
    names = [
        "a.nii.gz",
        "b.NII.GZ",
        "c.eps",
        "d.fits",
        "notes.txt",
        "README",
        ".DS_Store",
        "._x.png",
    ]
    files = {f"in/{name}": b"no image" for name in names}
    write(tmp_path, files | {"in/x.png": noise(1), "in/Thumbs.db": b""})
    said = (
        "cxrtool ingest: 9 files are not images: .nii.gz 2, hidden 2, .db 1, .eps 1, .fits 1, "
        ".txt 1, without ending 1 (-v lists them)\n"
    )
    done = cxrtool("ingest", "in", "-o", "m.csv")
    assert done.returncode == 0
    assert said in done.stderr
    assert not (tmp_path / "failures.csv").exists()
    more = cxrtool("ingest", "in", "-v", "-o", "m.csv").stderr
    for name in [*names, "Thumbs.db"]:
        assert f"cxrtool ingest: in/{name}: it is not an image\n" in more


def test_a_dicom_file_without_preamble_and_ending_is_read(cxrtool: Run, tmp_path: Path) -> None:
    bare = {f"in/{n}": make() for n, make in odd.DICOMS.items() if n.startswith("bare")}
    write(tmp_path, bare)
    done = cxrtool("ingest", "in")
    assert done.returncode == 0
    assert sorted(row["path"] for row in table(done.stdout)) == sorted(bare)
    assert "not images" not in done.stderr


# --- what may tell who somebody is ----------------------------------------------------------------


def test_ages_over_89_are_coarse_unless_asked_for(cxrtool: Run, tmp_path: Path) -> None:
    ages = {"089Y": ("89", "89"), "090Y": ("90+", "90"), "103Y": ("90+", "103")}
    scans = {f"in/{age}.dcm": odd.dicom(PatientAge=age) for age in ages}
    write(tmp_path, scans)
    cells = {"old.png": "93", "young.png": "89", "unit.png": "1100 months", "none.png": ""}
    write(tmp_path / "more", {name: noise(i) for i, name in enumerate(cells)})
    lines = "".join(f"{name},{age}\n" for name, age in cells.items())
    (tmp_path / "t.csv").write_text("file,age\n" + lines)
    for exact in (False, True):
        given = ["--exact-age"] * exact
        rows = table(cxrtool("ingest", "in", *given).stdout)
        wanted = {f"in/{age}.dcm": both[exact] for age, both in ages.items()}
        assert {row["path"]: row["age"] for row in rows} == wanted
        rows = table(cxrtool("ingest", "more", "--metadata", "t.csv", *given).stdout)
        found = {os.path.basename(row["path"]): row["age"] for row in rows}
        assert found == (cells if exact else cells | {"old.png": "90+", "unit.png": "90+"})


@pytest.mark.parametrize(
    ("text", "coarse"),
    [
        *((t, "90+") for t in ("90", "> 90", "\u226590", "~95", "over 90", "P95Y", "+95", "85-95")),
        *((t, t) for t in ("", "89", "40-50", "88Y", "600 d", "unknown")),
        *((t, "") for t in ("1925", "19250101")),
    ],
)
def test_no_age_over_89_is_exact_however_it_is_written(text: str, coarse: str) -> None:
    assert sources.coarse_age(text) == coarse


def test_a_coarse_age_stays_and_can_be_grouped_by(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path, {"in/a.dcm": odd.dicom(PatientAge="095Y")})
    cxrtool("ingest", "in", "-o", "m.csv")
    (row,) = table(cxrtool("ingest", "m.csv").stdout)
    assert row["age"] == "90+"


def test_text_that_the_header_says_is_burnt_in_is_told_of(cxrtool: Run, tmp_path: Path) -> None:
    burned = {"a": "YES", "b": "NO", "c": "YES"}
    write(tmp_path, {f"in/{n}.dcm": odd.dicom(BurnedInAnnotation=b) for n, b in burned.items()})
    done = cxrtool("ingest", "in")
    assert done.returncode == 0
    said = "2 images have burnt-in text according to the header (BurnedInAnnotation)"
    assert f"cxrtool ingest: {said}; cxrtool equalize can cover it\n" in done.stderr
    assert "burned_in" not in done.stdout
    assert "in/a.dcm: its header says" in cxrtool("ingest", "in", "-v").stderr
