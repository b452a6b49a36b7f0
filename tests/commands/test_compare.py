"""`cxrtool compare`, run as users run it: figures, intervals, tests, formats and refusals."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from handy import in_process, rows_of, shell, table
from sklearn import metrics as theirs

from cxrtool.figures import tables
from cxrtool.stats import intervals, metrics

if TYPE_CHECKING:
    from conftest import Command

TIDY = ["model", "group", "class", "metric", "value", "low", "high", "n"]
Said = pytest.CaptureFixture[str]
CLASSES = ("normal", "covid", "pneumonia")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield


def made(
    name: str,
    *,
    classes: int = 2,
    skill: float = 1.0,
    images: int = 120,
    per_patient: int = 1,
    seed: int = 0,
    model: str | None = None,
    **columns: str,
) -> list[dict[str, str]]:
    """Write predictions whose labels depend on nothing but the number of images."""
    labels = np.random.default_rng(0).integers(0, classes, images)
    scores = np.random.default_rng(seed + 1).normal(size=(images, classes))
    p = np.exp(scores + skill * np.eye(classes)[labels])
    p /= p.sum(1, keepdims=True)
    rows = []
    for i in range(images):
        row = {
            "path": f"{i}.png",
            "label": CLASSES[labels[i]],
            "patient": f"p{i // per_patient}",
            "source": "ab"[i % 2],
            "fold": str(i % 5 + 1),
        }
        row |= {"model": model or name.removesuffix(".csv"), "pred": ""} | columns
        row |= {f"p_{c}": repr(float(v)) for c, v in zip(CLASSES, p[i], strict=False)}
        rows.append(row)
    write(name, rows)
    return rows


def write(name: str, rows: list[dict[str, str]]) -> None:
    with open(name, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def compare(*args: object, code: int = 0) -> str:
    assert in_process("compare", *map(str, args), "-o", "out") == code
    return Path("out").read_text() if Path("out").exists() else ""


def tidy(*args: object, code: int = 0) -> dict[tuple[str, str, str, str], dict[str, str]]:
    rows = table(compare(*args, "--format", "csv", code=code))
    return {(r["model"], r["group"], r["class"], r["metric"]): r for r in rows}


def objects(*args: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(compare(*args, "--format", "json"))
    return found


def refused(capfd: Said, *args: object) -> str:
    """Run what is to be refused: its one line."""
    assert in_process("compare", *map(str, args), "-o", "out") == 2
    assert not Path("out").exists()
    text = capfd.readouterr().err
    assert text.count("\n") == 1, text
    return text.removeprefix("cxrtool compare: ")


def arrays(rows: list[dict[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    names = [c for c in rows[0] if c.startswith("p_")]
    labels = np.array([names.index(f"p_{r['label']}") for r in rows])
    return labels, np.array([[float(r[n]) for n in names] for r in rows])


# --- figures --------------------------------------------------------------------------------------


def test_two_classes_are_those_of_scikit_learn() -> None:
    labels, p = arrays(made("m.csv"))
    said, score = p[:, 1] > 0.5, p[:, 1]
    found = {key[3]: float(row["value"]) for key, row in tidy("m.csv").items()}
    assert list(found) == list(metrics.NAMES)
    tn, fp, fn, tp = theirs.confusion_matrix(labels, said).ravel()
    assert found == pytest.approx(
        {
            "accuracy": theirs.accuracy_score(labels, said),
            "balanced_accuracy": theirs.balanced_accuracy_score(labels, said),
            "sensitivity": theirs.recall_score(labels, said),
            "specificity": theirs.recall_score(labels, said, pos_label=0),
            "precision": theirs.precision_score(labels, said),
            "npv": theirs.precision_score(labels, said, pos_label=0),
            "f1": theirs.f1_score(labels, said),
            "auc": theirs.roc_auc_score(labels, score),
            "average_precision": theirs.average_precision_score(labels, score),
            "dor": tp * tn / (fp * fn),
            "dor_haldane": (tp + 0.5) * (tn + 0.5) / ((fp + 0.5) * (fn + 0.5)),
            "mcc": theirs.matthews_corrcoef(labels, said),
            "brier": theirs.brier_score_loss(labels, score),
            # Of tests of their own.
            "ece": found["ece"],
            "ece_debiased": found["ece_debiased"],
            "calibration_slope": found["calibration_slope"],
            "calibration_intercept": found["calibration_intercept"],
            "error": 1 - theirs.accuracy_score(labels, said),
        }
    )


def test_three_classes_with_their_averages() -> None:
    labels, p = arrays(made("m.csv", classes=3))
    said, found = p.argmax(1), tidy("m.csv")
    assert {key[2] for key in found} == {"", *CLASSES, "macro", "weighted"}
    value = {key[2:]: float(row["value"]) for key, row in found.items()}
    for average in ("macro", "weighted"):
        for name, score in (
            ("sensitivity", theirs.recall_score),
            ("f1", theirs.f1_score),
            ("precision", theirs.precision_score),
        ):
            expected = score(labels, said, average=average)
            assert value[average, name] == pytest.approx(expected)
        auc = theirs.roc_auc_score(labels, p, multi_class="ovr", average=average)
        assert value[average, "auc"] == pytest.approx(auc)
    assert value["", "mcc"] == pytest.approx(theirs.matthews_corrcoef(labels, said))
    assert value["covid", "accuracy"] == pytest.approx(np.mean((labels == 1) == (said == 1)))


def test_two_classes_with_their_averages() -> None:
    rows = made("m.csv", skill=0.3)
    # Unequal supports, so that macro and weighted averages differ.
    rows = [r for i, r in enumerate(rows) if r["label"] == "normal" or i % 3 == 0]
    write("m.csv", rows)
    labels, p = arrays(rows)
    said, found = p.argmax(1), tidy("m.csv", "--averages")
    assert {key[2] for key in found} == {"", "normal", "covid", "macro", "weighted"}
    value = {key[2:]: float(row["value"]) for key, row in found.items()}
    for average in ("macro", "weighted"):
        for name, score in (
            ("sensitivity", theirs.recall_score),
            ("f1", theirs.f1_score),
            ("precision", theirs.precision_score),
        ):
            expected = score(labels, said, average=average)
            assert value[average, name] == pytest.approx(expected)
    assert value["weighted", "sensitivity"] == pytest.approx(value["", "accuracy"])
    assert value["macro", "sensitivity"] != pytest.approx(value["", "accuracy"])
    # Each class is what --positive shows of it.
    for label in ("normal", "covid"):
        alone = tidy("m.csv", "--positive", label)
        assert all(found[key] == row for key, row in alone.items())
    (text,) = objects("m.csv", "--averages")
    assert text["positive"] is None
    assert text["weighted"]["precision"]["value"] == pytest.approx(value["weighted", "precision"])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("order", [1, -1])
def test_a_negative_label_that_is_no_class_counts_against_the_positive_one(
    classes: int, order: int, capfd: Said
) -> None:
    """A network of other classes is tested on images that are labelled covid or negative."""
    rows = made("m.csv", classes=classes)
    labels, p = arrays(rows)
    said = p.argmax(1) == 1
    for row in rows:
        row["label"] = "covid" if row["label"] == "covid" else "Negative"
    write("m.csv", rows[::order])
    (found,) = objects("m.csv", "--positive", "covid")
    number = int(np.sum(labels != 1))
    line = f"{number} images labelled 'Negative', without a p_ column: counted as not 'covid'"
    assert line in capfd.readouterr().err
    assert found["n"] == len(rows)
    assert found["classes"] == [*CLASSES[:classes], "Negative"]
    tn, fp, fn, tp = theirs.confusion_matrix(labels == 1, said).ravel()
    value = {name: one["value"] for name, one in found["metrics"].items()}
    assert value["sensitivity"] == pytest.approx(tp / (tp + fn))
    assert value["specificity"] == pytest.approx(tn / (tn + fp))
    assert value["auc"] == pytest.approx(theirs.roc_auc_score(labels == 1, p[:, 1]))
    assert np.sum(found["confusion"], axis=0)[-1] == 0, "nothing is predicted as it"


def test_a_label_that_is_no_class_is_still_an_error(capfd: Said) -> None:
    rows = made("m.csv", classes=3)
    rows[0]["label"], rows[1]["label"] = "negative", "covid19"
    write("m.csv", rows)
    # Without a positive class nobody knows which prediction of a negative image is right.
    tidy("m.csv", code=1)
    said = capfd.readouterr().err
    assert "label 'negative' is not one of: normal, covid, pneumonia" in said
    tidy("m.csv", "--positive", "covid", "-o", "out", code=1)
    said = capfd.readouterr().err
    assert "label 'covid19' is not one of" in said
    assert "1 image labelled 'negative'" in said


def test_averages_need_two_classes_and_no_positive_one(capfd: Said) -> None:
    made("m.csv")
    made("n.csv", classes=3)
    none = "has no effect: with --averages there is no positive class. Leave it out.\n"
    assert refused(capfd, "m.csv", "--averages", "--positive", "covid") == f"--positive {none}"
    assert refused(capfd, "m.csv", "--averages", "--threshold", "0.3") == f"--threshold {none}"
    assert refused(capfd, "n.csv", "--averages") == (
        "--averages has no effect: with 3 classes the averages are shown, unless --positive "
        "selects one. Leave it out.\n"
    )


def test_two_classes_with_averages_have_one_test_of_auc() -> None:
    made("m.csv")
    made("n.csv", seed=5)
    found = tidy("m.csv", "n.csv", "--averages", "--paired-test", "delong")
    tests = [key for key in found if key[3] == "auc_delong_p_holm"]
    # One comparison, written from both sides; the areas of both classes are the same.
    assert {key[2] for key in tests} == {"covid"}
    alone = tidy("m.csv", "n.csv", "--paired-test", "delong")
    for key in tests:
        assert found[key]["value"] == alone[key]["value"]


def test_json_has_the_schema_of_the_manual() -> None:
    made("m.csv")
    (found,) = objects("m.csv")
    keys = ["model", "group", "n", "classes", "positive", "confusion", "metrics", "tests"]
    assert list(found) == keys
    assert (found["model"], found["group"], found["n"]) == ("m", "", 120)
    assert (found["classes"], found["positive"]) == (["normal", "covid"], "covid")
    assert np.sum(found["confusion"]) == 120
    assert list(found["metrics"]) == list(metrics.NAMES)
    assert {"value", "low", "high"} <= set(found["metrics"]["auc"])
    assert found["tests"] == []


def test_json_of_three_classes_has_all_of_them() -> None:
    made("m.csv", classes=3)
    (found,) = objects("m.csv")
    rows = tidy("m.csv")
    assert found["positive"] is None
    assert list(found["metrics"]) == list(metrics.NAMES)
    for metric, label in (("accuracy", ""), ("sensitivity", "macro"), ("auc", "macro")):
        expected = float(rows["m", "", label, metric]["value"])
        assert found["metrics"][metric]["value"] == expected
    assert set(found["per_class"]) == set(CLASSES)
    expected = float(rows["m", "", "covid", "npv"]["value"])
    assert found["per_class"]["covid"]["npv"]["value"] == expected
    assert set(found["weighted"]) == set(metrics.NAMES)


def test_a_class_that_the_test_set_lacks_lowers_no_macro_average(capfd: Said) -> None:
    rows = [r for r in made("m.csv", classes=3, skill=50) if r["label"] != "pneumonia"]
    write("m.csv", rows)
    said = "without pneumonia: neither images nor predictions"
    (found,) = objects("m.csv")
    assert f"the macro averages of m are {said}" in capfd.readouterr().err
    for metric in ("precision", "sensitivity", "specificity", "f1"):
        assert found["macro"][metric]["value"] == 1, metric
        assert found["macro"][metric]["note"] == said
        assert "note" not in found["weighted"][metric]
    line = next(x for x in compare("m.csv").splitlines() if "macro" in x and "precision" in x)
    assert said in line
    # One image that is predicted as that class, and its precision is 0.
    rows[0]["pred"] = "pneumonia"
    write("m.csv", rows)
    (found,) = objects("m.csv")
    assert found["macro"]["precision"]["value"] == pytest.approx(2 / 3)
    assert "note" not in found["macro"]["precision"]


def test_the_positive_class_is_named(capfd: Said) -> None:
    made("m.csv")
    compare("m.csv")
    said = capfd.readouterr().err
    assert said == (
        "cxrtool compare: the positive class is 'covid', because 'normal' is the negative "
        "class (--positive selects another)\n"
    )
    (found,) = objects("m.csv", "--positive", "normal")
    assert found["positive"] == "normal"
    assert capfd.readouterr().err == ""
    other = tidy("m.csv", "--positive", "covid")
    assert float(other["m", "", "covid", "specificity"]["value"]) == pytest.approx(
        found["metrics"]["sensitivity"]["value"]
    )


@pytest.mark.parametrize("options", [[], ["--threshold", "0.3"], ["--paired-test", "delong"]])
def test_the_order_of_the_columns_does_not_choose_the_positive_class(
    options: list[str], capfd: Said
) -> None:
    rows, other = made("m.csv"), made("n.csv", seed=5)
    expected = tidy("m.csv", "n.csv", *options)
    last = ("p_covid", "p_normal")
    for name, given in (("m.csv", rows), ("n.csv", other)):
        write(name, [{k: r[k] for k in (*(k for k in r if k not in last), *last)} for r in given])
    capfd.readouterr()
    found = tidy("m.csv", "n.csv", *options)
    assert {key[2] for key in found} == {"covid"}
    assert found == expected
    said = capfd.readouterr().err
    assert "the positive class is 'covid', because 'normal' is the negative class" in said


def test_one_of_three_classes_against_the_rest() -> None:
    labels, p = arrays(made("m.csv", classes=3))
    (found,) = objects("m.csv", "--positive", "covid", "--metrics", "auc,sensitivity")
    assert list(found["metrics"]) == ["auc", "sensitivity"]
    assert "per_class" not in found
    expected = theirs.roc_auc_score(labels == 1, p[:, 1])
    assert found["metrics"]["auc"]["value"] == pytest.approx(expected)
    said = p.argmax(1) == 1
    assert found["metrics"]["sensitivity"]["value"] == pytest.approx(said[labels == 1].mean())


def test_what_the_table_predicts_counts_unless_a_threshold_is_given() -> None:
    rows = made("m.csv")
    _, p = arrays(rows)
    for row in rows:
        row["pred"] = row["label"]
    write("m.csv", rows)
    assert float(tidy("m.csv")["m", "", "covid", "accuracy"]["value"]) == 1
    found = tidy("m.csv", "--threshold", 0.9, "--metrics", "sensitivity")
    labels, _ = arrays(rows)
    expected = (p[labels == 1, 1] > 0.9).mean()
    assert float(found["m", "", "covid", "sensitivity"]["value"]) == pytest.approx(expected)


def test_one_half_is_not_over_one_half() -> None:
    Path("m.csv").write_text("path,label,p_no,p_yes\n1,yes,0.5,0.5\n2,no,0.5,0.5\n")
    found = tidy("m.csv")
    assert float(found["m", "", "yes", "sensitivity"]["value"]) == 0
    assert float(found["m", "", "yes", "specificity"]["value"]) == 1
    assert found["m", "", "yes", "precision"]["value"] == ""
    assert float(found["m", "", "yes", "auc"]["value"]) == 0.5


# --- what is undefined ----------------------------------------------------------------------------


def test_one_class_leaves_empty_what_needs_two(capfd: Said) -> None:
    rows = [r for r in made("m.csv") if r["label"] == "covid"]
    write("m.csv", rows)
    found = {key[3]: row["value"] for key, row in tidy("m.csv").items()}
    undefined = {
        "specificity",
        "balanced_accuracy",
        "auc",
        "dor",
        "dor_haldane",
        "mcc",
        *metrics.RECALIBRATED,
    }
    assert {name for name, value in found.items() if not value} == undefined
    assert "warning: every image of m is 'covid'" in capfd.readouterr().err
    (told,) = objects("m.csv")
    assert told["metrics"]["auc"] == {"value": None, "low": None, "high": None}


def test_a_perfect_model() -> None:
    Path("m.csv").write_text(
        "path,label,p_n,p_y\n"
        + "".join(f"{i},{'ny'[i % 2]},{1 - i % 2},{i % 2}\n" for i in range(40))
    )
    found = {key[3]: row for key, row in tidy("m.csv").items()}
    assert found["dor"]["value"] == "inf"
    assert float(found["auc"]["value"]) == 1
    assert found["auc"]["high"] == "1.0"
    assert 0.8 < float(found["auc"]["low"]) < 0.95
    assert float(found["accuracy"]["low"]) == pytest.approx(intervals.wilson(40, 40)[0])
    assert objects("m.csv")[0]["metrics"]["dor"]["value"] == "inf"


def test_one_image() -> None:
    Path("m.csv").write_text("path,label,p_n,p_y\n1,y,0.2,0.8\n")
    found = {key[3]: row for key, row in tidy("m.csv").items()}
    assert float(found["sensitivity"]["value"]) == 1
    assert (found["auc"]["value"], found["auc"]["low"]) == ("", "")
    assert float(found["brier"]["high"]) > 0.7


def test_rows_that_cannot_be_judged_are_listed(capfd: Said) -> None:
    Path("m.csv").write_text(
        "path,label,p_n,p_y\n1,y,0.2,0.8\n2,n,nan,0.5\n3,,0.5,0.5\n4,n,1,0\n4,n,0,1\n"
    )
    found = tidy("m.csv", code=1)
    assert found["m", "", "y", "accuracy"]["n"] == "2"
    listed = {r["path"]: r["reason"] for r in rows_of(Path("failures.csv"))}
    assert listed == {
        "2": "p_n is 'nan', not a probability",
        "3": "no label",
        "4": "it occurs twice for model 'm'",
    }
    twice = rows_of(Path("failures.csv"))[-1]["remedy"]
    assert twice.endswith("of two runs, give each its own value in the column model.")
    assert capfd.readouterr().err.count("\n") == 6
    assert in_process("compare", "m.csv", "--strict", "-o", "strict") == 2
    assert not Path("strict").exists()


# --- intervals ------------------------------------------------------------------------------------


WAYS = {
    **dict.fromkeys(metrics.SHARES, "wilson"),
    **dict.fromkeys(("f1", "average_precision", "mcc", "brier"), "effective size"),
    **dict.fromkeys(("dor", "dor_haldane"), "log-normal"),
    **dict.fromkeys(("ece", "ece_debiased"), "calibration error"),
    **dict.fromkeys(metrics.RECALIBRATED, "sandwich"),
    "auc": "delong",
    "balanced_accuracy": "mover",
}
BY_PATIENT = {
    "wilson": "wilson by patient",
    "log-normal": "log-normal by patient",
    "delong": "obuchowski",
}


def test_every_figure_has_an_interval_by_its_own_formula(capfd: Said) -> None:
    labels, p = arrays(made("m.csv"))
    (found,) = objects("m.csv")
    assert {m: f.get("interval") for m, f in found["metrics"].items()} == WAYS
    right = int(((p[:, 1] > 0.5) == labels).sum())
    accuracy = found["metrics"]["accuracy"]
    assert (accuracy["low"], accuracy["high"]) == pytest.approx(intervals.wilson(right, 120))
    capfd.readouterr()
    made("m.csv", images=240, per_patient=3)
    (found,) = objects("m.csv")
    said = capfd.readouterr().err
    assert "240 images of 80 patients: the intervals are by patient" in said
    expected = {m: BY_PATIENT.get(way, way) for m, way in WAYS.items()}
    assert {m: f.get("interval") for m, f in found["metrics"].items()} == expected


def test_intervals_by_bootstrap_on_request() -> None:
    made("m.csv", images=240, per_patient=6)
    (found,) = objects("m.csv", "--interval", "bootstrap", "--bootstrap", 200)
    for metric, figure in found["metrics"].items():
        calibration = metric.startswith(("ece", "calibration"))
        assert figure["interval"] == (WAYS[metric] if calibration else "bootstrap"), metric
        assert figure["low"] <= figure["value"] <= figure["high"], metric


def test_few_patients_of_a_class_are_warned_of(capfd: Said) -> None:
    rows = made("m.csv", images=120, per_patient=3)
    ill = len({r["patient"] for r in rows if r["label"] == "covid"})
    well = len({r["patient"] for r in rows if r["label"] == "normal"})
    assert min(ill, well) >= 30
    compare("m.csv")
    assert "warning" not in capfd.readouterr().err
    few = [r for r in rows if r["label"] == "normal" or int(r["patient"][1:]) < 8]
    write("m.csv", few)
    left = len({r["patient"] for r in few if r["label"] == "covid"})
    compare("m.csv")
    said = capfd.readouterr().err
    assert f"warning: {left} patients of 'covid' in m: with fewer than 30 of a class, inter" in said
    write("n.csv", [r | {"model": "n"} for r in few])
    compare("m.csv", "n.csv")
    assert " in m (and 1 more group has fewer than 30): with" in capfd.readouterr().err


def test_more_alike_images_widen_the_interval() -> None:
    rows = made("m.csv")
    many = [r | {"path": f"{k}-{r['path']}"} for r in rows for k in range(4)]
    write("many.csv", many)
    wide = [
        objects(name, "--interval", "bootstrap")[0]["metrics"]["auc"]
        for name in ("m.csv", "many.csv")
    ]
    # Four copies of every image tell no more than one: the patients are as many.
    assert wide[0]["high"] - wide[0]["low"] == pytest.approx(
        wide[1]["high"] - wide[1]["low"], rel=0.15
    )


@pytest.mark.parametrize("interval", ["auto", "bootstrap"])
def test_perfection_has_a_bound_on_one_side(interval: str) -> None:
    made("m.csv", images=90, per_patient=3, skill=50)
    resampled = ("--bootstrap", 50) if interval == "bootstrap" else ()
    (found,) = objects("m.csv", "--interval", interval, *resampled)
    for metric in ("accuracy", "sensitivity", "f1", "auc", "average_precision", "mcc"):
        figure = found["metrics"][metric]
        assert (figure["value"], figure["high"]) == pytest.approx((1, 1)), metric
        assert 0.5 < figure["low"] < 0.97, metric
        note = "no image ranks wrongly: the bound is one-sided"
        assert figure.get("note") == (note if metric in ("auc", "average_precision") else None)
    assert found["metrics"]["dor"] == {"value": "inf", "low": None, "high": None}


def test_rows_without_a_patient_are_one_each() -> None:
    rows = made("m.csv", patient="")
    (found,) = objects("m.csv")
    assert len(rows) == 120
    assert found["metrics"]["accuracy"]["interval"] == "wilson"


def test_the_papers_interval_on_request() -> None:
    made("m.csv")
    (found,) = objects("m.csv", "--interval", "normal")
    error = found["metrics"]["error"]
    assert error["interval"] == "normal"
    half = 1.96 * math.sqrt(error["value"] * (1 - error["value"]) / 120)
    assert error["high"] - error["value"] == pytest.approx(half)


def test_a_wider_level_is_wider() -> None:
    made("m.csv")
    narrow, wide = (objects("m.csv", "--ci", c)[0]["metrics"] for c in (0.8, 0.99))
    for metric in ("auc", "f1", "accuracy", "dor"):
        assert wide[metric]["low"] < narrow[metric]["low"]
        assert wide[metric]["high"] > narrow[metric]["high"]


def test_the_same_bytes_again_whatever_the_order_of_the_rows() -> None:
    rows = made("m.csv", images=90, per_patient=3)
    made("n.csv", images=90, per_patient=3, seed=1)
    first = compare("m.csv", "n.csv", "--format", "csv", "--paired-test", "permutation")
    write("m.csv", rows[::-1])
    assert compare("m.csv", "n.csv", "--format", "csv", "--paired-test", "permutation") == first
    assert compare(
        "m.csv", "n.csv", "--format", "csv", "--paired-test", "permutation", "--seed", 1
    ) != (first)


# --- groups, folds and repeats --------------------------------------------------------------------


def test_groups() -> None:
    rows = made("m.csv")
    found = tidy("m.csv", "--by", "source", "--metrics", "accuracy,auc")
    assert [key[1] for key in found] == ["a", "a", "b", "b"]
    labels, p = arrays([r for r in rows if r["source"] == "b"])
    assert float(found["m", "b", "covid", "auc"]["value"]) == pytest.approx(
        theirs.roc_auc_score(labels, p[:, 1])
    )
    assert found["m", "b", "covid", "auc"]["n"] == "60"
    two = tidy("m.csv", "--by", "source", "--by", "fold", "--metrics", "accuracy")
    assert ("m", "a, 1", "covid", "accuracy") in two
    assert two == tidy("m.csv", "--by", "source,fold", "--metrics", "accuracy")
    text = compare("m.csv", "--by", "source")
    assert text.startswith("| source ")


def test_an_empty_group_has_a_name() -> None:
    rows = made("m.csv")
    rows[0]["source"] = ""
    write("m.csv", rows)
    assert {key[1] for key in tidy("m.csv", "--by", "source")} == {"a", "b", "(none)"}


def test_folds_are_summarised_and_pooled() -> None:
    rows = made("m.csv")
    found = tidy("m.csv", "--pool", "fold", "--metrics", "auc")
    each = []
    for fold in "12345":
        labels, p = arrays([r for r in rows if r["fold"] == fold])
        each.append(theirs.roc_auc_score(labels, p[:, 1]))
    labels, p = arrays(rows)
    of = {key[1]: row for key, row in found.items()}
    assert float(of[""]["value"]) == pytest.approx(theirs.roc_auc_score(labels, p[:, 1]))
    assert float(of["fold mean"]["value"]) == pytest.approx(np.mean(each))
    assert float(of["fold std"]["value"]) == pytest.approx(np.std(each, ddof=1))
    assert float(of["fold min"]["value"]) == pytest.approx(min(each))
    assert float(of["fold max"]["value"]) == pytest.approx(max(each))
    assert {of[k]["n"] for k in of if k} == {"5"}
    (told,) = objects("m.csv", "--pool", "fold", "--metrics", "auc")
    assert (told["folds"]["column"], told["folds"]["ddof"]) == ("fold", 1)
    assert told["folds"]["values"] == list("12345")
    assert told["folds"]["metrics"]["auc"]["values"] == pytest.approx(each)
    assert told["folds"]["metrics"]["auc"]["std"] == pytest.approx(np.std(each, ddof=1))
    assert f"{np.mean(each):.3f} ± {np.std(each, ddof=1):.3f}" in compare("m.csv", "--pool", "fold")


def test_runs_of_the_folds_become_one_model() -> None:
    rows = made("m.csv")
    for fold in "12345":
        some = [r | {"model": f"r18-fold-{fold}"} for r in rows if r["fold"] == fold]
        write(f"{fold}.csv", some)
    found = objects(*(f"{k}.csv" for k in "12345"), "--pool", "fold", "--metrics", "auc")
    assert [f["model"] for f in found] == ["r18"]
    (whole,) = objects("m.csv", "--pool", "fold", "--metrics", "auc")
    assert found[0]["metrics"] == whole["metrics"]
    assert found[0]["folds"] == whole["folds"]


def test_repeats_on_the_same_images() -> None:
    values = []
    for seed in range(3):
        labels, p = arrays(made(f"s{seed}.csv", model=f"seed-{seed}", seed=seed))
        values.append(theirs.roc_auc_score(labels, p[:, 1]))
    (found,) = objects("s0.csv", "s1.csv", "s2.csv", "--pool", "model", "--metrics", "auc")
    assert (found["model"], found["n"]) == ("all", 360)
    spread = found["folds"]["metrics"]["auc"]
    assert spread["mean"] == pytest.approx(np.mean(values))
    assert (spread["min"], spread["max"]) == pytest.approx((min(values), max(values)))
    # The same image three times is one patient.
    assert found["metrics"]["auc"]["interval"] == "obuchowski"


# --- tests between models -------------------------------------------------------------------------


def test_tests_between_models() -> None:
    made("a.csv", skill=0.5)
    made("b.csv", skill=2, seed=1)
    names = ("delong", "mcnemar", "permutation")
    first, second = objects(
        "a.csv", "b.csv", "--paired-test", ",".join(names), "--metrics", "auc,f1"
    )
    assert [t["test"] for t in first["tests"]] == ["delong", "mcnemar", *["permutation"] * 2]
    assert list(first["metrics"]) == ["auc", "f1"]
    for one, other in zip(first["tests"], second["tests"], strict=True):
        assert one["difference"] == -other["difference"]
        assert (one["low"], one["p"]) == (-other["high"], other["p"])
        assert one["p"] <= one["p_holm"] <= 4 * one["p"] + 1e-12
    delong = first["tests"][0]
    assert (delong["against"], delong["class"], delong["metric"]) == ("b", "covid", "auc")
    assert delong["difference"] == pytest.approx(
        first["metrics"]["auc"]["value"] - second["metrics"]["auc"]["value"]
    )
    assert delong["p"] < 0.001
    rows = tidy("a.csv", "b.csv", "--paired-test", "delong")
    assert float(rows["a - b", "", "covid", "auc_delong_p"]["value"]) == delong["p"]


def test_a_monotone_change_of_one_models_scores_changes_no_test_of_ranks() -> None:
    """0.5 stays where it is, so that the predictions stay too; the Brier score does not."""
    made("a.csv", skill=1, per_patient=3)
    rows = made("b.csv", skill=1.4, seed=1, per_patient=3)
    metrics = "auc,average_precision,accuracy,brier"
    options = ("--paired-test", "permutation", "--metrics", metrics, "--bootstrap", "199")
    before = objects("a.csv", "b.csv", *options)[0]["tests"]
    for row in rows:
        score = 0.5 + 4 * (float(row["p_covid"]) - 0.5) ** 3
        row |= {"p_covid": repr(score), "p_normal": repr(1 - score)}
    write("b.csv", rows)
    after = objects("a.csv", "b.csv", *options)[0]["tests"]
    same = [one["p"] == other["p"] for one, other in zip(before, after, strict=True)]
    assert [one["metric"] for one in before] == metrics.split(",")
    assert same == [True, True, True, False]


def test_tests_keep_the_images_of_a_patient_together(capfd: Said) -> None:
    """Seven copies of every image, of the same patient, show no more than one."""
    for name, options in (("a", {"skill": 0.8}), ("b", {"skill": 1.2, "seed": 1})):
        rows = made(f"{name}.csv", **options)
        write(
            f"many-{name}.csv",
            [row | {"path": f"{copy}-{row['path']}"} for row in rows for copy in range(7)],
        )
    names = "delong,mcnemar,permutation"
    options = ("--paired-test", names, "--metrics", "auc,accuracy", "--bootstrap", "999")
    capfd.readouterr()
    one, many = (
        {(t["test"], t["metric"]): t for t in objects(*files, *options)[0]["tests"]}
        for files in (("a.csv", "b.csv"), ("many-a.csv", "many-b.csv"))
    )
    assert list(one) == list(many)
    for key, test in many.items():
        assert test["difference"] == pytest.approx(one[key]["difference"])
        chance = 0.07 if key[0] == "permutation" else 0.01  # other patients are exchanged
        assert test["p"] == pytest.approx(one[key]["p"], abs=chance), key
    assert (one["delong", "auc"]["interval"], many["delong", "auc"]["interval"]) == (
        "delong",
        "obuchowski",
    )
    assert "independent" not in capfd.readouterr().err


def test_a_table_to_be_read_has_each_test_once() -> None:
    for name in "abc":
        made(f"{name}.csv", seed=ord(name))
    text = compare("a.csv", "b.csv", "c.csv", "--paired-test", "mcnemar")
    lines = [line for line in text.splitlines() if "mcnemar" in line]
    assert [tuple(line.split()[1:4:2]) for line in lines] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]


def test_the_same_images_by_their_raw_files() -> None:
    rows = made("a.csv")
    other = made("b.csv", seed=1)
    for name, some in (("a", rows), ("b", other)):
        for row in some:
            row["raw"] = row["path"]
            row["path"] = f"{name}/{row['path']}"
        write(f"{name}.csv", some if name == "a" else some[::-1])
    (first, _) = objects("a.csv", "b.csv", "--paired-test", "mcnemar")
    right = []
    for some in (rows, other):
        labels, p = arrays(some)
        right.append((p[:, 1] > 0.5) == labels)
    from cxrtool.stats import paired_tests

    expected = paired_tests.mcnemar(*right, np.arange(len(right[0])))
    assert first["tests"][0]["p"] == pytest.approx(expected)


def test_pairs_that_judge_different_images_are_refused(capfd: Said) -> None:
    rows = made("a.csv")
    write(
        "b.csv",
        [r | {"model": "b"} for r in rows[2:]] + [rows[0] | {"path": "z.png", "model": "b"}],
    )
    assert refused(capfd, "a.csv", "b.csv", "--paired-test", "delong") == (
        "--paired-test: a and b judge different images: 2 only in a (0.png), 1 only in b (z.png). "
        "Choose the same with --where.\n"
    )


def test_few_patients_of_a_class_are_too_few_for_delong(capfd: Said) -> None:
    """The test is about the models in pairs, whichever has the fewest patients."""
    rows = made("a.csv", images=60)
    positive = [r["path"] for r in rows if r["label"] == "covid"]
    for number in (19, 20):
        kept = [r for r in rows if r["path"] not in positive[number:]]
        write("a.csv", kept)
        write(
            "b.csv",
            [r | {"model": "b", "p_normal": r["p_covid"], "p_covid": r["p_normal"]} for r in kept],
        )
        for test in ("delong", "mcnemar"):
            compare("a.csv", "b.csv", "--paired-test", test)
            said = capfd.readouterr().err
            assert ("the p of DeLong's test may be" in said) == (number < 20 and test == "delong")


def test_all_metrics_are_the_default(capfd: Said) -> None:
    made("a.csv")
    said = refused(capfd, "a.csv", "--metrics", "all")
    assert said == "--metrics all: these are the default. Leave --metrics out.\n"


def test_what_is_no_table_is_told_of(tmp_path: Path, capfd: Said) -> None:
    made("a.csv"), made("b.csv")
    said = refused(capfd, "a.csv,b.csv")
    assert said.endswith("Files are separated by blanks: a.csv b.csv.\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    assert "It is a run, which makes a table of predictions: cxrtool evaluate run" in refused(
        capfd, "run"
    )


def test_the_format_of_a_file_is_said_where_its_name_suggests_another_one(capfd: Said) -> None:
    made("a.csv")
    for name, more, said in (
        ("out.csv", [], "out.csv has the format github: --format csv writes csv\n"),
        ("out.csv", ["--format", "github"], ""),
        ("out.json", ["--format", "json"], ""),
        ("out.md", [], ""),
        ("out.tex", [], "out.tex has the format github: --format latex writes latex\n"),
    ):
        assert in_process("compare", "a.csv", "--metrics", "auc", "-o", name, *more) == 0
        last = capfd.readouterr().err
        assert said in last and ("has the format" in last) == bool(said)


def test_models_on_different_images_are_told_of(capfd: Said) -> None:
    rows = made("a.csv")
    write("b.csv", [r | {"model": "b"} for r in rows[20:]])
    compare("a.csv", "b.csv")
    said = capfd.readouterr().err
    assert "warning: the models have different images: a 120 images, b 100 images; 100 of " in said
    write("b.csv", [r | {"model": "b"} for r in rows])
    compare("a.csv", "b.csv")
    assert "different images" not in capfd.readouterr().err


def test_pairs_of_other_pictures_are_told_of_raw(capfd: Said) -> None:
    rows = made("a.csv")
    write("b.csv", [r | {"model": "b", "path": f"made/{r['path']}"} for r in rows])
    told = refused(capfd, "a.csv", "b.csv", "--paired-test", "delong")
    assert told.endswith("from the same files, evaluate --keep-columns keeps `raw`.\n")


def test_pairs_with_other_labels_are_refused(capfd: Said) -> None:
    rows = made("a.csv")
    other = [r | {"model": "b"} for r in rows]
    other[5]["label"] = "covid" if rows[5]["label"] == "normal" else "normal"
    write("b.csv", other)
    assert refused(capfd, "a.csv", "b.csv", "--paired-test", "mcnemar") == (
        "a and b have other labels for 1 images (5.png). "
        "Correct the labels of one, or drop --paired-test.\n"
    )


# --- the cross-dataset matrix ---------------------------------------------------------------------


def crossed() -> list[dict[str, str]]:
    """Two models, each trained at home and tested on both; b has copies of a's training images."""
    rng, rows = np.random.default_rng(0), []
    for train, test, i in itertools.product("ab", "ab", range(60)):
        label = int(rng.random() < 0.5)
        skill = 1.0 if train == test else 0.3
        score = 1 / (1 + math.exp(-(2 * label - 1) * skill - rng.normal()))
        raw = f"a{i - 55}" if test == "b" and i >= 55 else f"{test}{i}"
        rows.append(
            {
                "path": f"{test}/{i}.png",
                "raw": raw,
                "label": "ny"[label],
                "patient": f"{test}{i}",
                "train": train,
                "test": test,
                "split": "train" if i < 20 else "test",
                "model": "r",
                "p_n": repr(1 - score),
                "p_y": repr(score),
            }
        )
    return rows


