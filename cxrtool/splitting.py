"""Dividing images among parts so that what belongs together stays together.

Everything works on integer codes of rows, groups and classes, and on keys: seeded hashes of
names, which stand in for random numbers so that the order of the rows cannot matter.

Measured on a million rows: scikit-learn's StratifiedGroupKFold walks the groups one by one and
is hundreds of times slower; groups that look alike (the same counts of the same classes) need
only be counted, and there are few kinds of them.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

# How much the size of a part weighs against the count of one class in it: first as much, which
# spreads the classes well, then ten times, at which no part stays off by more than one group.
SIZE_WEIGHTS = (1.0, 10.0)
# A class that is missing from a part costs more than any error of counts.
MISSING = 1e15
# Single moves of a search that repairs rounding; each one lowers the cost.
MOST_MOVES = 2000


def keys(names: Iterable[str], seed: int) -> Keys:
    """Hash names to 64-bit keys that depend on the seed and on nothing else."""
    secret = str(seed).encode()
    digests = [
        hashlib.blake2b(n.encode("utf-8", "surrogateescape"), digest_size=8, key=secret).digest()
        for n in names
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8")


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
    parent = np.arange(len(columns[0]))
    while True:
        before = parent
        for codes in columns:
            parent = _merge(parent, codes)
        if np.array_equal(before, parent):
            return np.unique(parent, return_inverse=True)[1]


def _merge(parent: Ints, codes: Ints) -> Ints:
    known = codes >= 0
    if not known.any():
        return parent
    roots = parent[known]
    lowest = np.full(codes.max() + 1, len(parent))
    np.minimum.at(lowest, codes[known], roots)
    parent = parent.copy()
    np.minimum.at(parent, roots, lowest[codes[known]])
    while True:
        shorter = parent[parent]
        if np.array_equal(shorter, parent):
            return parent
        parent = shorter


def group_keys(groups: Ints, row_keys: Keys) -> Keys:
    """Give each group the lowest key of its rows, which no order of the rows changes."""
    lowest = np.full(groups.max() + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(lowest, groups, row_keys)
    return lowest


def assign(groups: Ints, classes: Ints, order: Keys, wish: Floats) -> Ints:
    """Choose a part for every group.

    Parameters
    ----------
    groups, classes
        Group number and class code of each row.
    order
        Key of each group; among groups that look alike, it decides who goes where.
    wish
        The share of the rows that each part is to get; sums to 1.

    Returns
    -------
    The part of each group.
    """
    kind, vectors = _kinds(groups, classes)
    counts = _shares(vectors, np.bincount(kind), wish)
    for weight in SIZE_WEIGHTS:
        counts = _improve(counts, vectors, wish, weight)
    # Within a kind, the groups in the order of their keys fill part after part.
    by_kind = np.lexsort((order, kind))
    part = np.empty(len(kind), np.int64)
    part[by_kind] = np.repeat(np.tile(np.arange(len(wish)), len(vectors)), counts.ravel())
    return part


def _kinds(groups: Ints, classes: Ints) -> tuple[Ints, Ints]:
    """Find the groups that look alike: the kind of each group, and the class counts of a kind.

    A group's signature is the sum of one random number a row, drawn for the row's class, so
    that equal counts give equal signatures without a table of groups by classes.
    """
    draws = np.random.default_rng(0).integers(0, 2**63, classes.max() + 1, dtype=np.uint64)
    signature = np.zeros(groups.max() + 1, np.uint64)
    np.add.at(signature, groups, draws[classes])
    _, first, kind = np.unique(signature, return_index=True, return_inverse=True)
    place = np.full(len(signature), -1)
    place[first] = np.arange(len(first))
    vectors = np.zeros((len(first), classes.max() + 1), np.int64)
    shown = place[groups] >= 0
    np.add.at(vectors, (place[groups[shown]], classes[shown]), 1)
    # Large groups come first: the small ones then fill the gaps.
    ranking = np.lexsort((*vectors.T, -vectors.sum(1)))
    return np.argsort(ranking)[kind], vectors[ranking]


def _shares(vectors: Ints, sizes: Ints, wish: Floats) -> Ints:
    """Divide each kind by the wish, and give its last groups to the parts that lack most."""
    columns = _weighted(vectors, SIZE_WEIGHTS[0])
    counts = np.floor(np.outer(sizes, wish) + 1e-9).astype(np.int64)
    excess = np.zeros((len(wish), columns.shape[1]))
    for k, vector in enumerate(columns):
        excess += np.outer(counts[k] - sizes[k] * wish, vector)
        for _ in range(sizes[k] - counts[k].sum()):
            cost = np.where(wish > 0, excess @ vector, np.inf)
            part = int(np.argmin(cost))
            counts[k, part] += 1
            excess[part] += vector
    return counts


def _weighted(vectors: Ints, weight: float) -> Floats:
    """Put the weighted size of a group beside its counts of the classes."""
    size = vectors.sum(1, keepdims=True) * np.sqrt(weight)
    return np.hstack([vectors, size]).astype(float)


def _improve(counts: Ints, vectors: Ints, wish: Floats, weight: float) -> Ints:
    """Move single groups between parts while that brings the counts nearer to the wish."""
    columns, has = _weighted(vectors, weight), (vectors > 0).astype(np.int64)
    totals = counts.sum(1) @ columns
    everywhere = counts.sum(1) @ has >= (wish > 0).sum()
    length = (columns**2).sum(1)
    for _ in range(MOST_MOVES):
        excess = counts.T @ columns - np.outer(wish, totals)
        there = counts.T @ has
        pull = columns @ excess.T
        lost = has @ ((there == 1) & everywhere).T
        won = has @ ((there == 0) & everywhere).T
        leave = -2 * pull + MISSING * lost
        enter = 2 * pull - MISSING * won
        leave[counts == 0] = np.inf
        enter[:, wish == 0] = np.inf
        gain = leave[:, :, None] + enter[:, None, :] + 2 * length[:, None, None]
        gain[:, np.arange(len(wish)), np.arange(len(wish))] = 0
        kind, start, end = np.unravel_index(np.argmin(gain), gain.shape)
        if gain[kind, start, end] > -1e-6:
            break
        counts[kind, start] -= 1
        counts[kind, end] += 1
    return counts


def scarce(groups: Ints, classes: Ints) -> Ints:
    """Count the groups that each class occurs in."""
    width = classes.max() + 1
    return np.bincount(np.unique(groups * width + classes) % width, minlength=width)


def straddling(groups: Ints, forced: Ints) -> NDArray[np.bool_]:
    """Mark the rows of groups that are forced into more than one part (-1: not forced)."""
    low = np.full(groups.max() + 1, np.iinfo(np.int64).max)
    high = np.full(groups.max() + 1, -2)
    np.minimum.at(low, groups, forced)
    np.maximum.at(high, groups, forced)
    marked: NDArray[np.bool_] = (low != high)[groups]
    return marked


def leaked(parts: Ints, codes: Ints) -> tuple[int, int]:
    """Count the values that stand in more than one part, and the rows that carry them."""
    known = codes >= 0
    if not known.any():
        return 0, 0
    both = straddling(codes[known], parts[known])
    return len(np.unique(codes[known][both])), int(both.sum())


def cap(classes: Ints, most: Ints, order: Keys) -> NDArray[np.bool_]:
    """Keep at most so many rows of each class, those of the lowest keys.

    `most` holds a limit for each class; a negative one is no limit.
    """
    rank = _rank(classes, order)
    limit = most[classes]
    return (limit < 0) | (rank < limit)


def balance_under(parts: Ints, classes: Ints, order: Keys) -> Ints:
    """Take each class down to its part's smallest: how often each row is used (0 or 1)."""
    cell, size, goal = _cells(parts, classes, np.minimum)
    return (_rank(cell, order) < goal[cell]).astype(np.int64)


