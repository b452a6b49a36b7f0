"""The arithmetic of splits: what must hold for any groups, classes and targets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrtool.data import assignment
from cxrtool.data.assignment import Floats, Ints

pure = settings(max_examples=200)

# (group, class) of each row; small numbers, so that groups and classes meet in every way.
ROWS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), min_size=1, max_size=60)
CODES = st.lists(st.integers(-1, 6), min_size=1, max_size=40)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Ints, Ints, Floats]:
    """Draw the groups and classes of some rows, and the target of each part."""
    rows = np.array(draw(ROWS))
    groups = np.unique(rows[:, 0], return_inverse=True)[1]
    classes = np.unique(rows[:, 1], return_inverse=True)[1]
    # A group of very many rows is what an even split stumbles over.
    times = np.ones(len(rows), np.int64)
    times[0] = draw(st.sampled_from([1, 1, 10, 100]))
    most = min(int(groups.max()) + 1, 6)
    weights = draw(st.lists(st.integers(1, 9), min_size=1, max_size=most))
    shares = np.array(weights) / sum(weights)
    return np.repeat(groups, times), np.repeat(classes, times), shares


def order(groups: Ints, seed: int = 0) -> assignment.Keys:
    return assignment.keys([str(g) for g in range(groups.max() + 1)], seed)


def table(groups: Ints, classes: Ints, shares: Floats, seed: int = 0) -> Ints:
    """Count the rows of each part and class."""
    parts = assignment.assign(groups, classes, order(groups, seed), shares)[groups]
    counts = np.zeros((len(shares), classes.max() + 1), np.int64)
    np.add.at(counts, (parts, classes), 1)
    return counts


@pure
@given(problems())
def test_sizes_are_within_one_group_of_the_wish(problem: tuple[Ints, Ints, Floats]) -> None:
    groups, _, shares = problem
    sizes = table(*problem).sum(1)
    assert sizes.sum() == len(groups)
    assert np.abs(sizes - shares * len(groups)).max() <= np.bincount(groups).max() + 1e-5


@pure
@given(st.lists(st.integers(2, 30), min_size=1, max_size=5), st.integers(2, 5))
def test_classes_of_single_images_are_within_one_row_of_the_wish(
    sizes: list[int], parts: int
) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    shares = np.full(parts, 1 / parts)
    counts = table(np.arange(len(classes)), classes, shares)
    assert np.abs(counts - np.outer(shares, sizes)).max() < 1 + 1e-9


@pure
@given(st.lists(st.integers(4, 12), min_size=1, max_size=4))
def test_every_class_is_in_every_part_where_there_is_room(patients: list[int]) -> None:
    classes = np.repeat(np.arange(len(patients)), patients)
    counts = table(np.arange(len(classes)), classes, np.array([0.5, 0.25, 0.25]))
    assert counts.min() >= 1


def test_sizes_come_before_the_presence_of_a_class() -> None:
    # A part of a tenth has 1.5 rows, so that one of three classes finds no room in it.
    classes = np.repeat([0, 1, 2], 5)
    counts = table(np.arange(15), classes, np.array([0.9, 0.1]))
    assert counts[1].sum() == 2
    assert (counts[1] > 0).sum() == 2


def test_a_giant_group_leaves_the_rest_to_the_other_parts() -> None:
    groups = np.append(np.zeros(900, np.int64), np.arange(1, 101))
    counts = table(groups, np.zeros(1000, np.int64), np.array([0.7, 0.1, 0.2]))
    # Wherever the giant goes, the single rows go to the other two, by their own shares or nearly.
    assert counts.max() == 900
    assert (counts > 0).all()


def test_11_folds_of_572_images_a_class_have_52_each() -> None:
    classes = np.repeat([0, 1, 2], 572)
    counts = table(np.arange(1716), classes, np.full(11, 1 / 11))
    assert (counts == 52).all()


@pure
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(
    problem: tuple[Ints, Ints, Floats], random: object
) -> None:
    groups, classes, shares = problem
    shuffled = np.arange(len(groups))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    keys = order(groups)
    one = assignment.assign(groups, classes, keys, shares)
    assert np.array_equal(assignment.assign(groups[shuffled], classes[shuffled], keys, shares), one)


def test_seeds_differ_even_where_no_two_groups_are_alike() -> None:
    groups = np.repeat(np.arange(12), np.arange(1, 13))
    shares, classes = np.array([0.7, 0.1, 0.2]), np.zeros(len(groups), np.int64)
    found = {
        tuple(assignment.assign(groups, classes, order(groups, seed), shares)) for seed in range(20)
    }
    assert len(found) > 10
    # The largest of all is not always a training case.
    assert {parts[11] for parts in found} >= {0, 2}


def test_a_part_without_a_wish_gets_nothing() -> None:
    groups = np.arange(10)
    parts = assignment.assign(groups, groups % 2, order(groups), np.array([0.5, 0.0, 0.5]))
    assert np.bincount(parts, minlength=3).tolist() == [5, 0, 5]


def test_ten_thousand_classes_take_no_table_of_groups_by_classes() -> None:
    classes = np.repeat(np.arange(10_000), 3)
    counts = table(np.arange(30_000), classes, np.full(3, 1 / 3))
    assert (counts == 1).all()


@pure
@given(CODES, st.integers(0, 3))
def test_leaked_counts_values_in_several_parts(codes: list[int], seed: int) -> None:
    parts = np.random.default_rng(seed).integers(0, 3, len(codes))
    there: dict[int, set[int]] = {}
    for code, part in zip(codes, parts.tolist(), strict=True):
        there.setdefault(code, set()).add(part)
    torn = {c for c, p in there.items() if c >= 0 and len(p) > 1}
    expected = len(torn), sum(c in torn for c in codes)
    assert assignment.leaked(parts, np.array(codes)) == expected


def test_keys_depend_on_name_and_seed_alone() -> None:
    assert assignment.keys(["a"], 0) == assignment.keys(["b", "a"], 0)[1]
    assert assignment.keys(["a"], 0) != assignment.keys(["a"], 1)
    # The value is part of every published split: it may not change between versions.
    assert assignment.keys(["a"], 0).tolist() == [KEY_OF_A]
    assert len({*assignment.keys(["a"] * 2, 10**200).tolist()}) == 1


KEY_OF_A = 5106437746257854808


@pytest.mark.parametrize("seed", [-1, 0, 10**30])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert len(assignment.keys(["a", "\udcff", ""], seed)) == 3