def auc_of(rows: list[dict[str, str]]) -> float:
    labels, p = arrays(rows)
    return float(theirs.roc_auc_score(labels, p[:, 1]))


def test_matrix(capfd: Said) -> None:
    rows = crossed()
    write("m.csv", rows)
    found = tidy("m.csv", "--matrix", "train,test")
    cells: dict[tuple[str, str], float] = {}
    for train, test in itertools.product("ab", "ab"):
        some = [r for r in rows if (r["train"], r["test"]) == (train, test)]
        some = [r for r in some if r["split"] == "test"]
        if (train, test) == ("a", "b"):
            some = [r for r in some if not r["raw"].startswith("a")]
        cells[train, test] = auc_of(some)
        row = found[train, test, "y", "auc"]
        assert float(row["value"]) == pytest.approx(cells[train, test])
        assert int(row["n"]) == len(some)
    gap = found["", "diagonal - others", "", "auc_gap"]
    expected = (cells["a", "a"] + cells["b", "b"] - cells["a", "b"] - cells["b", "a"]) / 2
    assert float(gap["value"]) == pytest.approx(expected)
    assert float(gap["low"]) < expected < float(gap["high"])
    said = capfd.readouterr().err
    assert "trained on a, tested on b: left out 5 images that duplicate images of a\n" in said
    text = compare("m.csv", "--matrix", "train,test")
    assert text.startswith("| train \\ test")
    assert f"{cells['a', 'b']:.3f} [" in text
    assert "auc: diagonal - others" in text
    told = objects("m.csv", "--matrix", "train,test", "--metrics", "f1")
    assert [t["model"] + t["group"] for t in told[:4]] == ["aa", "ab", "ba", "bb"]
    assert list(told[-1]["metrics"]) == ["f1_gap"]


