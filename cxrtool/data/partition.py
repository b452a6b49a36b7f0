"""Dividing a manifest by a design: every row gets its part, and how often it is used."""

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.codes import FREE
from cxrtool.core.progress import note
from cxrtool.data import assignment, class_balance
from cxrtool.data.assignment import Ints
from cxrtool.data.split_design import Design, SplitPart
from cxrtool.data.split_rows import SplitRows
from cxrtool.figures import numbers


class RowParts:
    """What becomes of each row: its part, and how often it is used."""

    def __init__(self, rows: int) -> None:
        self.parts: list[SplitPart] = []
        self.part = np.full(rows, FREE)
        self.times = np.ones(rows, np.int64)
        self.reasons = [""]
        self.reason = np.zeros(rows, np.int64)

    def drop(self, rows: NDArray[np.bool_], reason: str) -> None:
        """Leave rows out, and remember why."""
        gone = rows & (self.times > 0)
        if gone.any():
            self.times[gone] = 0
            self.reason[gone] = len(self.reasons)
            self.reasons.append(reason)

    @property
    def used(self) -> NDArray[np.bool_]:
        """The rows that are not left out."""
        used: NDArray[np.bool_] = self.times > 0
        return used


def divide(rows: SplitRows, design: Design) -> RowParts:
    """Give every row its part: cap, bind, place what the design names, spread the rest, balance."""
    plan = RowParts(len(rows))
    forced, plan.parts = _forced(rows, design)
    _cap(rows, design, plan, forced)
    groups = rows.groups(design.leaky)
    _straddlers(rows, design, plan, groups, forced)
    plan.part[plan.used] = forced[plan.used]
    _spread(rows, design, plan, groups)
    _refuse_empty(rows, plan)
    _balance(rows, design, plan)
    _refuse_empty(rows, plan)
    return plan


def _forced(rows: SplitRows, design: Design) -> tuple[Ints, list[SplitPart]]:
    """Find the rows that the design puts into a part by name."""
    if design.leave_out:
        names, codes = rows.codes[design.leave_out].ordered()
        if "" in names:
            what = f"some rows have no {design.leave_out}"
            raise rows.error(what, "Fill it in, or leave these rows out.", "where")
        if len(names) < 2:
            only = f"{design.leave_out} is '{names[0]}' in every row, so nothing can be left out"
            raise rows.error(only, "Join the manifest of another source: cxrtool ingest A B.")
        return codes, [SplitPart("train", str(k + 1), 0, name) for k, name in enumerate(names)]
    parts = design.parts()
    forced = np.full(len(rows), FREE)
    if design.test_where:
        external = np.array(rows.external, bool)
        if external.all() or not external.any():
            which = "every" if external.all() else "no"
            wanted = " and ".join(str(w) for w in design.test_where)
            raise rows.error(f"{which} row is in the test by {wanted}", "Check the values.")
        forced[external] = len(parts)
        parts = [*parts, SplitPart("test", "", 0)]
    return forced, parts


def _cap(rows: SplitRows, design: Design, plan: RowParts, forced: Ints) -> None:
    external = (forced != FREE) & bool(design.test_where)
    for key, limit in design.caps:
        by_column = key in rows.columns
        names, codes = rows.codes[key if by_column else "label"].ordered()
        if not by_column and key not in names:
            there = ", ".join(names)
            what = f"the cap '{key}' is neither a column nor a label; labels are: {there}"
            raise rows.error(what, "Choose one of them.", "cap")
        if by_column:
            most = class_balance.limits(key, names, limit)
        else:
            most = np.array([limit if name == key else -1 for name in names], np.int64)
        most = np.append(most, -1)
        codes = np.where(external | ~plan.used, len(names), codes)
        kept = class_balance.cap(codes, most, rows.row_keys(design.seed))
        plan.drop(~kept, f"over the cap of {limit} for {key}")


def _straddlers(
    rows: SplitRows, design: Design, plan: RowParts, groups: Ints, forced: Ints
) -> None:
    """Refuse, or drop, groups that the design would divide among parts."""
    torn = np.zeros(len(rows), bool)
    torn[plan.used] = assignment.straddling(groups[plan.used], forced[plan.used])
    if not torn.any():
        return
    count = len(np.unique(groups[torn]))
    who = "patient or duplicate group has" if count == 1 else "patients or duplicate groups have"
    what = f"{count} {who} images on both sides (such as {rows.example(torn)})"
    if not design.drop_straddlers:
        raise rows.error(what, "Drop these rows.", "straddle=drop")
    # An external test stays as it is published; training gives way.
    plan.drop(torn & (forced == FREE) if design.test_where else torn, "would leak into the test")


def _spread(rows: SplitRows, design: Design, plan: RowParts, groups: Ints) -> None:
    """Divide the rows that are in no part yet."""
    free = plan.used & (plan.part == FREE)
    targets = np.array([p.target for p in plan.parts])
    if not free.any() or not targets.any():
        return
    numbers = np.unique(groups[free], return_inverse=True)[1]
    strata = _classes(rows, design, free, numbers, int((targets > 0).sum()))
    order = assignment.group_keys(numbers, rows.group_keys(design.seed)[free])
    part = assignment.assign(numbers, strata, order, targets)
    plan.part[free] = part[numbers]


