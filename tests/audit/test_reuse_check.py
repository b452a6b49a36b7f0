"""Several models on the same images: what the best one owes to the choice, and what is unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import coded, make_case
from sklearn.metrics import roc_auc_score

from cxrtool.audit import runner
from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import NOT_ASSESSED, CheckRow


def models_case(number: int = 400, models: int = 5, own: float = 1.0, seed: int = 2) -> Case:
    """Make models that are equally good: one score, and noise of each model."""
    case = make_case(number)
    (first,) = case.models
    rng = np.random.default_rng(seed)
    logit = np.log(first.scores / (1 - first.scores))
    noisy = [logit + own * rng.normal(size=number) for _ in range(models)]
    many = [replace(first, name=f"m{k}", scores=1 / (1 + np.exp(-x))) for k, x in enumerate(noisy)]
    return replace(case, models=many)


def row_of(case: Case) -> CheckRow:
    (row,) = runner.assess("reuse", case)
    return row


def test_the_best_model_is_corrected() -> None:
    case = models_case()
    row = row_of(case)
    aucs = [roc_auc_score(case.images.positive[m.rows], m.scores) for m in case.models]
    best = int(np.argmax(aucs))
    assert f"m{best} has the highest AUC, {max(aucs):.3f}." in row.meaning
    assert f"on average: {max(aucs) - row.value:.3f} without that." in row.meaning
    cells = row.blocks[0]["rows"]
    _, low, high = cells[0][1]
    assert f"a 95 % interval for both cases is [{low - row.value:.3f}, {high:.3f}]." in row.meaning
    assert [cell[1][0] for cell in cells] == pytest.approx(sorted(aucs, reverse=True))
    assert row.verdict == "" and row.kind == "descriptive" and "left out" not in row.meaning


def test_of_perfect_models_nothing_is_known() -> None:
    case = models_case()
    positive = case.images.positive
    models = [replace(m, scores=positive[m.rows] + m.scores) for m in case.models]
    row = row_of(replace(case, models=models))
    assert np.isnan(row.value) and "By how much it is too high is not known" in row.meaning
    assert {cell[2] for cell in row.blocks[0]["rows"]} == {"20 %"}
    assert "0.000" not in row.meaning


def test_the_correction_is_the_mean_error_of_a_choice_among_equal_models() -> None:
    # The mean over new patients and images; every model has the same true AUC.
    sets = [models_case(seed=seed) for seed in range(60)]
    fresh = [replace(c, models=_new_images(c, seed)) for seed, c in enumerate(sets)]
    values = [[roc_auc_score(c.images.positive[m.rows], m.scores) for m in c.models] for c in fresh]
    excess = np.mean(np.max(values, axis=1)) - np.mean(values)
    corrections = [row_of(c).value for c in fresh[:10]]
    assert np.mean(corrections) == pytest.approx(excess, rel=0.25)


def _new_images(case: Case, seed: int) -> list[ModelScores]:
    rng = np.random.default_rng(100 + seed)
    signal = 1.5 * case.images.positive + rng.normal(size=len(case.images))
    scores = [signal + rng.normal(size=len(signal)) for _ in case.models]
    return [replace(m, scores=s) for m, s in zip(case.models, scores, strict=True)]


def test_models_are_compared_on_the_images_that_all_have_judged() -> None:
    case = models_case(models=2)
    first, second = case.models
    back = np.arange(len(second.rows))[::-1][:300]
    part = ModelScores("m1", second.rows[back], second.scores[back], second.predicted[back])
    row = row_of(replace(case, models=[first, part]))
    assert "Of 2 models on the same 300 images" in row.meaning and row.patients == 150
    assert "Left out: 100 images that not all models judge." in row.meaning
    aucs = {cell[0]: cell[1][0] for cell in row.blocks[0]["rows"]}
    common = np.sort(part.rows)
    expected = roc_auc_score(case.images.positive[common], first.scores[common])
    assert aucs["m0"] == pytest.approx(expected)
    assert aucs["m1"] == pytest.approx(roc_auc_score(case.images.positive[part.rows], part.scores))


def test_copies_of_one_model_need_no_correction() -> None:
    row = row_of(models_case(own=0.0))
    assert row.value == pytest.approx(0, abs=1e-6)
    assert "m0 and 4 others have the highest AUC" in row.meaning
    assert {cell[2] for cell in row.blocks[0]["rows"]} == {"20 %"}
    assert "correlate by 1.000" in str(row.blocks[0]["caption"])


def test_the_use_of_one_model_is_not_known() -> None:
    row = row_of(make_case(columns=["source"]))
    assert row.verdict == NOT_ASSESSED and row.next
    assert row.meaning == "One model: how often its test images were used before is not known."


@pytest.mark.parametrize("models", [1, 3])
def test_images_of_validation_are_named(models: int) -> None:
    case = models_case(models=models)
    parts = ["val" if k % 4 == 0 else "test" for k in range(400)]
    case.images.columns["split"] = coded(parts)
    assert "100 of the 400 images are of the part val" in row_of(case).meaning


def test_models_without_common_patients_are_not_compared() -> None:
    case = models_case(models=2)
    halves = [slice(0, 200), slice(200, 400)]
    models = [
        ModelScores(m.name, m.rows[h], m.scores[h], m.predicted[h])
        for m, h in zip(case.models, halves, strict=True)
    ]
    row = row_of(replace(case, models=models))
    assert row.verdict == NOT_ASSESSED
    assert "fewer than 10 patients of each class in common" in row.meaning
