"""Maps that cam made before, of the same images: pictures to set beside, and what differs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cxrtool.core.errors import CxrtoolError
from cxrtool.figures import numbers
from cxrtool.figures.sheet import Print
from cxrtool.files import table

Row = dict[str, str]

NEEDED = ("path", "label", "pred", "class", "score", "overlay", "in_lung", "flag")


@dataclass
class EarlierMaps:
    """The table of one earlier call, and how its images compare with those of this one."""

    name: str
    path: str
    root: str
    rows: dict[str, Row]
    together: int = 0
    alike: int = 0  # images that both calls say one of the same classes of
    differing: int = 0
    inside: list[tuple[float, float]] = field(default_factory=list)

    def of(self, row: Row) -> Row | None:
        """Find the image of a row: by its original file, else by its path."""
        return self.rows.get(row.get("raw", "")) or self.rows.get(row["path"])

    def picture(self, row: Row) -> Print | None:
        """Return the picture of the same image, if there is one."""
        other = self.of(row)
        return None if other is None else print_of(other, os.path.join(self.root, other["overlay"]))

    def compare(self, row: Row, classes: Sequence[str]) -> None:
        """Take what this call says of an image, to compare it with the earlier one.

        Where the earlier prediction is none of this call's classes, there is nothing to compare.
        """
        other = self.of(row)
        if other is None:
            return
        self.together += 1
        if other["pred"] in classes:
            self.alike += 1
            self.differing += other["pred"] != row["pred"]
        if other["in_lung"] and row["in_lung"]:
            self.inside.append((float(other["in_lung"]), float(row["in_lung"])))

    @property
    def sentence(self) -> str:
        """Say in how many images the predictions differ, and how much of the heat moved."""
        if not self.together:
            return f"{self.path}: none of its images is among these"
        text = f"{self.path}: the prediction differs for {self.differing} of {self.alike} images"
        if not self.alike:
            text = f"{self.path}: predicts other classes"
        if self.inside:
            before, now = map(numbers.percent, np.mean(self.inside, axis=0))
            text += f"; there {before} of the heat lies in the lungs, here {now}"
        return text


def read(paths: Sequence[str], root: str | None) -> list[EarlierMaps]:
    """Read the tables of earlier calls."""
    return [_read(path, root or "") for path in paths]


def _read(path: str, root: str) -> EarlierMaps:
    rows: dict[str, Row] = {}
    for row in table.records(path, *NEEDED):
        for key in filter(None, (row.get("raw", ""), row["path"])):
            rows.setdefault(key, row)
    if not rows:
        raise CxrtoolError(f"{path}: no rows", "Name a table that cam has written.")
    return EarlierMaps(os.path.splitext(os.path.basename(path))[0], path, root, rows)


def print_of(row: Row, file: str) -> Print:
    """Say what stands below a picture."""
    return Print(file, *(row[name] for name in ("label", "pred", "class", "score", "flag")))