def _refuse_empty(rows: SplitRows, plan: RowParts) -> None:
    filled = np.bincount(plan.part[plan.used], minlength=len(plan.parts))
    for part, size in zip(plan.parts, filled.tolist(), strict=True):
        if not size:
            left = f"{part} would be empty, with {int(plan.used.sum())} of {len(rows)} rows to use"
            raise rows.error(left, "Ask for a larger share, fewer parts, or fewer rows left out.")


def _classes(
    rows: SplitRows, design: Design, free: NDArray[np.bool_], groups: Ints, parts: int
) -> Ints:
    """Code what is to be spread evenly, after checking that it can be."""
    total = int(groups.max()) + 1
    if total < parts:
        raise rows.error(
            f"{numbers.counted(total, 'patient')} cannot fill {parts} parts", "Ask for fewer parts."
        )
    # The first column must be spread; of the others, only the label is worth refusing for.
    for column in dict.fromkeys(rows.strata[:1] + ["label"] * ("label" in rows.strata)):
        names, codes = rows.codes[column].ordered()
        there = np.unique(codes[free])
        if len(there) == 1:
            _one_class(rows, design, f"{column} is '{names[there[0]]}' in every row")
        for c, count in enumerate(assignment.scarce(groups, codes[free]).tolist()):
            if 0 < count < parts and names[c]:
                what = f"{column} '{names[c]}' has {count} patient{'s'[: count > 1]}"
                raise rows.error(
                    f"{what}, too few for {parts} parts",
                    f"Leave it out ({column}!={names[c]}), merge classes in ingest, or do not "
                    "stratify.",
                    "where",
                    "stratify",
                )
    return rows.classes(design.lender is not None)[free]


def _one_class(rows: SplitRows, design: Design, what: str) -> None:
    if design.stratify is not None:
        remedy = "Join another source, or do not stratify."
        raise rows.error(f"{what}: one class only", remedy, "stratify")
    note(f"warning: {what}: no classifier can be trained on this split alone")


def _balance(rows: SplitRows, design: Design, plan: RowParts) -> None:
    if design.balance is None:
        return
    names, labels = rows.codes["label"].ordered()
    # A row without a label is of no class, so that it neither counts nor is left out.
    chosen = plan.used & np.array([n != "" for n in names])[labels]
    part, label, keys = plan.part[chosen], labels[chosen], rows.row_keys(design.seed)[chosen]
    if design.lender:
        lent = np.array(rows.lent, bool)[chosen]
        if lent.all() or not lent.any():
            which = "every" if lent.all() else "no"
            what = f"{which} row is of source '{design.lender}'"
            raise rows.error(what, "Check the source to borrow from.", "balance")
        times = class_balance.borrow(part, label, lent, keys)
        reason = f"not borrowed from {design.lender}"
    else:
        trains = np.array([p.split == "train" for p in plan.parts])
        part = np.where(trains[part], part, FREE)
        balance = (
            class_balance.undersample if design.balance == "under" else class_balance.oversample
        )
        times = balance(part, label, keys)
        reason = "over the size of the smallest class"
    unused = np.zeros(len(rows), bool)
    unused[chosen] = times == 0
    plan.times[chosen] = np.maximum(times, 1)
    plan.drop(unused, reason)


# A line about a part lists so many classes, the largest.
MOST_CLASSES = 8


def note_parts(rows: SplitRows, design: Design, plan: RowParts) -> None:
    """Say what came out: a line a part, what is missing from one, and what leaks."""
    used, patients = plan.used, rows.patients()
    for k, part in enumerate(plan.parts):
        here = used & (plan.part == k)
        line = f"{part}: {int(plan.times[here].sum())} rows"
        if "patient" in rows.columns:
            number = len(np.unique(patients[here & (patients >= 0)]))
            line += f" of {number} patients" if number else " of unknown patients"
        if "label" in rows.columns:
            line += f": {_classes_of(rows, plan, here)}"
        note(line)
    if rows.strata:
        _note_missing(rows, plan)
    if "patient" in rows.columns and not design.leaky and (patients < 0).any():
        lonely = int((patients < 0).sum())
        note(f"warning: {lonely} rows have no patient: each counts as a patient of its own")
    for what, codes in (("patients", patients), ("duplicate groups", rows.twins())):
        values, images = assignment.leaked(plan.part[used], codes[used])
        if values:
            note(f"warning: {values} {what} are in more than one part ({images} images leak)")


def _classes_of(rows: SplitRows, plan: RowParts, here: NDArray[np.bool_]) -> str:
    names, labels = rows.codes["label"].ordered()
    count = np.bincount(labels[here], plan.times[here], len(names)).astype(int)
    most = np.sort(np.argsort(-count, kind="stable")[:MOST_CLASSES])
    listed = [f"{names[c] or '(no label)'} {count[c]}" for c in most.tolist() if count[c]]
    more = int((count > 0).sum()) - len(listed)
    return ", ".join(listed) + (f", and {more} classes more" if more else "")


def _note_missing(rows: SplitRows, plan: RowParts) -> None:
    """Warn of the classes that the parts' sizes left no room for."""
    column = rows.strata[0]
    names, codes = rows.codes[column].ordered()
    there = np.unique(codes[plan.used])
    for k, part in enumerate(plan.parts):
        here = np.unique(codes[plan.used & (plan.part == k)])
        missing = [names[c] for c in np.setdiff1d(there, here).tolist() if names[c]]
        if part.target and missing:
            listed = ", ".join(missing[:MOST_CLASSES]) + ", ..." * (len(missing) > MOST_CLASSES)
            note(f"warning: {part} is too small for every {column}; it has none of: {listed}")
