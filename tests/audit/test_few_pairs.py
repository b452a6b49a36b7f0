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
    row = judged(few)
    assert row.low > 0.05, "the interval alone would show an effect"
    assert row.verdict == "inconclusive" and np.isnan(row.detectable)
    assert row.meaning == (
        "Two AUCs. 2 pairs of a positive and a negative patient are too few for a verdict: it "
        "takes 20."
    )
    assert row.next == "a remedy"
    assert judged(in_wrong_order(10)).verdict == "shown", "the same shares from 200 pairs"


def test_many_images_of_few_patients_are_few_pairs() -> None:
    few = in_wrong_order(1, images=6)
    assert few.within.pairs == 72 and few.patient_pairs == 2
    row = judged(few)
    assert row.low > 0.05 and row.verdict == "inconclusive"


def test_a_row_of_few_pairs_comes_back_as_it_was() -> None:
    row = estimates.tested_difference(
        "row", in_wrong_order(1), margin=0.05, number=1, lead="", sentences={}, next=""
    )
    back = CheckRow.of(row.record())
    verdicts.adjust([row], 1)
    verdicts.adjust([back], 1)
    assert back.verdict == "inconclusive" and np.isnan(back.detectable)
    assert back.meaning == row.meaning


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
    assert (pairs < 20) == (number == 24) == ("too few for a verdict" in used.meaning)
    assert used.verdict == ("inconclusive" if number == 24 else "shown")
