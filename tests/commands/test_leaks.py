"""A patient or a picture in two parts: train and evaluate say so, and --strict refuses it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handy import Row, in_process, rows_of, write_table

from cxrtool.stats import metrics

SMALL = ["--device", "cpu", "-j", "1"]
NETWORK = ["--arch", "conv8", "--size", "32", "--batch", "8", "--epochs", "1"]
NONE = {"patient": 0, "sha256": 0, "dup_group": 0}
Said = pytest.CaptureFixture[str]


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def rows(phantoms: Path) -> list[Row]:
    return rows_of(phantoms / "split.csv")


def of(rows: list[Row], part: str) -> list[Row]:
    return [row for row in rows if row["split"] == part]


def train(*args: str, folder: str = "r") -> int:
    return in_process("train", "m.csv", *NETWORK, *SMALL, "-d", folder, *args)


def leaks(folder: str = "r") -> Any:
    return json.loads((Path(folder) / "run.json").read_text())["leaks"]


def lines(capfd: Said, word: str) -> list[str]:
    return [line for line in capfd.readouterr().err.splitlines() if word in line]


def share_patient(rows: list[Row]) -> None:
    of(rows, "test")[0]["patient"] = of(rows, "train")[0]["patient"]


def share_file(rows: list[Row]) -> None:
    of(rows, "val")[0]["sha256"] = of(rows, "train")[0]["sha256"]


def share_picture(rows: list[Row]) -> None:
    for row in (of(rows, "test")[0], of(rows, "train")[0], of(rows, "val")[0]):
        row["dup_group"] = "d"


def share_all(rows: list[Row]) -> None:
    share_patient(rows)
    of(rows, "test")[1]["patient"] = of(rows, "val")[1]["patient"]
    share_file(rows)
    share_picture(rows)


# What is done to the rows, what is counted, and how that is told.
LEAKS: dict[str, tuple[Callable[[list[Row]], None], dict[str, int], str]] = {
    "patient": (share_patient, {"patient": 1}, "1 patient"),
    "file": (share_file, {"sha256": 1}, "1 file (sha256)"),
    "picture": (share_picture, {"dup_group": 1}, "1 duplicate group"),
    "all": (
        share_all,
        {"patient": 2, "sha256": 1, "dup_group": 1},
        "2 patients, 1 file (sha256) and 1 duplicate group",
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_train_counts_what_leaks(leak: str, rows: list[Row], capfd: Said) -> None:
    change, counts, told = LEAKS[leak]
    change(rows)
    write_table(Path("m.csv"), rows)
    assert train("--repeat", "2") == 0
    assert lines(capfd, "more than one part") == [
        f"cxrtool train: warning: m.csv: {told} in more than one part: "
        "the results are too optimistic. cxrtool split lists them."
    ]
    assert leaks("r/seed-0") == leaks("r/seed-1") == NONE | counts


@pytest.mark.parametrize("leak", LEAKS)
def test_strict_training_refuses_what_leaks(leak: str, rows: list[Row], capfd: Said) -> None:
    change, _, told = LEAKS[leak]
    change(rows)
    write_table(Path("m.csv"), rows)
    assert train("--strict") == 2
    assert capfd.readouterr().err == (
        f"cxrtool train: m.csv: {told} in more than one part. cxrtool split lists them.\n"
    )
    assert not Path("r").exists()


def test_train_says_nothing_of_a_split_without_leaks(rows: list[Row], capfd: Said) -> None:
    # Neither what is unknown nor what is repeated within a part is a leak.
    for row in rows[::3]:
        row["patient"] = ""
    rows.append(of(rows, "train")[0])
    write_table(Path("m.csv"), rows)
    assert train("--strict") == 0
    assert lines(capfd, "more than one part") == [] and leaks() == NONE


def test_rows_that_are_not_used_leak_nothing(rows: list[Row]) -> None:
    share_all(rows)
    of(rows, "train")[0]["label"] = of(rows, "train")[1]["label"] = ""
    write_table(Path("m.csv"), rows)
    assert train("--strict", "--where", "split!=val,test") == 0
    assert leaks() == NONE


def test_a_manifest_says_what_can_be_counted(rows: list[Row]) -> None:
    names = ("path", "label", "patient", "split")
    share_patient(rows)
    write_table(Path("m.csv"), [{c: row[c] for c in names} for row in rows])
    assert train() == 0
    assert leaks() == {"patient": 1}


def test_folds_leak_too(phantoms: Path, capfd: Said) -> None:
    rows = rows_of(phantoms / "folds.csv")
    one, other = (next(r for r in rows if r["fold"] == fold) for fold in "24")
    other["patient"] = one["patient"]
    write_table(Path("m.csv"), rows)
    # Fold 2 is left for the test, and 4 is learned from; with fold 1 left out, 2 is val.
    for fold in "21":
        assert train("--fold", fold, "--strict", folder=fold) == 2
        assert "m.csv: 1 patient in more than one part" in capfd.readouterr().err
    # Both are learned from.
    for row in rows:
        row["fold"] = {"4": "3", "3": "4"}[row["fold"]] if row["fold"] in "34" else row["fold"]
    write_table(Path("m.csv"), rows)
    assert train("--fold", "4", "--strict") == 0
    assert leaks() == NONE


def test_test_rows_that_a_fold_has_are_named(phantoms: Path, capfd: Said) -> None:
    """A published test part beside folds of all rows: the fold decides, and that is said."""
    rows = rows_of(phantoms / "folds.csv")
    for row in rows:
        row["split"] = "test" if row["fold"] == "4" else "train"
    write_table(Path("m.csv"), rows)
    number = sum(row["fold"] == "4" for row in rows)
    assert train("--fold", "1") == 0
    assert lines(capfd, "have a fold") == [
        f"cxrtool train: warning: m.csv: {number} training rows have a fold, but are of the "
        "split's test or unseen. Leave them out (--where split!=test,unseen)."
    ]
    assert train("--fold", "1", "--where", "split!=test,unseen", folder="second") == 0
    assert lines(capfd, "have a fold") == []


def test_masks_leak_too(rows: list[Row], capfd: Said) -> None:
    share_patient(rows)
    write_table(Path("m.csv"), rows)
    network = ["--task", "segment", "--arch", "unet:width=4", "--strict"]
    assert train(*network) == 2
    assert "m.csv: 1 patient in more than one part" in capfd.readouterr().err


# --- evaluate -------------------------------------------------------------------------------------


def evaluate(*args: object) -> int:
    return in_process("evaluate", *map(str, args), *SMALL, "-o", "p.csv")


def told(rows: int, number: int, patients: int, pictures: int) -> str:
    return (
        f"{rows} of {number} images were not held out: in training or validation the run has "
        f"seen the patient of {patients} and the picture of {pictures}"
    )


def without_record(small_run: Path) -> Path:
    """Copy a run as an earlier version would have made it."""
    shutil.copytree(small_run, "old")
    Path("old/images.safetensors").unlink()
    about = json.loads(Path("old/run.json").read_text())
    del about["images"], about["leaks"], about["label_traps"], about["criterion"]
    Path("old/run.json").write_text(json.dumps(about))
    return Path("old")


def test_a_record_that_was_left_behind_is_missed(
    rows: list[Row], small_run: Path, capfd: Said
) -> None:
    shutil.copytree(small_run, "left")
    Path("left/images.safetensors").unlink()
    write_table(Path("m.csv"), rows)
    assert evaluate("left", "m.csv", "--where", "split=test") == 0
    assert lines(capfd, "images.safetensors") == [
        "cxrtool evaluate: warning: left: its images.safetensors is missing, so the column `split` "
        "alone says which images it was trained on. Copy the file, too."
    ]


@pytest.mark.parametrize("record", ["with a record", "without"])
@pytest.mark.parametrize("leak", ["patient", "picture"])
def test_evaluate_counts_what_leaks(
    leak: str, record: str, rows: list[Row], small_run: Path, capfd: Said
) -> None:
    """Also where the rows that were trained on are not those that are judged."""
    run = small_run if record == "with a record" else without_record(small_run)
    test, train = of(rows, "test"), of(rows, "train")
    column = {"patient": "patient", "picture": "dup_group"}[leak]
    train[0][column] = test[0][column] = test[2][column] = "shared"
    write_table(Path("m.csv"), rows)
    counts = (2, 0) if leak == "patient" else (0, 2)
    assert evaluate(run, "m.csv", "--where", "split=test") == 0
    line = told(2, len(test), *counts)
    assert lines(capfd, "held out") == [
        f"cxrtool evaluate: warning: {line}: the results are too optimistic"
    ]
    os.unlink("p.csv")
    assert evaluate(run, "m.csv", "--where", "split=test", "--strict") == 2
    remedy = "Leave these rows out, or evaluate without --strict."
    assert capfd.readouterr().err == f"cxrtool evaluate: {line}. {remedy}\n"
    assert not Path("p.csv").exists()


def test_evaluate_says_nothing_of_held_out_images(
    rows: list[Row], small_run: Path, capfd: Said
) -> None:
    write_table(Path("m.csv"), rows)
    for run in (small_run, without_record(small_run)):
        assert evaluate(run, "m.csv", "--where", "split=test", "--strict") == 0
        assert evaluate(run, "m.csv", "--where", "split=val", "--strict") == 0
    said = capfd.readouterr().err.splitlines()
    assert not [line for line in said if "optimistic" in line]
    assert [line for line in said if "record" in line] == 2 * [
        "cxrtool evaluate: old keeps no record of its training images: the columns `split` and "
        "`fold` alone say which these are"
    ]


def test_rows_that_say_that_they_were_trained_on_are_counted_apart(
    rows: list[Row], small_run: Path, capfd: Said
) -> None:
    write_table(Path("m.csv"), rows)
    assert evaluate(small_run, "m.csv", "--strict") == 0
    number = len(of(rows, "train"))
    assert lines(capfd, "optimistic") == [
        f"cxrtool evaluate: warning: the run was trained on {number} of 40 images: "
        "the results are too optimistic"
    ]


def test_images_of_training_are_known_in_another_split(
    rows: list[Row], small_run: Path, capfd: Said
) -> None:
    """The files have other names, nobody says whose they are, and they call themselves a test."""
    known = of(rows, "train")[:3] + of(rows, "val")[:1]
    write_table(
        Path("m.csv"),
        [
            {"path": row["path"], "label": row["label"], "sha256": row["sha256"], "split": "test"}
            for row in known + of(rows, "test")
        ],
    )
    assert evaluate(small_run, "m.csv") == 0
    number = 4 + len(of(rows, "test"))
    (line,) = lines(capfd, "optimistic")
    assert told(4, number, 0, 4) in line


def test_images_of_the_run_whose_weights_it_began_with_are_known(
    rows: list[Row], capfd: Said
) -> None:
    """A second fold, begun with the weights of a first: nothing is held out from both."""
    for number, row in enumerate(rows):
        row |= {"fold": str(1 + number % 3), "patient": f"a/{number}", "dup_group": ""}
    write_table(Path("m.csv"), rows)
    # Folds are left for the test, validation and training: 1, 2 and 3, then 2, 3 and 1.
    assert train("--fold", "1", folder="first") == 0
    weights = ["--fold", "2", "--weights", "first"]
    capfd.readouterr()
    assert train(*weights, folder="second") == 0
    known = sum(row["fold"] == "3" for row in rows)
    what = f"{known} validation images are known to first from its training"
    assert lines(capfd, what) == [
        f"cxrtool train: warning: {what}: validation figures are too optimistic"
    ]
    assert train(*weights, "--strict", folder="strict") == 2
    assert lines(capfd, what) and not Path("strict").exists()
    tested = [row | {"split": "", "fold": "", "patient": ""} for row in rows if row["fold"] == "2"]
    write_table(Path("tested.csv"), tested)
    assert evaluate("second", "tested.csv", "--strict") == 2
    assert told(len(tested), len(tested), 0, len(tested)) in capfd.readouterr().err


def test_a_bare_image_of_training_is_known(rows: list[Row], small_run: Path, capfd: Said) -> None:
    shutil.copy(of(rows, "train")[0]["path"], "a.png")
    test = of(rows, "test")[0]["path"]
    assert evaluate(small_run, "a.png", test) == 0
    (line,) = lines(capfd, "optimistic")
    assert told(1, 2, 0, 1) in line
    assert evaluate(small_run, "a.png", test, "--strict") == 2
    assert evaluate(small_run, test, "--strict") == 0


def unchecked(number: int, why: str, column: str = "split") -> str:
    what = f"{number} of {number} images may be training images of"
    return f"{what} {why}, and no column `{column}` says it"


NO_RECORD = "old: it keeps no record of them"


def test_what_cannot_be_checked_is_said_and_refused_by_strict(
    rows: list[Row], small_run: Path, capfd: Said
) -> None:
    test = of(rows, "test")
    write_table(Path("m.csv"), [{c: r[c] for c in ("path", "label", "sha256")} for r in test])
    write_table(Path("bare.csv"), [{c: r[c] for c in ("path", "label")} for r in test])
    old, number = without_record(small_run), len(test)
    cases = [
        (old, ["m.csv"], unchecked(number, NO_RECORD)),
        (old, [test[0]["path"]], unchecked(1, NO_RECORD)),
        (small_run, ["bare.csv"], unchecked(number, f"{small_run}: they have no sha256")),
    ]
    for run, given, line in cases:
        assert evaluate(run, *given) == 0
        assert lines(capfd, "may be") == [f"cxrtool evaluate: warning: {line}"]
        os.unlink("p.csv")
        assert evaluate(run, *given, "--strict") == 2
        remedy = "Give a manifest that says it, or evaluate without --strict."
        assert capfd.readouterr().err == f"cxrtool evaluate: {line}. {remedy}\n"
        assert not Path("p.csv").exists()
    assert evaluate(small_run, "m.csv", "--strict") == 0
    assert lines(capfd, "may be") == []


def test_one_run_of_an_ensemble_that_cannot_tell_is_named(
    rows: list[Row], small_run: Path, capfd: Said
) -> None:
    test = of(rows, "test")[0]["path"]
    assert evaluate(small_run, test, "--ensemble", without_record(small_run)) == 0
    assert unchecked(1, NO_RECORD) in capfd.readouterr().err


def test_strict_refuses_a_manifest_of_training_rows_alone(
    rows: list[Row], small_run: Path, capfd: Said
) -> None:
    write_table(Path("m.csv"), rows)
    number = len(of(rows, "train"))
    for run in (small_run, without_record(small_run)):
        assert evaluate(run, "m.csv", "--where", "split=train", "--strict") == 2
        line = f"all {number} images are those that the run was trained on"
        assert line in capfd.readouterr().err
        assert evaluate(run, "m.csv", "--where", "split=train") == 0
    # Rows that call themselves training, of which the run has seen none, are a test as any other.
    test = [row | {"split": "train"} for row in of(rows, "test")]
    write_table(Path("other.csv"), test)
    assert evaluate(small_run, "other.csv", "--strict") == 0


def test_every_run_of_an_ensemble_counts(rows: list[Row], small_run: Path, capfd: Said) -> None:
    write_table(Path("all.csv"), rows)
    turned = {"train": "test", "test": "train", "val": "val"}
    write_table(Path("m.csv"), [row | {"split": turned[row["split"]]} for row in rows])
    assert train(folder="turned") == 0
    capfd.readouterr()
    given = ["--where", "split=test", "--ensemble", "turned"]
    assert evaluate(small_run, "all.csv", *given) == 0
    number = len(of(rows, "test"))
    assert told(number, number, number, number) in capfd.readouterr().err


def test_the_record_is_small_and_names_nobody(rows: list[Row], small_run: Path) -> None:
    from safetensors.numpy import load_file

    record = small_run / "images.safetensors"
    found = load_file(record)
    for part in ("train", "val"):
        assert len(found[part]) == len({r["sha256"] for r in of(rows, part)})
        assert found[part].dtype == np.int64
    assert record.stat().st_size < 8 * len(rows) + 500
    assert not any(row["patient"].encode() in record.read_bytes() for row in rows)


def test_without_digests_of_files_there_is_no_record(rows: list[Row]) -> None:
    write_table(Path("m.csv"), [{c: v for c, v in r.items() if c != "sha256"} for r in rows])
    assert train() == 0
    assert not Path("r/images.safetensors").exists()
    assert json.loads(Path("r/run.json").read_text())["images"] == ""
    assert evaluate("r", "m.csv", "--where", "split=test") == 0


@pytest.mark.parametrize("damage", ["flip", "other"])
def test_a_damaged_record_is_refused_by_name(
    damage: str, rows: list[Row], small_run: Path, capfd: Said
) -> None:
    shutil.copytree(small_run, "r")
    record = Path("r/images.safetensors")
    data = bytearray(record.read_bytes())
    data[-1] ^= 1
    if damage == "other":
        data = bytearray(Path("r/model.safetensors").read_bytes())
        about = json.loads(Path("r/run.json").read_text())
        about["images"] = about["weights"]
        Path("r/run.json").write_text(json.dumps(about))
    record.write_bytes(data)
    assert evaluate("r", of(rows, "test")[0]["path"]) == 2
    assert "r/images.safetensors" in capfd.readouterr().err and not Path("p.csv").exists()


# --- the threshold of what predicts ---------------------------------------------------------------


def threshold_of(capfd: Said) -> tuple[float, int]:
    (line,) = lines(capfd, "threshold")
    words = line.removeprefix("cxrtool evaluate: threshold ").split()
    return float(words[0].rstrip(",")), int(words[2])


@pytest.fixture
def two_runs(rows: list[Row], small_run: Path) -> list[str]:
    """Two runs of one split, whose own thresholds are not those of their mean."""
    write_table(Path("m.csv"), rows)
    assert train("--seed", "5", "--lr", "0.02", folder="other") == 0
    for name, source in (("one", small_run), ("two", Path("other"))):
        shutil.copytree(source, name)
        about = json.loads(Path(name, "run.json").read_text())
        Path(name, "run.json").write_text(json.dumps(about | {"threshold": 0.987}))
    return ["one", "two"]


@pytest.mark.parametrize(
    "more", [["--ensemble", "two"], ["--tta", "2"], ["--ensemble", "two", "--calibrate"]]
)
def test_the_threshold_of_val_is_of_what_predicts(
    more: list[str], rows: list[Row], two_runs: list[str], capfd: Said
) -> None:
    """It is Youden's, on the validation images as the same runs and looks predict them."""
    assert evaluate("one", "m.csv", "--where", "split=val", *more) == 0
    p, val = rows_of(Path("p.csv")), of(rows, "val")
    positive = np.array([row["label"] == "normal" for row in val])
    cut = metrics.youden(positive, np.array([float(row["p_normal"]) for row in p]))
    capfd.readouterr()
    # --where says which rows are judged, not where the threshold is from.
    assert evaluate("one", "m.csv", "--where", "split=test", "--threshold", "val", *more) == 0
    assert threshold_of(capfd) == (pytest.approx(cut, abs=1e-4), len(val))
    for row in rows_of(Path("p.csv")):
        assert row["pred"] == ("normal" if float(row["p_normal"]) > cut else "covid")