def test_cells_of_few_patients_or_of_one_class_are_warned_of(capfd: Said) -> None:
    """The smallest class of all cells is named, as without a matrix."""
    rows = [r for r in crossed() if r["split"] == "test"]
    numbers: dict[tuple[str, str, str], int] = {}
    for r in rows:
        if (r["train"], r["test"]) == ("a", "b") and r["raw"].startswith("a"):
            r["raw"] = r["path"]
        place = r["train"], r["test"], r["label"]
        numbers[place] = numbers.get(place, 0) + 1
    write("m.csv", rows)
    compare("m.csv", "--matrix", "train,test", "--bootstrap", "0")
    fewest, (train, test, label) = min((number, place) for place, number in numbers.items())
    said = capfd.readouterr().err
    cell = f"the cell trained on {train} and tested on {test}"
    assert f"warning: {fewest} patients of '{label}' in {cell} (and 3 more cells have few" in said
    write("m.csv", [r for r in rows if (r["train"], r["test"], r["label"]) != ("b", "a", "n")])
    compare("m.csv", "--matrix", "train,test", "--bootstrap", "0")
    said = capfd.readouterr().err
    assert "warning: every image of the cell trained on b and tested on a is 'y'" in said
    # 30 patients of each class in all cells are enough.
    cells = itertools.product("ab", "ab", range(60))
    large = [
        {**rows[0], "path": f"{b}/{k}.png", "raw": f"{b}/{k}.png", "patient": f"{b}{k}"}
        | {"train": a, "test": b, "label": "ny"[k % 2]}
        for a, b, k in cells
    ]
    write("m.csv", large)
    compare("m.csv", "--matrix", "train,test", "--bootstrap", "0")
    assert "fewer than" not in capfd.readouterr().err


