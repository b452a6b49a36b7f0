"""Reading tables of predictions (tables -> predictions): which rows can be used, and why not."""

import os
from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.codes import Codes
from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.files import prediction_remedies
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import Where
from cxrtool.files.model_names import combined, told_apart
from cxrtool.files.predictions import FINDING, Predictions
from cxrtool.files.predictions_table import CHANCE, Floats, PredictionsTable
from cxrtool.files.text_columns import Coded, Ints, Texts, digests

# Tables are written with few digits: the sum of a row may be so far from 1.
OFF = 0.02
# Finds the label of an image by its path where a table of predictions has none; else empty.
Labels = Callable[[Sequence[str]], list[str]]


def opened(
    paths: Sequence[str], where: Sequence[Where] = (), labelled: bool = True
) -> list[PredictionsTable]:
    """Open tables of predictions, which must have the same classes and, if so wanted, labels."""
    _refuse_twice(paths)
    tables: list[PredictionsTable] = []
    try:
        for path in paths:
            alone = len(paths) == 1
            tables.append(PredictionsTable(path, where, _stem(path), alone, labelled))
            _check_classes(tables[0], tables[-1])
    except CxrtoolError:
        # The traceback of the error would keep the files open.
        for table in tables:
            table.close()
        raise
    return tables


def _check_classes(first: PredictionsTable, table: PredictionsTable) -> None:
    if sorted(table.classes) != sorted(first.classes):
        what = f"{table.name}: its classes are {', '.join(table.classes)}"
        remedy = f"{first.name} has {', '.join(first.classes)}: compare them separately."
        raise CxrtoolError(what, remedy)


def read(
    tables: Sequence[PredictionsTable],
    wanted: Collection[str],
    skipped: Failures,
    optional: Collection[str] = (),
    same: Collection[str] = ("path", "raw"),
    unpredicted: Callable[[str], bool] | None = None,
    labels: Labels | None = None,
) -> Predictions:
    """Read the rows.

    `wanted` are columns that every table must have, `optional` ones that it may have; `same` are
    those whose digests are kept. A row that cannot be used is reported; one without a label is
    left out, unless `labels` finds it by the path of the image. A label without a p_ column cannot
    be used, unless `unpredicted` accepts it: its probability is 0.
    """
    for table in tables:
        for column in {*wanted} - {"model"}:
            table.index(column)
    gathered = _PredictionRows(
        tables[0].classes,
        ["model", *wanted, *optional],
        same,
        unpredicted,
        labels,
        {*wanted, "source", FINDING},
    )
    for number, table in enumerate(tables):
        for rows in table.batches():
            gathered.add(table, number, rows, skipped)
    if not gathered.number:
        what, remedy = "no row has a label", "Fill in the column label."
        if skipped.failed:
            what, remedy = "no row could be used", "See the reasons above."
        raise CxrtoolError(f"{', '.join(t.name for t in tables)}: {what}", remedy)
    return gathered.done([table.name for table in tables])


def _refuse_twice(paths: Sequence[str]) -> None:
    seen = set()
    for path in paths:
        place = path if path == "-" else os.path.realpath(path)
        if place in seen:
            raise CxrtoolError(f"{path}: given twice", "Name every file once.")
        seen.add(place)


def _stem(path: str) -> str:
    """Name the model of a table without a column `model`: by its file."""
    return "standard input" if path == "-" else os.path.splitext(os.path.basename(path))[0]


