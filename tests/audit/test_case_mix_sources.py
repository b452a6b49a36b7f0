"""AUC matched for age, sex and view, in sources with training images and in sources without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import coded
from test_case_mix_check import counted, mixed_case, replaced, row_of

from cxrtool.audit import source_aucs
from cxrtool.audit.case import AGE_BAND, Case


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
    assert f"AUC {inside:.3f} against {outside:.3f}, a difference of" in row.meaning
    assert "over pairs of one source (new patients of these 1 and 2 sources)" in row.meaning
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


def large_sources(case: Case, names: tuple[str, ...]) -> Case:
    """Give half of all patients to the first source of each side, whose AUC is another one."""
    patients, sources = case.images.patients, case.images.columns["source"]
    cells = [sources.names[k] for k in sources.codes]
    moved = [
        names[patient // 8 % 2 * 5] if patient % 8 < 2 else cell
        for patient, cell in zip(patients.tolist(), cells, strict=True)
    ]
    case = with_split(replaced(case, "source", moved), set("ABCDE"))
    (model,) = case.models
    noise = np.random.default_rng(4).random(len(model.rows))
    worse = case.images.columns["source"].isin(["F", "B", "C", "D", "E"])[model.rows]
    scores = np.where(worse, (model.scores + 3 * noise) / 4, model.scores)
    return replace(case, models=[replace(model, scores=scores)])


def test_both_differences_are_over_pairs_however_many_sources_there_are() -> None:
    names = tuple("ABCDEFGHIJ")
    case = large_sources(mixed_case(3000, sources=names), names)
    row = row_of(case)
    words = row.meaning.partition("over pairs of one source ")[2]
    assert words.startswith("(new patients of these 5 and 5 sources): AUC ")
    for columns, part in ((["source"], words), ([AGE_BAND, "sex", "view", "source"], "matched")):
        expected = [counted(_only(case, list(side)), columns)[0] for side in ("ABCDE", "FGHIJ")]
        text = f"{expected[0]:.3f} against {expected[1]:.3f}, a difference of "
        assert text in (words if part == words else words.partition("; matched, ")[2])
    # A large good source among small bad ones, and the reverse: the mean of sources has the other
    # sign, and is in the table alone.
    rows = {cells[0]: cells for cells in row.blocks[2]["rows"]}
    assert rows["pairs of one source"][3][0] > 0.02 > -0.02 > rows["mean of sources"][3][0]
    means = [np.mean([_auc_of(case, name) for name in side]) for side in ("ABCDE", "FGHIJ")]
    assert rows["mean of sources"][1][0] == pytest.approx(means[0], abs=0.03)
    assert rows["mean of sources"][2][0] == pytest.approx(means[1], abs=0.03)


def _auc_of(case: Case, source: str) -> float:
    return counted(_only(case, [source]), [])[0]


def test_images_of_unknown_columns_are_in_neither_difference() -> None:
    case = with_split(mixed_case(1200, sources=("A", "B")), {"A"})
    ages = case.images.columns[AGE_BAND]
    case = replaced(
        case, AGE_BAND, [ages.names[k] if n % 3 else "" for n, k in enumerate(ages.codes)]
    )
    (model,) = case.models
    keep = case.images.known(AGE_BAND)[model.rows]
    known = replace(case, models=[replace(model, rows=model.rows[keep], scores=model.scores[keep])])
    inside, outside = (_auc_of(known, name) for name in "AB")
    assert f"AUC {inside:.3f} against {outside:.3f}, a difference of" in row_of(case).meaning


def test_fewer_than_five_sources_are_a_range() -> None:
    case = with_split(mixed_case(1200, sources=("A", "B", "C")), {"A"})
    name, inside, outside, difference = row_of(case).blocks[2]["rows"][-1]
    values = sorted(_auc_of(case, source) for source in "BC")
    assert name == "range of sources" and difference is None
    assert inside == f"{_auc_of(case, 'A'):.3f} (one source)"
    assert outside == f"{values[0]:.3f} to {values[1]:.3f}"


def test_the_mean_of_ten_sources_is_about_such_sources() -> None:
    names = tuple("ABCDEFGHIJ")
    case = with_split(mixed_case(2400, sources=names), set("ABCDE"))
    (model,) = case.models
    known = np.ones(len(model.rows), bool)
    sources = source_aucs.of_sources(case, model, np.zeros(len(known), np.int64), known)
    assert [s.is_internal for s in sources] == [True] * 5 + [False] * 5
    result = source_aucs.difference_of_means(sources)
    assert result is not None and result.numbers == (5, 5)
    assert result.bounds[0] < 0 < result.bounds[1]
    means = [np.mean([s.whole.value for s in sources[k : k + 5]]) for k in (0, 5)]
    assert result.internal[0] == pytest.approx(means[0], abs=0.02)
    assert result.value == pytest.approx(means[0] - means[1], abs=0.03)
    assert source_aucs.difference_of_means(sources[1:]) is None


def test_where_all_sources_have_training_images_none_is_external() -> None:
    row = row_of(with_split(mixed_case(800, sources=("A", "B")), {"A", "B"}))
    assert "against sources without" not in row.meaning
    assert {cell[1] for cell in row.blocks[1]["rows"]} == {"yes"}