def test_the_gap_is_bounded_by_drawing_patients_for_all_cells_at_once() -> None:
    rows = crossed()
    for row in rows:
        row |= {"split": "test", "raw": row["path"], "patient": row["path"][2:-4]}
    write("m.csv", rows)
    found = tidy("m.csv", "--matrix", "train,test", "--metrics", "accuracy")
    labels, p = arrays(rows)
    right = ((p[:, 1] > 0.5) == labels).astype(float)
    # Each patient has an image in every cell, so that a draw of patients keeps the cells' sizes.
    home = np.array([1 if r["train"] == r["test"] else -1 for r in rows])
    of = np.array([int(r["patient"]) for r in rows])
    share = np.bincount(of, right * home) / 2
    drawn = np.random.default_rng(5).integers(0, 60, (4000, 60))
    expected = np.quantile(share[drawn].mean(1), [0.025, 0.975])
    gap = found["", "diagonal - others", "", "accuracy_gap"]
    assert float(gap["value"]) == pytest.approx(share.mean())
    assert [float(gap["low"]), float(gap["high"])] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("column", ["path", "raw", "sha256", "dup_group"])
def test_duplicates_of_a_training_image_are_known_by_any_sign(column: str) -> None:
    rows = crossed()
    for row in rows:
        del row["raw"]
    if column != "path":
        for k, row in enumerate(rows):
            row[column] = "" if column == "dup_group" else f"x{k}"
    sign = next(r for r in rows if (r["train"], r["test"], r["split"]) == ("a", "a", "train"))
    twin = next(r for r in rows if (r["train"], r["test"], r["split"]) == ("a", "b", "test"))
    sign[column] = sign[column] or "g1"
    twin[column] = sign[column]
    write("m.csv", rows)
    found = tidy("m.csv", "--matrix", "train,test")
    assert found["a", "b", "y", "auc"]["n"] == "39"
    assert found["b", "b", "y", "auc"]["n"] == "40"


