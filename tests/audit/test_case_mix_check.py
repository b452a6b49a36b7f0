"""AUC matched for age, sex and view: against counting, and what it says of the sources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import coded, make_case

from cxrtool.audit import runner, source_aucs
from cxrtool.audit.case import AGE_BAND, Case
from cxrtool.audit.checks import case_mix
from cxrtool.audit.verdicts import NOT_ASSESSED, CheckRow


def mixed_case(
    number: int = 600, *, follows: float = 0.0, use: float = 0.0, sources: tuple[str, ...] = ("A",)
) -> Case:
    """Make a case with ages and sexes; the age follows the label, and moves the score."""
    case = make_case(number, sources=("A",), models=("net",))
    rng = np.random.default_rng(7)
    positive, patients = case.images.positive, case.images.patients
    old = rng.random(number)[patients] < 0.5 + follows * (positive - 0.5)
    sex = rng.integers(0, 2, number)[patients]
    case.images.columns[AGE_BAND] = coded([("18-39", "60-79")[k] for k in old.astype(int)])
    case.images.columns["sex"] = coded([("F", "M")[k] for k in sex])
    own = rng.integers(0, len(sources), number)[patients]
    case.images.columns["source"] = coded([sources[k] for k in own])
    (model,) = case.models
    logit = np.log(model.scores / (1 - model.scores)) + use * old
    return replace(case, models=[replace(model, scores=1 / (1 + np.exp(-logit)))])


def row_of(case: Case) -> CheckRow:
    (row,) = runner.assess("case-mix", case)
    return row


def counted(case: Case, columns: list[str]) -> tuple[float, float]:
    """Return AUC over pairs alike in some columns, and their share, pair by pair."""
    (model,) = case.models
    keys = [tuple(case.images.columns[c].codes[row] for c in columns) for row in model.rows]
    positive = case.images.positive[model.rows] == 1
    pairs = [
        (float(model.scores[i] > model.scores[j]) + float(model.scores[i] == model.scores[j]) / 2)
        for i in np.flatnonzero(positive)
        for j in np.flatnonzero(~positive)
        if keys[i] == keys[j]
    ]
    return float(np.mean(pairs)), len(pairs) / (positive.sum() * (~positive).sum())


def test_pairs_alike_in_all_columns_are_counted() -> None:
    case = mixed_case(200, follows=0.6, use=1.5)
    row = row_of(case)
    whole, _ = counted(case, [])
    matched, share = counted(case, [AGE_BAND, "sex", "view"])
    assert row.value == pytest.approx(whole - matched)
    cells = row.blocks[0]["rows"]
    assert cells[1][:2] == ["alike in age band, sex and view", pytest.approx(share)]
    assert cells[0][2][0] == pytest.approx(whole) and cells[1][2][0] == pytest.approx(matched)


def test_a_score_of_the_age_is_matched_away() -> None:
    row = row_of(mixed_case(follows=0.8, use=3))
    assert row.low > 0.05 and row.high > row.value > row.low
    assert "part of the AUC is owed to the case mix" in row.meaning
    assert row.verdict == "" and row.kind == "descriptive"


def test_an_age_that_is_not_used_adds_nothing() -> None:
    row = row_of(mixed_case(follows=0.8))
    assert row.low < 0 < row.high and abs(row.value) < 0.03
    assert "the case mix is not shown to change the AUC" in row.meaning


def test_images_of_unknown_age_are_left_out_and_counted() -> None:
    case = mixed_case()
    ages = case.images.columns[AGE_BAND]
    cells = [ages.names[k] for k in ages.codes]
    case.images.columns[AGE_BAND] = coded(["" if k < 50 else c for k, c in enumerate(cells)])
    row = row_of(case)
    assert row.meaning.startswith("Without 50 images of unknown age band, sex or view, AUC is")
    assert row.patients == 275


def test_a_column_that_is_unknown_for_one_class_is_not_matched() -> None:
    case = mixed_case()
    ages = case.images.columns[AGE_BAND]
    cells = [ages.names[k] if case.images.positive[n] else "" for n, k in enumerate(ages.codes)]
    case.images.columns[AGE_BAND] = coded(cells)
    row = row_of(case)
    assert "alike in sex and view" in row.meaning and row.patients == 300
    assert "Not matched, as unknown for many or all images: age band." in row.meaning


def test_the_source_is_matched_where_it_overlaps() -> None:
    case = mixed_case(sources=("A", "B"))
    last = row_of(case).blocks[0]["rows"][-1]
    matched, share = counted(case, [AGE_BAND, "sex", "view", "source"])
    assert last[0] == "alike in age band, sex, view and source"
    assert (last[1], last[2][0]) == (pytest.approx(share), pytest.approx(matched))


def test_patients_without_a_partner_are_counted() -> None:
    case = mixed_case()
    sexes = ["X" if p < 4 and k else "F" for p, k in zip(*_who(case), strict=True)]
    case.images.columns["sex"] = coded(sexes)
    # Two of the four first patients are positive, and alone of their sex.
    assert "2 of 300 patients have no partner." in row_of(case).meaning


def _who(case: Case) -> tuple[list[int], list[int]]:
    return case.images.patients.tolist(), case.images.positive.tolist()


@pytest.mark.parametrize("column", ["sex", "view"])
def test_classes_that_are_nowhere_alike_are_not_assessed(column: str) -> None:
    case = mixed_case()
    case.images.columns[column] = coded([str(k) for k in case.images.positive])
    row = row_of(case)
    assert row.verdict == NOT_ASSESSED and row.next
    assert row.meaning.startswith("0 of 300 patients have a partner of the other class that is")


def test_without_the_columns_it_is_not_assessed() -> None:
    row = row_of(make_case(columns=["source"]))
    assert (row.name, row.verdict) == ("case mix", NOT_ASSESSED)
    assert row.meaning == "Age, sex, view: absent."


def with_split(case: Case, internal: set[str]) -> Case:
    """Let the sources named have training images: rows of the manifest that no model judges."""
    sources = case.images.columns["source"]
    names = [sources.names[k] for k in sources.codes]
    train = [k % 8 >= 4 and name in internal for k, name in enumerate(names)]
    case.images.columns["split"] = coded(["train" if t else "test" for t in train])
    (model,) = case.models
    keep = ~np.array(train)
    part = replace(
        model,
        rows=model.rows[keep],
        scores=model.scores[keep],
        predicted=model.predicted[keep],
    )
    return replace(case, models=[part])


def test_internal_minus_external() -> None:
    case = with_split(mixed_case(1200, sources=("A", "B", "C")), {"A"})
    (model,) = case.models
    # Outside of A the scores are worse.
    sources = case.images.columns["source"]
    away = ~sources.isin(["A"])[model.rows]
    noise = np.random.default_rng(3).random(len(model.rows))
    scores = np.where(away, (model.scores + 2 * noise) / 3, model.scores)
    case = replace(case, models=[replace(model, scores=scores)])
    row = row_of(case)
    inside, _ = counted(_only(case, ["A"]), [])
    outside, _ = counted(_only(case, ["B", "C"]), ["source"])
    assert f"without: AUC {inside:.3f} against {outside:.3f}, a difference of" in row.meaning
    assert "; matched, 0." in row.meaning
    cells = {cell[0]: cell for cell in row.blocks[1]["rows"]}
    assert [cells[name][1] for name in "ABC"] == ["yes", "no", "no"]
    assert cells["B"][4][0] == pytest.approx(counted(_only(case, ["B"]), [])[0])
    alike, _ = counted(_only(case, ["B"]), [AGE_BAND, "sex", "view"])
    assert cells["B"][5][0] == pytest.approx(alike)


def _only(case: Case, names: list[str]) -> Case:
    (model,) = case.models
    keep = case.images.columns["source"].isin(names)[model.rows]
    return replace(case, models=[replace(model, rows=model.rows[keep], scores=model.scores[keep])])


def test_of_ten_sources_the_difference_is_one_of_sources() -> None:
    names = tuple("ABCDEFGHIJ")
    case = with_split(mixed_case(2400, sources=names), set("ABCDE"))
    (model,) = case.models
    keep = np.ones(len(model.rows), bool)
    strata = np.zeros(len(model.rows), np.int64)
    sources = source_aucs.of_sources(case, model, strata, keep)
    assert [s.is_internal for s in sources] == [True] * 5 + [False] * 5
    result = source_aucs.external_difference(case, model, sources)
    assert result is not None and result.is_of_sources
    assert result.bounds[0] < 0 < result.bounds[1]
    means = [np.mean([s.whole.value for s in sources[k : k + 5]]) for k in (0, 5)]
    assert result.internal == pytest.approx(means[0], abs=0.02)
    assert result.value == pytest.approx(means[0] - means[1], abs=0.03)
    assert f"without: AUC {result.internal:.3f} against {result.external:.3f}" in (
        row_of(case).meaning
    )


def test_where_all_sources_have_training_images_none_is_external() -> None:
    row = row_of(with_split(mixed_case(800, sources=("A", "B")), {"A", "B"}))
    assert "against sources without" not in row.meaning
    assert {cell[1] for cell in row.blocks[1]["rows"]} == {"yes"}


def test_every_model_has_a_row() -> None:
    case = mixed_case()
    other = replace(case.models[0], name="other")
    names = [r.name for r in case_mix.assess(replace(case, models=[case.models[0], other]))]
    assert names == ["case mix (net)", "case mix (other)"]
