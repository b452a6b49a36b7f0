"""AUC matched for age, sex and view: against counting, and what it says of the sources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import coded, make_case

from cxrtool.audit import runner
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


def replaced(case: Case, column: str, cells: list[str]) -> Case:
    case.images.columns[column] = coded(cells)
    return case


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
    positive = case.images.positive[case.models[0].rows] == 1
    assert f"({share * positive.sum() * (~positive).sum():,.0f} pairs, " in row.meaning
    cells = row.blocks[0]["rows"]
    assert cells[1][:2] == ["alike in age band, sex and view", pytest.approx(share)]
    assert cells[0][4][0] == pytest.approx(whole) and cells[1][4][0] == pytest.approx(matched)


def test_a_score_of_the_age_is_matched_away() -> None:
    row = row_of(mixed_case(follows=0.8, use=3))
    assert row.low > 0.05 and row.high > row.value > row.low
    assert "part of the AUC comes from the case mix" in row.meaning
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
    assert (last[1], last[4][0]) == (pytest.approx(share), pytest.approx(matched))


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
    assert row.meaning.endswith("an interval needs at least 10.")


def test_without_the_columns_it_is_not_assessed() -> None:
    row = row_of(make_case(columns=["source"]))
    assert (row.name, row.verdict) == ("case mix", NOT_ASSESSED)
    assert row.meaning == "Age, sex, view: absent."


def test_the_images_in_matched_pairs_are_counted() -> None:
    case = mixed_case(follows=0.9)
    ages = case.images.columns[AGE_BAND]
    positive = case.images.positive
    # Of the negative images only one in ten is as old as the positive ones.
    old = [bool(p) or n % 20 < 2 for n, p in enumerate(positive.tolist())]
    case = replaced(case, AGE_BAND, ["60-79" if k else "18-39" for k in old])
    assert ages.names == ["18-39", "60-79"]
    row = row_of(case)
    partners = counted_partners(case, [AGE_BAND, "sex", "view"])
    first, matched, once = row.blocks[0]["rows"][:3]
    assert first[2:4] == [300, 300] and matched[2:4] == once[2:4] == partners
    assert f"have a partner, {partners[0]} of 300." in row.blocks[0]["caption"]


def counted_partners(case: Case, columns: list[str]) -> list[int]:
    (model,) = case.models
    keys = [tuple(case.images.columns[c].codes[row] for c in columns) for row in model.rows]
    classes = case.images.positive[model.rows].tolist()
    seen = {(key, label) for key, label in zip(keys, classes, strict=True)}
    return [
        sum(label == k and (key, 1 - k) in seen for key, label in zip(keys, classes, strict=True))
        for k in (1, 0)
    ]


def test_where_the_two_weightings_disagree_both_are_said() -> None:
    # The old gain by their age, but most pairs are of the young, among whom little is gained.
    case = mixed_case(2000)
    positive, patients = case.images.positive, case.images.patients
    rare = np.isin(patients % 20, [0]) & (positive == 0)
    old = np.where(positive == 1, patients % 4 == 1, rare)
    case = replaced(case, AGE_BAND, [("18-39", "60-79")[int(k)] for k in old])
    (model,) = case.models
    scores = model.scores - 0.4 * (old & (positive == 1))[model.rows]
    row = row_of(replace(case, models=[replace(model, scores=scores)]))
    low, high = row.low, row.high
    value, once_low, once_high = row.blocks[0]["rows"][2][5]
    assert (low > 0, high < 0) != (once_low > 0, once_high < 0)
    text = f"counts once, the difference is {value:.3f} [{once_low:.3f}, {once_high:.3f}]: there "
    assert "over these pairs " in row.meaning and text in row.meaning


def test_where_the_two_weightings_agree_one_is_said() -> None:
    assert "counts once" not in row_of(mixed_case(follows=0.8, use=3)).meaning


def test_an_auc_that_is_higher_among_the_alike_names_the_columns() -> None:
    # Positive images are young, and the young score lower: age hides the disease.
    row = row_of(mixed_case(follows=-0.8, use=3))
    assert row.high < 0
    assert "AUC is higher among patients of the same age band, sex and view" in row.meaning


def test_every_model_has_a_row() -> None:
    case = mixed_case()
    other = replace(case.models[0], name="other")
    names = [r.name for r in case_mix.assess(replace(case, models=[case.models[0], other]))]
    assert names == ["case mix (net)", "case mix (other)"]