class _PredictionRows:
    """The rows of all tables, as they come."""

    def __init__(
        self,
        classes: list[str],
        coded: Sequence[str],
        same: Collection[str],
        unpredicted: Callable[[str], bool] | None,
        labels: Labels | None = None,
        grouping: Collection[str] = (),
    ) -> None:
        self.labels, self.grouping = labels, grouping
        self.classes, self.number, self.paths, self.same = classes, 0, Texts(), same
        self.unpredicted = unpredicted or (lambda _: False)
        self.outputs = {name: k for k, name in enumerate(classes)}
        self.at = dict(self.outputs)  # and the labels that no p_ column is of
        self.codes = {name: Codes() for name in coded}
        self.parts: dict[str, list[NDArray[np.generic]]] = {}

    def add(
        self, file: PredictionsTable, number: int, rows: list[list[str]], skipped: Failures
    ) -> None:
        """Take the rows that can be used."""
        p = file.probabilities(rows, self.classes)
        texts = self._labels(file, rows)
        labels = [self._label(text) for text in texts]
        said = file.texts(rows, "pred")
        preds = [self.outputs.get(text, -1) for text in said]
        fits = (p >= 0).all(1) & (p <= 1).all(1) & (np.abs(p.sum(1) - 1) <= OFF)
        good = fits & (np.array(labels) >= 0)
        good &= (np.array(preds) >= 0) | (np.array(said) == "")
        good &= np.array(file.texts(rows, "path")) != ""
        for k in np.flatnonzero(~good).tolist():
            skipped.add(self._skip(file, rows[k], texts[k], p[k]))
        kept = [rows[k] for k in np.flatnonzero(good)]
        if kept:
            self._keep("p", p[good])
            self._keep("label", np.array(labels, np.int16)[good])
            self._keep("predicted", np.array(preds, np.int16)[good])
            self._keep("file", np.full(len(kept), number, np.int16))
            self._take(file, kept)

    def _labels(self, file: PredictionsTable, rows: list[list[str]]) -> list[str]:
        """Return the label of each row; where there is none, that of its image elsewhere."""
        texts = file.texts(rows, "label")
        blank = [k for k, text in enumerate(texts) if not text]
        if self.labels is not None and blank:
            paths = file.texts(rows, "path")
            for k, text in zip(blank, self.labels([paths[k] for k in blank]), strict=True):
                texts[k] = text
        return texts

    def _label(self, text: str) -> int:
        """Number a label; one that no p_ column is of gets a number where it is accepted."""
        if text not in self.at and text and self.unpredicted(text):
            self.at[text] = len(self.at)
        return self.at.get(text, -1)

    def _take(self, file: PredictionsTable, rows: list[list[str]]) -> None:
        paths = file.texts(rows, "path")
        for path in paths:
            self.paths.add(path)
        self.number += len(rows)
        same = {name: digests(file.texts(rows, name)) for name in self.same}
        for name, values in same.items():
            self._keep(f"same {name}", values)
        patient = digests(file.texts(rows, "patient"))
        self._keep("patient", np.where(patient != 0, patient, same["path"]))
        for name, codes in self.codes.items():
            codes.add(file.texts(rows, name, file.model if name == "model" else ""))

    def _keep(self, name: str, values: NDArray[np.generic]) -> None:
        self.parts.setdefault(name, []).append(values)

    def _skip(self, file: PredictionsTable, row: list[str], label: str, p: Floats) -> Skip:
        """Say why a row cannot be used."""
        cell = dict(zip(file.columns, row, strict=True))
        known = ", ".join(self.classes)
        if not label:
            return Skip(cell["path"], "no label", failed=False)
        if not cell["path"]:
            return Skip("", f"an image of '{label}' has no path", "Name the image.")
        for name, chance in zip(self.classes, p.tolist(), strict=True):
            if not 0 <= chance <= 1:
                value = cell[CHANCE + name]
                what = f"{CHANCE}{name} is '{value}', not a probability"
                return Skip(cell["path"], what, prediction_remedies.of_values(p, value))
        if abs(p.sum() - 1) > OFF:
            what = f"its p_ columns sum to {p.sum():.4g}, not 1"
            return Skip(cell["path"], what, prediction_remedies.of_sum(p))
        column, value = ("label", label) if label not in self.at else ("pred", cell["pred"])
        remedy = prediction_remedies.of_name(column, value, self.classes)
        return Skip(cell["path"], f"{column} '{value}' is not one of: {known}", remedy)

    def done(self, names: list[str]) -> Predictions:
        """Join all rows."""
        joined = {name: np.concatenate(self.parts.pop(name)) for name in list(self.parts)}
        coded = {name: Coded(list(c.known), c.codes()) for name, c in self.codes.items()}
        if joined["file"].any():
            images = self._images(joined, coded)
            coded["model"] = told_apart(coded["model"], joined["file"], names, images)
        more = list(self.at)[len(self.classes) :]
        return Predictions(
            [*self.classes, *more],
            more,
            np.arange(self.number),
            joined["label"],
            joined["predicted"],
            np.pad(joined["p"], ((0, 0), (0, len(more)))) if more else joined["p"],
            joined["patient"],
            {n: joined[f"same {n}"] for n in self.same},
            coded,
            self.paths,
        )

    def _images(
        self, joined: dict[str, NDArray[np.generic]], coded: dict[str, Coded]
    ) -> list[Ints]:
        """Return keys of the images: the path and, of images in several versions, the raw file.

        In another group, such as the test of a matrix, an image is another one. Columns that only
        describe the file of the image differ between its versions, and another radiograph may have
        the same raw file's name.
        """
        columns = {name: column.codes for name, column in coded.items() if name != "model"}
        path = [joined["same path"], *columns.values()]
        grouping = [codes for name, codes in columns.items() if name in self.grouping]
        raw = [joined["same raw"], joined["label"], *grouping]
        return [combined(path, joined["same path"] != 0), combined(raw, joined["same raw"] != 0)]
