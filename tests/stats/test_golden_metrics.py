"""The figures that the papers' confusion matrices give, and the papers' own misprints."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxrtool.stats import intervals, metrics
from cxrtool.stats.metrics import Counts
from cxrtool.stats.weighted_metrics import Judged

GOLDEN = json.loads((Path(__file__).parents[1] / "golden_metrics.json").read_text(encoding="utf-8"))
VECTORS = {v["id"]: v for v in GOLDEN["vectors"]}
MATRICES = {name: v for name, v in VECTORS.items() if "confusion" in v}
CELLS = ("tp", "fn", "fp", "tn")


def close(value: float, expected: float | str | None) -> bool:
    """Compare with a value of which null is undefined and "inf" infinite."""
    if expected is None:
        return math.isnan(value)
    return bool(value == pytest.approx(float(expected), rel=1e-12, abs=1e-12))


def check_counts(counts: Counts, expected: dict[str, Any]) -> None:
    """Compare every figure that four counts give."""
    found = metrics.of_counts(counts)
    for name in found.keys() & expected.keys():
        assert close(float(found[name]), expected[name]), name
    assert {"sensitivity", "f1", "dor", "dor_haldane", "error"} <= found.keys() & expected.keys()
    assert [float(c) for c in counts.cells] == [expected[c] for c in CELLS]
    assert intervals.odds_ratio(counts) == pytest.approx(expected["dor_haldane_ci95"])
    errors = [float(c) for c in counts.share("error")]
    assert intervals.normal(errors[0], errors[1], clip=False) == pytest.approx(
        expected["error_ci95_unclipped"]
    )
    assert intervals.normal(errors[0], errors[1]) == pytest.approx(expected["error_ci95"])


def check_classes(confusion: list[list[int]], classes: list[str], expected: dict[str, Any]) -> None:
    """Compare the figures of every class, and their averages."""
    table = np.array(confusion)
    each = []
    for k, name in enumerate(classes):
        counts = metrics.against_the_rest(table, k)
        check_counts(counts, expected["classes"][name])
        each.append(metrics.of_counts(counts))
        assert close(float(each[-1]["accuracy"]), expected["classes"][name]["one_vs_rest_accuracy"])
    for name in ("sensitivity", "specificity", "precision", "f1"):
        values = np.array([one[name] for one in each])
        macro = metrics.mean_over_classes(name, values)
        weighted = metrics.mean_over_classes(name, values, table.sum(1))
        assert close(float(macro), expected[f"macro_{name}"])
        assert close(float(weighted), expected[f"weighted_{name}"])
    overall = metrics.of_confusion(table)
    assert close(float(overall["accuracy"]), expected["accuracy"])
    assert close(float(overall["error"]), expected["error"])


@pytest.mark.parametrize("name", MATRICES)
def test_confusion_matrices(name: str) -> None:
    vector = MATRICES[name]
    if vector["kind"] == "binary":
        positive = vector["classes"].index(vector["positive_class"])
        table = np.array(vector["confusion"])
        check_counts(metrics.against_the_rest(table, positive), vector["expected"])
    view = vector["expected"] if vector["kind"] == "multiclass" else None
    view = view or vector.get("expected_multiclass_view")
    if view:
        check_classes(vector["confusion"], vector["classes"], view)


@pytest.mark.parametrize("name", [n for n, v in VECTORS.items() if v["kind"] == "ovr_counts"])
def test_counts_of_one_class_against_the_rest(name: str) -> None:
    vector = VECTORS[name]
    for label, cells in vector["counts"].items():
        counts = Counts(*(np.float64(cells[c]) for c in CELLS))
        check_counts(counts, vector["expected"]["classes"][label])


@pytest.mark.parametrize("vector", GOLDEN["auc_vectors"], ids=lambda v: v["id"])
def test_auc(vector: dict[str, Any]) -> None:
    labels = np.array(vector["y"])
    if "prob" not in vector:
        scores = np.array(vector["score"])
        p = np.column_stack([1 - scores, scores])
        value = Judged(["no", "yes"], labels, labels, p, 1).values()["yes", "auc"]
        assert close(value, vector["auc"])
        assert close(metrics.auc(labels == 1, scores), vector["auc"])
        return
    p = np.array(vector["prob"])
    found = Judged(["a", "b", "c"], labels, p.argmax(1), p, None).values()
    assert [found[c, "auc"] for c in "abc"] == pytest.approx(vector["per_class"])
    assert found["macro", "auc"] == pytest.approx(vector["macro"])


@pytest.mark.parametrize("vector", GOLDEN["dor_vectors"], ids=lambda v: v["id"])
def test_odds_ratios(vector: dict[str, Any]) -> None:
    counts = Counts(*(np.float64(vector["counts"][c]) for c in CELLS))
    found, expected = metrics.of_counts(counts), vector["expected"]
    assert close(float(found["dor"]), expected["dor"])
    assert close(float(found["dor_haldane"]), expected["dor_haldane"])
    assert intervals.odds_ratio(counts) == pytest.approx(expected["dor_haldane_ci95"])


@pytest.mark.parametrize("vector", GOLDEN["error_ci_vectors"], ids=lambda v: str(v["errors"]))
def test_the_papers_interval_of_the_error(vector: dict[str, Any]) -> None:
    found = intervals.normal(vector["errors"], vector["n"], clip=False)
    assert found == pytest.approx(vector["ci"])
    assert (found[1] - found[0]) / 2 == pytest.approx(vector["half_width"])
    assert intervals.normal(vector["errors"], vector["n"]) == pytest.approx(vector["ci_clipped"])


def test_ten_runs() -> None:
    vector = GOLDEN["run_summary_vector"]
    found = intervals.summary(np.array(vector["values"]))
    assert found.number == 10
    assert found.mean == pytest.approx(vector["mean"])
    assert found.std == pytest.approx(vector["std_ddof1"])
    assert [found.minimum, found.maximum] == vector["range"]
    assert [found.low, found.high] == pytest.approx(vector["t_ci95"])


def test_identities_hold_but_for_two() -> None:
    means = {v["id"]: v for v in GOLDEN["identities"]}
    for name in ("s004_mean_sens", "s004_mean_spec"):
        vector = means[name]
        found = metrics.mean_over_classes("sensitivity", np.array(vector["values"]))
        assert float(found) == pytest.approx(vector["expected"])
    # With two images of the others for every one of the class, accuracy is (Se + 2 Sp) / 3.
    table7 = {"ours": (0.977, 0.989), "cnn": (0.852, 0.982), "narin": (0.911, 0.997)}
    for name, (sensitivity, specificity) in table7.items():
        vector = means[f"s004_ovr_acc_{name}"]
        counts = Counts(
            *map(np.float64, (sensitivity, 1 - sensitivity, 2 * (1 - specificity), 2 * specificity))
        )
        accuracy = 100 * float(metrics.of_counts(counts)["accuracy"])
        assert accuracy == pytest.approx(vector["expected"])
        assert (round(accuracy + 1e-9, 1) == vector["printed"]) == vector["ok"]
    assert [v["id"] for v in GOLDEN["identities"] if not v["ok"]] == [
        "s004_ovr_acc_narin",
        "s004_without_aug",
    ]


# --- what the papers print -----------------------------------------------------------------------

SHORT = {
    "sens": "sensitivity",
    "spec": "specificity",
    "f": "f1",
    "acc": "accuracy",
    "ba": "balanced_accuracy",
    "recall": "sensitivity",
}
# Printed figures that their own matrix does not give, to the last digit printed.
MISPRINTS = {
    "t000_covidnet_cohen accuracy",  # it is the balanced accuracy
    "t000_covidnet_corda dor",  # of rounded rates
    "cxnet_t4 f1_CAP",  # truncated, not rounded
    "cvr_cl3_single CVP sensitivity",  # a mean over folds that the pooled one contradicts
    # Means over folds: the mean of ratios is not the ratio of sums.
    "cvr_cl3_single NOR sensitivity",
    "cvr_cl3_single NCP sensitivity",
    "cvr_cl3_single CVP precision",
    "cvr_cl3_single weighted precision",
    "cvr_cl3_multiple NOR precision",
    "cvr_cl3_multiple CVP precision",
    "cvr_cl4_multiple NOR precision",
    "cvr_cl4_multiple OBP precision",
    "cvr_cl4_multiple OVP precision",
    "cvr_cl4_multiple weighted precision",
}


def differs(value: float, printed: float) -> bool:
    """Tell whether a figure does not round to what is printed."""
    digits = max(2, len(repr(printed).partition(".")[2]))
    return abs(value - printed) > 0.5 * 10**-digits + 1e-9


def misprints(name: str, vector: dict[str, Any]) -> set[str]:
    """List the printed figures of a matrix that it does not give."""
    table, classes = np.array(vector["confusion"]), vector["classes"]
    each = [metrics.of_counts(metrics.against_the_rest(table, k)) for k in range(len(classes))]
    scale = 100 if name.startswith("t003") else 1
    found = set()

    def look(what: str, values: Any, printed: float | str) -> None:
        if differs(scale * float(values), float(printed)) and float(values) != float(printed):
            found.add(f"{name} {what}")

    for what, printed in vector["printed"].items():
        metric = SHORT.get(what, what)
        average, _, rest = what.partition("_")
        if isinstance(printed, list) and len(printed) == len(classes):
            for label, one, value in zip(classes, each, printed, strict=True):
                look(f"{label} {metric}", one[metric], value)
        elif average == "weighted":
            metric = SHORT.get(rest, rest)
            values = np.array([one[metric] for one in each])
            mean = metrics.mean_over_classes(metric, values, table.sum(1))
            look(f"weighted {metric}", mean, printed)
        elif what.startswith("f1_"):
            look(what, each[classes.index(what[3:])]["f1"], printed)
        elif metric == "accuracy":
            look(metric, metrics.of_confusion(table)["accuracy"], printed)
        elif metric in each[-1]:
            look(metric, each[-1][metric], printed)
    return found


# Notebooks print reports of their own, which no paper rounds.
PRINTED = [name for name in MATRICES if "notebook" not in name and "darkcovid" not in name]


@pytest.mark.parametrize("name", PRINTED)
def test_the_matrices_give_what_is_printed_but_for_the_misprints(name: str) -> None:
    expected = {m for m in MISPRINTS if m.startswith(f"{name} ")}
    assert misprints(name, MATRICES[name]) == expected


def test_specificity_that_is_npv() -> None:
    differing = []
    for name, vector in VECTORS.items():
        for label, printed in vector["printed"].get("sp_printed", {}).items():
            counts = Counts(*(np.float64(vector["counts"][label][c]) for c in CELLS))
            found = metrics.of_counts(counts)
            if differs(100 * float(found["npv"]), printed):
                differing.append((name, label))
    assert differing == [("t003_s2|Vgg19", "Bacteria")]  # the value of Vgg16 stands there
    assert all(
        "is NPV" in VECTORS[name]["inconsistencies"][0]
        for name in VECTORS
        if name.startswith("t003_s2")
    )


def test_intervals_of_the_error_that_do_not_follow_from_it() -> None:
    following = [
        name
        for name, v in VECTORS.items()
        if "min_c" in v["printed"]
        and intervals.normal(v["printed"]["error"] * 697, 697)
        == pytest.approx((v["printed"]["min_c"], v["printed"]["max_c"]), abs=0.001)
    ]
    assert following == []


def test_a_matrix_whose_totals_contradict_its_paper_is_known() -> None:
    totals = np.sum(VECTORS["cvr_cl4_multiple_as_printed_REJECT"]["confusion"], axis=1)
    assert totals.tolist() == [3524, 2776, 1564, 4015]
    assert np.sum(VECTORS["cvr_cl4_multiple"]["confusion"], axis=1).tolist() == [
        3591,
        2780,
        1493,
        4015,
    ]
