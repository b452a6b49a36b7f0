"""The arithmetic of splits: what must hold for any groups, classes and wishes."""

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
    """Draw the groups and classes of some rows, and the wish of each part."""
    rows = np.array(draw(ROWS))
    groups = np.unique(rows[:, 0], return_inverse=True)[1]
    classes = np.unique(rows[:, 1], return_inverse=True)[1]
    # A group of very many rows is what an even split stumbles over.
    times = np.ones(len(rows), np.int64)
    times[0] = draw(st.sampled_from([1, 1, 10, 100]))
    most = min(int(groups.max()) + 1, 6)
    weights = draw(st.lists(st.integers(1, 9), min_size=1, max_size=most))
    wish = np.array(weights) / sum(weights)
    return np.repeat(groups, times), np.repeat(classes, times), wish


def order(groups: Ints, seed: int = 0) -> assignment.Keys:
    return assignment.keys([str(g) for g in range(groups.max() + 1)], seed)


def table(groups: Ints, classes: Ints, wish: Floats, seed: int = 0) -> Ints:
    """Count the rows of each part and class."""
    parts = assignment.assign(groups, classes, order(groups, seed), wish)[groups]
    counts = np.zeros((len(wish), classes.max() + 1), np.int64)
    np.add.at(counts, (parts, classes), 1)
    return counts


@pure
@given(problems())
def test_sizes_are_within_one_group_of_the_wish(problem: tuple[Ints, Ints, Floats]) -> None:
    groups, _, wish = problem
    sizes = table(*problem).sum(1)
    assert sizes.sum() == len(groups)
    assert np.abs(sizes - wish * len(groups)).max() <= np.bincount(groups).max() + 1e-5


@pure
@given(st.lists(st.integers(2, 30), min_size=1, max_size=5), st.integers(2, 5))
def test_classes_of_single_images_are_within_one_row_of_the_wish(
    sizes: list[int], parts: int
) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    wish = np.full(parts, 1 / parts)
    counts = table(np.arange(len(classes)), classes, wish)
    assert np.abs(counts - np.outer(wish, sizes)).max() < 1 + 1e-9


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
    # Wherever the giant goes, the single rows go to the other two, by their own wishes or nearly.
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
    groups, classes, wish = problem
    shuffled = np.arange(len(groups))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    keys = order(groups)
    one = assignment.assign(groups, classes, keys, wish)
    assert np.array_equal(assignment.assign(groups[shuffled], classes[shuffled], keys, wish), one)


def test_seeds_differ_even_where_no_two_groups_are_alike() -> None:
    groups = np.repeat(np.arange(12), np.arange(1, 13))
    wish, classes = np.array([0.7, 0.1, 0.2]), np.zeros(len(groups), np.int64)
    found = {
        tuple(assignment.assign(groups, classes, order(groups, seed), wish)) for seed in range(20)
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


def components(columns: list[list[int]]) -> list[int]:
    """Bind rows the slow way."""
    number = list(range(len(columns[0])))
    changed = True
    while changed:
        changed = False
        for codes in columns:
            for i, a in enumerate(codes):
                for j, b in enumerate(codes):
                    if a == b >= 0 and number[i] > number[j]:
                        number[i], changed = number[j], True
    places = {n: k for k, n in enumerate(sorted(set(number)))}
    return [places[n] for n in number]


@settings(max_examples=60)
@given(st.data(), st.integers(1, 14))
def test_bind_follows_chains(data: st.DataObject, rows: int) -> None:
    column = st.lists(st.integers(-1, 5), min_size=rows, max_size=rows)
    columns = data.draw(st.lists(column, min_size=1, max_size=3))
    assert assignment.bind([np.array(c) for c in columns]).tolist() == components(columns)


def test_bind_follows_a_long_chain() -> None:
    rows = 2000
    one, two = np.arange(rows) // 2, (np.arange(rows) + 1) // 2
    assert assignment.bind([one, two]).tolist() == [0] * rows


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


@pure
@given(CODES, st.integers(0, 4))
def test_cap_keeps_so_many_of_each_class(codes: list[int], most: int) -> None:
    classes = np.array(codes) + 1
    keys = assignment.keys(map(str, range(len(codes))), 0)
    limits = np.full(8, most)
    limits[3] = -1
    kept = assignment.cap(classes, limits, keys)
    for c, size in enumerate(np.bincount(classes, minlength=8)):
        assert (kept & (classes == c)).sum() == (size if c == 3 else min(size, most))


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
    balance = assignment.balance_over if over else assignment.balance_under
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
    times = assignment.borrow(parts, classes, lent, keys)
    assert (times[~lent] == 1).all()
    own = sizes(parts, classes, (~lent).astype(np.int64))
    there = sizes(parts, classes, lent.astype(np.int64))
    lacking = own.max(1, keepdims=True) - own
    assert (sizes(parts, classes, times) == own + np.minimum(there, lacking)).all()


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
