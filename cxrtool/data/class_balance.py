"""Change the class counts of parts: caps, and rows that are dropped, repeated or borrowed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool.data.assignment import Ints, Keys

# Rows without one of these are not of one patient, nor one picture.
IDENTITIES = ("patient", "sha256", "dup_group")


def limits(column: str, values: Sequence[str], limit: int) -> Ints:
    """Return the limit of each value of a column; there is none for an unknown identity."""
    free = {""} if column in IDENTITIES else set[str]()
    return np.array([-1 if value in free else limit for value in values], np.int64)


def cap(classes: Ints, most: Ints, order: Keys) -> NDArray[np.bool_]:
    """Keep at most so many rows of each class, those of the lowest keys.

    `most` holds a limit for each class; a negative one is no limit.
    """
    rank = _rank(classes, order)
    limit = most[classes]
    return (limit < 0) | (rank < limit)


def undersample(parts: Ints, classes: Ints, order: Keys) -> Ints:
    """Take each class down to its part's smallest: how often each row is used (0 or 1)."""
    cell, _, goal = _cells(parts, classes, np.minimum)
    return (_rank(cell, order) < goal[cell]).astype(np.int64)


def oversample(parts: Ints, classes: Ints, order: Keys) -> Ints:
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
