"""Every batch has its number of images of a rare class, and an epoch goes once through the rest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrtool.core.errors import CxrtoolError
from cxrtool.learn import rebalancing
from cxrtool.learn.training_loop import shuffled, steps


@given(
    common=st.integers(2, 60),
    rare=st.integers(1, 9),
    batch=st.integers(2, 9),
    number=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_a_batch_has_its_number_of_rare_images(
    common: int, rare: int, batch: int, number: int, seed: int
) -> None:
    labels = np.array([0, 2] * (common // 2) + [0] * (common % 2) + [1] * rare)
    numbers = {1: min(number, batch - 1)}
    others = rebalancing.others(labels, numbers)
    assert sorted(others.tolist()) == list(range(common))
    order = others[shuffled(common, seed)]
    parts = steps(common, batch)
    found = rebalancing.rebalanced(labels, order, parts, numbers, seed)
    for part in parts:
        size = part.stop - part.start
        assert (labels[found[part]] == 1).sum() == min(size, numbers[1])
    # What is not replaced keeps its place, so that no image of the others comes twice.
    kept = found != order
    assert (labels[found[kept]] == 1).all()
    assert (found[~kept] == order[~kept]).all()
    again = rebalancing.rebalanced(labels, order, parts, numbers, seed)
    assert (found == again).all()


def test_rare_images_are_drawn_evenly_and_anew() -> None:
    labels = np.array([0] * 8000 + [1] * 4)
    order = rebalancing.others(labels, {1: 1})
    found = rebalancing.rebalanced(labels, order, steps(len(order), 8), {1: 1}, 3)
    places = np.flatnonzero(labels[found] == 1)
    counts = np.bincount(found[places] - 8000, minlength=4)
    assert counts.sum() == 1000
    # Of 1,000 draws among 4, five standard deviations are 68.
    assert abs(counts - 250).max() < 68
    assert abs(np.bincount(places % 8, minlength=8) - 125).max() < 53


def test_no_number_changes_nothing() -> None:
    assert rebalancing.quotas("none", ["a", "b"], {"a": 1, "b": 1}, 8) == {}


@pytest.mark.parametrize(
    ("text", "batch", "what"),
    [
        ("covid=8", 8, "covid=8 leaves no room for other classes in a batch of 8"),
        ("covid=4,normal=4", 8, "leaves no room"),
        ("covid=1,normal=1", 0, "names every class of the training images"),
        ("virus=1", 8, "'virus' is none of the classes: covid, normal, other"),
    ],
)
def test_what_cannot_be_is_refused(text: str, batch: int, what: str) -> None:
    images = {"covid": 3, "normal": 9}
    with pytest.raises(CxrtoolError, match=what):
        rebalancing.quotas(text, ["covid", "normal", "other"], images, batch)
