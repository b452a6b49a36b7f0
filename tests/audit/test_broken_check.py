"""Faults of predictions: a source with one predicted class, which chance does not explain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import coded, make_case

from cxrtool.audit.case import Case
from cxrtool.audit.checks import broken


def decided(case: Case, threshold: float) -> Case:
    models = [replace(m, predicted=(m.scores > threshold).astype(np.int64)) for m in case.models]
    return replace(case, models=models)


def one_class_in(case: Case, source: str, *, named: bool = True) -> Case:
    """Predict one class for all images of a source, with scores that differ."""
    (model,) = case.models
    there = case.images.columns["source"].isin([source])[model.rows]
    scores = np.where(there, 0.5 + model.scores / 2.1, model.scores)
    predicted = np.where(there, 1, model.predicted)
    if not named:
        predicted = np.full(len(predicted), -1)
    return replace(case, models=[replace(model, scores=scores, predicted=predicted)])


@pytest.mark.parametrize("named", [True, False])
def test_one_class_for_a_whole_source_is_a_fault(named: bool) -> None:
    (row,) = broken.assess(one_class_in(make_case(200), "B", named=named))
    assert row.verdict == "shown"
    assert row.meaning.startswith("All images of a source have one predicted class, though both")
    assert ": B." in row.meaning


def test_a_source_of_one_label_may_well_have_one_predicted_class() -> None:
    case = one_class_in(make_case(200), "B")
    case.images.positive[case.images.columns["source"].isin(["B"])] = 1
    assert broken.assess(case)[0].verdict == "excluded"


def test_a_source_of_few_patients_is_no_evidence() -> None:
    case = make_case(200)
    names = ["C" if k < 16 else "B" for k in range(200)]
    columns = case.images.columns | {"source": coded(names)}
    case = one_class_in(replace(case, images=replace(case.images, columns=columns)), "C")
    assert broken.assess(case)[0].verdict == "excluded"


def test_one_source_alone_has_nothing_to_compare_with() -> None:
    assert broken.assess(one_class_in(make_case(200, sources=("B",)), "B"))[0].verdict == "excluded"


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