def test_without_a_split_every_image_of_the_training_set_may_have_been_seen() -> None:
    rows = crossed()
    for row in rows:
        del row["split"]
    write("m.csv", rows)
    found = tidy("m.csv", "--matrix", "train,test")
    assert found["a", "a", "y", "auc"]["n"] == "60"
    assert found["a", "b", "y", "auc"]["n"] == "55"
    # b's copies are of a's images, and a has copies of b's in turn.
    assert found["b", "a", "y", "auc"]["n"] == "55"


def test_the_model_and_the_source_stand_for_train_and_test() -> None:
    rows = [{**r, "model": r["train"], "source": r["test"]} for r in crossed()]
    for row in rows:
        del row["train"], row["test"]
    write("m.csv", rows)
    assert ("a", "b", "y", "auc") in tidy("m.csv", "--matrix", "train,test")


def test_a_matrix_of_a_file_for_each_cell() -> None:
    """One image may be in several tests, which is no reason to take one model for several."""
    whole = [{**r, "model": r["train"], "path": r["path"][2:]} for r in crossed()]
    for row in whole:
        del row["train"]
    for model, test in itertools.product("ab", "ab"):
        write(f"{model}-{test}.csv", [r for r in whole if (r["model"], r["test"]) == (model, test)])
    files = [f"{model}-{test}.csv" for model, test in itertools.product("ab", "ab")]
    found = tidy(*files, "--matrix", "train,test")
    places = {(model, test) for model, test, positive, _ in found if positive}
    assert places == set(itertools.product("ab", "ab"))


