"""Caps, and classes that are made equal within a part."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrtool.data import assignment, class_balance
from cxrtool.data.assignment import Ints

pure = settings(max_examples=200)

CODES = st.lists(st.integers(-1, 6), min_size=1, max_size=40)


@pure
@given(CODES, st.integers(0, 4))
def test_cap_keeps_so_many_of_each_class(codes: list[int], most: int) -> None:
    classes = np.array(codes) + 1
    keys = assignment.keys(map(str, range(len(codes))), 0)
    limits = np.full(8, most)
    limits[3] = -1
    kept = class_balance.cap(classes, limits, keys)
    for c, size in enumerate(np.bincount(classes, minlength=8)):
        assert (kept & (classes == c)).sum() == (size if c == 3 else min(size, most))


def test_an_unknown_identity_is_not_capped() -> None:
    assert class_balance.limits("patient", ["", "p"], 2).tolist() == [-1, 2]
    assert class_balance.limits("dup_group", ["a", "", "b"], 1).tolist() == [1, -1, 1]
    assert class_balance.limits("sex", ["", "F"], 3).tolist() == [3, 3]


@st.composite
def cells(draw: st.DrawFn) -> tuple[Ints, Ints, assignment.Keys]:
    """Draw the part (-1: not to be balanced), the class and the key of some rows."""
    pairs = draw(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 2)), min_size=1))
    parts, classes = np.array(pairs).T
    return parts, classes, assignment.keys(map(str, range(len(parts))), 0)


def sizes(parts: Ints, classes: Ints, times: Ints) -> Ints:
    counts = np.zeros((4, 3), np.int64)
    np.add.at(counts, (parts, classes), times)
    return counts


@pure
@given(cells(), st.booleans())
def test_balance_makes_classes_equal_within_each_part(
    drawn: tuple[Ints, Ints, assignment.Keys], over: bool
) -> None:
    parts, classes, keys = drawn
    balance = class_balance.oversample if over else class_balance.undersample
    times = balance(parts, classes, keys)
    assert (times[parts < 0] == 1).all()
    assert (times >= 1).all() if over else (times <= 1).all()
    before = sizes(parts, classes, np.ones(len(parts), np.int64))[:3]
    for was, now in zip(before, sizes(parts, classes, times)[:3], strict=True):
        goal = (max if over else min)(was[was > 0], default=0)
        assert now.tolist() == [goal if n else 0 for n in was]
    # What is repeated is repeated evenly.
    for part, c in {*zip(parts.tolist(), classes.tolist(), strict=True)}:
        here = times[(parts == part) & (classes == c)]
        assert here.max() - here.min() <= 1


@pure
@given(cells(), st.integers(0, 9))
def test_borrowing_fills_up_and_leaves_own_rows_alone(
    drawn: tuple[Ints, Ints, assignment.Keys], seed: int
) -> None:
    parts, classes, keys = drawn
    parts = np.maximum(parts, 0)
    lent = np.random.default_rng(seed).random(len(parts)) < 0.5
    times = class_balance.borrow(parts, classes, lent, keys)
    assert (times[~lent] == 1).all()
    own = sizes(parts, classes, (~lent).astype(np.int64))
    there = sizes(parts, classes, lent.astype(np.int64))
    lacking = own.max(1, keepdims=True) - own
    assert (sizes(parts, classes, times) == own + np.minimum(there, lacking)).all()
