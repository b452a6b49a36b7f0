"""AUC minus AUC within groups from a handful of pairs: no effect is shown."""

import numpy as np
import pytest
from scipy import special

from cxrtool.audit import estimates, runner, verdicts
from cxrtool.audit.case import Case, ImageRows, ModelScores
from cxrtool.audit.verdicts import CheckRow
from cxrtool.images import bystanders
from cxrtool.stats.within import Decomposition


def judged(parts: Decomposition) -> CheckRow:
    row = estimates.tested_difference(
        "row", parts, margin=0.05, number=1, lead="Two AUCs", sentences={}, next="a remedy"
    )
    verdicts.adjust([row], 1)
    return row


def in_wrong_order(copies: int, images: int = 1) -> Decomposition:
    """One positive and two negatives in 24 patients are of one group, and in the wrong order."""
    times = copies * images
    positive = np.array(([True] * 12 + [False] * 12) * times)
    scores = np.array(([9.0] * 11 + [1.0] + [2.0] * 12) * times)
    groups = np.array(([0] * 11 + [1] * 3 + [2] * 10) * times)
    return Decomposition(positive, scores, groups, np.arange(24 * times) % (24 * copies))


def test_few_pairs_are_inconclusive_and_the_sentence_says_why() -> None:
    few = in_wrong_order(1)
    assert few.patient_pairs == 2 and few.within.value == 0
    assert few.bounds(0.95)[0] > 0.05, "the interval alone would show an effect"
    row = judged(few)
    assert row.verdict == "inconclusive" and row.value == few.value
    assert np.isnan([row.low, row.high, row.p, row.detectable]).all()
    assert row.meaning == (
        "Two AUCs. 2 pairs are too few for a test, with 1 patient in the smaller class: it takes "
        "20 pairs of a positive and a negative patient, and 4 patients of each class."
    )
    assert row.next == estimates.MORE
    assert judged(in_wrong_order(10)).verdict == "shown", "the same shares from 200 pairs"


def test_few_pairs_exclude_nothing_either() -> None:
    alike = Decomposition(
        np.array([True, False] * 3), np.array([1.0, 0.0] * 3), np.zeros(6, int), np.arange(6)
    )
    assert alike.share == 1 and alike.bounds(0.95) == (0, 0)
    assert judged(alike).verdict == "inconclusive"


def test_many_images_of_few_patients_are_few_pairs() -> None:
    few = in_wrong_order(1, images=6)
    assert few.within.pairs == 72 and few.patient_pairs == 2
    assert few.bounds(0.95)[0] > 0.05 and judged(few).verdict == "inconclusive"


def test_pairs_are_of_different_patients() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        groups, patients = rng.integers(0, 4, 40) * 2, rng.integers(0, 12, 40)
        positive = rng.random(40) < 0.5
        parts = Decomposition(positive, rng.random(40), groups, patients)
        images = list(zip(groups.tolist(), patients.tolist(), positive.tolist(), strict=True))
        pairs = {
            (group, ill, well)
            for group, ill, one in images
            for other, well, two in images
            if one and not two and group == other and ill != well
        }
        assert parts.patient_pairs == len(pairs)


def test_one_patient_beside_many_is_no_test() -> None:
    positive = np.array([True] * 12 + [False] * 40)
    scores = np.array([9.0] * 11 + [1.0] + [2.0] * 40)
    groups = np.array([0] * 11 + [1] * 31 + [2] * 10)
    one = Decomposition(positive, scores, groups, np.arange(52))
    assert one.patient_pairs == 30 and one.paired_patients == 1
    row = judged(one)
    assert row.verdict == "inconclusive" and "1 patient in the smaller class" in row.meaning


def test_a_row_of_few_pairs_comes_back_as_it_was() -> None:
    row = judged(in_wrong_order(1))
    back = CheckRow.of(row.record())
    verdicts.adjust([back], 1)
    assert back.verdict == "inconclusive" and back.meaning == row.meaning


@pytest.mark.parametrize("number", [15, 24])
def test_a_cue_that_is_not_used_is_shown_by_chance_no_more_often_than_stated(number: int) -> None:
    rng, runs = np.random.default_rng(number), 300
    beyond = shown = 0
    for _ in range(runs):
        label = rng.random(number) < 0.5
        # The cue predicts the label with AUC 0.98, the model with 0.9, each on its own.
        cue, score = (
            np.sqrt(2) * special.ndtri(auc) * label + rng.normal(size=number) for auc in (0.98, 0.9)
        )
        bins = np.searchsorted(np.quantile(cue, np.arange(1, 5) / 5), cue)
        parts = Decomposition(label, score, bins, np.arange(number))
        if parts.is_defined and parts.share > 0:
            beyond += parts.bounds(0.95)[0] > 0.05
            shown += judged(parts).verdict == "shown"
    assert beyond > 0 and shown / runs <= 0.025


@pytest.mark.parametrize("number", [24, 480])
def test_the_row_of_used_bystanders_says_how_many_pairs_it_has(number: int) -> None:
    rng = np.random.default_rng(0)
    label = np.arange(number) % 2
    values = rng.normal(size=(number, len(bystanders.NAMES)))
    values[:, bystanders.NAMES.index("text_count")] += 3 * label
    images = ImageRows(
        lambda row: f"{row}.png",
        label,
        np.arange(number),
        {"patient": np.arange(number) + 1},
        {},
        np.ones(number, bool),
    )
    scores = special.expit(values[:, bystanders.NAMES.index("text_count")])
    model = ModelScores("m", np.arange(number), scores, np.full(number, -1))
    case = Case(images, [model], "ill", ["well"], measured=lambda: values)
    case, _ = runner.plan(case, ["bystanders"], [])
    rows = runner.assess("bystanders", case)
    verdicts.adjust(rows, max(1, len(case.family)))
    used = next(row for row in rows if row.name == "bystanders used")
    pairs = int(used.meaning.split("bystander score (")[1].split(" pair")[0])
    # Five equal groups, most of one class.
    assert 0 < pairs < number**2 / 4 / 5
    assert (pairs < 20) == (number == 24) == ("too few for a test" in used.meaning)
    assert used.verdict == ("inconclusive" if number == 24 else "shown")
