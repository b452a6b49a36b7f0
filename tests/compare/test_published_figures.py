"""The papers' tables: what they say is what their counts give, but for what is noted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cxrtool.compare import published_figures
from cxrtool.compare.comparison import Figure, Shown
from cxrtool.core.errors import CxrtoolError
from cxrtool.published import library
from cxrtool.stats import intervals, metrics
from cxrtool.stats.metrics import Counts

TEXT = (Path(__file__).parents[1] / "golden_metrics.json").read_text(encoding="utf-8")
GOLDEN = {v["id"]: v for v in json.loads(TEXT)["vectors"]}


@pytest.mark.parametrize("name", library.names())
def test_every_table_is_whole(name: str) -> None:
    columns, rows = library.read(name)
    assert columns[0] == "model"
    assert tuple(columns[-len(library.TAIL) :]) == library.TAIL
    keys = [*columns[: columns.index("class") + 1], "metric"]
    assert len({tuple(row[c] for c in keys) for row in rows}) == len(rows), "no figure twice"
    of_averages = ("macro", "weighted")
    for row in rows:
        assert row["metric"] in (*metrics.NAMES, *published_figures.EXTRA)
        assert float(row["value"]) >= 0
        assert row["metric"] in ("dor", "parameters") or float(row["value"]) <= 1
        if row["low"] and not row["note"].startswith("the printed interval"):
            assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
        # Nothing is compared without knowing what it is an average of, of how many images.
        assert row["averaging"] in library.AVERAGINGS
        assert (row["averaging"] in of_averages) == (row["class"] in of_averages)
        assert (row["averaging"] in ("positive", "overall")) == (row["class"] == "")
        assert row["n"].isdigit() or "not stated" in row["note"] or "without images" in row["note"]
        assert row["table"]
    for entry in published_figures.chosen(name):
        place = {row["n"] for row in rows if of_entry(name, columns, row, entry)}
        assert len(place) == 1, "one model is tested on one number of images"
    assert any(row["note"] for row in rows), "each contradicts itself somewhere"
    assert name in published_figures.ABOUT


def of_entry(name: str, columns: list[str], row: dict[str, str], entry: Shown) -> bool:
    """Tell whether a row is one of an entry's."""
    keys = columns[1 : columns.index("class")]
    group = ", ".join(f"{key} {row[key]}" for key in keys)
    return (f"{name}: {row['model']}", group) == (entry.model, entry.group)


@pytest.mark.parametrize("name", library.names())
def test_every_count_is_whole(name: str) -> None:
    rows = library.counts(name)
    place = ("table", "model", "set", "part", "source", "actual", "predicted")
    assert len({tuple(row[c] for c in place) for row in rows}) == len(rows)
    for row in rows:
        assert row["table"] and row["set"] and row["part"] and row["images"].isdigit()


def rounds(value: float, text: str, slack: float = 1e-9) -> bool:
    """Tell whether a figure rounds to what is printed."""
    digits = len(text.partition(".")[2])
    return bool(abs(value - float(text)) <= 0.5 * 10**-digits + slack)


def test_the_cross_dataset_tables_follow_from_their_counts() -> None:
    _, rows = library.read("tartaglione")
    checked = 0
    for row in rows:
        place = "|".join(row[c] for c in ("model", "pretrained", "train", "test"))
        if row["metric"] == "auc" or f"t000|{place}" not in GOLDEN:
            continue
        vector = GOLDEN[f"t000|{place}"]
        found = metrics.of_counts(metrics.against_the_rest(np.array(vector["confusion"]), 1))
        text = row["value"] if "." in row["value"][-3:] else f"{float(row['value']):.2f}"
        assert abs(float(found[row["metric"]]) - float(text)) <= 0.0051, row
        assert int(row["n"]) == vector["expected"]["n"]
        # The test sets that are not those of the paper's own Table I are noted.
        noted = row["test"] in ("CORDA&ChestXRay", "CORDA&RSNA")
        assert bool(row["note"]) == noted == bool(vector["inconsistencies"])
        checked += 1
    assert checked == 600


def test_what_is_printed_as_specificity_is_noted_as_npv() -> None:
    _, rows = library.read("majeed")
    checked = 0
    for row in rows:
        vector = GOLDEN.get(f"t003_s{row['scenario']}|{row['model']}", {})
        if "counts" not in vector or not row["class"]:
            continue
        cells = (np.float64(vector["counts"][row["class"]][c]) for c in ("tp", "fn", "fp", "tn"))
        found = metrics.of_counts(Counts(*cells))
        copied = (row["model"], row["class"]) == ("Vgg19", "Bacteria")
        if row["metric"] != "specificity":
            wrong = copied and row["metric"] == "npv"
            assert rounds(float(found[row["metric"]]), row["value"]) != wrong, row
            continue
        checked += 1
        assert row["note"].startswith("is NPV")
        assert f"the counts give specificity {float(found['specificity']):.4f}" in row["note"]
        assert rounds(float(found["npv"]), row["value"]) == (not copied)
        assert ("NPV 0.9496" in row["note"]) == copied
    assert checked == 52


