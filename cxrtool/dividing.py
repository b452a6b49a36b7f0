"""Dividing a manifest by a design: rows to numbers, numbers to parts, parts back to rows."""

import array
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from cxrtool import splitting
from cxrtool.artifacts.manifest import Manifest
from cxrtool.designs import Design, Part
from cxrtool.errors import CxrtoolError
from cxrtool.progress import note
from cxrtool.splitting import Ints, Keys

FREE = -1


class Codes:
    """Gives equal texts equal numbers: at first that of the row where the text came first."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self._rows = array.array("q")

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, texts: Iterable[str]) -> None:
        """Take the texts of the next rows; nothing here runs row by row in Python."""
        self._rows.extend(map(self.known.setdefault, texts, itertools.count(len(self._rows))))

    def _numbered(self, names: Iterable[str]) -> Ints:
        place = np.empty(len(self._rows), np.int64)
        place[[self.known[n] for n in names]] = np.arange(len(self.known))
        return place[np.frombuffer(self._rows, np.int64)]

    def ordered(self) -> tuple[list[str], Ints]:
        """Return the texts in alphabetical order and each row's number in that order."""
        names = sorted(self.known)
        return names, self._numbered(names)

    def codes(self) -> Ints:
        """Return each row's number, in the order of the first coming."""
        return self._numbered(self.known)

    def known_only(self, unknown: str = "") -> Ints:
        """Return each row's number, -1 for a text that begins as an unknown one does."""
        lonely = np.array([not n or n[0] == unknown for n in self.known])
        codes = self.codes()
        return np.where(lonely[codes], FREE, codes)


ALONE = "\0"  # No cell holds a NUL byte, so no patient is named like a row without one.


class Rows:
    """A manifest as numbers: of each row the patient, the picture, the classes, the part."""

    def __init__(self, manifest: Manifest, design: Design) -> None:
        self.name = manifest.name
        self.columns = manifest.columns
        self.strata = self._strata(design)
        wanted = [*self.strata, *([design.leave_out] if design.leave_out else [])]
        wanted += [c if c in self.columns else "label" for c, _ in design.caps]
        wanted += ["label"] if "label" in self.columns or design.balance else []
        self.codes = {c: Codes() for c in dict.fromkeys(wanted)}
        self.who, self.twin, self.patient, self.path = Codes(), Codes(), Codes(), Codes()
        # Digests and paths are many and only compared: hashes of 64 bits are enough.
        self._sha, self._paths, self._whole = (array.array("q") for _ in range(3))
        self.external, self.lent = array.array("b"), array.array("b")
        self._read(manifest, design)

    def _strata(self, design: Design) -> list[str]:
        if design.stratify is None:
            return ["label"] if "label" in self.columns else []
        return [] if design.stratify == "none" else design.stratify.split(",")

    def _read(self, manifest: Manifest, design: Design) -> None:
        path, at = manifest.index("path"), {c: i for i, c in enumerate(self.columns)}
        how = "Give --group none to divide image by image."
        group = None if design.alone else manifest.index(design.group, how)
        coded = [(self.codes[c], manifest.index(c)) for c in self.codes]
        coded += [(self.twin, at["dup_group"])] if "dup_group" in at else []
        if "patient" in at and at["patient"] != group:
            coded.append((self.patient, at["patient"]))
        hashed = [(self._paths, path)] + [(self._sha, at["sha256"])] * ("sha256" in at)
        tests = [(manifest.index(w.column), w) for w in design.test_where]
        lender = manifest.index("source") if design.lender else None
        for chunk in manifest.chunks():
            for codes, i in coded:
                codes.add(map(itemgetter(i), chunk))
            for hashes, i in hashed:
                hashes.extend(map(hash, map(itemgetter(i), chunk)))
            if group is not None:
                self.who.add([row[group] or ALONE + row[path] for row in chunk])
            if design.by_row:
                self.path.add(map(itemgetter(path), chunk))
                self._whole.extend(map(_digest, chunk))
            if tests:
                self.external.extend(all(w.holds(row[i]) for i, w in tests) for row in chunk)
            if lender is not None:
                self.lent.extend(row[lender] == design.lender for row in chunk)

    def __len__(self) -> int:
        return len(self._paths)

    def error(self, what: str, remedy: str) -> CxrtoolError:
        """Name the manifest in a mistake."""
        return CxrtoolError(f"{self.name}: {what}", remedy)

    def groups(self, leaky: bool) -> Ints:
        """Number the groups that stay together: by patient, picture, digest and duplicate group.

        A leaky split keeps only the rows of one file together: they are one image.
        """
        columns = [np.frombuffer(self._paths, np.int64)]
        if self._sha and not leaky:
            columns.append(np.frombuffer(self._sha, np.int64))
        # The hash of the empty text, an unknown digest, is 0.
        bound = [np.unique(c, return_inverse=True)[1] * (c != 0) - (c == 0) for c in columns]
        if not leaky:
            bound += [c for c in (self.who.known_only(ALONE), self.twins()) if len(c)]
        return splitting.bind(bound)

    def twins(self) -> Ints:
        """Code the duplicate group of each row; -1 for none."""
        return self.twin.known_only() if self.twin else np.full(len(self), FREE)

    def patients(self) -> Ints:
        """Code the patient of each row; -1 where it is unknown."""
        if self.patient:
            return self.patient.known_only()
        return self.who.known_only(ALONE) if self.who else np.full(len(self), FREE)

    def example(self, rows: NDArray[np.bool_]) -> str:
        """Name the patient of the first of some rows."""
        codes = self.who if self.who else self.path
        code = codes.codes()[np.argmax(rows)]
        return next(itertools.islice(codes.known, int(code), None)).removeprefix(ALONE)

    def row_keys(self, seed: int) -> Keys:
        """A key a row, by its path; rows of one path are told apart by their other cells."""
        keys = splitting.keys(self.path.known, seed)[self.path.codes()]
        order = np.lexsort((np.frombuffer(self._whole, np.int64), keys))
        ranks = np.empty(len(keys), np.uint64)
        ranks[order] = np.arange(len(keys), dtype=np.uint64)
        return ranks

    def group_keys(self, seed: int) -> Keys:
        """A key a row, by what it is grouped by."""
        codes = self.who if self.who else self.path
        return splitting.keys(codes.known, seed)[codes.codes()]

    def classes(self, lent: bool) -> Ints:
        """Number the class of each row over all columns to spread; lent rows are their own."""
        code = np.array(self.lent, np.int64) if lent else np.zeros(len(self), np.int64)
        for column in self.strata:
            names, codes = self.codes[column].ordered()
            code = np.unique(code * len(names) + codes, return_inverse=True)[1]
        return code


