"""A manifest as numbers: what a design needs of every row, and nothing else.

A million rows of text would not fit in the memory that a million rows may take; their codes do.
"""

import array
import hashlib
import itertools
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.codes import FREE, Codes
from cxrtool.core.errors import CxrtoolError
from cxrtool.data import assignment, connected_groups
from cxrtool.data.assignment import Ints, Keys
from cxrtool.data.label_columns import CELLS, LabelColumns
from cxrtool.data.split_design import Design
from cxrtool.files.manifest import Manifest

ALONE = "\0"  # No cell holds a NUL byte, so no patient is named like a row without one.


class SplitRows:
    """A manifest as numbers: of each row the patient, the picture, the classes, the part."""

    def __init__(self, manifest: Manifest, design: Design) -> None:
        self.name = manifest.name
        self.columns = manifest.columns
        self.strata = self._strata(design)
        wanted = [*self.strata, *([design.leave_out] if design.leave_out else [])]
        wanted += [c if c in self.columns else "label" for c, _ in design.caps]
        wanted += ["label"] if "label" in self.columns or design.balance else []
        self.codes = {c: Codes() for c in dict.fromkeys(wanted)}
        self.who, self.twin, self.patient, self.picture = Codes(), Codes(), Codes(), Codes()
        # Digests and paths are many and only compared: hashes of 64 bits are enough.
        self._sha, self._paths, self._whole = (array.array("q") for _ in range(3))
        self.label_columns = LabelColumns()
        self.external, self.lent = array.array("b"), array.array("b")
        self._read(manifest, design)

    def _strata(self, design: Design) -> list[str]:
        if design.stratify is None:
            return ["label"] if "label" in self.columns else []
        return design.stratify

    def _read(self, manifest: Manifest, design: Design) -> None:
        path, at = manifest.index("path"), {c: i for i, c in enumerate(self.columns)}
        how = "Group by another column, or by none to divide image by image."
        group = None if design.alone else manifest.index(design.group, how, settings=["group"])
        coded = [(self.codes[c], manifest.index(c)) for c in self.codes]
        coded += [(self.twin, at["dup_group"])] if "dup_group" in at else []
        if "patient" in at and at["patient"] != group:
            coded.append((self.patient, at["patient"]))
        hashed = [(self._paths, path)]
        hashed += [(self._sha, at["sha256"])] if "sha256" in at else []
        tests = [(manifest.index(w.column), w) for w in design.test_where]
        lender = manifest.index("source") if design.lender else None
        # A digest names a picture wherever it lies.
        sha = at.get("sha256", path)
        cells = [c for c in CELLS if c in at]
        taken = itemgetter(*map(at.__getitem__, cells))
        for chunk in manifest.chunks():
            if "label" in at:
                self.label_columns.add(dict(zip(cells, taken(row), strict=True)) for row in chunk)
            for codes, i in coded:
                codes.add(map(itemgetter(i), chunk))
            for hashes, i in hashed:
                hashes.extend(map(hash, map(itemgetter(i), chunk)))
            if group is not None:
                self.who.add([row[group] or ALONE + (row[sha] or row[path]) for row in chunk])
            if design.by_row:
                # Copies of one picture get keys of their own, from their names.
                self.picture.add([_own_name(row[path], row[sha]) for row in chunk])
                self._whole.extend(map(_digest, chunk))
            if tests:
                self.external.extend(all(w.holds(row[i]) for i, w in tests) for row in chunk)
            if lender is not None:
                self.lent.extend(row[lender] == design.lender for row in chunk)

    def __len__(self) -> int:
        return len(self._paths)

    def error(self, what: str, remedy: str, *settings: str) -> CxrtoolError:
        """Name the manifest in a mistake."""
        return CxrtoolError(f"{self.name}: {what}", remedy, settings=settings)

    def groups(self, leaky: bool) -> Ints:
        """Number the groups that stay together: by patient, picture, digest and duplicate group.

        A leaky split keeps only the rows of one file together: they are one image.
        """
        columns = [np.frombuffer(self._paths, np.int64)]
        if self._sha and not leaky:
            columns.append(np.frombuffer(self._sha, np.int64))
        # The hash of the empty text, which is an unknown path or digest, is 0.
        bound = [np.where(c, np.unique(c, return_inverse=True)[1], FREE) for c in columns]
        if not leaky:
            bound += [c for c in (self.who.known_only(ALONE), self.twins()) if len(c)]
        return connected_groups.bind(bound)

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
        codes = self.who if self.who else self.picture
        code = codes.codes()[np.argmax(rows)]
        return next(itertools.islice(codes.known, int(code), None)).removeprefix(ALONE)

    def row_keys(self, seed: int) -> Keys:
        """Return a key for each row, by its picture and, within a picture, by its other cells."""
        keys = assignment.keys(self.picture.known, seed)[self.picture.codes()]
        order = np.lexsort((np.frombuffer(self._whole, np.int64), keys))
        ranks = np.empty(len(keys), np.uint64)
        ranks[order] = np.arange(len(keys), dtype=np.uint64)
        return ranks

    def group_keys(self, seed: int) -> Keys:
        """Return a key for each row, by its group."""
        codes = self.who if self.who else self.picture
        return assignment.keys(codes.known, seed)[codes.codes()]

    def classes(self, lent: bool) -> Ints:
        """Number the class of each row over all columns to spread; lent rows are their own."""
        code = np.array(self.lent, np.int64) if lent else np.zeros(len(self), np.int64)
        for column in self.strata:
            names, codes = self.codes[column].ordered()
            code = np.unique(code * len(names) + codes, return_inverse=True)[1]
        return code


def _own_name(path: str, digest: str) -> str:
    return path if digest in ("", path) else digest + path.rpartition("/")[2]


def _digest(row: list[str]) -> int:
    cells = "\0".join(row).encode()
    return int.from_bytes(hashlib.blake2b(cells, digest_size=8).digest(), signed=True)
