"""The rule is the textbook's, for every labelling, and no labelling is favoured."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn import metrics

from cxrtool.stats import discriminant, exchange_units
from cxrtool.stats.discriminant import FOLDS, SHRINKAGE, CrossValidation


def noise(number: int, depth: int, seed: int = 0) -> np.ndarray:
    found: np.ndarray = np.random.default_rng(seed).normal(size=(number, depth))
    return found


def several(patients: int, classes: int, seed: int = 0) -> exchange_units.Units:
    """Patients of one to six images, a tenth of them with two values."""
    rng = np.random.default_rng(seed)
    whose = np.repeat(np.arange(patients), rng.integers(1, 7, patients))
    values = (whose % classes + (rng.random(len(whose)) < 0.1)) % classes
    return exchange_units.units(values, whose)


def made(parts: exchange_units.Units, classes: int, depth: int, seed: int = 0) -> CrossValidation:
    images = noise(len(parts.of), depth, seed) * 3 + 5
    return CrossValidation(images, parts, classes, np.random.default_rng(seed))


def by_the_textbook(
    images: np.ndarray,
    parts: exchange_units.Units,
    labels: np.ndarray,
    folds: np.ndarray,
    classes: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Predict by the nearest mean, by the shrunk covariance within, of weighted images."""
    predicted, right = np.empty((2, len(images)))
    of, w = labels[parts.of], parts.weights
    for fold in range(FOLDS):
        asked = folds[parts.patient][parts.of] == fold
        x, y, weights = images[~asked], of[~asked], w[~asked] / w[~asked].sum()
        means = np.stack(
            [np.average(x[y == k], axis=0, weights=weights[y == k]) for k in range(classes)]
        )
        inside, away = x - means[y], x - weights @ x
        total = weights @ (away**2).sum(axis=1) / x.shape[1]
        within = (1 - SHRINKAGE) * (inside.T * weights) @ inside
        within += SHRINKAGE * total * np.eye(x.shape[1])
        gaps = images[asked][:, None] - means
        distances = np.einsum("nkd,de,nke->nk", gaps, np.linalg.inv(within), gaps)
        likely = np.exp((distances.min(axis=1, keepdims=True) - distances) / 2)
        likely /= likely.sum(axis=1, keepdims=True)
        predicted[asked] = distances.argmin(axis=1)
        right[asked] = likely[np.arange(asked.sum()), of[asked]]
    return predicted, right


@pytest.mark.parametrize(("classes", "depth"), [(2, 3), (3, 30), (4, 5)])
def test_the_rule_is_the_textbooks(classes: int, depth: int) -> None:
    parts = several(60, classes)
    judge = made(parts, classes, depth)
    images = noise(len(parts.of), depth) * 3 + 5
    labels = exchange_units.permuted(parts, 4, np.random.default_rng(1))
    accuracy, probability = judge.scored(labels)
    chosen = judge.divisions_of(labels)
    for row, folds, mine, p in zip(labels, chosen, accuracy, probability, strict=True):
        predicted, right = by_the_textbook(images, parts, row, folds, classes)
        of = row[parts.of]
        expected = metrics.balanced_accuracy_score(of, predicted, sample_weight=parts.weights)
        assert mine == pytest.approx(expected)
        means = [np.average(right[of == k], weights=parts.weights[of == k]) for k in range(classes)]
        assert p == pytest.approx(np.mean(means))


def test_no_labelling_is_favoured() -> None:
    """A labelling is judged alike as the first, the last or the only one."""
    parts = several(24, 3)
    labels = exchange_units.permuted(parts, 40, np.random.default_rng(1))
    judge = made(parts, 3, 8)
    together = np.stack(judge.scored(labels))
    backwards = np.stack(judge.scored(labels[::-1]))[:, ::-1]
    alone = np.concatenate([judge.scored(row[None]) for row in labels], axis=1)
    np.testing.assert_allclose(together, backwards, rtol=1e-12)
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_the_names_of_the_classes_do_not_matter() -> None:
    parts = several(30, 3)
    labels = exchange_units.permuted(parts, 10, np.random.default_rng(1))
    judge = made(parts, 3, 6)
    for names in itertools.permutations(range(3)):
        np.testing.assert_allclose(
            judge.scored(np.array(names)[labels]), judge.scored(labels), rtol=1e-9
        )


def test_folds_hold_whole_patients_and_every_class_where_they_can() -> None:
    values = np.repeat([0, 1], (10, 15))
    parts = exchange_units.units(values, np.arange(25))
    judge = made(parts, 2, 4)
    labels = exchange_units.permuted(parts, 30, np.random.default_rng(0))
    for row, folds in zip(labels, judge.divisions_of(labels), strict=True):
        assert np.bincount(folds).tolist() == [5] * FOLDS
        rare = np.bincount(folds[row == 0], minlength=FOLDS)
        assert rare.min() >= 1, "the evenest of twenty divisions is nearly even"


def test_a_class_that_no_training_image_has_is_not_predicted() -> None:
    """Of a class of one patient nothing is learned, and it is never right."""
    parts = exchange_units.units(np.array([*[0, 1] * 10, 2]), np.arange(21))
    accuracy, probability = made(parts, 3, 4).scored(parts.value[None])
    assert accuracy[0] <= 2 / 3
    assert np.isfinite(probability).all()


def test_many_labellings_are_judged_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = several(30, 2)
    judge = made(parts, 2, 4)
    assert list(judge.steps(3)) == [3]
    monkeypatch.setattr(discriminant, "AT_A_TIME", 4 * len(parts.of) * 2)
    assert list(judge.steps(10)) == [4, 4, 2]
