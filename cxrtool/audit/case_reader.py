"""Reading a case: the rows of a manifest, of predictions of any tool, or of both, joined.

Rows of predictions are found in the manifest by `path`, else by `raw`; those that it lacks are
added behind its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cxrtool.audit.case import (
    AGE_BAND,
    FORMAT,
    IDENTITIES,
    LEARNED,
    SIZE,
    ImageRows,
    ModelScores,
)
from cxrtool.compare import groups
from cxrtool.core.codes import Codes
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note
from cxrtool.data.label_columns import file_format
from cxrtool.files import predictions
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import Manifest, Where
from cxrtool.files.predictions import Coded, Predictions, Texts, digests
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Marks

# Columns that the checks read, where they are there.
COLUMNS = (
    "label",
    "source",
    "view",
    "sex",
    "age",
    "split",
    "fold",
    "width",
    "height",
    "mask",
    "mask_flag",
    "preprocessing",
)
# A size that fewer images have than this share is one of the "other sizes".
COMMON = 0.05
AGE_BANDS = ((18, "0-17"), (40, "18-39"), (60, "40-59"), (80, "60-79"))


@dataclass(frozen=True)
class RowTable:
    """The rows of one table, with digests by which they are found in another one."""

    paths: Texts
    keys: dict[str, Ints]  # digests of path and raw
    identities: dict[str, Ints]
    columns: dict[str, Coded]

    def __len__(self) -> int:
        return len(self.keys["path"])


def read_manifest(path: str, where: Sequence[Where], more: Sequence[str]) -> RowTable:
    """Read the columns of a manifest that the checks need."""
    manifest = Manifest(path, where)
    for column in more:
        manifest.index(column, "Check --within.")
    wanted = [c for c in dict.fromkeys([*COLUMNS, *more]) if c in manifest.columns]
    codes = {c: Codes() for c in [*wanted, FORMAT]}
    at = {c: i for i, c in enumerate(manifest.columns)}
    paths = Texts()
    parts: dict[str, list[Ints]] = {n: [] for n in ("path", "raw", *IDENTITIES)}
    for chunk in manifest.chunks():
        cells = {c: [row[at[c]] for row in chunk] for c in at}
        unknown = [""] * len(chunk)
        for text in cells["path"]:
            paths.add(text)
        for name, own in parts.items():
            own.append(digests(cells.get(name, unknown)))
        for name in wanted:
            codes[name].add(cells[name])
        codes[FORMAT].add(map(file_format, cells.get("raw", unknown), cells["path"]))
    keys = {
        name: np.concatenate(own) if own else np.zeros(0, np.int64) for name, own in parts.items()
    }
    columns = {name: Coded(list(c.known), c.codes()) for name, c in codes.items()}
    return RowTable(
        paths,
        {name: keys[name] for name in ("path", "raw")},
        {name: keys[name] for name in IDENTITIES},
        columns,
    )


def read_predictions(
    files: Sequence[str], where: Sequence[Where], more: Sequence[str], skipped: Failures
) -> Predictions:
    """Read tables of predictions; an image that one model judges twice counts once."""
    tables = predictions.opened(files, where)
    optional = dict.fromkeys([*COLUMNS, *more, "sha256", "dup_group", groups.FINDING])
    result = predictions.read(
        tables, [], skipped, [c for c in optional if c != "label"], ("path", "raw")
    )
    return groups.once(result, [], skipped)


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
        columns[AGE_BAND] = Coded.of([*map(age_band, columns["age"].names)], columns["age"].codes)
    if {"width", "height"} <= set(columns):
        columns[SIZE] = _sizes(columns["width"], columns["height"])
    identities = {**table.identities, **table.keys}
    return ImageRows(table.paths.__getitem__, positive, patients, identities, columns, of_manifest)


def age_band(text: str) -> str:
    """Name the band of an age in years, such as `57`, `057Y` or `90+`; unknown is empty."""
    digits = text.strip().rstrip("+Yy").strip()
    try:
        age = float(digits)
    except ValueError:
        return ""
    if not 0 <= age < 150:
        return ""
    return next((band for end, band in AGE_BANDS if age < end), "80+")


def _sizes(width: Coded, height: Coded) -> Coded:
    """Name the sizes that many images have."""
    pairs, codes, counts = np.unique(
        np.column_stack([width.codes, height.codes]),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    names = []
    for (w, h), count in zip(pairs.tolist(), counts.tolist(), strict=True):
        known = width.names[w] and height.names[h]
        common = count >= COMMON * len(width.codes)
        size = f"{width.names[w]} x {height.names[h]}"
        names.append((size if common else "other sizes") if known else "")
    return Coded.of(names, codes.ravel())


def of_rows(table: RowTable, judged: Predictions) -> Predictions:
    """Keep the predictions of the rows of the manifest that the conditions have chosen."""
    kept = np.flatnonzero(_listed(table, judged.same["path"]) >= 0)
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
    own = _table_of(judged)
    place, fresh = _places(table, own)
    number = 0 if table is None else len(table)
    if number and len(fresh):
        total = len(np.unique(own.keys["path"]))
        note(
            f"warning: the manifest lists {total - len(fresh)} of the {total} images of the "
            "predictions: compare the column path of both"
        )
    whole = _taken(own, fresh) if table is None else _appended(table, own, fresh)
    whole = _filled(whole, own, place)
    labels = np.full(len(whole), -1, np.int64)
    if table is not None and "label" in table.columns:
        labels[: len(table)] = _labels(table.columns["label"], judged.classes, positive)
    at = judged.classes.index(positive)
    theirs = (judged.label == at).astype(np.int64)
    differ = int(((labels[place] >= 0) & (labels[place] != theirs)).sum())
    if differ:
        note(
            f"warning: {differ} predictions have another label than the manifest: "
            "those of the predictions are used"
        )
    labels[place] = theirs
    _check_labels(int((labels[place] != theirs).sum()))
    of_manifest = np.arange(len(whole)) < number
    held_out = _held_out(own, whole, place)
    models = [
        ModelScores(name, place[kept], judged.p[kept, at], judged.predicted[kept])
        for _, name, rows in groups.groups(judged, ())
        if len(kept := rows[held_out[rows]])
    ]
    images = _rows(whole, labels, of_manifest)
    unmatched = len(fresh) if table is not None else 0
    return Joined(images, models, unmatched, differ, int((~held_out).sum()))


def _check_labels(differ: int) -> None:
    if differ:
        what = f"{differ} predictions have another label than another model's of the same image"
        raise CxrtoolError(what, "Correct the labels, or audit one table at a time.")


def _held_out(own: RowTable, whole: RowTable, place: Ints) -> Marks:
    """Mark the predictions that are judged: without those of training and validation images.

    The column split of the predictions counts, else that of the manifest. Where all are of these
    parts, as in cross-validation, all are judged.
    """
    theirs, listed = _column(own, "split"), _column(whole, "split").take(place)
    learned = np.where(theirs.isin([""]), listed.isin(LEARNED), theirs.isin(LEARNED))
    if learned.all() or not learned.any():
        return np.ones(len(place), bool)
    what = f"{learned.sum()} predictions are of training or validation images"
    note(f"warning: {what}: they are not judged")
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
        both = Coded.joined([_column(whole, name), own.columns[name]])
        codes, theirs = both.codes[: len(whole)].copy(), both.codes[len(whole) :]
        unknown = both.isin([""])[place]
        codes[place[unknown]] = theirs[unknown]
        columns[name] = Coded(both.names, codes)
    return replace(whole, identities=identities, columns=columns)


def _labels(column: Coded, classes: Sequence[str], positive: str) -> Ints:
    """Return the labels of a manifest; classes that no prediction knows are left out."""
    codes = [int(name == positive) if name in classes else -1 for name in column.names]
    return np.array(codes, np.int64)[column.codes]


def _table_of(judged: Predictions) -> RowTable:
    number = len(judged)
    formats = Codes()
    formats.add(file_format("", judged.path(k)) for k in range(number))
    columns = {n: c for n, c in judged.coded.items() if n not in ("model", "sha256", "dup_group")}
    columns[FORMAT] = Coded(list(formats.known), formats.codes())
    identities = {"patient": np.where(judged.patient == judged.same["path"], 0, judged.patient)}
    for name in ("sha256", "dup_group"):
        coded = judged.coded[name]
        identities[name] = digests(coded.names)[coded.codes]
    paths = Texts()
    for k in range(number):
        paths.add(judged.path(k))
    return RowTable(paths, dict(judged.same), identities, columns)


def _places(table: RowTable | None, own: RowTable) -> tuple[Ints, Ints]:
    """Return the row of each prediction in the case, and the predictions that begin a new row."""
    place = _listed(table, own.keys["path"])
    offset = 0 if table is None else len(table)
    missing = np.flatnonzero(place < 0)
    _, first, inverse = np.unique(own.keys["path"][missing], return_index=True, return_inverse=True)
    # In the order of their first coming.
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    place[missing] = offset + rank[inverse]
    return place, missing[first[order]]


def _listed(table: RowTable | None, paths: Ints) -> Ints:
    """Return the row of the manifest with each path, as its `path` or `raw`; -1 without one."""
    place = np.full(len(paths), -1, np.int64)
    if table is not None:
        parts = _column(table, "split")
        # Of a picture that is in several parts, the held-out one was predicted.
        learned = parts.isin(LEARNED)
        for name in ("path", "raw"):
            place = np.where(place < 0, _lookup(table.keys[name], paths, learned), place)
    return place


def _lookup(keys: Ints, wanted: Ints, later: Marks) -> Ints:
    """Return the first row with each key, -1 where there is none; 0 is no key.

    Rows that are marked as later come behind the others of their key.
    """
    order = np.lexsort((later, keys))
    at = np.searchsorted(keys[order], wanted)
    rows = order[np.minimum(at, len(order) - 1)] if len(order) else np.zeros(len(wanted), np.int64)
    fits = (keys[rows] == wanted) & (wanted != 0) if len(order) else np.zeros(len(wanted), bool)
    return np.where(fits, rows, -1)


def _taken(table: RowTable, rows: Ints) -> RowTable:
    paths = Texts()
    for k in rows.tolist():
        paths.add(table.paths[k])
    return RowTable(
        paths,
        {n: v[rows] for n, v in table.keys.items()},
        {n: v[rows] for n, v in table.identities.items()},
        {n: c.take(rows) for n, c in table.columns.items()},
    )


def _appended(table: RowTable, own: RowTable, rows: Ints) -> RowTable:
    """Add rows of predictions behind those of the manifest."""
    if not len(rows):
        return table
    more, paths = _taken(own, rows), Texts()
    for part in (table, more):
        for k in range(len(part)):
            paths.add(part.paths[k])
    names = dict.fromkeys([*table.columns, *more.columns])
    return RowTable(
        paths,
        {n: np.concatenate([table.keys[n], more.keys[n]]) for n in table.keys},
        {n: np.concatenate([table.identities[n], more.identities[n]]) for n in table.identities},
        {n: Coded.joined([_column(t, n) for t in (table, more)]) for n in names},
    )


def _column(table: RowTable, name: str) -> Coded:
    """Return a column; that of a table without it has empty cells."""
    return table.columns.get(name, Coded([""], np.zeros(len(table), np.int64)))
