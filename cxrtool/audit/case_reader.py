"""Reading a case: the rows of a manifest, of predictions of any tool, or of both, joined.

Rows of predictions are found in the manifest by `path`, else by `raw`, else by a `raw` of their
own; those that it lacks are added behind its rows. So a radiograph has one row, whatever was made
of it for one model or another. Two radiographs whose `raw` is the same name have two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cxrtool.audit import row_table
from cxrtool.audit.case import (
    AGE_BAND,
    LEARNED,
    SIZE,
    ImageRows,
    ModelScores,
)
from cxrtool.audit.derived_columns import age_bands, common_sizes
from cxrtool.audit.image_keys import image_keys
from cxrtool.audit.row_table import COLUMNS, RowTable
from cxrtool.compare import groups
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note
from cxrtool.figures import numbers
from cxrtool.files import predictions_reader, unread_columns
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import Where
from cxrtool.files.predictions import FINDING, Predictions, is_of_findings
from cxrtool.files.text_columns import Coded, digests
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Marks


def read_predictions(
    files: Sequence[str],
    where: Sequence[Where],
    more: Sequence[str],
    skipped: Failures,
    table: RowTable | None = None,
) -> Predictions:
    """Read tables of predictions; an image that one model judges twice counts once.

    A prediction without a label has that of its image in the manifest, if one is given. Whether an
    image has a finding is not what the label of a manifest says: there, it stays unknown.
    """
    of_findings = any(map(is_of_findings, files))
    finder = None
    if table is not None and "label" in table.columns and not of_findings:
        finder = LabelFinder(table)
    tables = predictions_reader.opened(files, where, labelled=finder is None)
    unread_columns.warn(tables, unread_columns.OTHER_NAMES, table.known() if table else ())
    optional = dict.fromkeys([*COLUMNS, *more, "sha256", "dup_group", FINDING])
    wanted = [c for c in optional if c != "label"]
    result = predictions_reader.read(tables, [], skipped, wanted, ("path", "raw"), labels=finder)
    if finder is not None and finder.found:
        have = numbers.counted_that(finder.found, "prediction", "has", "have")
        note(f"{have} no label: the label of the manifest counts")
    return groups.once(result, [], skipped, grouped=False)


class LabelFinder:
    """Finds labels in a manifest by the path of the image, and counts them."""

    def __init__(self, table: RowTable) -> None:
        self.table, self.found = table, 0

    def __call__(self, paths: Sequence[str]) -> list[str]:
        """Return the label of each image; empty where the manifest does not list it."""
        place = row_table.listed(self.table, digests(paths))
        column = self.table.columns["label"]
        labels = [column.names[column.codes[row]] if row >= 0 else "" for row in place.tolist()]
        self.found += len(labels) - labels.count("")
        return labels


def classes_of(table: RowTable) -> list[str]:
    """List the classes of a manifest, in alphabetical order."""
    labels = table.columns.get("label")
    if labels is None:
        raise CxrtoolError("the manifest has no column 'label'", "Add it, or give predictions.")
    return sorted({labels.names[k] for k in np.unique(labels.codes).tolist()} - {""})


def of_manifest(table: RowTable, positive: str) -> ImageRows:
    """Return the rows of a manifest; every class but the positive one is negative."""
    labels = table.columns["label"]
    codes = np.array([-1 if not n else int(n == positive) for n in labels.names])
    return _rows(table, codes[labels.codes], np.ones(len(table), bool))


def _rows(table: RowTable, positive: Ints, of_manifest: Marks) -> ImageRows:
    who = table.identities["patient"]
    keys = np.where(who != 0, who, table.keys["path"])
    patients = np.unique(keys, return_inverse=True)[1]
    columns = dict(table.columns)
    if "age" in columns:
        columns[AGE_BAND] = age_bands(columns["age"])
    if {"width", "height"} <= set(columns):
        columns[SIZE] = common_sizes(columns["width"], columns["height"])
    identities = {**table.identities, **table.keys}
    return ImageRows(table.paths.__getitem__, positive, patients, identities, columns, of_manifest)


def of_rows(table: RowTable, judged: Predictions) -> Predictions:
    """Keep the predictions of the rows of the manifest that the conditions have chosen."""
    kept = np.flatnonzero(_found(table, judged, image_keys(judged)[0]) >= 0)
    if not len(kept):
        what = "no prediction is of a row that the conditions choose"
        raise CxrtoolError(what, "Compare the column path of the manifest and the predictions.")
    return judged.take(kept)


@dataclass(frozen=True)
class Joined:
    """The rows of a manifest with the predictions of them, and what was noted."""

    images: ImageRows
    models: list[ModelScores]
    unmatched: int  # images that the manifest lacks
    relabelled: int  # predictions with another label than the manifest
    learned: int  # predictions of training or validation images, which are not judged


def joined(table: RowTable | None, judged: Predictions, positive: str) -> Joined:
    """Put predictions to the rows of a manifest."""
    own = row_table.of_predictions(judged)
    place, fresh = _places(table, judged)
    number = 0 if table is None else len(table)
    if number and len(fresh):
        total = len(np.unique(place))
        note(
            f"warning: the manifest lists {total - len(fresh)} of the {total} images of the "
            "predictions: compare the column path of both"
        )
    whole = row_table.taken(own, fresh) if table is None else row_table.appended(table, own, fresh)
    whole = _filled(whole, own, place)
    _note_others(whole, own, place, judged)
    labels = np.full(len(whole), -1, np.int64)
    if table is not None and "label" in table.columns:
        labels[: len(table)] = _labels(table.columns["label"], judged.classes, positive)
    at = judged.classes.index(positive)
    theirs = (judged.label == at).astype(np.int64)
    differ = int(((labels[place] >= 0) & (labels[place] != theirs)).sum())
    if differ:
        note(
            f"warning: {numbers.counted_that(differ, 'prediction', 'has', 'have')} another label "
            "than the manifest: the label of the predictions counts"
        )
    labels[place] = theirs
    _check_labels(int((labels[place] != theirs).sum()))
    of_manifest = np.arange(len(whole)) < number
    held_out = _held_out(own, whole, place)
    steps = _preprocessing(table, own)
    models = [
        ModelScores(
            name,
            place[kept],
            judged.p[kept, at],
            _is_named(judged.predicted[kept], at),
            _single(steps.take(kept)),
        )
        for _, name, rows in groups.groups(judged, ())
        if len(kept := rows[held_out[rows]])
    ]
    images = _rows(whole, labels, of_manifest)
    unmatched = len(fresh) if table is not None else 0
    return Joined(images, models, unmatched, differ, int((~held_out).sum()))


def _is_named(predicted: Ints, at: int) -> Ints:
    """Return whether the predicted class is the positive one; -1 where there is none."""
    return np.where(predicted < 0, -1, predicted == at).astype(np.int64)


def _preprocessing(table: RowTable | None, own: RowTable) -> Coded:
    """Return what was done to the image of each prediction.

    Its own column counts; without one, that of the row of the manifest with this very path. An
    image that the manifest knows as the raw file of a row is as it was.
    """
    theirs = row_table.column_of(own, "preprocessing")
    if table is None:
        return theirs
    row = row_table.lookup(table.keys["path"], own.keys["path"])
    both = Coded.joined([theirs, row_table.column_of(table, "preprocessing")])
    codes, listed = both.codes[: len(own)], both.codes[len(own) :]
    known = both.isin([""])[: len(own)] & (row >= 0)
    if len(listed):
        codes = np.where(known, listed[row], codes)
    return Coded(both.names, codes)


def _single(column: Coded) -> str | None:
    """Return the value of all rows; None if they differ."""
    used = {column.names[k] for k in np.unique(column.codes).tolist()}
    return used.pop() if len(used) == 1 else None


def _check_labels(differ: int) -> None:
    if differ:
        have = numbers.counted_that(differ, "prediction", "has", "have")
        what = f"{have} another label than another model's of the same image"
        raise CxrtoolError(what, "Correct the labels, or audit one table at a time.")


def _held_out(own: RowTable, whole: RowTable, place: Ints) -> Marks:
    """Mark the predictions that are judged: without those of training and validation images.

    The column split of the predictions counts, else that of the manifest. Where all are of these
    parts, as in cross-validation, all are judged.
    """
    theirs, listed = (
        row_table.column_of(own, "split"),
        row_table.column_of(whole, "split").take(place),
    )
    learned = np.where(theirs.isin([""]), listed.isin(LEARNED), theirs.isin(LEARNED))
    if learned.all() or not learned.any():
        return np.ones(len(place), bool)
    what = numbers.counted_that(int(learned.sum()), "prediction", "is", "are")
    note(f"warning: {what} of training or validation images: not judged")
    return ~learned


def _filled(whole: RowTable, own: RowTable, place: Ints) -> RowTable:
    """Fill the cells that the manifest does not know from the predictions."""
    columns, identities = dict(whole.columns), dict(whole.identities)
    for name, values in own.identities.items():
        filled = identities[name].copy()
        unknown = filled[place] == 0
        filled[place[unknown]] = values[unknown]
        identities[name] = filled
    for name in own.columns:
        both = Coded.joined([row_table.column_of(whole, name), own.columns[name]])
        codes, theirs = both.codes[: len(whole)].copy(), both.codes[len(whole) :]
        unknown = both.isin([""])[place]
        codes[place[unknown]] = theirs[unknown]
        columns[name] = Coded(both.names, codes)
    return replace(whole, identities=identities, columns=columns)


def _note_others(whole: RowTable, own: RowTable, place: Ints, judged: Predictions) -> None:
    """Warn of predictions whose image has another patient or source elsewhere."""
    theirs, patient = own.identities["patient"], whole.identities["patient"][place]
    differ = (theirs != 0) & (theirs != patient)
    if "source" in own.columns:
        both = Coded.joined([own.columns["source"], whole.columns["source"].take(place)])
        codes, listed = both.codes[: len(own)], both.codes[len(own) :]
        differ |= ~both.isin([""])[: len(own)] & (codes != listed)
    if differ.any():
        first = judged.path(int(np.flatnonzero(differ)[0]))
        number = int(differ.sum())
        note(
            f"warning: {numbers.counted(number, 'prediction')}, such as of {first}, "
            f"{'has' if number == 1 else 'have'} another patient or source than another row of the "
            "same image: the first one is used; if these are two images, give each a path of its "
            "own"
        )


def _labels(column: Coded, classes: Sequence[str], positive: str) -> Ints:
    """Return the labels of a manifest; classes that no prediction knows are left out."""
    codes = [int(name == positive) if name in classes else -1 for name in column.names]
    return np.array(codes, np.int64)[column.codes]


def _found(table: RowTable | None, judged: Predictions, key: Ints) -> Ints:
    """Return the row of the manifest of each prediction, -1 without one."""
    place = row_table.listed(table, judged.same["path"])
    return np.where(place < 0, row_table.listed(table, key), place)


def _places(table: RowTable | None, judged: Predictions) -> tuple[Ints, Ints]:
    """Return the row of each prediction in the case, and the predictions that begin a new row."""
    key, unlike = image_keys(judged)
    if unlike.any():
        note(
            f"warning: {numbers.counted_that(int(unlike.sum()), 'prediction', 'has', 'have')} the "
            "raw file of an image of another patient, source or label: such images are "
            "identified by their path"
        )
    place = _found(table, judged, key)
    offset = 0 if table is None else len(table)
    missing = np.flatnonzero(place < 0)
    _, first, inverse = np.unique(key[missing], return_index=True, return_inverse=True)
    # In the order of their first coming.
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    place[missing] = offset + rank[inverse]
    return place, missing[first[order]]
