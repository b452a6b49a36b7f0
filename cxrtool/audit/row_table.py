"""The rows of one table, and of two joined: columns as codes, images as digests of their paths."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrtool.audit.case import FORMAT, IDENTITIES, LEARNED
from cxrtool.core.codes import Codes
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note
from cxrtool.data.label_columns import file_format
from cxrtool.files import foreign_columns, unread_columns
from cxrtool.files.manifest import Manifest, Where
from cxrtool.files.predictions import Predictions
from cxrtool.files.predictions_table import is_chance
from cxrtool.files.text_columns import Coded, Texts, digests
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
# Columns whose values are paths or commands, or must fit the columns p_CLASS.
VERBATIM = ("label", "mask", "preprocessing")


@dataclass(frozen=True)
class RowTable:
    """The rows of one table, with digests by which they are found in another one."""

    paths: Texts
    keys: dict[str, Ints]  # digests of path and raw
    identities: dict[str, Ints]
    columns: dict[str, Coded]

    def __len__(self) -> int:
        return len(self.keys["path"])

    def known(self) -> list[str]:
        """List the columns that the table has, or that have a value."""
        return [*self.columns, *(name for name, own in self.identities.items() if own.any())]


def read_manifest(path: str, where: Sequence[Where], more: Sequence[str]) -> RowTable:
    """Read the columns of a manifest that the checks need."""
    manifest = Manifest(path, where)
    # A pipe cannot be looked into, to tell the one table from the other.
    if any(map(is_chance, manifest.columns)):
        what = f"{manifest.name}: holds predictions (columns p_CLASS) and is no manifest"
        raise CxrtoolError(what, "Name it with its option.", settings=[f"predictions={path}"])
    for column in more:
        manifest.index(column, "Check --within.")
    unread_columns.warn([manifest], unread_columns.OTHER_NAMES)
    wanted = [c for c in dict.fromkeys([*COLUMNS, *more]) if c in manifest.columns]
    codes = {c: Codes() for c in [*wanted, FORMAT]}
    at = {c: i for i, c in enumerate(manifest.columns)}
    paths = Texts()
    parts: dict[str, list[Ints]] = {n: [] for n in ("path", "raw", *IDENTITIES)}
    for number, chunk in enumerate(manifest.chunks()):
        if not number:
            _warn_of_chances(manifest, chunk)
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
    columns = {n: trimmed(n, Coded(list(c.known), c.codes())) for n, c in codes.items()}
    return RowTable(
        paths,
        {name: keys[name] for name in ("path", "raw")},
        {name: keys[name] for name in IDENTITIES},
        columns,
    )


def _warn_of_chances(manifest: Manifest, rows: Sequence[Sequence[str]]) -> None:
    """Say that columns of a manifest are not read, though they seem to be predictions."""
    if renamed := foreign_columns.chances(manifest.columns, rows):
        names = ", ".join(f"'{name}'" for name in renamed)
        verb = "is" if len(renamed) == 1 else "are"
        what = f"warning: {manifest.name}: {names} {verb} not read, as predictions would be"
        note(f"{what}. For probabilities: {foreign_columns.sentence(renamed)}")


def trimmed(name: str, column: Coded) -> Coded:
    """Take blanks off the ends of the values of a column: `A` and `A ` are one hospital."""
    if name in VERBATIM or all(text == text.strip() for text in column.names):
        return column
    names = [text.strip() for text in column.names]
    if alike := [text for text in column.names if text != text.strip() in column.names]:
        note(
            f"warning: {name}: {', '.join(map(repr, alike))} differs from another value by blanks "
            "alone: both are one value"
        )
    return Coded.of(names, column.codes)


def of_predictions(judged: Predictions) -> RowTable:
    """Return the rows of tables of predictions."""
    number = len(judged)
    formats = Codes()
    formats.add(file_format("", judged.path(k)) for k in range(number))
    others = ("model", "sha256", "dup_group")
    columns = {n: trimmed(n, c) for n, c in judged.coded.items() if n not in others}
    columns[FORMAT] = Coded(list(formats.known), formats.codes())
    identities = {"patient": np.where(judged.patient == judged.same["path"], 0, judged.patient)}
    for name in ("sha256", "dup_group"):
        coded = judged.coded[name]
        identities[name] = digests(coded.names)[coded.codes]
    paths = Texts()
    for k in range(number):
        paths.add(judged.path(k))
    return RowTable(paths, dict(judged.same), identities, columns)


def listed(table: RowTable | None, paths: Ints) -> Ints:
    """Return the row of the manifest with each path, as its `path` or `raw`; -1 without one."""
    place = np.full(len(paths), -1, np.int64)
    if table is not None:
        parts = column_of(table, "split")
        # Of a picture that is in several parts, the held-out one was predicted.
        learned = parts.isin(LEARNED)
        for name in ("path", "raw"):
            place = np.where(place < 0, lookup(table.keys[name], paths, learned), place)
    return place


def lookup(keys: Ints, wanted: Ints, later: Marks | None = None) -> Ints:
    """Return the first row with each key, -1 where there is none; 0 is no key.

    Rows that are marked as later come behind the others of their key.
    """
    order = np.lexsort((np.zeros(len(keys), bool) if later is None else later, keys))
    at = np.searchsorted(keys[order], wanted)
    rows = order[np.minimum(at, len(order) - 1)] if len(order) else np.zeros(len(wanted), np.int64)
    fits = (keys[rows] == wanted) & (wanted != 0) if len(order) else np.zeros(len(wanted), bool)
    return np.where(fits, rows, -1)


def taken(table: RowTable, rows: Ints) -> RowTable:
    """Keep some rows."""
    paths = Texts()
    for k in rows.tolist():
        paths.add(table.paths[k])
    return RowTable(
        paths,
        {n: v[rows] for n, v in table.keys.items()},
        {n: v[rows] for n, v in table.identities.items()},
        {n: c.take(rows) for n, c in table.columns.items()},
    )


def appended(table: RowTable, own: RowTable, rows: Ints) -> RowTable:
    """Add rows of predictions behind those of the manifest."""
    if not len(rows):
        return table
    more, paths = taken(own, rows), Texts()
    for part in (table, more):
        for k in range(len(part)):
            paths.add(part.paths[k])
    names = dict.fromkeys([*table.columns, *more.columns])
    return RowTable(
        paths,
        {n: np.concatenate([table.keys[n], more.keys[n]]) for n in table.keys},
        {n: np.concatenate([table.identities[n], more.identities[n]]) for n in table.identities},
        {n: Coded.joined([column_of(t, n) for t in (table, more)]) for n in names},
    )


def column_of(table: RowTable, name: str) -> Coded:
    """Return a column; that of a table without it has empty cells."""
    return table.columns.get(name, Coded([""], np.zeros(len(table), np.int64)))
