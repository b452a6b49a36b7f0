"""Dividing images among parts so that what belongs together stays together.

Everything works on integer codes of rows, groups and classes, and on keys: seeded hashes of
names, which take the place of random numbers so that the order of the rows does not matter.

Measured on a million rows: scikit-learn's StratifiedGroupKFold walks the groups one by one and
is hundreds of times slower; groups that look alike (the same counts of the same classes) need
only be counted, and there are few kinds of them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

# How much the size of a part weighs against the count of one class in it.
SIZE_WEIGHT = 2.0
# A class that is missing from a part costs more than any error of counts; a part that is off by
# more than the largest group costs more still, for each of the rows beyond that.
MISSING = 1e15
FAR = 1e21
# Single moves of the search that corrects rounding (each one lowers the cost), and its whole work:
# kinds of groups times classes in them times parts, for each move.
MOST_MOVES = 2000
WORK = 2e8


def keys(names: Iterable[str], seed: int) -> Keys:
    """Hash names to 64-bit keys that depend on the seed and on nothing else."""
    secret = hashlib.blake2b(str(seed).encode()).digest()
    digests = [
        hashlib.blake2b(n.encode("utf-8", "surrogateescape"), digest_size=8, key=secret).digest()
        for n in names
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8")


def group_keys(groups: Ints, row_keys: Keys) -> Keys:
    """Give each group the lowest key of its rows, which no order of the rows changes."""
    lowest = np.full(groups.max() + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(lowest, groups, row_keys)
    return lowest


def assign(groups: Ints, classes: Ints, order: Keys, targets: Floats) -> Ints:
    """Choose a part for every group.

    Each part differs from its target size by at most the row count of the largest group. Within
    this limit, every class occurs in every part (if it has as many groups as there are parts).
    Within both, class counts and sizes are as close to the targets as the search gets them.

    Parameters
    ----------
    groups, classes
        Group number and class code of each row.
    order
        Key of each group; the keys replace random numbers.
    targets
        The share of the rows that each part is to get; sums to 1.

    Returns
    -------
    The part of each group.
    """
    wanted = np.flatnonzero(targets > 0)
    kind, kinds = _kinds(groups, classes, order)
    counts = _shares(kinds, targets[wanted], order.min())
    # The second search begins where no class is missing, and gives up few for the sizes.
    for far in (0.0, FAR):
        counts = _improve(counts, kinds, targets[wanted], far)
    # Within a kind, the groups in the order of their keys fill part after part.
    by_kind = np.lexsort((order, kind))
    part = np.empty(len(kind), np.int64)
    part[by_kind] = np.repeat(np.tile(wanted, len(counts)), counts.ravel())
    return part


@dataclass(frozen=True)
class _Kinds:
    """Groups that look alike: how many there are of each kind, and what one of them holds.

    What it holds is listed sparsely, as there may be thousands of classes: from `start[k]` on,
    `column` and `count` say how many rows of which class a group of kind k has. The last entry
    of a kind, in a column of its own, is the number of its rows, which counts like a class.
    """

    size: Ints
    start: Ints
    column: Ints
    count: Floats

    @property
    def last(self) -> Ints:
        """Where the last entry of each kind is: the one that counts all its rows."""
        return np.append(self.start[1:], len(self.column)) - 1

    def sums(self, entries: Floats) -> Floats:
        """Add up the entries (parts by entries) of each kind: kinds by parts."""
        sums: Floats = np.add.reduceat(entries, self.start, axis=1).T
        return sums

    def totals(self, each: Floats, groups: Ints) -> Floats:
        """Add up a figure of each entry over so many groups of each kind: one sum a column."""
        times = np.repeat(groups, np.diff(np.append(self.start, len(self.column))))
        return np.bincount(self.column, each * times).astype(np.float64)


def _kinds(groups: Ints, classes: Ints, order: Keys) -> tuple[Ints, _Kinds]:
    """Find the groups that look alike: the kind of each group, and what the kinds are.

    A group's signature is the sum of one random number a row, drawn for the row's class, so
    that equal counts give equal signatures without a table of groups by classes.
    """
    width = int(classes.max()) + 1
    # The legacy generator is the one whose numbers NumPy promises never to change.
    draws = np.frombuffer(np.random.RandomState(0).bytes(8 * width), "<u8")
    signature = np.zeros(len(order), np.uint64)
    np.add.at(signature, groups, draws[classes])
    _, shown, kind, size = np.unique(
        signature, return_index=True, return_inverse=True, return_counts=True
    )
    rows = np.bincount(groups)[shown]
    # Large groups come first: the small ones then fill the gaps.
    ranking = np.lexsort((group_keys(kind, order), -rows))
    rank = np.argsort(ranking)
    place = np.full(len(order), -1)
    place[shown] = rank
    rows, size, place = rows[ranking], size[ranking], place[groups]
    entry, count = np.unique((place * (width + 1) + classes)[place >= 0], return_counts=True)
    entry = np.append(entry, np.arange(len(rows)) * (width + 1) + width)
    by_kind = np.argsort(entry)
    column = entry[by_kind] % (width + 1)
    start = np.append(0, np.flatnonzero(column == width)[:-1] + 1)
    count = np.append(count, rows)[by_kind]
    return rank[kind], _Kinds(size, start, column, count.astype(float))


def _shares(kinds: _Kinds, targets: Floats, chance: np.uint64) -> Ints:
    """Divide each kind by the targets, and give its last groups to the parts that lack most.

    Errors are carried on from kind to kind. They begin at random, within one group, as a
    systematic sample begins at a random place: without that, no seed would ever put the largest
    patient into test.
    """
    counts = np.floor(np.outer(kinds.size, targets) + 1e-9).astype(np.int64)
    largest = np.zeros(kinds.column.max() + 1)
    np.maximum.at(largest, kinds.column, kinds.count)
    random = np.random.RandomState(int(chance) & 0xFFFFFFFF)
    excess = random.random_sample((len(targets), len(largest))) * largest
    owed = counts - np.outer(kinds.size, targets)
    left = (kinds.size - counts.sum(1)).tolist()
    ends = (kinds.last + 1).tolist()
    for k, (start, end) in enumerate(zip(kinds.start.tolist(), ends, strict=True)):
        column, count = kinds.column[start:end], kinds.count[start:end]
        here = excess[:, column] + owed[k][:, np.newaxis] * count
        for _ in range(left[k]):
            part = (here @ count).argmin()
            counts[k, part] += 1
            here[part] += count
        excess[:, column] = here
    return counts


def _improve(counts: Ints, kinds: _Kinds, targets: Floats, far: float) -> Ints:
    """Move single groups between parts while that lowers the cost."""
    column, rows = kinds.column, kinds.count[kinds.last]
    weight = np.append(np.ones(column.max()), SIZE_WEIGHT)
    each, once = kinds.count * weight[column], np.ones(len(column))
    length = kinds.sums((kinds.count * each)[np.newaxis])
    everywhere = kinds.totals(once, kinds.size) >= len(targets)
    excess = np.array([kinds.totals(kinds.count, c) for c in counts.T])
    excess -= np.outer(targets, excess.sum(0))
    there = np.array([kinds.totals(once, c) for c in counts.T])
    kind = np.arange(len(counts))
    for _ in range(int(min(MOST_MOVES, 1 + WORK // (len(column) * len(targets))))):
        pull = 2 * kinds.sums(excess[:, column] * each)
        lost = kinds.sums(((there == 1) & everywhere)[:, column].astype(float))
        won = kinds.sums(((there == 0) & everywhere)[:, column].astype(float))
        leave = length - pull + MISSING * lost + far * _further(excess[:, -1], -rows, rows.max())
        enter = length + pull - MISSING * won + far * _further(excess[:, -1], rows, rows.max())
        leave[counts == 0] = np.inf
        # The best part to enter is the same for every part to leave, but for that part itself.
        best = enter.argmin(1)
        gain = leave + enter[kind, best][:, np.newaxis]
        enter[kind, best] = np.inf
        second = enter.argmin(1)
        gain[kind, best] = leave[kind, best] + enter[kind, second]
        k, start = np.unravel_index(gain.argmin(), gain.shape)
        if not gain[k, start] < -1e-6:
            break
        end = second[k] if start == best[k] else best[k]
        here = slice(kinds.start[k], kinds.last[k] + 1)
        for part, step in ((start, -1), (end, 1)):
            counts[k, part] += step
            excess[part, column[here]] += step * kinds.count[here]
            there[part, column[here]] += step
    return counts


def _further(excess: Floats, rows: Floats, within: float) -> Floats:
    """Return how far a part moves beyond its permitted deviation, by the rows of each kind."""
    now = np.maximum(np.abs(excess) - within - 1e-6, 0)
    then = np.maximum(np.abs(excess + rows[:, np.newaxis]) - within - 1e-6, 0)
    further: Floats = then - now
    return further


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
    """Count the values that are in more than one part, and the rows that carry them."""
    known = codes >= 0
    if not known.any():
        return 0, 0
    both = straddling(codes[known], parts[known])
    return len(np.unique(codes[known][both])), int(both.sum())