def test_a_matrix_without_a_diagonal(capfd: Said) -> None:
    made("r18.csv")
    found = tidy("r18.csv", "--matrix", "model,source")
    assert found["", "diagonal - others", "", "auc_gap"]["value"] == ""
    assert "warning: no row (r18) is also a column (a, b): there is no diagonal" in (
        capfd.readouterr().err
    )


# --- papers ---------------------------------------------------------------------------------------


def test_the_papers_are_listed(capfd: Said) -> None:
    assert in_process("compare", "--list") == 0
    rows = table(capfd.readouterr().out)
    assert [r["name"] for r in rows] == ["covid-cxnet", "cvr-net", "luiz", "majeed", "tartaglione"]
    assert rows[-1]["options"] == "model,pretrained,train,test,table"


def test_a_papers_figure_stands_beside_ones_own() -> None:
    made("m.csv")
    spec = "tartaglione:model=resnet18,pretrained=RSNA,train=CORDA,test=CORDA"
    text = compare("m.csv", "--published", spec, "--metrics", "dor,auc")
    header, dor = text.splitlines()[0], next(x for x in text.splitlines() if " dor " in x)
    assert "tartaglione: resnet18 (pretrained RSNA, train CORDA, test CORDA)" in header
    assert dor.split("|")[-2].strip() == "4.78", "as printed, and no digit more"
    rows = table(compare("m.csv", "--published", spec, "--metrics", "dor", "--format", "csv"))
    assert list(rows[0]) == [*TIDY, "averaging", "std", "table", "note"]
    assert [(r["averaging"], r["table"]) for r in rows] == [("positive", ""), ("positive", "II")]
    assert [(r["model"], r["value"]) for r in rows][1] == ("tartaglione: resnet18", "4.78")


def test_a_note_tells_where_a_paper_contradicts_itself() -> None:
    made("m.csv")
    spec = "majeed:model=alexnet,scenario=2"
    text = compare("m.csv", "--positive", "covid", "--published", spec)
    line = next(x for x in text.splitlines() if " covid " in x and " specificity " in x)
    assert "0.992" in line
    assert "is NPV = TN/(TN+FN); the counts give specificity 0.9936" in line


def test_weighted_figures_of_a_paper_stand_beside_ones_own() -> None:
    labels, p = arrays(made("m.csv", model="cvr-net"))
    spec = "cvr-net:model=CVR-Net,task=CXR-Multiple-CL2"
    rows = compare("m.csv", "--averages", "--published", spec, "--metrics", "precision,accuracy")
    line = next(x for x in rows.splitlines() if " weighted " in x and " precision " in x)
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    expected = theirs.precision_score(labels, p.argmax(1), average="weighted")
    assert cells[2].startswith(f"{expected:.3f}")
    assert cells[3:] == ["0.984 ± 0.002", "mean over five folds, n images in each"]
    (text,) = [t for t in objects("m.csv", "--averages", "--published", spec) if t["n"] == 2375]
    assert text["weighted"]["precision"]["std"] == 0.002
    assert text["weighted"]["precision"]["averaging"] == "weighted"


