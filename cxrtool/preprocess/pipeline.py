"""A new picture for every row of a manifest: rows in, rows out in their order, failures listed."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from cxrtool.core import parallel
from cxrtool.core.errors import Skip
from cxrtool.core.parallel import Crew
from cxrtool.core.progress import bar, note
from cxrtool.files import disk, table
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import Manifest

Row = dict[str, str]

# For an image that took too much time or memory, or crashed its worker.
REMEDY = "Leave it out, or ask for less: smaller images, a narrower blur."


@dataclass(frozen=True)
class RowUpdate:
    """What came of one row: the cells that change, and what the user should know."""

    cells: Row
    warnings: tuple[str, ...] = ()


class Work(Protocol):
    """What is done to one row, in a process or on a machine of its own."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns it needs; others stay here."""

    @property
    def adds(self) -> tuple[str, ...]:
        """The columns it fills."""

    @property
    def steps(self) -> str:
        """What it does, in the words of the command line."""

    def __call__(self, row: Row, /) -> RowUpdate | Skip:
        """Make the picture, or say why not."""


def after(row: Row, steps: str) -> str:
    """Add to what was done to a picture before."""
    before = row.get("preprocessing", "")
    return f"{before} | {steps}" if before else steps


@dataclass
class PicturePass:
    """One pass over a manifest."""

    source: Manifest
    work: Work
    folder: str
    crew: Crew
    progress: str
    # Is called with every row that succeeds.
    seen: Callable[[Row, RowUpdate], None] = lambda row, update: None

    def note_summary(self) -> None:
        """Say what would be done."""
        number = sum(map(len, self.source.chunks()))
        note(f"would make {number} images in {self.folder}: {self.work.steps}")

    def write(self, output: str, skipped: Failures) -> None:
        """Make the pictures, and write the manifest of those that succeed."""
        place = os.path.abspath(self.folder)
        # The table may go into the folder that is yet to be made.
        beside = output != "-" and os.path.dirname(os.path.abspath(output)) == place
        if not beside:
            disk.check_output(output)
        # A table that can be read twice is checked to its end before anything is done.
        total = sum(map(len, self.source.chunks())) if self.source.is_repeatable else None
        rows = self.source.rows()
        # One row at least, before anything is made.
        rows = itertools.chain([next(rows)], rows)
        disk.make_folder(self.folder)
        disk.claim(self.folder)
        if beside:
            disk.check_output(output)
        kept = self.source.columns
        columns = [*kept, *(c for c in self.work.adds if c not in kept)]
        used = skipped.checked(self._updated_rows(rows, total, skipped))
        finished = ([row.get(c, "") for c in columns] for row in used)
        table.write(output, columns, finished, chunk=1)

    def _updated_rows(
        self, rows: Iterator[list[str]], total: int | None, skipped: Failures
    ) -> Iterator[Row]:
        waiting: deque[Row] = deque()
        crew = self.crew if total is None else self.crew.of(total)
        results = parallel.each(self.work, self._given(rows, waiting), crew)
        try:
            for update in bar(results, total, "images", self.progress):
                row = waiting.popleft()
                if isinstance(update, parallel.Lost):
                    update = Skip(row["path"], update.reason, REMEDY)
                if isinstance(update, Skip):
                    skipped.add(update)
                else:
                    yield self._finished(row, update)
        finally:
            # Stop the workers first: what they were writing is then nobody's.
            results.close()
            disk.sweep(self.folder)

    def _given(self, rows: Iterator[list[str]], waiting: "deque[Row]") -> Iterator[Row]:
        for cells in rows:
            row = dict(zip(self.source.columns, cells, strict=True))
            waiting.append(row)
            yield {c: row[c] for c in self.work.reads if c in row}

    def _finished(self, row: Row, update: RowUpdate) -> Row:
        for warning in update.warnings:
            note(f"{row['path']}: warning: {warning}")
        self.seen(row, update)
        return row | update.cells
