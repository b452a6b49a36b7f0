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


def one_class_in(case: Case, source: str, *, named: bool = True, ranked: bool = True) -> Case:
    """Predict one class for all images of a source; their scores rank them, or tell nothing."""
    (model,) = case.models
    there = case.images.columns["source"].isin([source])[model.rows]
    noise = np.random.default_rng(5).random(len(there))
    scores = np.where(there, 0.55 + (model.scores if ranked else noise) / 2.3, model.scores)
    predicted = (scores > 0.5).astype(np.int64) if named else np.full(len(scores), -1)
    return replace(case, models=[replace(model, scores=scores, predicted=predicted)])


@pytest.mark.parametrize("named", [True, False])
def test_one_class_for_a_source_whose_scores_tell_nothing_is_a_fault(named: bool) -> None:
    (row,) = broken.assess(one_class_in(make_case(400), "B", named=named, ranked=False))
    assert row.verdict == "shown"
    assert row.meaning.startswith("All images of a source have one predicted class, and scores")
    assert "elsewhere" in row.meaning and row.meaning.endswith(": B.")


@pytest.mark.parametrize("named", [True, False])
def test_one_class_for_a_source_that_the_model_may_have_learned_is_said(named: bool) -> None:
    (row,) = broken.assess(one_class_in(make_case(400), "B", named=named))
    assert row.verdict == "excluded" and not row.next
    assert "All images of B are predicted as one class, though both are there" in row.meaning
    # The page may have no row of other checks: what supplies them is named.
    assert "audit --checks within,independence" in row.meaning and "rows" not in row.meaning


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


def renamed(case: Case, names: dict[str, int], *, digits: int = 12, changed: float = 0) -> Case:
    """Name one class for whole sources; 2 stands for the other class of each image."""
    (model,) = case.models
    other = np.random.default_rng(3).random(len(model.scores)) < changed
    predicted = np.where(other, 1 - model.predicted, model.predicted)
    for source, named in names.items():
        there = case.images.columns["source"].isin([source])[model.rows]
        predicted = np.where(there, 1 - model.predicted if named == 2 else named, predicted)
    scores = model.scores.round(digits)
    return replace(case, models=[replace(model, scores=scores, predicted=predicted)])


def in_sources(case: Case, *names: str) -> Case:
    """Spread the patients over sources."""
    spread = coded([names[patient % 7 % len(names)] for patient in case.images.patients.tolist()])
    columns = case.images.columns | {"source": spread}
    return replace(case, images=replace(case.images, columns=columns))


@pytest.mark.parametrize(
    ("names", "digits", "changed"),
    [
        ({"A": 1, "B": 1}, 12, 0),
        ({"A": 0, "B": 1}, 12, 0),
        ({"B": 1}, 12, 0.02),
        ({"A": 1, "B": 1}, 12, 0.02),
        ({"B": 1}, 2, 0),
        ({"A": 0, "B": 1}, 1, 0),
    ],
)
def test_each_source_with_one_class_whatever_the_score_is_named(
    names: dict[str, int], digits: int, changed: float
) -> None:
    case = in_sources(make_case(420), "A", "B", "C")
    (row,) = broken.assess(renamed(case, names, digits=digits, changed=changed))
    assert row.verdict == "shown"
    assert f"contradicts their probabilities: {', '.join(names)}." in row.meaning


def test_two_sources_of_one_class_each_contradict_the_scores_of_both() -> None:
    (row,) = broken.assess(renamed(make_case(400), {"A": 0, "B": 1}))
    assert row.verdict == "shown" and "contradicts their probabilities: A, B." in row.meaning


@pytest.mark.parametrize("sources", [("A", "B"), ("A", "B", "C")])
def test_a_source_whose_classes_alone_are_reversed_is_named(sources: tuple[str, ...]) -> None:
    case = in_sources(make_case(420), *sources)
    (row,) = broken.assess(renamed(case, {"B": 2}))
    assert row.verdict == "shown"
    assert row.meaning.startswith("The predicted classes of B contradict the probabilities there")
    # The same in most images of the set.
    (row,) = broken.assess(renamed(case, {"B": 2, "C": 2, "A": 2}))
    assert row.meaning.startswith("The predicted classes contradict the probabilities:")


@pytest.mark.parametrize(("digits", "changed"), [(2, 0.0), (1, 0.0), (12, 0.02)])
def test_rounded_scores_and_a_few_other_classes_are_no_fault(digits: int, changed: float) -> None:
    for association, use in ((0.0, 0.0), (0.8, 4.0)):
        case = make_case(400, association=association, use=use)
        for threshold in (0.2, 0.5):
            rows = broken.assess(
                renamed(decided(case, threshold), {}, digits=digits, changed=changed)
            )
            assert [row.verdict for row in rows] == ["excluded"]


