"""Groups of rows that are connected, against a slow search."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrtool.data import connected_groups


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
    assert connected_groups.bind([np.array(c) for c in columns]).tolist() == components(columns)


def test_bind_follows_a_long_chain() -> None:
    rows = 2000
    one, two = np.arange(rows) // 2, (np.arange(rows) + 1) // 2
    assert connected_groups.bind([one, two]).tolist() == [0] * rows


def test_components_are_numbered_by_their_smallest_member() -> None:
    pairs = np.array([[3, 4], [1, 4], [6, 5]])
    np.testing.assert_array_equal(connected_groups.components(7, pairs), [0, 1, 2, 1, 1, 5, 5])
    assert connected_groups.components(0, np.empty((0, 2), np.int64)).shape == (0,)
