"""Fewer images of a collection, chosen before any is read (rows -> rows)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.data import assignment, class_balance
from cxrtool.data.assignment import Keys
from cxrtool.data.packed_rows import PackedRows, Row
from cxrtool.files.failures import Failures


def capped(
    rows: PackedRows, caps: Sequence[tuple[str, int]], seed: int, skipped: Failures
) -> PackedRows:
    """Keep at most so many rows of a class, patient after patient in an order by chance.

    Whole patients are taken: of each class at most one has only a part of its images chosen. The
    order depends on the seed, the patients and the names of the files, not on where they are.

    Parameters
    ----------
    rows : what was gathered.
    caps : a column, or a label, and how many rows of each of its values, or of that label.
    seed : of the order.
    skipped : takes the rows that are left out.
    """
    order = _order(rows, seed)
    over = np.full(len(rows), -1)
    for number, (key, limit) in enumerate(caps):
        over[~_kept(rows, key, limit, order, over < 0) & (over < 0)] = number
    result = PackedRows()
    for row, cap in zip(rows.taken(), over.tolist(), strict=True):
        if cap < 0:
            result.add(row)
        else:
            key, limit = caps[cap]
            skipped.add(Skip(row["path"], f"over the cap of {limit} for {key}", failed=False))
    return result


def _kept(
    rows: PackedRows, key: str, limit: int, order: Keys, there: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark the rows that one cap keeps, of those that others left."""
    by_column = key in rows.columns()
    known: dict[str, int] = {}
    values = (row.get(key if by_column else "label", "") for row in rows)
    codes = np.array([known.setdefault(value, len(known)) for value in values])
    if not by_column and key not in known:
        labels = ", ".join(sorted(filter(None, known)))
        what = f"the cap '{key}' is neither a column nor a label; labels are: {labels}"
        raise CxrtoolError(what, "Choose one of them.", settings=["cap"])
    # What another cap has left out counts for none.
    codes = np.where(there, codes, len(known))
    if by_column:
        most = class_balance.limits(key, [*known], limit)
    else:
        most = np.array([limit if value == key else -1 for value in known], np.int64)
    return class_balance.cap(codes, np.append(most, -1), order)


def _order(rows: PackedRows, seed: int) -> Keys:
    """Rank the rows by chance, those of one patient after one another."""
    patients = assignment.keys((row.get("patient", "") or _name(row) for row in rows), seed)
    images = assignment.keys(map(_name, rows), seed)
    ranks = np.empty(len(rows), np.uint64)
    ranks[np.lexsort((images, patients))] = np.arange(len(rows), dtype=np.uint64)
    return ranks


def _name(row: Row) -> str:
    """Name a file by its last folder and its own name, wherever the collection lies."""
    return "/".join(row["path"].replace("\\", "/").split("/")[-2:])