def test_intervals_that_do_not_follow_are_noted() -> None:
    _, rows = library.read("majeed")
    errors = [row for row in rows if row["metric"] == "error"]
    assert len(errors) == 13
    for row in errors:
        low, high = intervals.normal(float(row["value"]) * 697, 697)
        assert f"which gives {low:.3f} to {high:.3f}" in row["note"]
        printed_one = float(row["low"]), float(row["high"])
        assert (low, high) != pytest.approx(printed_one, abs=0.001)


def test_a_paper_is_chosen_by_its_keys() -> None:
    (entry,) = published_figures.chosen(
        "tartaglione:model=ResNet18,pretrained=none,train=corda,test=CORDA"
    )
    assert (entry.model, entry.number) == ("tartaglione: resnet18", 135)
    assert entry.group == "pretrained none, train CORDA, test CORDA"
    assert entry.figures["", "dor"].value == 1.71
    assert len(published_figures.chosen("majeed:scenario=1")) == 13


@pytest.mark.parametrize("spec", ["nobody", "luiz:colour=red", "luiz:model=x", "luiz:model"])
def test_what_is_not_there_is_refused(spec: str) -> None:
    with pytest.raises(CxrtoolError, match="is not one of"):
        published_figures.chosen(spec)


def test_figures_come_into_ones_own_rows() -> None:
    entries = published_figures.chosen("luiz:experiment=augmented")
    ours = Shown("m", "g", ["no", "covid"], "covid", {("covid", "accuracy"): Figure(0.5)}, 9)
    (found,) = published_figures.beside(entries, [ours])
    assert found.group == "g"
    assert found.figures["covid", "sensitivity"].value == 0.977, "COVID-19 is covid"
    assert found.figures["covid", "accuracy"].value == 0.946, "of all is of the positive class"
    assert ("Normal", "sensitivity") in found.figures, "no is not Normal"


def test_figures_stand_where_ones_own_are_of_the_same_images() -> None:
    (entry,) = published_figures.chosen("luiz:experiment=not augmented")
    three = Shown("m", "", ["covid", "normal", "pneumonia"], "covid", {})
    found = published_figures.placed(entry, three).figures
    assert ("", "accuracy") in found, "of all three classes, not of covid against the rest"
    entry, *_ = published_figures.chosen("tartaglione:model=COVID-Net,test=CORDA")
    assert ("covid", "accuracy") in published_figures.placed(entry, three).figures
    # Without a positive class, it is the one that the names tell.
    two = Shown("m", "", ["covid", "normal"], None, {})
    assert ("covid", "dor") in published_figures.placed(entry, two).figures


def test_the_spread_over_folds_is_a_value() -> None:
    (entry,) = published_figures.chosen("cvr-net:task=CXR-Multiple-CL3")
    figure = entry.figures["NCP", "precision"]
    assert (figure.value, figure.std, figure.averaging) == (0.99, 0.004, "class")
    assert entry.number == 2440
    assert entry.classes == ["NOR", "NCP", "CVP"]
    assert np.sum(entry.confusion) == 3591 + 4595 + 4015


def test_short_names_of_classes_stand_beside_their_words() -> None:
    (entry,) = published_figures.chosen("cvr-net:task=CXR-Multiple-CL4")
    classes = ["bacteria", "covid", "normal", "virus"]
    found = published_figures.placed(entry, Shown("own", "", classes, None, {})).figures
    of_classes = {label: figure.value for (label, m), figure in found.items() if m == "precision"}
    weighted = of_classes.pop("weighted")
    assert of_classes == {"normal": 0.902, "bacteria": 0.874, "virus": 0.646, "covid": 0.968}
    assert weighted == 0.886


@pytest.mark.parametrize(("model", "f1"), [("Flat", 0.85), ("Hierarchical", 0.92)])
def test_a_papers_covid_pneumonia_stands_beside_covid(model: str, f1: float) -> None:
    spec = f"covid-cxnet:model={model} Multiclass COVID-CXNet,test=single run"
    (entry,) = published_figures.chosen(spec)
    ours = Shown("own", "", ["cap", "covid", "normal"], None, {})
    found = published_figures.placed(entry, ours).figures
    assert {label for label, _ in found} == {"", "cap", "covid", "normal"}
    assert found["covid", "f1"].value == f1


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(CxrtoolError, match=r"settings of the paper .* are too many to show"):
        published_figures.columns_of(published_figures.chosen("tartaglione:model=resnet18"))


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        ("InceptionResNetv2", "inception-resnet-v2", True),
        ("Proposed CVR-Net", "cvr-net", True),
        ("ResNet-152", "resnet152", True),
        ("DarkNet [9]", "darknet", True),
        ("CoroNet [10]", "coronet", True),
        ("ResNet18", "resnet101", False),
        ("Vgg16", "", False),
    ],
)
def test_models_of_one_name_are_the_same(theirs: str, ours: str, same: bool) -> None:
    entry = Shown(f"majeed: {theirs}", "", [], None, {})
    assert published_figures.same_model(entry, ours) == same