def balance_over(parts: Ints, classes: Ints, order: Keys) -> Ints:
    """Repeat rows until each class has as many as its part's largest: how often each is used."""
    cell, size, goal = _cells(parts, classes, np.maximum)
    times, rest = np.divmod(goal, np.maximum(size, 1))
    return times[cell] + (_rank(cell, order) < rest[cell])


def _cells(parts: Ints, classes: Ints, extreme: np.ufunc) -> tuple[Ints, Ints, Ints]:
    """Number the pairs of part and class: cell of each row, size and goal of each cell.

    Rows of a negative part are not to be balanced: each is a class of its own part.
    """
    width = classes.max() + 1
    cell = (parts + 1) * width + classes
    size = np.bincount(cell, minlength=(parts.max() + 2) * width)
    table = size.reshape(-1, width)
    start = np.iinfo(np.int64).max if extreme is np.minimum else 0
    goal = extreme.reduce(np.where(table > 0, table, start), axis=1, keepdims=True)
    goals = np.broadcast_to(goal, table.shape).copy()
    goals[0] = table[0]
    return cell, size, goals.ravel()


def _rank(cell: Ints, order: Keys) -> Ints:
    """Rank the rows within their cell by key."""
    by_cell = np.lexsort((order, cell))
    size = np.bincount(cell)
    start = np.cumsum(size) - size
    rank = np.empty(len(cell), np.int64)
    rank[by_cell] = np.arange(len(cell)) - start[cell[by_cell]]
    return rank


def borrow(parts: Ints, classes: Ints, lent: NDArray[np.bool_], order: Keys) -> Ints:
    """Fill up the smaller classes of each part with lent rows (how often each row is used).

    Within a part, every class of the own rows is filled up to the largest one by lent rows of
    the same class and part, as far as there are any; the other lent rows are left aside.
    """
    width = classes.max() + 1
    cell = parts * width + classes
    own = np.bincount(cell[~lent], minlength=(parts.max() + 1) * width).reshape(-1, width)
    lacking = (own.max(axis=1, keepdims=True) - own).ravel()
    used = np.ones(len(parts), np.int64)
    used[lent] = _rank(cell[lent], order[lent]) < lacking[cell[lent]]
    return used
