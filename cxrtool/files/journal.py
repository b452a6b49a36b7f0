"""A journal: rows written to the disk a part at a time, so that a killed run loses few of them."""

import contextlib
import os
import re
import time
from collections.abc import Sequence

from cxrtool.files import disk, table

PART = re.compile(r"\d{6}\.csv")
# After so many rows or seconds, the rows go to the disk.
ROWS, SECONDS = 500, 10.0


def parts(folder: str) -> list[str]:
    """List the parts of a journal in their order; of no journal there are none."""
    try:
        names = sorted(filter(PART.fullmatch, os.listdir(folder)))
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names]


class Journal:
    """Goes on behind the parts that an earlier run left in the folder."""

    def __init__(self, folder: str, columns: Sequence[str]) -> None:
        self.folder, self.columns = folder, columns
        self.rows: list[Sequence[str]] = []
        self.since = time.monotonic()
        there = parts(folder)
        self.number = 1 + int(os.path.basename(there[-1])[:6]) if there else 0

    def add(self, row: Sequence[str]) -> None:
        """Take a row, which waits for `write_due` or `close`."""
        self.rows.append(row)

    def write_due(self) -> None:
        """Write the rows that wait, if they are many or old."""
        if len(self.rows) >= ROWS or time.monotonic() - self.since >= SECONDS:
            self.close()

    def close(self) -> None:
        """Write what is not written yet."""
        if self.rows:
            disk.make_folder(self.folder)
            part = os.path.join(self.folder, f"{self.number:06}.csv")
            table.write(part, self.columns, self.rows)
            self.number += 1
        self.rows, self.since = [], time.monotonic()

    def remove(self) -> None:
        """Remove the parts: all their rows are elsewhere."""
        for part in parts(self.folder):
            os.unlink(part)
        with contextlib.suppress(OSError):
            os.rmdir(self.folder)
