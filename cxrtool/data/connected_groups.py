"""Groups of things that are connected: by pairs, or by values that they share."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def components(n: int, pairs: Ints) -> Ints:
    """Number each of n things by the smallest one it is connected to.

    Parameters
    ----------
    n
        How many things there are.
    pairs
        Connected ones, (m, 2).
    """
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    if not len(pairs):
        return np.arange(n)
    # It takes a sixth of a second to import.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = (np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1]))
    _, label = connected_components(coo_array(edges, shape=(n, n)), directed=False)
    _, first = np.unique(label, return_index=True)
    return np.asarray(first[label], np.int64)


def bind(columns: list[Ints]) -> Ints:
    """Number the groups of rows that share a value in any column, directly or by a chain.

    Parameters
    ----------
    columns
        Codes of each row's value; a negative code is an unknown value, which binds nothing.

    Returns
    -------
    Group numbers from 0, by the first row of each group.
    """
    pairs = np.concatenate([_first_rows(codes) for codes in columns])
    return np.unique(components(len(columns[0]), pairs), return_inverse=True)[1]


def _first_rows(codes: Ints) -> Ints:
    """Pair the rows of a known value with the first row that has it."""
    rows = np.flatnonzero(codes >= 0)
    _, first, value = np.unique(codes[rows], return_index=True, return_inverse=True)
    return np.column_stack([rows[first[value]], rows])
