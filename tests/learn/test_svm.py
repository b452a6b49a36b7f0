"""The last layer that a support vector machine finds is that machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from cxrtool.learn import svm


def features(classes: int, number: int = 60) -> tuple[Any, Any]:
    chance = np.random.default_rng(0)
    labels = np.arange(number) % classes
    spread = np.array([1.0, 10.0, 0.1, 5.0, 0.0])  # the last one is constant
    return (chance.normal(labels[:, None] * 0.8, 1, (number, 5)) * spread) + 3, labels


@pytest.mark.parametrize("classes", [2, 3])
def test_it_says_what_scikit_learn_says(classes: int) -> None:
    values, labels = features(classes)
    weights, bias = svm.solved(values, labels, classes, None, 0)
    scaled = StandardScaler().fit_transform(values)
    machine = LinearSVC(dual="auto", max_iter=20_000, random_state=0).fit(scaled, labels)
    margins = machine.decision_function(scaled)
    found = values @ weights.T + bias
    if classes == 2:
        np.testing.assert_allclose(found[:, 1] - found[:, 0], margins, atol=1e-6)
    else:
        np.testing.assert_allclose(found, margins, atol=1e-6)
    assert (found.argmax(axis=1) == machine.predict(scaled)).all()


def test_weights_of_classes_move_the_border() -> None:
    values, labels = features(2)
    plain, heavy = (
        (values @ w.T + b).argmax(axis=1).sum()
        for w, b in (
            svm.solved(values, labels, 2, given, 0) for given in (None, np.array([1.0, 20.0]))
        )
    )
    assert heavy > plain