def test_confusion_matrices_of_ones_own_and_of_a_paper() -> None:
    labels, p = arrays(made("m.csv", classes=3))
    expected = theirs.confusion_matrix(labels, p.argmax(1))
    spec = ("--published", "covid-cxnet:table=4", "--metrics", "accuracy")
    _, own, paper = compare("m.csv", "--confusion", *spec).split("\n\n")
    rows = [[c.strip() for c in line.split("|")[1:-1]] for line in own.splitlines()]
    assert rows[0] == ["m: class \\ predicted", *CLASSES]
    assert rows[2:] == [[c, *map(str, row)] for c, row in zip(CLASSES, expected, strict=True)]
    assert "Flat Multiclass COVID-CXNet" in paper.splitlines()[0]
    assert [c.strip() for c in paper.splitlines()[3].split("|")[1:-1]] == [
        "CAP",
        "205",
        "451",
        "16",
    ]
    cells = tidy("m.csv", "--confusion", *spec)
    for i, j in itertools.product(range(3), repeat=2):
        row = cells["m", "", CLASSES[i], f"predicted {CLASSES[j]}"]
        assert row["value"] == str(expected[i, j])
    model = "covid-cxnet: Flat Multiclass COVID-CXNet"
    assert cells[model, "test single run", "CP", "predicted CAP"]["value"] == "12"
    assert not any(key[3].startswith("predicted") for key in tidy("m.csv"))


def test_many_models_of_a_paper_are_rows() -> None:
    """Thirteen networks of one's own, each beside the paper's of the same name."""
    names = ("alexnet", "cnn-x", "my-net")
    files = [f"{name}.csv" for name in names]
    for seed, file in enumerate(files):
        made(file, seed=seed, model=names[seed])
    metrics = ("--metrics", "sensitivity,specificity,auc")
    text = compare(*files, *metrics, "--positive", "covid", "--published", "majeed:scenario=1")
    header, _, *lines = [[c.strip() for c in x.split("|")[1:-1]] for x in text.splitlines()]
    assert header == ["class", "metric", "model", "own", "majeed (scenario 1)"]
    found = {tuple(row[:3]): row[3:] for row in lines}
    own = tidy(*files, "--positive", "covid")
    for name, printed in (("alexnet", "0.9041"), ("cnn-x", "0.9315"), ("my-net", "")):
        value = float(own[name, "", "covid", "sensitivity"]["value"])
        mine, theirs_ = found["covid", "sensitivity", name]
        assert (mine.split()[0], theirs_) == (f"{value:.3f}", printed)
    assert found["covid", "sensitivity", "SqueezeNet"] == ["", "0.9315"], "the paper's alone"
    assert found["covid", "auc", "alexnet"][1] == "", "not in the paper"
    assert found["", "n", "alexnet"] == ["120", "307"]
    assert sum(row[:2] == ["covid", "sensitivity"] for row in lines) == 14
    # A pooled model has its spread there too.
    text = compare("alexnet.csv", *metrics, "--pool", "fold", "--published", "majeed:scenario=1")
    assert "own: mean ± std over folds" in text.splitlines()[0]


def test_parameters_are_shown_where_the_paper_prints_them() -> None:
    made("m.csv", model="vgg19")
    spec = "cvr-net:table=5,task=CXR-Independent-CL2"
    text = compare("m.csv", "--averages", "--published", spec)
    line = next(x for x in text.splitlines() if " parameters " in x and " vgg19 " in x)
    assert "46,000,000" in line
    text = compare("m.csv", "--averages", "--published", spec, "--metrics", "accuracy")
    assert "parameters" not in text


def test_repeats_are_not_called_folds() -> None:
    for seed in (1, 2):
        made(f"m-{seed}.csv", seed=seed)
    header = compare("m-1.csv", "m-2.csv", "--pool", "model").splitlines()[0]
    assert "mean ± std over repeats" in header


def test_papers_that_are_not_there(capfd: Said) -> None:
    made("m.csv")
    assert "is not one of: covid-cxnet, cvr-net" in refused(capfd, "m.csv", "--published", "nobody")
    assert refused(capfd, "m.csv", "--published", "luiz:model=x") == (
        "--published luiz: model 'x' is not one of: DenseNet121, CNN, Narin ResNet50, RT-PCR, "
        "Ghoshal CNN, Zhang ResNet, Narin ResNet50 as cited, Wang CNN, Karakanis ResNet8. "
        "Choose one of them.\n"
    )
    assert "settings of the paper" in refused(
        capfd, "m.csv", "--positive", "covid", "--published", "tartaglione"
    )


# --- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", tables.formats())
def test_every_format(kind: str) -> None:
    rows = made("m.csv", model="a|b & 5% _x_ <i>\n[y")
    rows[0]["source"] = "[north"
    write("m.csv", rows)
    text = compare("m.csv", "--format", kind, "--by", "source")
    assert "accuracy" in text
    assert text.endswith("\n")
    if kind == "github":
        bars = {line.replace("\\|", "").count("|") for line in text.splitlines()}
        assert len(bars) == 1, "a name breaks no row"
    if kind == "latex":
        assert "a|b \\& 5\\% \\_x\\_ \\ensuremath{<}i\\ensuremath{>}" in text
        assert "\n {[}north" in text, "after a line's end LaTeX takes a bracket for an option"
    if kind == "html":
        assert "<i>" not in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="install texlive-latex-base")
def test_latex_compiles() -> None:
    made("m.csv", model="a & b_1 100% [x] #$~^\\{}")
    text = compare("m.csv", "--format", "latex", "--pool", "fold")
    Path("t.tex").write_text(
        f"\\documentclass{{article}}\\begin{{document}}\n{text}\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=batchmode", "-halt-on-error", "t.tex"], capture_output=True
    )
    assert done.returncode == 0


def test_latex_braces_and_rows_are_balanced() -> None:
    made("m.csv", model="a & b_1 100% #$~^\\{}")
    text = compare("m.csv", "--format", "latex")
    body = [line for line in text.splitlines() if "&" in line]
    plain = [line.replace("\\&", "").replace("\\{", "").replace("\\}", "") for line in body]
    assert {line.count("&") for line in plain} == {2}
    assert {line.count("{") - line.count("}") for line in plain} == {0}
    assert all(line.endswith("\\\\") for line in body)
    assert text.startswith("\\begin{tabular}{lll}\n") and text.endswith("\\end{tabular}\n")


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metrics", "aoc"], "--metrics 'aoc' is not one of: accuracy, "),
        (["--paired-test", "t"], "--paired-test 't' is not one of: delong, mcnemar, permutation."),
        (["--paired-test", "delong"], "--paired-test: there is no pair of models."),
        (["--positive", "flu"], "--positive 'flu' is not one of: normal, covid."),
        (["--by", "site"], "m.csv: no column 'site' among: path, label, "),
        (["--pool", "site"], "m.csv: no column 'site' among: "),
        (["--by", "fold", "--pool", "fold"], "--pool fold: it is in --by as well."),
        (["--pool", "model"], "--pool model: it is 'm' in every row."),
        (["--interval", "bootstrap", "--bootstrap", "0"], "--interval bootstrap needs resamples."),
        (["--ci", "95"], "invalid value for '--ci': above 1."),
        (["--ci", "1"], "--ci 1 is not between 0 and 1."),
        (["--threshold", "nan"], "invalid value for '--threshold': "),
        (["--matrix", "train"], "--matrix 'train' is not two columns."),
        (["--matrix", "train,site"], "m.csv: no column 'site' among: "),
        (["--matrix", "train,test", "--by", "fold"], "--matrix stands alone."),
        (["--format", "word"], "--format 'word' is not one of: csv, json, "),
        (["--where", "source=z"], "m.csv: no row fulfils source=z."),
    ],
)
def test_wrong_options(capfd: Said, options: list[str], message: str) -> None:
    made("m.csv")
    assert refused(capfd, "m.csv", *options).startswith(message)


def test_a_threshold_of_three_classes_is_of_one_of_them(capfd: Said) -> None:
    made("m.csv", classes=3)
    assert refused(capfd, "m.csv", "--threshold", "0.4") == (
        "--threshold: there are 3 classes. Name the one that it is for with --positive.\n"
    )


