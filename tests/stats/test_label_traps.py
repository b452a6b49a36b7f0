"""What gives the label away is found, what is clean is not, and sentences say what was found."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom
from sklearn.metrics import roc_auc_score

from cxrtool.data.label_columns import FORMAT, SIZE, SOURCE
from cxrtool.files.text_columns import Coded
from cxrtool.stats import label_traps
from cxrtool.stats.label_traps import ColumnPredictor, LabelTraps


def column(names: list[str]) -> Coded:
    known = list(dict.fromkeys(names))
    return Coded(known, np.array([known.index(name) for name in names], np.int64))


def found(labels: list[str], each: int = 1, **columns: list[str]) -> LabelTraps:
    """Look at images of patients with so many images each."""
    patients = np.arange(len(labels)) // each
    named = {"source": SOURCE, "format": FORMAT, "size": SIZE}
    return label_traps.find(
        column(labels), patients, {named[n]: column(texts) for n, texts in columns.items()}
    )


def test_a_source_of_its_own_for_every_class() -> None:
    traps = found(["covid"] * 40 + ["normal"] * 40, source=["a"] * 40 + ["b"] * 40)
    assert traps.one_source == {"covid": "a", "normal": "b"}
    assert traps.predictors[SOURCE].auc == 1 and traps.predictors[SOURCE].label == ""
    assert "'covid' occurs only in source 'a', 'normal' only in 'b', and the label" in traps.facts


def test_one_class_in_one_source_while_the_others_are_everywhere() -> None:
    traps = found(["ill", "well"] * 60 + ["well"] * 60, source=["a"] * 120 + ["b"] * 60)
    assert traps == LabelTraps({"ill": "a"})


@pytest.mark.parametrize(("name", "own"), [("format", FORMAT), ("size", SIZE)])
def test_format_and_size_are_found_within_one_source(name: str, own: str) -> None:
    values = ["1024x1024"] * 60 + [f"{k}x{2 * k}" for k in range(60)]
    if name == "format":
        values = [".png"] * 60 + [".jpg"] * 60
    traps = found(["normal"] * 60 + ["covid"] * 60, **{name: values, "source": ["a"] * 120})
    assert list(traps.predictors) == [own] and not traps.one_source
    assert f"from the {own} (AUC 1.00) alone" in traps.facts


def test_of_several_classes_the_one_that_is_given_away_is_named() -> None:
    labels = ["a", "b", "c"] * 50
    traps = found(labels, format=[".png" if label == "c" else ".jpg" for label in labels])
    assert traps.predictors[FORMAT].label == "c"
    assert "(AUC 1.00 for 'c')" in traps.facts


def test_what_is_unknown_tells_nothing() -> None:
    labels = ["covid", "normal"] * 40
    assert not found(labels, source=["a", ""] * 40)
    assert not found(["covid", ""] * 40, source=["a", "b"] * 40)
    assert not found(labels, source=["a"] * 80)
    assert not found(["covid"] * 80, source=["a", "b"] * 40)
    assert not found([], source=[], format=[], size=[])


def test_few_patients_are_no_proof_however_many_images_they_have() -> None:
    labels, sources = ["covid"] * 60 + ["normal"] * 60, ["a"] * 60 + ["b"] * 60
    assert found(labels, source=sources)
    assert not found(labels, each=30, source=sources)


@given(st.integers(0, 10_000))
def test_the_screening_is_the_auc_of_rates(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = np.arange(60) % 3 == 0
    values, patients = rng.integers(0, 6, 60), rng.integers(0, 25, 60)
    units = list(zip(patients.tolist(), positive.tolist(), strict=True))
    weights = np.array([1 / units.count(unit) for unit in units])
    rates = np.array(
        [np.average(positive[values == v], weights=weights[values == v]) for v in values]
    )
    expected = roc_auc_score(positive, rates, sample_weight=weights)
    assert label_traps.fitted_auc(positive, values, patients) == pytest.approx(expected)


@pytest.mark.parametrize(("drawn", "there", "total"), [(3, 30, 60), (10, 30, 60), (7, 20, 60)])
def test_chance_is_hypergeometric(drawn: int, there: int, total: int) -> None:
    expected = hypergeom.pmf(drawn, total, there, drawn)
    assert label_traps._chance(drawn, there, total) == (expected < label_traps.CHANCE)


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_pairs_across_sources_are_counted(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    labels, sources = rng.integers(0, classes, 30), rng.integers(0, 3, 30)
    pairs = [(i, j) for i, j in itertools.combinations(range(30), 2) if labels[i] != labels[j]]
    expected = np.mean([sources[i] != sources[j] for i, j in pairs])
    coded = [Coded([f"v{k}" for k in range(4)], codes) for codes in (labels, sources)]
    assert label_traps.across(*coded) == pytest.approx(expected)


def test_the_warning_of_an_auc_says_how_many_pairs_are_across() -> None:
    traps = LabelTraps({}, {SOURCE: ColumnPredictor("", 0.98, 0.95, 1.0)})
    assert "97 % of the pairs of images" in label_traps.warning_of_auc(traps, 0.979)
    assert "99 % of the pairs" in label_traps.warning_of_auc(traps, 0.9999)
    all_of_them = label_traps.warning_of_auc(traps, 1.0)
    assert all_of_them.startswith("all pairs of images of different classes are across sources")
    assert "cannot tell disease from data set; see cxrtool audit" in all_of_them
    # One class in one source leaves pairs within that source.
    partly = label_traps.warning_of_auc(LabelTraps({"ill": "a"}), 0.5)
    assert "the AUC may rest on this" in partly and "cannot" not in partly


def test_one_line_each_and_nothing_of_nothing() -> None:
    assert label_traps.warning_of_images(LabelTraps()) == ""
    assert label_traps.warning_of_auc(LabelTraps(), 1.0) == ""
    assert label_traps.warning_of_run("r", {}) == ""
    many = LabelTraps({f"class {k}": "a" for k in range(20)})
    warning = label_traps.warning_of_images(many)
    assert "and 17" not in warning and "17 other classes in one source only" in warning
    assert "\n" not in warning


def test_records_come_back() -> None:
    traps = found(["covid"] * 40 + ["normal"] * 40, source=["a"] * 40 + ["b"] * 40)
    assert label_traps.of_record(traps.record()) == traps
    assert LabelTraps().record() == {} and not label_traps.of_record({})


def test_clean_sets_are_silent() -> None:
    rng = np.random.default_rng(5)
    for _ in range(60):
        number = int(rng.integers(20, 200))
        labels = rng.choice(["covid", "normal", "pneumonia"], number).tolist()
        sources = rng.choice(["a", "b", "c"], number, p=[0.1, 0.2, 0.7]).tolist()
        assert not found(labels, source=sources, size=rng.integers(0, 900, number).astype(str))