def test_one_run_keeps_the_threshold_that_it_was_trained_with(two_runs: list[str]) -> None:
    assert evaluate("one", "m.csv", "--where", "split=test", "--threshold", "val") == 0
    assert {r["pred"] for r in rows_of(Path("p.csv")) if float(r["p_normal"]) < 0.987} == {"covid"}


def test_the_manifest_of_an_ensemble_may_come_down_a_pipe(
    two_runs: list[str], monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    given = ["--threshold", "val", "--ensemble", "two", "--where", "split=test"]
    assert evaluate("one", "m.csv", *given) == 0
    named, expected = threshold_of(capfd), rows_of(Path("p.csv"))
    with Path("m.csv").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert evaluate("one", "-", *given) == 0
    assert threshold_of(capfd) == named and rows_of(Path("p.csv")) == expected


@pytest.mark.parametrize("case", ["images", "no val rows", "another val", "no record"])
def test_a_threshold_that_cannot_be_chosen_is_refused(
    case: str, rows: list[Row], two_runs: list[str], capfd: Said
) -> None:
    given, why = ["m.csv"], "m.csv: no images of both classes on which all the runs were validated"
    if case == "images":
        given, why = [rows[0]["path"]], "--threshold val needs the validation images here"
    elif case == "no val rows":
        write_table(Path("m.csv"), of(rows, "test"))
    elif case == "another val":
        turned = {"train": "train", "test": "val", "val": "test"}
        write_table(Path("other.csv"), [r | {"split": turned[r["split"]]} for r in rows])
        given_train = [*NETWORK, *SMALL, "-d", "third"]
        assert in_process("train", "other.csv", *given_train) == 0
        shutil.rmtree("two")
        shutil.copytree("third", "two")
    else:
        about = json.loads(Path("two/run.json").read_text())
        Path("two/run.json").write_text(json.dumps(about | {"images": ""}))
        why = "--threshold val: two keeps no record of its validation images"
    capfd.readouterr()
    assert evaluate("one", *given, "--threshold", "val", "--ensemble", "two") == 2
    said = capfd.readouterr().err
    assert said.startswith(f"cxrtool evaluate: {why}") and said.count("\n") == 1
    assert not Path("p.csv").exists()
