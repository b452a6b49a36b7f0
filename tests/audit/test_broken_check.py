"""Faults of predictions: a source with one predicted class, which chance does not explain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import coded, make_case

from cxrtool.audit import runner, verdicts
from cxrtool.audit.case import Case
from cxrtool.audit.checks import broken, within


def decided(case: Case, threshold: float) -> Case:
    models = [replace(m, predicted=(m.scores > threshold).astype(np.int64)) for m in case.models]
    return replace(case, models=models)


def one_class_in(case: Case, source: str, *, named: bool = True, told: bool = True) -> Case:
    """Predict one class for all images of a source; their scores rank them, or tell nothing."""
    (model,) = case.models
    there = case.images.columns["source"].isin([source])[model.rows]
    noise = np.random.default_rng(5).random(len(there))
    scores = np.where(there, 0.55 + (model.scores if told else noise) / 2.3, model.scores)
    predicted = (scores > 0.5).astype(np.int64) if named else np.full(len(scores), -1)
    return replace(case, models=[replace(model, scores=scores, predicted=predicted)])


@pytest.mark.parametrize("named", [True, False])
def test_one_class_for_a_source_whose_scores_tell_nothing_is_a_fault(named: bool) -> None:
    (row,) = broken.assess(one_class_in(make_case(400), "B", named=named, told=False))
    assert row.verdict == "shown"
    assert row.meaning.startswith("All images of a source have one predicted class, and scores")
    assert "elsewhere" in row.meaning and row.meaning.endswith(": B.")


@pytest.mark.parametrize("named", [True, False])
def test_one_class_for_a_source_that_the_model_may_have_learned_is_said(named: bool) -> None:
    (row,) = broken.assess(one_class_in(make_case(400), "B", named=named))
    assert row.verdict == "excluded" and not row.next
    assert "All images of B are predicted as one class, though both are there" in row.meaning


def test_a_learned_source_is_shown_by_the_check_within() -> None:
    case = make_case(400, association=0.8, use=6)
    case, _ = runner.plan(case, ["broken", "within"], [])
    rows = [*broken.assess(case), *within.assess(case)]
    verdicts.adjust(rows, len(case.family))
    assert [row.name for row in rows if row.verdict == "shown"] == ["within source"]


def test_a_named_class_that_contradicts_the_scores_of_a_source_is_a_fault() -> None:
    case = make_case(400)
    (model,) = case.models
    there = case.images.columns["source"].isin(["B"])[model.rows]
    predicted = np.where(there, 1, model.predicted)
    (row,) = broken.assess(replace(case, models=[replace(model, predicted=predicted)]))
    assert row.verdict == "shown" and "contradicts their probabilities: B." in row.meaning


def test_a_threshold_of_any_height_contradicts_no_score() -> None:
    for threshold in (0.1, 0.5, 0.9):
        assert broken.assess(decided(make_case(200), threshold))[0].verdict == "excluded"


def test_classes_in_the_wrong_order_are_a_fault_where_the_table_names_the_class() -> None:
    case = make_case(200)
    (model,) = case.models
    swapped = replace(case, models=[replace(model, scores=1 - model.scores)])
    (row,) = broken.assess(swapped)
    assert row.verdict == "shown" and "contradict the probabilities" in row.meaning


def test_a_source_of_one_label_may_well_have_one_predicted_class() -> None:
    case = one_class_in(make_case(200), "B", told=False)
    case.images.positive[case.images.columns["source"].isin(["B"])] = 1
    assert broken.assess(case)[0].verdict == "excluded"


def test_a_source_of_few_patients_is_no_evidence() -> None:
    case = make_case(200)
    names = ["C" if k < 16 else "B" for k in range(200)]
    columns = case.images.columns | {"source": coded(names)}
    case = one_class_in(
        replace(case, images=replace(case.images, columns=columns)), "C", told=False
    )
    assert broken.assess(case)[0].verdict == "excluded"


def test_one_source_alone_has_nothing_to_compare_with() -> None:
    case = one_class_in(make_case(200, sources=("B",)), "B", told=False)
    assert broken.assess(case)[0].verdict == "excluded"


def test_a_high_threshold_is_no_fault_of_a_source() -> None:
    # Hardly any image is called positive, in any source: one class in a source is then likely.
    faults = 0
    for seed in range(40):
        case = make_case(240, sources=("A", "B"), seed=seed)
        rng = np.random.default_rng(seed)
        names = [f"S{k}" for k in np.repeat(rng.integers(0, 6, 120), 2)]
        columns = case.images.columns | {"source": coded(names)}
        case = decided(replace(case, images=replace(case.images, columns=columns)), 0.9)
        faults += broken.assess(case)[0].verdict == "shown"
    assert faults == 0
