"""Readers are warned of what is wrong, and not of what is right."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from results import QUESTION, result, shows, skilled

from cxrtool.compare import comparison, reader_warnings
from cxrtool.compare.comparison import Figure, Question
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.display import Shows


def texts_of(shown: Shows, level: str) -> str:
    return "\n".join(text for found, text in reader_warnings.findings(shown) if found == level)


def test_nothing_is_wrong_with_a_good_model() -> None:
    found = reader_warnings.findings(shows(skilled(200), metrics=("auc",)))
    assert {level for level, _ in found} == {"good"}
    assert "is above 0.5" in found[0][1]
    assert "not a proof" in found[-1][1]


def test_one_class_alone() -> None:
    shown = shows(skilled(), *(result([1] * 40, [0.2, 0.4] * 20, group=g) for g in "st"))
    assert "Only one class is present: `s` (ill), `t` (ill). AUC" in texts_of(shown, "bad")


def test_few_images_few_of_a_class_and_few_patients() -> None:
    assert "Fewer than 30 images: `s` (29)." in texts_of(shows(skilled(29, group="s")), "bad")
    assert "images" not in texts_of(shows(skilled(30)), "bad")
    rare = result([1] * 9 + [0] * 60, np.linspace(1, 0, 69))
    assert "patients of a class: ill in all images (9)" in texts_of(shows(rare), "note")
    alike = skilled(60, patients=[i // 3 for i in range(60)])
    assert "Fewer than 30 patients: all images (20)" in texts_of(shows(alike), "bad")


def test_scores_that_are_all_alike() -> None:
    labels = [0, 1] * 20
    found = texts_of(shows(result(labels, [0.3] * 40, group="s")), "bad")
    assert "same probabilities: `m` in `s`" in found
    assert "The same class is predicted for every image: `m` in `s` (well)" in found
    p = [0.1, 0.2] * 10 + [0.9] * 20
    found = texts_of(shows(result(labels, p, sources=["s"] * 20 + ["t"] * 20)), "bad")
    assert "All images of a source have the same probabilities: `t` by `m`" in found
    assert "`s`" not in found
    assert "same probabilities" not in texts_of(shows(skilled(sources=["s", "t"] * 30)), "bad")


def test_a_label_that_follows_from_the_source() -> None:
    apart = texts_of(shows(skilled(sources=["s", "t"] * 30)), "bad")
    assert "`m`: all pairs of images of different classes are across sources" in apart
    assert "the AUC cannot tell disease from data set; see cxrtool audit" in apart
    # Of so few images it may be chance that each source has one class.
    few = texts_of(shows(skilled(6, sources=["s", "t"] * 3)), "bad")
    assert "images of only one class (predictions of `m`)" in few and "all pairs" not in few
    mixed = shows(skilled(sources=["s", "s", "t", "t"] * 15))
    assert "source" not in texts_of(mixed, "bad")
    question = replace(QUESTION, by=("source",))
    groups = [
        result([k] * 30, np.linspace(0.2, 0.8, 30), group=g, sources=[g] * 30)
        for k, g in enumerate("st")
    ]
    assert "all pairs of images" in texts_of(shows(*groups, question=question), "bad")


def test_guessing_and_worse() -> None:
    good = skilled(200)
    for figure, words in (
        (Figure(0.6, 0.45, 0.7), "includes 0.5 (chance): `m` 0.600 [0.450, 0.700]."),
        (Figure(0.2, 0.1, 0.4), "below chance: `m` 0.200 [0.100, 0.400]."),
    ):
        poor = replace(good, figures=good.figures | {("ill", "auc"): figure})
        assert words in texts_of(shows(poor), "bad")
        assert "is above" not in texts_of(shows(poor), "good")


@pytest.mark.parametrize(
    ("worst", "level", "words"),
    [
        (Figure(0.6, 0.55, 0.65), "bad", "is 0.900 [0.850, 0.950] in `s` and only 0.600"),
        (Figure(0.7, 0.5, 0.87), "note", "is 0.900 [0.850, 0.950] in `s` and only 0.700"),
        (Figure(0.85, 0.8, 0.9), "good", "differs by at most 0.1"),
    ],
)
def test_groups_that_fall_apart(worst: Figure, level: str, words: str) -> None:
    question = Question(by=("source",), positive="ill")
    one = skilled(100)
    groups = [
        replace(one, group=g, figures=one.figures | {("ill", "auc"): f})
        for g, f in zip("st", (Figure(0.9, 0.85, 0.95), worst), strict=True)
    ]
    assert words in texts_of(shows(*groups, question=question), level)
    # A group too small to be judged is not compared.
    small = replace(skilled(20), group="u", figures={("ill", "auc"): Figure(0.1, 0.0, 0.2)})
    assert "in `u`" not in re.sub(
        "An AUC is below chance.*", "", texts_of(shows(*groups, small, question=question), level)
    )


def test_a_perfect_model_may_be_a_leak() -> None:
    perfect = result([0, 1] * 20, [0.1, 0.9] * 20)
    assert "common with a leak: `m`." in texts_of(shows(perfect), "note")


@pytest.mark.parametrize(
    ("metric", "gap", "level", "words"),
    [
        (
            "auc",
            Figure(0.2, 0.1, 0.3),
            "bad",
            "minus AUC on other data sets: 0.200 [0.100, 0.300].",
        ),
        ("auc", Figure(0.1, -0.1, 0.3), "note", "no loss on other data sets is shown"),
        ("auc", Figure(-0.2, -0.3, -0.1), "note", "better on other data sets"),
        ("auc", Figure(0.2), "note", "Without a confidence interval"),
        ("brier", Figure(-0.2, -0.3, -0.1), "bad", "worse on other data sets"),
        ("brier", Figure(0.2, 0.1, 0.3), "note", "better on other data sets"),
    ],
)
def test_the_gap_of_a_matrix(metric: str, gap: Figure, level: str, words: str) -> None:
    one = skilled(100)
    matrix = Matrix(metric, ["m"], ["m"], ("model", "source"), {("m", "m"): one}, gap=gap)
    assert words in texts_of(shows(one, matrix=matrix), level)


def test_no_resamples() -> None:
    question = Question(positive="ill", resamples=0)
    one = skilled(question=question)
    assert "No resamples" not in texts_of(shows(one, question=question), "note")
    one.tests.append(comparison.Test("delong", "b", "ill", "auc", Figure(0.1), 0.01))
    assert "No resamples" in texts_of(shows(one, question=question), "note")


def test_many_places_are_counted() -> None:
    shown = shows(*(skilled(20, group=f"g{n}") for n in range(8)))
    assert "`g0` (20), `g1` (20), `g2` (20), `g3` (20), `g4` (20), and 3 more." in texts_of(
        shown, "bad"
    )