def test_a_few_other_classes_in_a_learned_source_are_no_fault() -> None:
    # All others there are of one class: these few have no lower scores.
    case = make_case(400, association=0.8, use=6)
    (model,) = case.models
    there = np.flatnonzero(case.images.columns["source"].isin(["B"])[model.rows])
    predicted = model.predicted.copy()
    predicted[there[np.argsort(model.scores[there])[-4:]]] = 0
    (row,) = broken.assess(replace(case, models=[replace(model, predicted=predicted)]))
    assert row.verdict == "excluded"


def test_the_most_probable_of_three_classes_is_no_threshold_and_no_fault() -> None:
    # In source B the third class is rare, and a middling probability wins more often.
    case = make_case(400)
    (model,) = case.models
    rng = np.random.default_rng(8)
    second = case.images.columns["source"].isin(["B"])[model.rows]
    rest = np.where(second, 0.95, 0.5 + rng.random(len(second)) / 2)
    predicted = (model.scores > (1 - model.scores) * rest).astype(np.int64)
    for named in (predicted, np.where(second & (model.scores > 1 / 3), 1, predicted)):
        own = replace(case, models=[replace(model, predicted=named)], negatives=["normal", "other"])
        assert broken.assess(own)[0].verdict == "excluded"


def test_a_threshold_of_any_height_contradicts_no_score() -> None:
    for threshold in (0.1, 0.5, 0.9):
        assert broken.assess(decided(make_case(200), threshold))[0].verdict == "excluded"


@pytest.mark.parametrize(
    ("named", "negatives", "said"),
    [
        (1, ["normal"], "The model names 'covid' for all 400 images: at its threshold"),
        (0, ["normal"], "The model names 'normal' for all 400 images: at its threshold"),
        (
            0,
            ["normal", "other"],
            "The model names 'covid' for none of 400 images: at its threshold",
        ),
        (-1, ["normal"], "At 0.5 the model names 'covid' for all 400 images: at this threshold"),
    ],
)
def test_one_class_for_all_images_is_said(named: int, negatives: list[str], said: str) -> None:
    case = replace(make_case(400), negatives=negatives)
    (model,) = case.models
    own = replace(model, scores=0.6 + model.scores / 3, predicted=np.full(400, named))
    (row,) = broken.assess(replace(case, models=[own]))
    assert row.verdict == "excluded" and not row.next
    assert f"{said} it separates nothing; its AUC can still do so." in row.meaning
    # Without one image the classes are two; without the classes of three nothing is known.
    own.predicted[0] = 1 - own.predicted[0] if named >= 0 else -1
    own.scores[0] = 0.4
    (row,) = broken.assess(replace(case, models=[own]))
    assert "separates nothing" not in row.meaning


def test_without_named_classes_nothing_is_said_of_three() -> None:
    case = replace(make_case(400), negatives=["normal", "other"])
    (model,) = case.models
    own = replace(model, scores=model.scores / 3, predicted=np.full(400, -1))
    (row,) = broken.assess(replace(case, models=[own]))
    assert "separates nothing" not in row.meaning


def test_one_score_for_all_is_said_once() -> None:
    case = make_case(400)
    own = replace(case.models[0], scores=np.full(400, 0.7), predicted=np.ones(400, np.int64))
    (row,) = broken.assess(replace(case, models=[own]))
    assert row.verdict == "shown" and "separates nothing" not in row.meaning


def test_classes_in_the_wrong_order_are_a_fault_where_the_table_names_the_class() -> None:
    case = make_case(200)
    (model,) = case.models
    swapped = replace(case, models=[replace(model, scores=1 - model.scores)])
    (row,) = broken.assess(swapped)
    assert row.verdict == "shown" and "contradict the probabilities" in row.meaning


def test_a_source_of_one_label_may_well_have_one_predicted_class() -> None:
    case = one_class_in(make_case(200), "B", ranked=False)
    case.images.positive[case.images.columns["source"].isin(["B"])] = 1
    assert broken.assess(case)[0].verdict == "excluded"


def test_a_source_of_few_patients_is_no_evidence() -> None:
    case = make_case(200)
    names = ["C" if k < 16 else "B" for k in range(200)]
    columns = case.images.columns | {"source": coded(names)}
    case = one_class_in(
        replace(case, images=replace(case.images, columns=columns)), "C", ranked=False
    )
    assert broken.assess(case)[0].verdict == "excluded"


def test_one_source_alone_has_nothing_to_compare_with() -> None:
    case = one_class_in(make_case(200, sources=("B",)), "B", ranked=False)
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