class Plan:
    """What becomes of each row: its part, and how often it is used."""

    def __init__(self, rows: int) -> None:
        self.parts: list[Part] = []
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


def divide(rows: Rows, design: Design) -> Plan:
    """Give every row its part: cap, bind, place what the design names, spread the rest, balance."""
    plan = Plan(len(rows))
    forced, plan.parts = _forced(rows, design)
    _cap(rows, design, plan, forced)
    groups = rows.groups(design.leaky)
    _straddlers(rows, design, plan, groups, forced)
    plan.part[plan.used] = forced[plan.used]
    _spread(rows, design, plan, groups)
    _balance(rows, design, plan)
    return plan


def _forced(rows: Rows, design: Design) -> tuple[Ints, list[Part]]:
    """Find the rows that the design puts into a part by name."""
    if design.leave_out:
        names, codes = rows.codes[design.leave_out].ordered()
        if "" in names:
            raise rows.error(f"some rows have no {design.leave_out}", "Fill it in, or use --where.")
        if len(names) < 2:
            only = f"{design.leave_out} is '{names[0]}' in every row, so nothing can be left out"
            raise rows.error(only, "Join the manifest of another source: cxrtool ingest A B.")
        return codes, [Part("train", str(k + 1), 0, name) for k, name in enumerate(names)]
    parts = design.parts()
    forced = np.full(len(rows), FREE)
    if design.test_where:
        external = np.array(rows.external, bool)
        if external.all() or not external.any():
            which = "every" if external.all() else "no"
            wanted = " and ".join(str(w) for w in design.test_where)
            raise rows.error(f"{which} row is in the test by {wanted}", "Check the values.")
        forced[external] = len(parts)
        parts = [*parts, Part("test", "", 0)]
    return forced, parts


def _cap(rows: Rows, design: Design, plan: Plan, forced: Ints) -> None:
    external = (forced != FREE) & bool(design.test_where)
    for key, limit in design.caps:
        by_column = key in rows.columns
        names, codes = rows.codes[key if by_column else "label"].ordered()
        if not by_column and key not in names:
            there = ", ".join(names)
            raise rows.error(f"--cap {key}: neither a column nor a label among: {there}", "Check it.")
        most = np.full(len(names), limit if by_column else -1)
        if not by_column:
            most[names.index(key)] = limit
        most = np.append(most, -1)
        codes = np.where(external | ~plan.used, len(names), codes)
        kept = splitting.cap(codes, most, rows.row_keys(design.seed))
        plan.drop(~kept, f"over the cap of {limit} for {key}")


def _straddlers(rows: Rows, design: Design, plan: Plan, groups: Ints, forced: Ints) -> None:
    """Deal with groups that the design would tear apart."""
    torn = np.zeros(len(rows), bool)
    torn[plan.used] = splitting.straddling(groups[plan.used], forced[plan.used])
    if not torn.any():
        return
    count = len(np.unique(groups[torn]))
    what = f"{count} patients or duplicate groups have images on both sides ({rows.example(torn)})"
    if not design.drop_straddlers:
        raise rows.error(what, "Leave those rows out with --straddle drop.")
    # An external test stays as it is published; training gives way.
    plan.drop(torn & (forced == FREE) if design.test_where else torn, "would leak into the test")


