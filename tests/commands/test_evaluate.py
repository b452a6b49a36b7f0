"""`cxrtool evaluate`: its probabilities are those of the network, and its warnings are true."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from handy import Row, in_process, pixels, rows_of, shell, table, write_table
from safetensors.torch import load_file, save_file
from torch import Tensor

from cxrtool.files import pixel_cache, run_folder
from cxrtool.learn import inference, prediction
from cxrtool.stats import metrics

COLUMNS = [
    "path",
    "label",
    "patient",
    "source",
    "split",
    "fold",
    "model",
    "pred",
    "p_covid",
    "p_normal",
]
SMALL = ["--device", "cpu", "-j", "1"]
Said = pytest.CaptureFixture[str]


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def split(phantoms: Path) -> list[Row]:
    return rows_of(phantoms / "split.csv")


def evaluate(*args: object, output: str = "p.csv") -> int:
    return in_process("evaluate", *map(str, args), *SMALL, "-o", output)


def predicted(*args: object) -> list[Row]:
    assert evaluate(*args) == 0
    return rows_of(Path("p.csv"))


def chances(rows: list[Row]) -> np.ndarray:
    """Read the probabilities (images, classes)."""
    names = [c for c in rows[0] if c.startswith("p_")]
    return np.array([[float(r[n]) for n in names] for r in rows])


def changed(
    folder: Path, name: str, change: Callable[[dict[str, Tensor]], None] | None = None, **about: Any
) -> Path:
    """Copy a run with other weights or another run.json."""
    found = run_folder.read(str(folder))
    tensors = found.tensors()
    if change:
        change(tensors)
    os.makedirs(name)
    run_folder.write(name, type(found.about)(**{**vars(found.about), **about}), tensors)
    return Path(name)


def one_output(weight: float, bias: float) -> Callable[[dict[str, Tensor]], None]:
    """Make the only logit a multiple of what it was, and add to it."""

    def change(tensors: dict[str, Tensor]) -> None:
        tensors["last.weight"] *= weight
        tensors["last.bias"] = tensors["last.bias"] * weight + bias

    return change


def logits(folder: Path, rows: list[Row]) -> np.ndarray:
    """Compute the logits with nothing of the tool but the network."""
    about = json.loads((folder / "run.json").read_text())
    network = inference.built("conv8", 2, 1, 32).eval()
    network.load_state_dict(load_file(folder / "model.safetensors"))
    images = np.stack([pixels(Path(r["path"])) for r in rows]).astype(np.float32)
    ready = (images - np.float32(about["mean"][0])) / np.float32(about["std"][0])
    with torch.no_grad():
        found: np.ndarray = network(torch.from_numpy(ready[:, None])).double().numpy()[:, 0]
    return found


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def said(capfd: Said) -> list[str]:
    return [t.removeprefix("cxrtool evaluate: ") for t in capfd.readouterr().err.splitlines()]


# --- the table ------------------------------------------------------------------------------------


def test_the_columns_and_the_order_of_the_rows(small_run: Path, split: list[Row]) -> None:
    write_table(Path("m.csv"), split[::-1])
    rows = predicted(small_run, "m.csv")
    assert list(rows[0]) == COLUMNS
    for row, given in zip(rows, split[::-1], strict=True):
        same = ("path", "label", "patient", "source", "split")
        assert [row[c] for c in same] == [given[c] for c in same]
        assert (row["fold"], row["model"]) == ("", "small")


def test_the_probabilities_are_those_of_the_network(small_run: Path, split: list[Row]) -> None:
    write_table(Path("m.csv"), split)
    found = chances(predicted(small_run, "m.csv", "--batch", 7))
    np.testing.assert_allclose(found[:, 1], sigmoid(logits(small_run, split)), atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_several_classes(phantoms: Path, split: list[Row]) -> None:
    for number, row in enumerate(split):
        row["label"] = "abc"[number % 3]
    write_table(Path("m.csv"), split)
    given = ["--arch", "conv8", "--size", "32", "--batch", "8", "--epochs", "1", *SMALL]
    assert in_process("train", "m.csv", *given, "-d", "r") == 0
    rows = predicted("r", "m.csv")
    p = chances(rows)
    assert [c for c in rows[0] if c.startswith("p_")] == ["p_a", "p_b", "p_c"]
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert [r["pred"] for r in rows] == ["abc"[k] for k in p.argmax(axis=1)]


def test_a_tie_is_not_over_the_threshold(small_run: Path, phantoms: Path) -> None:
    changed(small_run, "tie", one_output(0, 0))
    rows = predicted("tie", phantoms / "split.csv")
    assert {(r["pred"], r["p_covid"], r["p_normal"]) for r in rows} == {("covid", "0.5", "0.5")}


@pytest.mark.parametrize("threshold", ["0.3", "0.5", "0.9", "0", "1"])
def test_the_threshold_is_of_the_second_class(
    threshold: str, small_run: Path, phantoms: Path
) -> None:
    changed(small_run, "wide", one_output(50, 0))
    rows = predicted("wide", phantoms / "split.csv", "--threshold", threshold)
    for row in rows:
        over = float(row["p_normal"]) > float(threshold)
        assert row["pred"] == ("normal" if over else "covid")


def test_the_threshold_of_val(small_run: Path, phantoms: Path) -> None:
    found = chances(predicted(small_run, phantoms / "split.csv"))
    middle = float(np.median(found[:, 1])) + 1e-6
    changed(small_run, "r", threshold=middle)
    rows = predicted("r", phantoms / "split.csv", "--threshold", "val")
    assert [r["pred"] == "normal" for r in rows] == (found[:, 1] > middle).tolist()
    assert {r["pred"] for r in rows} == {"covid", "normal"}


def test_a_threshold_of_few_validation_images_is_said(
    small_run: Path, phantoms: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = changed(small_run, "r", data={"val": {"covid": 9, "normal": 10}})
    predicted(folder, phantoms / "split.csv", "--threshold", "val")
    assert "chosen on few validation images: 9 of 'covid'\n" in capfd.readouterr().err


def test_the_digests_of_the_manifest_choose_the_decoded_images(
    small_run: Path, phantoms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was replaced is read again, whatever its size and times are."""
    asked: list[list[str]] = []
    real = pixel_cache.gathered

    def gathered(*given: Any) -> Any:
        asked.append(list(given[5]))
        return real(*given)

    monkeypatch.setattr(pixel_cache, "gathered", gathered)
    rows = predicted(small_run, phantoms / "split.csv", "--keep-columns")
    assert [digest for each in asked for digest in each] == [row["sha256"] for row in rows]


