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
TAIL = ["class", "metric", "value", "low", "high", "n", "note"]


@pytest.mark.parametrize("name", library.names())
def test_every_table_is_whole(name: str) -> None:
    columns, rows = library.read(name)
    assert columns[0] == "model"
    assert columns[-7:] == TAIL
    keys = columns[:-5]
    assert len({tuple(row[c] for c in keys) for row in rows}) == len(rows), "no figure twice"
    for row in rows:
        assert row["metric"] in metrics.NAMES
        assert float(row["value"]) >= 0
        assert row["metric"] == "dor" or float(row["value"]) <= 1
        if row["low"] and not row["note"].startswith("the printed interval"):
            assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
    assert any(row["note"] for row in rows), "each contradicts itself somewhere"
    assert name in published_figures.ABOUT


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
        if row["metric"] != "specificity":
            assert rounds(float(found[row["metric"]]), row["value"]), row
            continue
        checked += 1
        assert row["note"].startswith("is NPV")
        assert f"the counts give specificity {float(found['specificity']):.4f}" in row["note"]
        copied = (row["model"], row["class"]) == ("Vgg19", "Bacteria")
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


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(CxrtoolError, match="are too many to show"):
        published_figures.beside(
            published_figures.chosen("majeed"), [Shown("m", "", ["a"], None, {})]
        )