def _spread(rows: Rows, design: Design, plan: Plan, groups: Ints) -> None:
    """Divide the rows that are in no part yet."""
    free = plan.used & (plan.part == FREE)
    wish = np.array([p.wish for p in plan.parts])
    if not free.any() or not wish.any():
        return
    numbers = np.unique(groups[free], return_inverse=True)[1]
    strata = _classes(rows, design, free, numbers, int((wish > 0).sum()))
    order = splitting.group_keys(numbers, rows.group_keys(design.seed)[free])
    part = splitting.assign(numbers, strata, order, wish)
    plan.part[free] = part[numbers]
    filled = np.bincount(plan.part[plan.used], minlength=len(wish))
    for p, size in zip(plan.parts, filled, strict=True):
        if not size:
            what = f"{p} would be empty: {p.wish:.3g} of {free.sum()} rows in {len(order)} groups"
            raise rows.error(what, "Ask for a larger share, or fewer parts.")


def _classes(
    rows: Rows, design: Design, free: NDArray[np.bool_], groups: Ints, parts: int
) -> Ints:
    """Code what is to be spread evenly, after checking that it can be."""
    total = int(groups.max()) + 1
    if total < parts:
        raise rows.error(f"{total} patients cannot fill {parts} parts", "Ask for fewer parts.")
    if rows.strata:
        column = rows.strata[0]
        names, codes = rows.codes[column].ordered()
        there = np.unique(codes[free])
        if len(there) == 1:
            _one_class(rows, design, f"{column} is '{names[there[0]]}' in every row")
        for c, count in enumerate(splitting.scarce(groups, codes[free])):
            if 0 < count < parts and names[c]:
                what = f"{column} '{names[c]}' has {count} patient{'s'[: count > 1]}"
                raise rows.error(
                    f"{what}, too few for {parts} parts",
                    f"Leave it out (--where '{column}!={names[c]}'), merge classes "
                    "(ingest --map-label), or give --stratify none.",
                )
    return rows.classes(design.lender is not None)[free]


def _one_class(rows: Rows, design: Design, what: str) -> None:
    if design.stratify is not None:
        raise rows.error(f"{what}: one class only", "Join another source, or drop --stratify.")
    note(f"warning: {what}: no classifier can be trained on this split alone")


def _balance(rows: Rows, design: Design, plan: Plan) -> None:
    if design.balance is None:
        return
    used, keys = plan.used, rows.row_keys(design.seed)
    names, labels = rows.codes["label"].ordered()
    part, label = plan.part[used], labels[used]
    if design.lender:
        lent = np.array(rows.lent, bool)[used]
        if lent.all() or not lent.any():
            which = "every" if lent.all() else "no"
            raise rows.error(f"{which} row is of source '{design.lender}'", "Check --balance.")
        times = splitting.borrow(part, label, lent, keys[used])
        reason = f"not borrowed from {design.lender}"
    else:
        trains = np.array([p.split == "train" for p in plan.parts])
        part = np.where(trains[part], part, FREE)
        balance = splitting.balance_under if design.balance == "under" else splitting.balance_over
        times = balance(part, label, keys[used])
        reason = "over the smallest class (--balance under)"
    unused = np.zeros(len(rows), bool)
    unused[used] = times == 0
    plan.times[used] = np.maximum(times, 1)
    plan.drop(unused, reason)


def tell(rows: Rows, design: Design, plan: Plan) -> None:
    """Say what came out: a line a part, and what leaks."""
    used = plan.used
    patients = rows.patients()
    names, labels = rows.codes["label"].ordered() if "label" in rows.codes else ([], None)
    for k, part in enumerate(plan.parts):
        here = used & (plan.part == k)
        total = int(plan.times[here].sum())
        people = len(np.unique(patients[here & (patients >= 0)]))
        line = f"{part}: {total} rows of {people} patients"
        if labels is not None:
            count = Counter[str]()
            for c, n in enumerate(np.bincount(labels[here], plan.times[here], len(names))):
                count[names[c] or "(no label)"] = int(n)
            line += ": " + ", ".join(f"{c} {n}" for c, n in count.items() if n)
        note(line)
    if (patients < 0).any():
        lonely = int((patients < 0).sum())
        note(f"warning: {lonely} rows have no patient: each counts as a patient of its own")
    for what, codes in (("patients", patients), ("duplicate groups", rows.twins())):
        values, images = splitting.leaked(plan.part[used], codes[used])
        if values:
            note(f"warning: {values} {what} stand in more than one part ({images} images leak)")