def test_a_kept_column_is_no_probability(
    small_run: Path, phantoms: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = rows_of(phantoms / "split.csv")
    write_table(Path("m.csv"), [{**row, "p_other": "0.5"} for row in table])
    assert evaluate(small_run, "m.csv", "--keep-columns") == 2
    assert capfd.readouterr().err.endswith(
        "the kept column 'p_other' would be read as the probability of a class. "
        "Rename it in the manifest (--keep-columns).\n"
    )


def test_calibration_divides_the_logits_by_the_temperature(
    small_run: Path, phantoms: Path, split: list[Row]
) -> None:
    changed(small_run, "r", temperature=2.5)
    found = chances(predicted("r", phantoms / "split.csv", "--calibrate"))
    expected = sigmoid(logits(small_run, split) / 2.5)
    np.testing.assert_allclose(found[:, 1], expected, atol=1e-5)


def test_calibration_changes_nobody_who_is_over_the_threshold_of_val(
    small_run: Path, phantoms: Path
) -> None:
    found = chances(predicted(small_run, phantoms / "split.csv"))
    changed(small_run, "r", temperature=3.0, threshold=float(np.median(found[:, 1])) + 1e-6)
    plain = predicted("r", phantoms / "split.csv", "--threshold", "val")
    again = predicted("r", phantoms / "split.csv", "--threshold", "val", "--calibrate")
    assert [r["pred"] for r in plain] == [r["pred"] for r in again]


def test_more_looks_are_the_same_every_time_and_sum_to_one(small_run: Path, phantoms: Path) -> None:
    changed(small_run, "wide", one_output(50, 0))
    plain, first, second = (
        chances(predicted("wide", phantoms / "split.csv", "--tta", n)) for n in (0, 3, 3)
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first.sum(axis=1), 1, atol=1e-6)
    assert 0 < np.abs(plain - first).max() < 0.9


def test_an_image_looks_the_same_whatever_is_beside_it(small_run: Path, split: list[Row]) -> None:
    """With more looks as without."""
    changed(small_run, "wide", one_output(50, 0))
    write_table(Path("all.csv"), split)
    write_table(Path("some.csv"), split[3:9])
    whole = chances(predicted("wide", "all.csv", "--tta", 2))
    part = chances(predicted("wide", "some.csv", "--tta", 2))
    np.testing.assert_allclose(whole[3:9], part, atol=1e-5)


# --- several runs ---------------------------------------------------------------------------------


def test_an_ensemble_averages(small_run: Path, phantoms: Path) -> None:
    for name, bias in (("b", 1.0), ("c", -2.0)):
        changed(small_run, name, one_output(3, bias))
    each = [chances(predicted(f, phantoms / "split.csv")) for f in (small_run, "b", "c")]
    given = ["--ensemble", "b", "--ensemble", "c"]
    rows = predicted(small_run, phantoms / "split.csv", *given)
    np.testing.assert_allclose(chances(rows), np.mean(each, axis=0), atol=1e-6)
    assert {row["model"] for row in rows} == {f"{small_run.name}+b+c"}


def test_an_ensemble_matches_classes_by_their_names(small_run: Path, phantoms: Path) -> None:
    turned = changed(small_run, "turned", one_output(-1, 0), classes=["normal", "covid"])
    alone = chances(predicted(small_run, phantoms / "split.csv"))
    rows = predicted(small_run, phantoms / "split.csv", "--ensemble", turned)
    np.testing.assert_allclose(chances(rows), alone, atol=1e-6)


def test_runs_of_other_classes_are_no_ensemble(
    small_run: Path, phantoms: Path, capfd: Said
) -> None:
    other = changed(small_run, "other", classes=["covid", "flu"])
    assert evaluate(small_run, phantoms / "split.csv", "--ensemble", other) == 2
    assert said(capfd) == [
        "the runs have different classes: ['covid', 'normal'] and ['covid', 'flu']. "
        "An ensemble needs runs of the same classes."
    ]
    assert not os.path.exists("p.csv")


@pytest.fixture
def levels(small_run: Path, phantoms: Path) -> dict[str, np.ndarray]:
    """Two runs, `first` and `second`, and what each says alone; their products argue with it."""
    p = {}
    changed(small_run, "first", one_output(200, 0))
    changed(small_run, "second", one_output(4, 0.1), classes=["bacteria", "virus"])
    for name in ("first", "second"):
        p[name] = chances(predicted(name, phantoms / "split.csv"))
    # Around a half, where the products of the second class are each less than the first class.
    bias = -float(np.median(np.log(p["first"][:, 1] / p["first"][:, 0])))
    changed(small_run, "middle", one_output(200, bias))
    p["middle"] = chances(predicted("middle", phantoms / "split.csv"))
    return p


def two_steps(levels: dict[str, np.ndarray], threshold: float) -> list[str]:
    """Decide by the first run alone, then by the second alone."""
    return [
        ["bacteria", "virus"][int(second[1] > second[0])] if first[1] > threshold else "covid"
        for first, second in zip(levels["middle"], levels["second"], strict=True)
    ]


def test_a_hierarchy_has_the_products_as_probabilities(
    levels: dict[str, np.ndarray], phantoms: Path
) -> None:
    rows = predicted("middle", phantoms / "split.csv", "--hierarchy", "second")
    assert {row["model"] for row in rows} == {"middle>second"}
    assert [c for c in rows[0] if c.startswith("p_")] == ["p_covid", "p_bacteria", "p_virus"]
    first, then = levels["middle"], levels["second"]
    expected = np.column_stack([first[:, 0], first[:, 1:] * then])
    np.testing.assert_allclose(chances(rows), expected, atol=1e-6)
    np.testing.assert_allclose(chances(rows).sum(axis=1), 1, atol=1e-6)


def test_a_hierarchy_decides_level_by_level(levels: dict[str, np.ndarray], phantoms: Path) -> None:
    alone = [r["pred"] for r in predicted("middle", phantoms / "split.csv")]
    rows = predicted("middle", phantoms / "split.csv", "--hierarchy", "second")
    found = [r["pred"] for r in rows]
    assert found == two_steps(levels, 0.5)
    assert [p == "covid" for p in found] == [p == "covid" for p in alone]
    likeliest = [["covid", "bacteria", "virus"][k] for k in chances(rows).argmax(axis=1)]
    assert found != likeliest, "the case in which the products say another class"


@pytest.mark.parametrize("quantile", [0.2, 0.8])
@pytest.mark.parametrize("of", ["given", "val"])
def test_the_threshold_of_a_hierarchy_is_of_its_first_level(
    of: str, quantile: float, levels: dict[str, np.ndarray], phantoms: Path
) -> None:
    threshold = round(float(np.quantile(levels["middle"][:, 1], quantile)), 4)
    changed(Path("middle"), "cut", threshold=threshold)
    given = "val" if of == "val" else threshold
    more = ["--hierarchy", "second", "--threshold", given]
    rows = predicted("cut", phantoms / "split.csv", *more)
    assert [r["pred"] for r in rows] == two_steps(levels, threshold)


def test_youden_in_a_hierarchy_is_of_its_first_level(
    levels: dict[str, np.ndarray], split: list[Row], capfd: Said
) -> None:
    for number, row in enumerate(split):
        if row["label"] == "normal":
            row["label"] = ["bacteria", "virus"][number % 2]
    write_table(Path("m.csv"), split)
    rows = predicted("middle", "m.csv", "--hierarchy", "second", "--threshold", "youden")
    p, positive = levels["middle"][:, 1], np.array([r["label"] != "covid" for r in split])
    cut = metrics.youden(positive, p)
    assert [r["pred"] for r in rows] == two_steps(levels, cut)
    assert (
        f"threshold {cut:.4f}, the best for these very images: the results are too optimistic"
        in said(capfd)
    )


def test_the_figures_of_a_hierarchy_are_of_its_decisions(
    levels: dict[str, np.ndarray], split: list[Row], capfd: Said
) -> None:
    """What is printed, and what compare makes of the table, is of `pred`."""
    for number, row in enumerate(split):
        if row["label"] == "normal":
            row["label"] = ["bacteria", "virus"][number % 2]
    write_table(Path("m.csv"), split)
    capfd.readouterr()
    rows = predicted("middle", "m.csv", "--hierarchy", "second")
    right = np.mean([r["pred"] == r["label"] for r in rows])
    assert f"accuracy {right:.3f}, " in said(capfd)[0]
    given = ["--metrics", "accuracy", "--format", "csv", "-o", "t.csv"]
    assert in_process("compare", "p.csv", *given) == 0
    values = [float(r["value"]) for r in rows_of(Path("t.csv")) if r["metric"] == "accuracy"]
    assert values[0] == pytest.approx(right)


def test_a_class_stands_once_in_a_hierarchy(small_run: Path, phantoms: Path, capfd: Said) -> None:
    assert evaluate(small_run, phantoms / "split.csv", "--hierarchy", small_run) == 2
    assert said(capfd)[0].startswith("both levels of the hierarchy have the class 'covid'.")


# --- inputs ---------------------------------------------------------------------------------------


def test_bare_images(small_run: Path, split: list[Row], phantoms: Path) -> None:
    paths = [r["path"] for r in split[:3]]
    rows = predicted(small_run, *paths)
    assert [r["path"] for r in rows] == paths
    assert {(r["label"], r["patient"], r["split"], r["model"]) for r in rows} == {
        ("", "", "", "small")
    }
    same = chances(predicted(small_run, phantoms / "split.csv"))[:3]
    np.testing.assert_allclose(chances(rows), same, atol=1e-6)


def test_a_folder_is_not_an_image(small_run: Path, phantoms: Path, capfd: Said) -> None:
    folder = phantoms / "in" / "images"
    assert evaluate(small_run, folder) == 2
    remedy = f"Make a manifest of it first: cxrtool ingest {folder}"
    assert said(capfd) == [f"{folder}: is a folder, not an image. {remedy}"]


def test_images_that_cannot_be_read_are_listed(
    small_run: Path, split: list[Row], capfd: Said
) -> None:
    Path("bad.png").write_bytes(b"no picture")
    given = [dict(r) for r in split]
    given[2]["path"] = given[4]["path"] = "absent.png"
    given[7]["path"] = "bad.png"
    write_table(Path("m.csv"), given)
    assert evaluate(small_run, "m.csv") == 1
    rows, failed = rows_of(Path("p.csv")), rows_of(Path("failures.csv"))
    assert [r["path"] for r in failed] == ["absent.png", "absent.png", "bad.png"]
    assert len(rows) + len(failed) == len(given)
    assert "3 skipped, listed in failures.csv" in said(capfd)
    write_table(Path("good.csv"), [r for r in given if r["path"].startswith("/")])
    assert rows == predicted(small_run, "good.csv")


def test_the_other_columns_are_kept_where_that_is_asked_for(
    small_run: Path, phantoms: Path, split: list[Row]
) -> None:
    rows = predicted(small_run, phantoms / "split.csv", "--keep-columns")
    assert list(rows[0]) == [*COLUMNS, *(c for c in split[0] if c not in COLUMNS)]
    for row, given in zip(rows, split, strict=True):
        assert given.items() <= row.items()


def test_where(small_run: Path, phantoms: Path, split: list[Row]) -> None:
    rows = predicted(small_run, phantoms / "split.csv", "--where", "split=test")
    assert [r["path"] for r in rows] == [r["path"] for r in split if r["split"] == "test"]


def test_where_nothing_is_left(small_run: Path, phantoms: Path, capfd: Said) -> None:
    assert evaluate(small_run, phantoms / "split.csv", "--where", "split=none") == 2
    (only,) = said(capfd)
    assert only.startswith(f"{phantoms / 'split.csv'}: no row fulfils split=none.")
    assert not os.path.exists("p.csv")


def test_root(small_run: Path, split: list[Row], phantoms: Path) -> None:
    whole = chances(predicted(small_run, phantoms / "split.csv"))
    write_table(Path("m.csv"), [r | {"path": os.path.relpath(r["path"], phantoms)} for r in split])
    np.testing.assert_array_equal(chances(predicted(small_run, "m.csv", "--root", phantoms)), whole)


@pytest.mark.parametrize("more", [(), ("-",)])
def test_the_manifest_may_come_down_a_pipe(
    more: tuple[str, ...], small_run: Path, phantoms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = predicted(small_run, phantoms / "split.csv")
    with (phantoms / "split.csv").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert predicted(small_run, *more) == named


def test_the_manifest_may_be_what_another_command_writes(small_run: Path, phantoms: Path) -> None:
    """As bash's <(...) names it."""
    named = predicted(small_run, phantoms / "split.csv")
    out, into = os.pipe()
    os.write(into, (phantoms / "split.csv").read_bytes())
    os.close(into)
    assert predicted(small_run, f"/dev/fd/{out}") == named
    os.close(out)


def test_standard_output_has_the_table_alone(small_run: Path, phantoms: Path, capfd: Said) -> None:
    rows = predicted(small_run, phantoms / "split.csv")
    capfd.readouterr()
    assert evaluate(small_run, phantoms / "split.csv", output="-") == 0
    assert table(capfd.readouterr().out) == rows


@pytest.mark.slow
def test_a_closed_pipe(small_run: Path, phantoms: Path, tmp_path: Path) -> None:
    rows = rows_of(phantoms / "split.csv") * 400
    write_table(Path("m.csv"), rows)
    script = f"cxrtool evaluate {small_run} m.csv -j 1 | head -1; echo ${{PIPESTATUS[0]}}"
    done: subprocess.CompletedProcess[str] = shell(tmp_path, script)
    assert done.stdout.splitlines()[-1] == "141" and done.stderr == ""


def test_a_manifest_is_read_a_part_at_a_time(
    small_run: Path, phantoms: Path, split: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = predicted(small_run, phantoms / "split.csv")
    monkeypatch.setattr(prediction, "CHUNK", 7)
    sizes: list[int] = []
    real = prediction.Predictor.levels
    monkeypatch.setattr(
        prediction.Predictor, "levels", lambda s, p: sizes.append(len(p)) or real(s, p)
    )
    again = predicted(small_run, phantoms / "split.csv")
    assert sizes == [7, 7, 7, 7, 7, 5]
    assert [r["path"] for r in again] == [r["path"] for r in whole]
    np.testing.assert_allclose(chances(again), chances(whole), atol=1e-6)


# --- what is said ---------------------------------------------------------------------------------


def test_the_figures_are_true(small_run: Path, phantoms: Path, capfd: Said) -> None:
    from sklearn import metrics as expected

    changed(small_run, "wide", one_output(50, 0))
    rows = predicted("wide", phantoms / "split.csv")
    y, pred = [r["label"] for r in rows], [r["pred"] for r in rows]
    auc = expected.roc_auc_score([c == "normal" for c in y], chances(rows)[:, 1])
    recall = expected.recall_score(y, pred, average=None, labels=["covid", "normal"])
    n = y.count("covid")
    assert said(capfd)[0] == (
        f"40 images with a label: accuracy {expected.accuracy_score(y, pred):.3f}, "
        f"balanced accuracy {expected.balanced_accuracy_score(y, pred):.3f}, AUC {auc:.3f}, "
        f"recall of covid ({n}) {recall[0]:.3f}, recall of normal ({40 - n}) {recall[1]:.3f}"
    )


def test_quiet(small_run: Path, phantoms: Path, capfd: Said) -> None:
    predicted(small_run, phantoms / "split.csv", "-q")
    assert said(capfd) == []


def test_every_image_of_one_class(small_run: Path, phantoms: Path, capfd: Said) -> None:
    changed(small_run, "r", one_output(1, 99))
    predicted("r", phantoms / "split.csv")
    assert "warning: every image is predicted 'normal'" in said(capfd)


def test_an_auc_under_one_half(small_run: Path, split: list[Row], capfd: Said) -> None:
    order = np.argsort(logits(small_run, split))
    for rank, place in enumerate(order):
        split[place]["label"] = "covid" if rank >= 20 else "normal"
    write_table(Path("m.csv"), split)
    predicted(small_run, "m.csv")
    lines = [line for line in said(capfd) if "is below 0.5" in line]
    assert len(lines) == 1 and "AUC 0.000 is below 0.5. Possible reasons: chance" in lines[0]
    assert "labels mean the opposite" in lines[0] and "see cxrtool audit" in lines[0]


def test_a_source_whose_scores_are_all_alike(
    small_run: Path, split: list[Row], capfd: Said
) -> None:
    same = next(r["path"] for r in split if r["source"] == "hospital-1")
    for row in split:
        row["path"] = same if row["source"] == "hospital-1" else row["path"]
    write_table(Path("m.csv"), split)
    predicted(small_run, "m.csv")
    assert [t for t in said(capfd) if "scores are equal" in t] == [
        "warning: source 'hospital-1': all scores are equal"
    ]


def test_a_source_of_one_image_is_no_reason_to_warn(
    small_run: Path, split: list[Row], capfd: Said
) -> None:
    split[0]["source"] = "alone"
    write_table(Path("m.csv"), split)
    predicted(small_run, "m.csv")
    assert not any("scores are equal" in t for t in said(capfd))


def test_labels_that_the_run_does_not_know(small_run: Path, split: list[Row], capfd: Said) -> None:
    split[0]["label"], split[1]["label"], split[2]["label"] = "flu", "ards", ""
    write_table(Path("m.csv"), split)
    predicted(small_run, "m.csv")
    lines = said(capfd)
    assert "warning: labels that the run does not know: ards, flu" in lines
    assert lines[0].startswith("37 images with a label: ")


def test_images_that_were_prepared_in_another_way(
    small_run: Path, split: list[Row], capfd: Said
) -> None:
    given = [r | {"preprocessing": "equalize --method hist"} for r in split]
    write_table(Path("m.csv"), given)
    predicted(small_run, "m.csv")
    assert [t for t in said(capfd) if "preprocessed" in t] == [
        "warning: the run was trained on images preprocessed by 'nothing', "
        "these are by 'equalize --method hist'"
    ]


def test_images_that_were_prepared_alike(small_run: Path, split: list[Row], capfd: Said) -> None:
    changed(small_run, "r", preprocessing="equalize --method hist")
    write_table(Path("m.csv"), [r | {"preprocessing": "equalize --method hist"} for r in split])
    predicted("r", "m.csv")
    assert not any("preprocessed" in t for t in said(capfd))


def test_one_class_has_no_auc(small_run: Path, phantoms: Path, capfd: Said) -> None:
    predicted(small_run, phantoms / "split.csv", "--where", "label=covid")
    assert ", AUC undefined, " in said(capfd)[0]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", ["1.5", "-0.1", "nan", "best"])
def test_a_threshold_that_is_no_probability(
    threshold: str, small_run: Path, phantoms: Path, capfd: Said
) -> None:
    assert evaluate(small_run, phantoms / "split.csv", f"--threshold={threshold}") == 2
    assert said(capfd) == [
        f"--threshold '{threshold}' is not one of: val, youden, a probability. Write it as 0.5."
    ]


def test_no_run(phantoms: Path, tmp_path: Path, capfd: Said) -> None:
    assert evaluate("nowhere", phantoms / "split.csv") == 2
    assert evaluate(tmp_path, phantoms / "split.csv") == 2
    assert said(capfd) == [
        "nowhere: no such run folder. Create one with cxrtool train.",
        f"{tmp_path}: has no run.json. It is not a run folder, or no epoch is finished.",
    ]


def test_two_manifests(small_run: Path, phantoms: Path, capfd: Said) -> None:
    both = phantoms / "split.csv", phantoms / "folds.csv"
    assert evaluate(small_run, *both) == 2
    assert said(capfd) == [
        f"{both[0]}: is a manifest, so that {both[1]} cannot be taken too. "
        "Name one manifest, or images alone."
    ]


def test_a_run_of_another_task(small_run: Path, phantoms: Path, capfd: Said) -> None:
    changed(small_run, "r", task="segment")
    assert evaluate("r", phantoms / "split.csv") == 2
    assert said(capfd) == [
        "r: is a segmentation run, not a classifier. Use it as the model of cxrtool segment."
    ]


def test_weights_of_another_network(small_run: Path, phantoms: Path, capfd: Said) -> None:
    changed(small_run, "r", arch="cnn-x")
    assert evaluate("r", phantoms / "split.csv") == 2
    (only,) = said(capfd)
    assert only.startswith("r: its weights are not those of cnn-x (Missing key")


def test_weights_that_are_not_finite(small_run: Path, phantoms: Path, capfd: Said) -> None:
    changed(small_run, "r", one_output(math.nan, 0))
    assert evaluate("r", phantoms / "split.csv") == 2
    (only,) = said(capfd)
    assert only.startswith("r: its weights are not all finite numbers (last.")


@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "pickle"])
def test_damaged_weights(damage: str, small_run: Path, phantoms: Path, capfd: Said) -> None:
    shutil.copytree(small_run, "r")
    file = Path("r/model.safetensors")
    data = bytearray(file.read_bytes())
    data[-9] ^= 4
    if damage == "missing":
        file.unlink()
    elif damage == "pickle":
        torch.save({"a": torch.zeros(3)}, file)
    else:
        file.write_bytes(data if damage == "flip" else data[:-7])
    assert evaluate("r", phantoms / "split.csv") == 2
    (only,) = said(capfd)
    assert only.startswith("the weights r/model.safetensors cannot be used: ")
    assert not os.path.exists("p.csv")


def test_an_architecture_that_asks_for_more_than_there_is(
    small_run: Path, phantoms: Path, capfd: Said
) -> None:
    """A run says how large its network is; nothing is taken for it before its weights are seen."""
    found = run_folder.read(str(small_run)).about
    os.makedirs("r")
    about = type(found)(**{**vars(found), "arch": "covidnet", "size": 4096})
    run_folder.write("r", about, {"a": torch.zeros(1)})
    assert evaluate("r", phantoms / "split.csv") == 2
    (only,) = said(capfd)
    assert only.startswith("r: its weights are not those of covidnet (Missing key")


def test_saved_elsewhere_is_the_same(small_run: Path, phantoms: Path) -> None:
    """Another writer of safetensors may order the tensors in another way."""
    shutil.copytree(small_run, "small")
    tensors = load_file("small/model.safetensors")
    save_file(dict(reversed(list(tensors.items()))), "other.safetensors")
    assert predicted("small", phantoms / "split.csv") == predicted(
        small_run, phantoms / "split.csv"
    )


def test_youden_is_the_best_threshold_of_these_very_images(
    small_run: Path, split: list[Row], capfd: pytest.CaptureFixture[str]
) -> None:
    write_table(Path("m.csv"), split)
    rows = predicted(small_run, "m.csv", "--threshold", "youden")
    name = next(c for c in reversed(rows[0]) if c.startswith("p_")).removeprefix("p_")
    scores = np.array([float(r[f"p_{name}"]) for r in rows])
    positive = np.array([r["label"] == name for r in rows])

    def index(threshold: float) -> float:
        return (scores[positive] > threshold).mean() + (scores[~positive] <= threshold).mean()

    above = scores[[r["pred"] == name for r in rows]]
    assert index(above.min() - 1e-9) == pytest.approx(max(map(index, [0, *scores])))
    assert (
        "the best for these very images: the results are too optimistic" in capfd.readouterr().err
    )


def test_youden_needs_both_classes(
    small_run: Path, split: list[Row], capfd: pytest.CaptureFixture[str]
) -> None:
    write_table(Path("m.csv"), [r for r in split if r["label"] == "covid"])
    assert evaluate(small_run, "m.csv", "--threshold", "youden") == 2
    assert said(capfd)[-1] == (
        "--threshold youden needs images of both of two classes, with their labels. "
        "Use --threshold val."
    )


def test_a_run_that_would_fetch_its_network_is_refused(
    small_run: Path, split: list[Row], capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(small_run, "foreign")
    text = Path("foreign/run.json").read_text()
    Path("foreign/run.json").write_text(text.replace('"conv8', '"xrv:name', 1))
    write_table(Path("m.csv"), split)
    assert evaluate("foreign", "m.csv") == 2
    assert "would be fetched by another library" in said(capfd)[-1]


def test_the_images_can_be_given_a_name(small_run: Path, phantoms: Path) -> None:
    """It is a column of the cross-dataset matrix."""
    for kept in ([], ["--keep-columns"]):
        given = ["--test-name", "a, b", *kept, "-o", "p.csv"]
        assert evaluate(small_run, phantoms / "split.csv", "--where", "split=test", *given) == 0
        assert {row["test"] for row in rows_of(Path("p.csv"))} == {"a, b"}
    plain = ["-o", "p.csv"]
    assert evaluate(small_run, phantoms / "split.csv", "--where", "split=test", *plain) == 0
    assert "test" not in rows_of(Path("p.csv"))[0]


def test_a_manifest_is_known_by_its_header_too(small_run: Path, phantoms: Path) -> None:
    for name in ("split.txt", "split"):
        shutil.copy(phantoms / "split.csv", name)
        assert evaluate(small_run, name, "--where", "split=test", "-o", "p.csv") == 0
        assert len(rows_of(Path("p.csv"))) == 8


def test_a_bare_image_whose_name_is_not_utf8_costs_no_other_its_row(
    small_run: Path, phantoms: Path
) -> None:
    images = sorted((phantoms / "in" / "images").glob("*.png"))
    odd = os.fsdecode(b"\xff.png")
    shutil.copy(images[0], odd)
    assert evaluate(small_run, odd, images[1]) == 1
    assert [row["path"] for row in rows_of(Path("p.csv"))] == [str(images[1])]
    assert "not UTF-8" in rows_of(Path("failures.csv"))[0]["reason"]


def test_no_output_takes_the_place_of_an_input(
    small_run: Path, phantoms: Path, capfd: Said
) -> None:
    shutil.copy(phantoms / "split.csv", "m.csv")
    before = Path("m.csv").read_bytes()
    for output, given in (("m.csv", []), ("p.csv", ["--failures", "m.csv"])):
        assert evaluate(small_run, "m.csv", *given, output=output) == 2
        assert len(said(capfd)) == 1 and Path("m.csv").read_bytes() == before
    assert evaluate(small_run, "m.csv", "--failures", "x.csv", output="x.csv") == 2
    assert in_process("split", "m.csv", "--failures", "m.csv", "-o", "s.csv") == 2
    assert Path("m.csv").read_bytes() == before and not Path("x.csv").exists()


def test_large_images_are_looked_at_a_few_at_a_time() -> None:
    sizes = (1, 224, 512, 1024, 4096)
    assert [inference.bounded(64, size) for size in sizes] == [64, 64, 64, 16, 1]
