"""Which images a run learns from and which it looks at, and their pixels."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from cxrtool.core import progress
from cxrtool.core.errors import CxrtoolError, Skip, shortened
from cxrtool.core.parallel import Crew
from cxrtool.data.label_columns import LabelColumns
from cxrtool.files import pixel_cache
from cxrtool.files.manifest import Manifest
from cxrtool.files.run_fields import MOST_CLASSES, MOST_TEXT
from cxrtool.files.text_columns import digests
from cxrtool.learn.leaks import Overlap
from cxrtool.learn.mask_learner import MaskedImageSet
from cxrtool.learn.training_loop import ImageSet
from cxrtool.stats import label_traps
from cxrtool.stats.label_traps import LabelTraps

Row = dict[str, str]
OnSkip = Callable[[Skip], None]
AnyPart = TypeVar("AnyPart", bound=ImageSet)


@dataclass(frozen=True)
class Data:
    """The rows of a manifest that are learned from and looked at."""

    name: str
    train: list[Row]
    val: list[Row]
    classes: list[str]
    target: str = "label"  # the column that is learned
    leaks: dict[str, int] = field(default_factory=dict)  # what is in several parts, by column

    @cached_property
    def digest(self) -> str:
        """What makes other data: another image, class, mask or part."""
        digest = hashlib.sha256()
        for part in (self.train, self.val):
            for row in part:
                digest.update(f"{row['path']}\0{row[self.target]}\n".encode())
            digest.update(b"\0")
        return digest.hexdigest()

    def label(self, row: Row) -> int | list[int]:
        """Return what is learned of a row: the place of its class."""
        return self.classes.index(row["label"])

    def counts(self) -> dict[str, dict[str, int]]:
        """Count the images of each part by their class."""
        parts = {"train": self.train, "val": self.val}
        if self.target != "label":
            return {name: {self.target: len(rows)} for name, rows in parts.items()}
        return {name: dict(Counter(row["label"] for row in rows)) for name, rows in parts.items()}

    @cached_property
    def images(self) -> dict[str, NDArray[np.int64]] | None:
        """The digests of the images of each part; None where one has none."""
        parts = {"train": self.train, "val": self.val}
        if any(not row.get("sha256") for rows in parts.values() for row in rows):
            return None
        return {part: digests([row["sha256"] for row in rows]) for part, rows in parts.items()}

    @cached_property
    def label_traps(self) -> LabelTraps:
        """Columns that give the label away; masks have no label."""
        columns = LabelColumns()
        if self.target == "label":
            for rows in (self.train, self.val):
                columns.add(rows)
        return label_traps.of_rows(columns)

    @property
    def masks(self) -> int:
        """How many of the images are the lung masks themselves (segment --keep mask)."""
        if self.target == "mask":
            return 0
        return sum(bool(row.get("mask")) and row["mask"] == row["path"] for row in self.train)

    @property
    def tested(self) -> int:
        """How many rows are learned from by their fold, though their split keeps them for tests."""
        return sum(row.get("split") in ("test", "unseen") for row in self.train)

    @cached_property
    def preprocessing(self) -> str:
        """What was done to the images before."""
        there = Counter(row.get("preprocessing", "") for row in self.train)
        if len(there) > 1:
            progress.note(f"warning: {self.name}: images were preprocessed in {len(there)} ways")
        return there.most_common(1)[0][0]


def divided(source: Manifest, fold: str, classes: list[str], on_skip: OnSkip) -> Data:
    """Read the rows, and say which are for learning and which for looking."""
    source.index("label")

    labels = set()

    def problem(row: Row) -> str:
        if not row["label"]:
            return "it has no label"
        labels.add(row["label"])
        known = not classes or row["label"] in classes
        return "" if known else f"{row['label']} is not among the classes to learn"

    train, val, leaks = chosen(source, fold, problem, on_skip)
    there = sorted({row["label"] for row in train})
    data = Data(source.name, train, val, classes or there, leaks=leaks)
    _check_classes(data, there, labels)
    return data


def outlined(source: Manifest, fold: str, on_skip: OnSkip) -> Data:
    """Read the rows whose masks are learned from and looked at."""
    source.index(
        "mask",
        "Create masks with cxrtool segment, or read those of a collection with cxrtool ingest.",
    )
    train, val, leaks = chosen(
        source, fold, lambda r: "" if r["mask"] else "it has no mask", on_skip
    )
    return Data(source.name, train, val, ["lung"], "mask", leaks)


def chosen(
    source: Manifest, fold: str, problem: Callable[[Row], str], on_skip: OnSkip
) -> tuple[list[Row], list[Row], dict[str, int]]:
    """Read the rows of train and val, except those with a problem.

    Count what they share with one another, and with the rows that are kept for the test.
    """
    part_of, overlap = parts(source, fold), Overlap(source.columns)
    read: dict[str, list[Row]] = {"train": [], "val": []}
    reasons = Counter[str]()
    for cells in source.rows():
        row = dict(zip(source.columns, cells, strict=True))
        part = part_of(row)
        if part in read:
            if why := problem(row):
                on_skip(Skip(row["path"], why, failed=False))
                reasons[why] += part == "train"
                continue
            read[part].append(row)
        if part:
            overlap.add(row, part)
    if not read["train"] and reasons.total():
        why, count = reasons.most_common(1)[0]
        what = f"{source.name}: none of the {reasons.total()} training rows can be used"
        raise CxrtoolError(f"{what}: {shortened(why)} ({count} rows)", "Correct the manifest.")
    if not read["train"]:
        what = f"{source.name}: no rows to train on"
        raise CxrtoolError(what, "Split it first with cxrtool split.")
    return read["train"], read["val"], overlap.counts()


def parts(source: Manifest, fold: str) -> Callable[[Row], str]:
    """Return what says which part a row is in: by the column split, or by a fold."""
    if not fold:
        source.index("split", "Create it with cxrtool split, or choose a fold.", ["fold"])
        return lambda row: row["split"]
    source.index("fold", "Create it with cxrtool split.")
    at = source.columns.index("fold")
    number = max((int(row[at]) for row in source.rows() if row[at].isdecimal()), default=0)
    if not fold.isdecimal() or not 1 <= int(fold) <= number:
        what = f"fold {fold} is not among the {number} folds of {source.name}"
        raise CxrtoolError(what, f"Choose 1 to {number}.", settings=["fold"])
    fold, following = str(int(fold)), str(int(fold) % number + 1)
    # Reserved rows (unseen) have no fold.
    parts = {fold: "test", following: "val", "": "unseen"}
    return lambda row: parts.get(row["fold"], "train")


def _check_classes(data: Data, there: list[str], labels: set[str]) -> None:
    check_distinct(data.classes)
    check_size(data.classes)
    if absent := [c for c in data.classes if c not in there]:
        what = f"{data.name}: no row to train on is '{absent[0]}'"
        raise CxrtoolError(what, f"The labels are: {', '.join(sorted(labels))}.")
    if len(there) < 2:
        what = f"{data.name}: the rows to train on are all '{there[0]}'"
        raise CxrtoolError(what, "A classifier needs two classes.")
    if extra := sorted({r["label"] for r in data.val} - set(data.classes)):
        what = f"{data.name}: rows of val are '{extra[0]}', none of train"
        raise CxrtoolError(what, "Split it again, stratified by label.")


def check_distinct(names: Sequence[str]) -> None:
    """Refuse a class that is named twice."""
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        what = f"the class '{twice[0]}' is named twice"
        raise CxrtoolError(what, "Name each class once.", settings=["classes"])


def check_size(names: Sequence[str]) -> None:
    """Refuse names, or a number of them, that no reader of a run takes."""
    if len(names) > MOST_CLASSES:
        what = f"{len(names)} outputs are more than a run can have ({MOST_CLASSES})"
        raise CxrtoolError(what, "Name those to learn.", settings=["classes"])
    if long := [name for name in names if len(name) > MOST_TEXT]:
        what = f"'{shortened(long[0])}' has {len(long[0])} characters, a name at most {MOST_TEXT}"
        raise CxrtoolError(what, "Rename it in the manifest.")


@dataclass(frozen=True)
class Reader:
    """Reads the pixels of rows, decoded once for all epochs and later runs."""

    frame: pixel_cache.Frame
    cache: str
    device: torch.device
    crew: Crew
    progress: str
    on_skip: OnSkip

    def parts(self, data: Data) -> tuple[ImageSet, ImageSet | None]:
        """Read the images of both parts."""
        array, number = self._gathered(data, "path", self.frame)
        held = _held(array, self.device)

        def part(rows: list[Row]) -> ImageSet:
            kept = [row for row in rows if row["path"] in number]
            labels = [data.label(row) for row in kept]
            places = [number[row["path"]] for row in kept]
            return ImageSet(array, np.array(places, np.int64), np.array(labels, np.int64), held)

        return _both(part(data.train), part(data.val), data)

    def outlined_parts(self, data: Data) -> tuple[MaskedImageSet, MaskedImageSet | None]:
        """Read the images of both parts and their masks."""
        array, number = self._gathered(data, "path", self.frame)
        white, mask_number = self._gathered(data, "mask", replace(self.frame, mask=True))

        def part(rows: list[Row]) -> MaskedImageSet:
            kept = [r for r in rows if r["path"] in number and r["mask"] in mask_number]
            places = np.array([number[row["path"]] for row in kept], np.int64)
            masks = np.array([mask_number[row["mask"]] for row in kept], np.int64)
            return MaskedImageSet(array, places, np.zeros_like(places), None, white, masks)

        return _both(part(data.train), part(data.val), data)

    def _gathered(
        self, data: Data, column: str, frame: pixel_cache.Frame
    ) -> tuple[Any, dict[str, int]]:
        """Read the pictures of a column: all pixels, and the place of each that could be read."""
        rows = data.train + data.val
        # A row may occur several times: its picture is read once.
        paths = sorted({row[column] for row in rows})
        # The manifest's digest is of the image, not of its mask.
        known = {row["path"]: row.get("sha256", "") for row in rows}
        digests = [known.get(path, "") for path in paths]
        array, skips = pixel_cache.gathered(
            paths, frame, self.cache, self.crew, self.progress, digests
        )
        failed = {paths[i]: skip for i, skip in skips.items()}
        for row in rows:
            if row[column] in failed:
                self.on_skip(failed[row[column]])
        return array, {path: i for i, path in enumerate(paths) if i not in skips}


class NoImageLeft(CxrtoolError):
    """No image of a part can be read."""


def check_read(names: Sequence[str], labels: NDArray[np.int64]) -> None:
    """Refuse a class of which no training image was read."""
    for place, name in enumerate(names):
        if place not in labels:
            what = f"no image of the class '{name}' to train on can be read"
            raise NoImageLeft(what, "See the reasons above, or leave the class out.")


def _both(train: AnyPart, val: AnyPart, data: Data) -> tuple[AnyPart, AnyPart | None]:
    if not len(train):
        raise NoImageLeft("no image to train on can be read", "See the reasons above.")
    if data.val and not len(val):
        # It would be trained as if there were no validation part, and nothing would stop it.
        raise NoImageLeft("no image of the validation part can be read", "See the reasons above.")
    return train, val if len(val) else None


def _held(array: Any, device: torch.device) -> torch.Tensor | None:
    """Keep all pixels on the device where they take less than a third of what is free."""
    if device.type != "cuda" or array.nbytes > torch.cuda.mem_get_info(device)[0] / 3:
        return None
    return torch.from_numpy(np.array(array)).to(device)
