"""Patients and pictures in more than one part of a split: figures on them flatter.

Of every cell eight bytes are kept, so that a million rows take a few dozen megabytes.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note
from cxrtool.files.run_folder import IMAGES, Run
from cxrtool.files.text_columns import digest

Digests = NDArray[np.int64]
Row = Mapping[str, str]

# Columns whose values belong into one part only, and the names of one and of several values.
PATIENT = {"patient": ("patient", "patients")}
PICTURE = {
    "sha256": ("file (sha256)", "files (sha256)"),
    "dup_group": ("duplicate group", "duplicate groups"),
}
BOUND = PATIENT | PICTURE


class Cells:
    """Digests of the cells of some columns, row by row; that of an empty cell is 0."""

    def __init__(self, columns: Iterable[str]) -> None:
        self._values = {column: array("q") for column in columns}

    def add(self, row: Row) -> None:
        """Take the cells of a row."""
        for column, values in self._values.items():
            values.frombytes(digest(row.get(column, "")))

    def __getitem__(self, column: str) -> Digests:
        # A copy: an array that is looked at cannot grow.
        return np.array(self._values[column], np.int64)


class Overlap:
    """What is in more than one part of a manifest."""

    def __init__(self, columns: Iterable[str]) -> None:
        there = set(columns)
        self.columns = [column for column in BOUND if column in there]
        self._cells, self._codes = Cells(self.columns), array("q")
        self._parts: dict[str, int] = {}

    def add(self, row: Row, part: str) -> None:
        """Take a row of a part."""
        self._cells.add(row)
        self._codes.append(self._parts.setdefault(part, len(self._parts)))

    def counts(self) -> dict[str, int]:
        """Count the values of each column that are in more than one part."""
        codes = np.frombuffer(self._codes, np.int64)
        return {column: _shared(self._cells[column], codes) for column in self.columns}


def _shared(values: Digests, codes: Digests) -> int:
    known = values != 0
    pairs = np.unique(np.column_stack([values[known], codes[known]]), axis=0)
    return int((np.unique(pairs[:, 0], return_counts=True)[1] > 1).sum())


def listed(counts: Mapping[str, int]) -> str:
    """Write down what was counted: `2 patients and 1 duplicate group`; empty if there is none."""
    texts = [f"{number} {BOUND[column][number > 1]}" for column, number in counts.items() if number]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def warn_of_leaks(manifest: str, counts: Mapping[str, int], strict: bool) -> None:
    """Warn of what is in more than one part of a manifest; with `strict`, refuse it."""
    if shared := listed(counts):
        what, remedy = f"{manifest}: {shared} in more than one part", "cxrtool split lists them"
        if strict:
            raise CxrtoolError(what, f"{remedy}.")
        note(f"warning: {what}: the results are too optimistic. {remedy}.")


def warn_of_weights(weights: str, number: int, strict: bool) -> None:
    """Warn of validation images that the weights to begin with have seen; refuse if `strict`."""
    if number:
        plural = "s are" if number > 1 else " is"
        what = f"{number} validation image{plural} known to {weights} from its training"
        if strict:
            raise CxrtoolError(what, "Use the same split for both trainings.")
        note(f"warning: {what}: validation figures are too optimistic")


class Seen:
    """Which rows a run was trained or validated on: by its record, else by what the rows say."""

    def __init__(self, run: Run) -> None:
        self.name, self.images = run.folder, run.images()
        if run.about.images and self.images is None:
            what = f"{run.folder}: its {IMAGES} is missing, so the column `split` alone"
            note(f"warning: {what} says which images it was trained on. Copy the file, too.")
        self.keeps_no_record = not run.about.images
        self.fold = str(run.about.options.get("fold") or "").lstrip("0")
        # The parts of a manifest say nothing of a training that was elsewhere.
        self.of_weights = run.about.options.get("epochs") == 0

    def recorded(self, row: Row) -> str | None:
        """Return the part that the record has the image of a row in; None if that is unknown."""
        if self.images is None or not row.get("sha256"):
            return None
        number = int.from_bytes(digest(row["sha256"]), "little", signed=True)
        for part, known in self.images.items():
            at = bisect_left(known, number)
            if at < len(known) and known[at] == number:
                return part
        return ""

    def declared(self, row: Row) -> str:
        """Return the part that a row says to be in: train or val, or none of them."""
        if self.of_weights:
            return ""
        if self.fold:
            return "" if row.get("fold", "") in ("", self.fold) else "train"
        part = row.get("split", "")
        return part if part in ("train", "val") else ""

    def knows(self, row: Row) -> bool:
        """Tell whether the record, or the row itself, says if the run has seen its image."""
        if self.of_weights:
            return False
        column = "fold" if self.fold else "split"
        return bool(row.get(column)) or self.recorded(row) is not None

    @property
    def ignorance(self) -> str:
        """Why the record does not say whether the run has seen an image."""
        if self.of_weights:
            return "it was made of weights alone, which do not say it"
        absent = "it keeps no record of them" if self.images is None else "they have no sha256"
        return f"{absent}, and no column `{'fold' if self.fold else 'split'}` says it"

    def part(self, row: Row) -> str:
        """Return the part in which the run has seen the image of a row."""
        recorded = self.recorded(row)
        return self.declared(row) if recorded is None else recorded


@dataclass(frozen=True)
class Exposure:
    """How many of the images that are judged a run has seen, or has seen others like them."""

    number: int
    own: int = 0  # rows that say themselves that they were trained on
    rows: int = 0  # other rows whose patient or picture the run was trained or validated on
    patients: int = 0  # of these, by their patient
    pictures: int = 0  # and by their picture
    unknown: int = 0  # rows of which a run cannot tell whether it has seen them
    ignorant: Seen | None = None  # the first of these runs

    @property
    def unchecked(self) -> str:
        """What cannot be told, in words; empty if all can."""
        if self.ignorant is None:
            return ""
        run = self.ignorant
        what = f"{self.unknown} of {self.number} images may be training images of {run.name}"
        return f"{what}: {run.ignorance}"

    @property
    def trained(self) -> str:
        """That no image was held out, in words; empty if any was."""
        every = self.number and self.own == self.number
        return f"all {self.number} images are those that the run was trained on" if every else ""

    @property
    def sentence(self) -> str:
        """What leaks, in words; empty if nothing does."""
        if not self.rows:
            return ""
        return (
            f"{self.rows} of {self.number} images were not held out: in training or validation "
            f"the run has seen the patient of {self.patients} and the picture of {self.pictures}"
        )


class Watch:
    """Looks at every row of a manifest, and finds those that are no test of some runs."""

    def __init__(self, runs: Sequence[Seen]) -> None:
        self.runs = runs
        self.number = self.own = self.unknown = 0
        self.ignorant: Seen | None = None
        self._known, self._tested = Cells(BOUND), Cells(BOUND)

    def see(self, row: Row, used: bool) -> None:
        """Look at a row, which is evaluated, or only in the same manifest."""
        parts = [run.part(row) for run in self.runs]
        if any(parts):
            self._known.add(row)
        self.number += used
        if used and (blind := next((run for run in self.runs if not run.knows(row)), None)):
            self.unknown += 1
            self.ignorant = self.ignorant or blind
        if used and any(parts) and any(run.declared(row) for run in self.runs):
            self.own += "train" in parts
        elif used:
            self._tested.add(row)

    def exposure(self) -> Exposure:
        """Count what was found."""
        by = {column: self._matches(column) for column in BOUND}
        patients = by["patient"]
        pictures = by["sha256"] | by["dup_group"]
        rows = int((patients | pictures).sum())
        counts = rows, int(patients.sum()), int(pictures.sum())
        return Exposure(self.number, self.own, *counts, self.unknown, self.ignorant)

    def _matches(self, column: str) -> NDArray[np.bool_]:
        tested = self._tested[column]
        matches: NDArray[np.bool_] = np.isin(tested, self._known[column]) & (tested != 0)
        return matches
