"""What is exchanged between patients, and that every exchange is as likely as any other."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrtool.stats import exchange_units

IMAGES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=40)


def made(pairs: list[tuple[int, int]]) -> exchange_units.Units:
    patients, values = np.array(pairs).T
    return exchange_units.units(values, np.unique(patients, return_inverse=True)[1])


@given(IMAGES)
def test_images_of_a_patient_with_one_value_are_a_unit(pairs: list[tuple[int, int]]) -> None:
    found = made(pairs)
    numbers = {p: k for k, p in enumerate(sorted({p for p, _ in pairs}))}
    there = [(int(found.patient[u]), int(found.value[u])) for u in found.of]
    assert there == [(numbers[p], v) for p, v in pairs]
    assert len(found.value) == len(set(pairs))


@given(IMAGES)
def test_every_patient_weighs_one_and_its_values_alike(pairs: list[tuple[int, int]]) -> None:
    found = made(pairs)
    of_units = np.bincount(found.of, found.weights)
    np.testing.assert_allclose(np.bincount(found.patient, of_units), 1)
    np.testing.assert_allclose(of_units, 1 / np.bincount(found.patient)[found.patient])


@given(IMAGES, st.integers(0, 10**6))
def test_an_exchange_keeps_what_the_test_relies_on(pairs: list[tuple[int, int]], seed: int) -> None:
    """Patients with as many values have the same sets of values, each in another place."""
    found = made(pairs)
    counts = np.bincount(found.patient)
    for row in exchange_units.permuted(found, 5, np.random.default_rng(seed)):
        for several in np.unique(counts):
            sets = [
                Counter(
                    tuple(sorted(values[found.patient == p]))
                    for p in np.flatnonzero(counts == several)
                )
                for values in (found.value, row)
            ]
            assert sets[0] == sets[1]


def every(found: exchange_units.Units) -> set[tuple[int, ...]]:
    """List the exchanges by trying all orders of the values."""
    counts = np.bincount(found.patient)

    def sets(values: tuple[int, ...]) -> list[Counter[tuple[int, ...]]]:
        each = [
            tuple(sorted(v for v, p in zip(values, found.patient, strict=True) if p == q))
            for q in range(found.patients)
        ]
        return [Counter(each[q] for q in np.flatnonzero(counts == n)) for n in np.unique(counts)]

    observed = tuple(found.value.tolist())
    return {v for v in itertools.permutations(observed) if sets(v) == sets(observed)}


@pytest.mark.parametrize(
    "pairs",
    [
        [(0, 0), (1, 0), (2, 1), (2, 1), (3, 1), (4, 2)],
        # Two patients with two values each, one of them with two images of one value.
        [(0, 0), (0, 1), (0, 1), (1, 1), (1, 2), (2, 0), (3, 1)],
    ],
    ids=["one value each", "several values"],
)
def test_every_exchange_is_as_likely(pairs: list[tuple[int, int]]) -> None:
    found, number = made(pairs), 12_000
    rows = exchange_units.permuted(found, number, np.random.default_rng(0))
    seen = Counter(map(tuple, rows.tolist()))
    expected = every(found)
    assert set(seen) == expected
    assert exchange_units.arrangements(found) == pytest.approx(np.log(len(expected)))
    mean = number / len(expected)
    statistic = sum((count - mean) ** 2 / mean for count in seen.values())
    # The 99.9 % quantile of chi-squared is below its mean + 5 standard deviations.
    assert statistic < len(expected) + 5 * np.sqrt(2 * len(expected))