def test_predictions_are_not_overwritten(capfd: Said) -> None:
    made("m.csv")
    before = Path("m.csv").read_text()
    assert in_process("compare", "m.csv", "-o", "./m.csv") == 2
    said = (
        "cxrtool compare: --output ./m.csv would overwrite m.csv, which is read (PREDICTIONS). "
        "Name another place with --output.\n"
    )
    assert capfd.readouterr().err == said
    assert Path("m.csv").read_text() == before


def test_the_list_of_failures_overwrites_neither_predictions_nor_the_table(capfd: Said) -> None:
    made("m.csv")
    before = Path("m.csv").read_text()
    for given, message in (
        (
            ["--failures", "./m.csv"],
            "--failures ./m.csv would overwrite m.csv, which is read (PREDICTIONS). Name another",
        ),
        (
            ["-o", "t.md", "--failures", "./t.md"],
            "--failures ./t.md is --output too. Name two files.",
        ),
    ):
        assert in_process("compare", "m.csv", *given) == 2
        assert capfd.readouterr().err.startswith(f"cxrtool compare: {message}")
    assert Path("m.csv").read_text() == before and not Path("t.md").exists()


@pytest.mark.parametrize("seed", [0, (1 << 63) - 1])
def test_the_least_and_the_largest_seed_draw(seed: int) -> None:
    made("m.csv", per_patient=3)
    drawn = ("--interval", "bootstrap", "--seed")
    found = compare("m.csv", *drawn, seed)
    assert found == compare("m.csv", *drawn, seed) != compare("m.csv", *drawn, 5)


def test_a_folder_is_no_place_for_a_table(capfd: Said) -> None:
    made("m.csv")
    assert in_process("compare", "m.csv", "-o", ".") == 2
    assert capfd.readouterr().err == "cxrtool compare: .: is a folder. Name a file in it.\n"


# --- as a filter ----------------------------------------------------------------------------------


def test_standard_input(cxrtool: Command) -> None:
    made("m.csv")
    text = Path("m.csv").read_text()
    for arguments in ([], ["-"]):
        done = cxrtool("compare", *arguments, "--format", "csv", stdin=text)
        assert done.returncode == 0
        assert done.stdout.splitlines()[0] == ",".join(TIDY)
        assert len(done.stdout.splitlines()) == 1 + len(metrics.NAMES)
    done = cxrtool("compare", "-q", stdin=text)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_same_bytes_in_every_process(cxrtool: Command) -> None:
    made("m.csv", per_patient=2)
    outs = {
        cxrtool("compare", "m.csv", "--format", "csv", env={"PYTHONHASHSEED": seed}).stdout
        for seed in "12"
    }
    assert len(outs) == 1


def test_json_is_read_by_others(tmp_path: Path) -> None:
    made("a.csv")
    made("b.csv", seed=1)
    command = "cxrtool compare a.csv b.csv --paired-test delong --format json"
    line = f"{command} | {sys.executable} -m json.tool"
    done = shell(tmp_path, line)
    assert done.returncode == 0
    assert json.loads(done.stdout)[1]["tests"][0]["against"] == "a"


def test_what_evaluate_writes_is_read(small_run: Path, phantoms: Path) -> None:
    small = ["--device", "cpu", "-j", "1", "-q", "-o", "p.csv"]
    split = str(phantoms / "split.csv")
    assert in_process("evaluate", str(small_run), split, "--where", "split=test", *small) == 0
    rows, found = rows_of(Path("p.csv")), tidy("p.csv", "--positive", "normal")
    assert {key[0] for key in found} == {"small"}
    right = np.mean([r["label"] == r["pred"] for r in rows])
    assert float(found["small", "", "normal", "accuracy"]["value"]) == pytest.approx(right)


@pytest.mark.slow
def test_evaluate_is_read_from_a_pipe(small_run: Path, phantoms: Path, tmp_path: Path) -> None:
    line = (
        f"cxrtool evaluate {small_run} {phantoms / 'split.csv'} --where split=test --device cpu "
        "-j 1 | cxrtool compare - --format csv"
    )
    done = shell(tmp_path, line)
    assert done.returncode == 0, done.stderr
    assert [r["metric"] for r in table(done.stdout)] == list(metrics.NAMES)


def test_a_full_disk_and_a_closed_pipe(tmp_path: Path) -> None:
    made("m.csv")
    if os.path.exists("/dev/full"):
        assert shell(tmp_path, "cxrtool compare m.csv > /dev/full").returncode == 3
    done = shell(tmp_path, "cxrtool compare m.csv | true; echo ${PIPESTATUS[0]}")
    assert done.stdout == "141\n"


@pytest.mark.slow
def test_a_million_rows_fit_in_a_gibibyte() -> None:
    with open("big.csv", "w") as file:
        file.write("path,label,patient,source,model,pred,p_normal,p_covid,p_pneumonia\n")
        for i in range(1_000_000):
            p = (i * 7919 % 1000) / 1000
            patient = f"site/patient-{i // 2:07d}"
            cells = f"{CLASSES[i * 31 % 3]},{patient},ab,m,,{p / 2:.4f},{p / 2:.4f},{1 - p:.4f}"
            file.write(f"images/{patient}/image-{i}.png,{cells}\n")
    command = [sys.executable, "-m", "cxrtool", "compare", "big.csv", "--bootstrap", "2", "-q"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert usage.ru_maxrss < 1 << 20, f"{usage.ru_maxrss >> 10} MiB"


def test_what_is_written_as_csv_is_read_as_csv() -> None:
    made("m.csv", model='with "quotes", and a comma')
    rows = [*csv.reader(io.StringIO(compare("m.csv", "--format", "csv")))]
    assert {len(row) for row in rows} == {8}
    assert rows[1][0] == 'with "quotes", and a comma'


def test_a_label_in_other_letters_is_recognised_as_such(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "p.csv"
    table.write_text("path,label,p_COVID,p_Normal\na,covid,0.9,0.1\nb,Normal,0.2,0.8\n")
    assert in_process("compare", str(table)) == 1
    said = capfd.readouterr().err
    assert "label 'covid' is not one of: COVID, Normal" in said
    assert "Did you mean 'COVID'? Write it as the column p_COVID does." in said


def test_a_column_that_seems_to_be_the_patient_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "p.csv"
    table.write_text("path,label,PatientID,view_position,p_c,p_n\na,c,1,PA,1,0\nb,n,2,PA,0,1\n")
    assert in_process("compare", str(table)) == 0
    said = capfd.readouterr().err
    assert "p.csv: column 'PatientID' is not read as the patient: if it is the patient" in said
    assert "view_position" not in said, "compare reads no view"


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("soruce", "source"),
        ("Sources", "source"),
        ("score", ""),
        ("resource", ""),
        ("paitent", "patient"),
        ("patients", "patient"),
        ("inpatient", ""),
        ("patent", "patient"),
        ("note", ""),
    ],
)
def test_a_column_that_is_nearly_the_patient_or_the_source_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], column: str, name: str
) -> None:
    table = tmp_path / "p.csv"
    table.write_text(f"path,label,{column},p_c,p_n\na,c,1,1,0\nb,n,2,0,1\n")
    assert in_process("compare", str(table)) == 0
    said = capfd.readouterr().err
    assert said.count("is not read as") == bool(name)
    if name:
        assert f"column '{column}' is not read as the {name}: if it is the {name}, name" in said


def test_images_without_a_patient_are_counted_where_others_have_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = ["path,label,patient,p_c,p_n"]
    for i in range(20):
        chance = 0.1 + i % 7 / 10
        patient = f"P{i // 2}" if i < 16 else ""
        lines.append(f"{i},{'cn'[i % 2]},{patient},{chance:g},{1 - chance:g}")
    table = tmp_path / "p.csv"
    table.write_text("\n".join(lines) + "\n")
    assert in_process("compare", str(table)) == 0
    said = capfd.readouterr().err
    assert "4 predictions have no patient: there each image counts as a patient of its own" in said
