"""The best of several models: by which metric, on which group, and what the choice is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from results import QUESTION, result

from cxrtool.compare import best_model
from cxrtool.core.errors import CxrtoolError

LABELS = [0, 0, 0, 0, 1, 1, 1, 1]
# Two, one and four of eight images are wrong.
GOOD = [0.1, 0.2, 0.3, 0.6, 0.9, 0.8, 0.7, 0.4]
BETTER = [0.1, 0.2, 0.3, 0.4, 0.9, 0.8, 0.7, 0.4]
BAD = [0.9, 0.2, 0.9, 0.4, 0.1, 0.8, 0.1, 0.6]


def models(group: str = "") -> list[best_model.Result]:
    given = {"good": GOOD, "better": BETTER, "bad": BAD}
    return [result(LABELS, p, model=name, group=group) for name, p in given.items()]


def test_the_highest_accuracy_and_the_mean_of_all_are_said() -> None:
    [sentence] = best_model.sentences(models(), "accuracy")
    assert sentence.startswith("The best of 3 models by accuracy is better: 0.875; their mean is ")
    assert f"mean is {np.mean([6 / 8, 7 / 8, 4 / 8]):.3f}." in sentence
    assert "chosen on these images, which are no unbiased test of it any more" in sentence


@pytest.mark.parametrize("metric", ["error", "brier", "ece"])
def test_of_an_error_the_lowest_is_the_best(metric: str) -> None:
    question = replace(QUESTION, metrics=("accuracy", metric))
    results = [
        result(LABELS, p, model=name, question=question)
        for name, p in {"bad": BAD, "sure": [0.02] * 4 + [0.98] * 4}.items()
    ]
    [sentence] = best_model.sentences(results, metric)
    assert f"by {metric} is sure" in sentence


def test_every_group_has_a_best_of_its_own() -> None:
    results = [*models("a"), *(replace(r, group="b") for r in models()[:1] + models()[2:])]
    first, second = best_model.sentences(results, "balanced_accuracy")
    assert "of 3 models by balanced_accuracy on a is better" in first
    assert "of 2 models by balanced_accuracy on b is good" in second


def test_of_several_classes_the_mean_over_classes_counts() -> None:
    question = replace(QUESTION, positive=None)
    labels, classes = [0, 1, 2] * 4, ("a", "b", "c")
    right = np.eye(3)[labels]
    turned = np.roll(right, 1, axis=1)
    results = [
        result(labels, p, model=name, question=question, classes=classes)
        for name, p in {"wrong": turned, "right": right}.items()
    ]
    [sentence] = best_model.sentences(results, "sensitivity")
    assert "is right: 1.000; their mean is 0.500" in sentence


def test_nothing_is_said_unless_asked() -> None:
    assert best_model.sentences(models(), None) == []


def test_what_has_no_best_is_refused() -> None:
    with pytest.raises(CxrtoolError, match="there is one model"):
        best_model.sentences(models()[:1], "accuracy")
    with pytest.raises(CxrtoolError, match="neither high nor low is good"):
        best_model.sentences(models(), "calibration_slope")
