"""The papers' tables against what the papers print, figure by figure."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import papers
import pytest

from cxrtool.published import library
from cxrtool.stats import metrics

# Where a figure stands: the keys, the class and the metric.
Place = tuple[str, ...]


def figures(name: str, *tables: str) -> dict[Place, dict[str, str]]:
    """Read the figures of some tables of a paper."""
    columns, rows = library.read(name)
    keys = [*columns[: columns.index("class") + 1], "metric"]
    return {tuple(row[k] for k in keys): row for row in rows if row["table"] in tables}


def check(found: dict[Place, dict[str, str]], expected: dict[Place, str]) -> None:
    """Compare the values of exactly these figures."""
    assert set(found) == set(expected)
    for place, text in expected.items():
        assert float(found[place]["value"]) == float(text), place


def share(text: str) -> str:
    """Write per cent as a share, without a rounding error."""
    return repr(float(Fraction(text) / 100))


CROSS = ("sensitivity", "specificity", "f1", "accuracy", "balanced_accuracy", "auc", "dor")


@pytest.mark.parametrize(
    ("model", "table", "encoders", "block"),
    [
        ("resnet18", "II", ("none", "RSNA", "ChestXRay"), papers.RESNET18),
        ("resnet50", "III", ("RSNA", "ChestXRay"), papers.RESNET50),
    ],
)
def test_tartaglione_cross_dataset(
    model: str, table: str, encoders: tuple[str, ...], block: str
) -> None:
    places = itertools.product([model], encoders, papers.TRAINED_ON, papers.TESTED_ON)
    expected = {
        (*place, "", metric): value
        for place, row in zip(places, papers.lines(block), strict=True)
        for metric, value in zip(CROSS, row, strict=True)
    }
    check(figures("tartaglione", table), expected)


def test_tartaglione_other_figures() -> None:
    rows = [
        ("COVID-Net", "released", "CORDA", "0.12 0.98 0.22 0.41 0.55 0.55 6.68"),
        ("COVID-Net", "released", "COVID-ChestXRay", "0.90 0.80 0.90 0.85 0.85 0.85 36.00"),
        ("ResNet-18", "Table IV", "CORDA", "0.91 0.20 0.79 0.67 0.56 0.61 2.56"),
        ("ResNet-18", "Table IV", "COVID-ChestXRay", "1 1 1 1 1 1 inf"),
    ]
    expected = {
        (model, encoder, "COVID-ChestXRay", test, "", metric): value
        for model, encoder, test, values in rows
        for metric, value in zip(CROSS, values.split(), strict=True)
    }
    check(figures("tartaglione", "IV"), expected)
    both = "CORDA&ChestXRay"
    plain = ("resnet18 without preprocessing", "ChestXRay", both, both, "")
    conv8 = ("Conv8", "not stated", "CORDA", "CORDA", "")
    found = figures("tartaglione", "text")
    expected = {(*conv8, "balanced_accuracy"): "0.61", (*conv8, "dor"): "2.38"}
    expected |= {(*plain, "balanced_accuracy"): "0.73", (*plain, "dor"): "8.31"}
    check(found, expected)


def pairs_of_counts(positive: int, negative: int, ba: float, dor: float) -> list[tuple[int, int]]:
    """List the numbers of right images of both classes that give both figures as printed."""
    result = []
    for right, left_out in itertools.product(range(positive), range(negative)):
        odds = right * left_out / ((positive - right) * (negative - left_out))
        balanced = (right / positive + left_out / negative) / 2
        if abs(balanced - ba) <= 0.005 and abs(odds - dor) <= 0.005:
            result.append((right, left_out))
    return result


def test_what_the_notes_say_of_figures_in_the_text() -> None:
    assert pairs_of_counts(90, 45, 0.61, 2.38) == [(59, 25)]
    assert pairs_of_counts(90, 45, 0.73, 8.31) == []
    assert pairs_of_counts(90, 669, 0.73, 8.31) == []


@pytest.mark.parametrize("scenario", ["2", "3"])
def test_majeed_four_classes(scenario: str) -> None:
    sensitivities = papers.SENSITIVITY_2 if scenario == "2" else papers.SENSITIVITY_3
    npvs = papers.NPV_2 if scenario == "2" else papers.NPV_3
    expected: dict[Place, str] = {}
    classes = ("Bacteria", "Covid-19", "Normal", "Viral")
    for first, second in zip(papers.lines(sensitivities), papers.lines(npvs), strict=True):
        assert first[0] == second[0]
        for label, sensitivity, npv in zip(classes, first[1:], second[1:], strict=True):
            place = (first[0], scenario, label)
            npv = "81.58" if npv == "8158" else npv
            expected[*place, "sensitivity"] = share(sensitivity)
            # What is printed as specificity is kept under that name too, with a note.
            expected[*place, "npv"] = expected[*place, "specificity"] = share(npv)
    found = {k: row for k, row in figures("majeed", "2").items() if k[1] == scenario}
    check(found, expected)
    for place, row in found.items():
        assert row["n"] == "697"
        if place[-1] == "specificity":
            assert row["note"].startswith("is NPV")
        elif place[-1] == "npv":
            assert row["note"].startswith("printed as specificity")
        misread = place[:3] == ("InceptionV3", "3", "Viral") and place[-1] != "sensitivity"
        assert ("8158 is read as 81.58" in row["note"]) == misread


TEST_IMAGES = {"Bacteria": 242, "Covid-19": 73, "Normal": 234, "Viral": 148}


def test_majeed_scenario_3_is_npv_where_whole_numbers_give_it() -> None:
    """The images that are wrongly left out are as many as those wrongly put in, of all classes."""
    found = figures("majeed", "2")
    for model in {place[0] for place in found}:
        missed, least, most, whole = 0, 0, 0, True
        for label, number in TEST_IMAGES.items():
            rows = {m: found[model, "3", label, m] for m in ("sensitivity", "npv")}
            value = {m: float(row["value"]) for m, row in rows.items()}
            right = round(value["sensitivity"] * number)
            if abs(right / number - value["sensitivity"]) > 5.1e-5:
                assert "no whole number" in rows["sensitivity"]["note"], (model, label)
                assert "cannot be checked" in rows["npv"]["note"]
                whole = False
                continue
            others, left = 697 - number, number - right
            there = [
                others - n
                for n in range(1, others + 1)
                if abs(n / (n + left) - value["npv"]) <= 5.1e-5
            ]
            assert bool(there) != ("no whole number" in rows["npv"]["note"]), (model, label)
            if not there:
                whole = False
                continue
            missed, least, most = missed + left, least + min(there), most + max(there)
        assert not whole or least <= missed <= most, model
    noted = {place[:3] for place, row in found.items() if "no whole number" in row["note"]}
    assert len(noted) == 7


def test_majeed_other_tables() -> None:
    expected = {
        (model, "1", "", metric): share(value)
        for model, *values in papers.lines(papers.SCENARIO_1)
        for metric, value in zip(("sensitivity", "specificity"), values, strict=True)
    }
    found = figures("majeed", "1")
    check(found, expected)
    assert {row["n"] for row in found.values()} == {"307"}
    found = figures("majeed", "3")
    errors = {place: row for place, row in found.items() if place[-1] == "error"}
    for model, *values in papers.lines(papers.ERROR_2):
        row = errors.pop((model, "2", "", "error"))
        assert [float(row[c]) for c in ("value", "low", "high")] == [float(v) for v in values]
    assert not errors


def test_hasan_folds() -> None:
    expected: dict[Place, tuple[str, str]] = {}
    for task, label, *values in papers.lines(papers.CVR_NET):
        for k, metric in enumerate(("sensitivity", "precision", "accuracy")):
            if values[2 * k]:
                place = ("CVR-Net", task, "" if metric == "accuracy" else label, metric)
                expected[place] = values[2 * k], values[2 * k + 1]
    found = figures("cvr-net", "2", "3")
    check(found, {place: value for place, (value, _) in expected.items()})
    for place, (_, std) in expected.items():
        assert float(found[place]["std"] or "nan") == pytest.approx(
            float(std or "nan"), nan_ok=True
        )
        assert int(found[place]["n"]) == papers.CVR_NET_N[place[1]]


def test_hasan_nine_networks() -> None:
    expected: dict[Place, str] = {}
    for model, size, *values in papers.lines(papers.NINE_NETWORKS):
        for task, (recall, precision, accuracy) in (
            ("CXR-Independent-CL2", values[:3]),
            ("CT-Independent-CL2", values[3:]),
        ):
            expected[model, task, "weighted", "sensitivity"] = recall
            expected[model, task, "weighted", "precision"] = precision
            expected[model, task, "", "accuracy"] = accuracy
            expected[model, task, "", "parameters"] = str(float(size) * 1_000_000)
    found = figures("cvr-net", "5")
    check(found, expected)
    for place, row in found.items():
        assert int(row["n"]) == papers.CVR_NET_N[place[1]]


def test_hasan_matrices() -> None:
    rows = library.read("cvr-net")[1]
    for task, (names, *lines) in papers.CVR_NET_PREDICTED.items():
        classes, counts = library.confusion("cvr-net", "CVR-Net", task)
        assert classes == names.split()
        predicted = np.array([[int(cell) for cell in line.split()] for line in lines])
        assert (np.array(counts) == predicted.T).all()
        # All images of the class are in one of the five test folds.
        for k, label in enumerate(classes):
            (total,) = [
                int(row["images"])
                for row in library.counts("cvr-net")
                if (row["table"], row["set"], row["actual"]) == ("1", task, label)
            ]
            assert predicted.T[k].sum() == total
        # The means over folds are near the pooled figures, but for the one that is noted.
        for row in rows:
            if row["task"] == task and row["class"] in classes and row["metric"] == "sensitivity":
                k = classes.index(row["class"])
                pooled = predicted.T[k, k] / predicted.T[k].sum()
                near = abs(pooled - float(row["value"])) < 0.005
                assert near != (f"the pooled matrix gives {pooled:.3f}" in row["note"])


@pytest.mark.parametrize("place", papers.CXNET, ids="-".join)
def test_haghanifar_matrices(place: tuple[str, str]) -> None:
    names, *lines = papers.CXNET[place]
    classes, counts = library.confusion("covid-cxnet", *place)
    table = np.array([[int(cell) for cell in line.split()] for line in lines])
    assert (classes, counts) == (names.split(), table.tolist())
    found = {
        (label, metric): row
        for (*keys, label, metric), row in figures("covid-cxnet", *"12345").items()
        if tuple(keys) == place
    }
    assert {row["n"] for row in found.values()} == {str(table.sum())}
    accuracy = metrics.of_confusion(table[None])["accuracy"][0]
    assert rounds(accuracy, found.pop(("", "accuracy")))
    for k, label in enumerate(classes):
        expected = metrics.of_counts(metrics.against_the_rest(table[None], k))
        for metric in ("sensitivity", "specificity", "precision", "npv", "f1"):
            row = found.pop((label, metric))
            if "truncated" not in row["note"]:
                assert rounds(expected[metric][0], row), (label, metric)
    assert not found


def rounds(value: float, row: dict[str, str]) -> bool:
    """Tell whether a figure rounds to what is printed."""
    digits = len(row["value"].partition(".")[2])
    return math.isclose(value, float(row["value"]), abs_tol=0.5 * 10**-digits + 1e-9)


def test_haghanifar_figures_in_print() -> None:
    found = figures("covid-cxnet", *"12345", "text")
    printed = {
        ("Base Model v2", "single run", "", "accuracy"): "0.9868",
        ("Base Model v2", "single run", "COVID-19", "f1"): "0.94",
        ("Base Model v2", "single run", "COVID-19", "auc"): "0.9984",
        ("Base Model v1", "300 images", "", "accuracy"): "0.9672",
        ("COVID-CXNet v1", "single run", "", "accuracy"): "0.9904",
        ("COVID-CXNet v1", "single run", "COVID-19", "f1"): "0.96",
    }
    multiclass = {"Flat": ("0.8104", "0.76", "0.85"), "Hierarchical": ("0.8721", "0.85", "0.92")}
    for name, (accuracy, cap, covid) in multiclass.items():
        model = f"{name} Multiclass COVID-CXNet"
        printed[model, "single run", "", "accuracy"] = accuracy
        printed[model, "single run", "CAP", "f1"] = cap
        printed[model, "single run", "CP", "f1"] = covid
    check({place: found[place] for place in printed}, printed)
    # Whatever else stands there is computed from a matrix, and says so.
    rest = {place: row for place, row in found.items() if place not in printed}
    derived = {row["note"] for place, row in rest.items() if place[-1] != "f1" or place[2] != "CP"}
    assert derived <= {"follows from the confusion matrix; not printed", "printed in Table 6"}


def test_haghanifar_ten_runs_and_related_work() -> None:
    found = figures("covid-cxnet", "6")
    for model, accuracy, low, high, score in papers.lines(papers.TEN_RUNS):
        row = found.pop((model, "ten runs", "", "accuracy"))
        expected = [float(share(v)) for v in (accuracy, low, high)]
        assert [float(row[c]) for c in ("value", "low", "high")] == expected
        assert "least and most of ten runs" in row["note"]
        label = "CP" if "Multiclass" in model else "COVID-19"
        assert found.pop((model, "ten runs", label, "f1"))["value"] == score
    assert not found
    found = figures("covid-cxnet", "7")
    for model, images, score in papers.lines(papers.CXNET_RELATED):
        row = found.pop((model, "related work", "CP", "f1"))
        assert float(row["value"]) == float(score)
        assert row["note"].startswith(f"{images} images")
    assert not found


def test_luiz() -> None:
    expected: dict[Place, str] = {}
    for label, *values in papers.lines(papers.LUIZ_CLASSES):
        for metric, value in zip(("sensitivity", "specificity", "f1"), values, strict=True):
            expected["DenseNet121", "augmented", label, metric] = share(value)
    for metric, *values in papers.lines(papers.LUIZ_AUGMENTED):
        for experiment, value in zip(("augmented", "not augmented"), values, strict=True):
            label = "" if metric == "accuracy" else "macro"
            expected["DenseNet121", experiment, label, metric] = share(value)
    three = ("accuracy", "sensitivity", "specificity")
    for model, *values in papers.lines(papers.LUIZ_COVID):
        for metric, value in zip(three, values, strict=True):
            if value:
                place = (model, "COVID-19 against the rest", "COVID-19", metric)
                expected[place] = share(value)
    for model, *values in papers.lines(papers.LUIZ_RELATED):
        for metric, value in zip((*three, "f1"), values, strict=True):
            expected[model, "related work", "", metric] = share(value)
    check(figures("luiz", *"3567"), expected)


def test_compositions() -> None:
    found = {
        (row["set"], row["part"], row["source"], row["actual"]): row["images"]
        for row in library.counts("tartaglione")
    }
    for name, part, source, positive, negative in papers.lines(papers.COMPOSED):
        for label, number in (("COVID+", positive), ("COVID-", negative)):
            assert found.pop((name, part, source, label), "") == number
    # What is left are the sums of the sets that are made of one source alone.
    assert all(source == "" for _, _, source, _ in found)
    assert len(found) == 8
    tasks = {
        (row["set"], row["actual"], row["part"]): row["images"]
        for row in library.counts("cvr-net")
        if row["table"] == "1"
    }
    for task, label, first, test in papers.lines(papers.TASKS):
        part = "train" if test else "all"
        assert tasks.pop((task, label, part)) == first
        assert tasks.pop((task, label, "test"), "") == test
    assert not tasks
    eleven = {
        (row["part"], row["actual"]): row["images"]
        for row in library.counts("luiz")
        if row["table"] == "4"
    }
    parts = {"all": 572, "train": 468, "train, augmented": 1070, "test": 52, "unseen": 52}
    classes = ("COVID-19", "Normal", "Pneumonia")
    assert eleven == {(p, c): str(n) for p, n in parts.items() for c in classes}
    four = {
        (row["set"], row["part"], row["actual"]): int(row["images"])
        for row in library.counts("majeed")
    }
    train = {"Normal": 1341, "Bacteria": 2529, "Viral": 1346, "Covid-19": 111}
    for scenario in "23":
        for label, number in train.items():
            cap = 350 if scenario == "3" else number
            assert four.pop((scenario, "train", label)) == min(number, cap)
            assert four.pop((scenario, "test", label)) == TEST_IMAGES[label]
    assert four == {
        ("1", "train", "Normal"): 1341,
        ("1", "train", "Covid-19"): 111,
        ("1", "test", "Normal"): 234,
        ("1", "test", "Covid-19"): 73,
    }
