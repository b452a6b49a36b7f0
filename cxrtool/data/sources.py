"""What there is to ingest: rows from folders, files, presets, any metadata CSV, and manifests."""

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cxrtool.core import finding_lists, outputs, registry
from cxrtool.core.errors import CxrtoolError, NoImage, Skip
from cxrtool.core.progress import note
from cxrtool.data import metadata_rows
from cxrtool.data.folder_levels import FolderLevels
from cxrtool.data.folder_names import FolderNames
from cxrtool.data.metadata_rows import NUMBERING, SAMPLE
from cxrtool.data.packed_rows import Row
from cxrtool.files import manifest

# What a row holds besides its cells, under names that no column has: where its file is, and the
# manifest that it comes from.
FILE, LISTED = "\0file", "\0listed"

# Columns that name files beside the image.
TABLES = (".csv", ".txt")  # what the metadata of a collection may be
MASKS = ("mask", *manifest.HALVES)
# How the reason ends why a file that a table lists is left out.
ABSENT = "but absent"
# Nobody has reached this age in years.
OLDEST = 130


@dataclass
class Selection:
    """What the user wants of the rows."""

    preset: str | None = None
    metadata: str | None = None
    columns: list[tuple[str, str]] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    source: str | None = None
    views: frozenset[str] = frozenset()
    root: str | None = None
    exact_age: bool = False
    named: int = field(default=0, init=False)  # rows whose source `source` sets, if given


def coarse_age(text: str) -> str:
    """Write an age of 90 years or more as `90+`: an exact age may identify a person.

    The age is the largest number in the text, and may have a unit, as `093Y`, `> 90`, `85-95` or
    `1100 months`. A number that is no age, such as a year of birth, is left out.
    """
    ages = re.findall(r"(\d+)(?:\.\d*)?\s*([dwm])?", text.lower())
    units = {"d": 365.25, "w": 52.18, "m": 12, "": 1}
    years = max((int(number) / units[unit] for number, unit in ages), default=0)
    if years >= OLDEST:
        return ""
    return "90+" if years >= 90 else text


def gather(paths: list[str], selection: Selection) -> Iterator[Row | Skip]:
    """Yield a row for every image that is to be read, and a Skip for every one that is not."""
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise CxrtoolError(f"{path}: no such file or folder", "Check the path.")
        if os.path.isdir(path) or selection.preset is not None or selection.metadata is not None:
            outputs.current().search(_folder(path))
    unused = {pattern for pattern, _ in selection.labels}
    folders = FolderNames(_folder(p) for p in paths if not _is_list(p, selection))
    for path, row in _all_rows(paths, selection):
        gathered = (
            row if isinstance(row, Skip) else _finished(row, path, selection, unused, folders)
        )
        _protect(gathered, selection.root)
        yield gathered
    for pattern in sorted(unused):
        note(f"warning: the label pattern '{pattern}' matches no finding and no label")


def _all_rows(paths: list[str], selection: Selection) -> Iterator[tuple[str, Row | Skip]]:
    """Yield every row with the path that it is from."""
    if selection.metadata is not None:
        yield from metadata_rows.described(paths, selection.metadata, selection.columns)
        return
    for path in paths:
        for row in _rows(path, selection):
            yield path, row


def _protect(gathered: Row | Skip, root: str | None) -> None:
    """Refuse the outputs that are an image or a mask that was gathered, even if it is left out."""
    if isinstance(gathered, NoImage):
        return
    if isinstance(gathered, Skip):
        # Named as its folder names it, or as the manifest would.
        named = [gathered.path, manifest.resolve(gathered.path, root)]
    else:
        masks = (manifest.resolve(gathered[c], root) for c in MASKS if gathered.get(c))
        named = [gathered[FILE], *masks]
    for file in named:
        outputs.current().protect(file, "which is among the images to read")


def _rows(path: str, selection: Selection) -> Iterator[Row | Skip]:
    if _is_list(path, selection):
        return _listed(path, selection.root)
    if os.path.isdir(path) or selection.preset is not None:
        return _of_collection(path, selection.preset or "folder")
    return iter([{"path": path}])


def _of_collection(path: str, spec: str) -> Iterator[Row | Skip]:
    """Take the rows of a collection; if it is not whole, say where it is to be had."""
    name, preset, given = registry.load("collections", spec, "rows")
    # A collection may also be named by its metadata file, which a plain folder does not have.
    is_table = name != "folder" and path.lower().endswith(TABLES)
    if not (is_table or os.path.isdir(path)):
        what = f"{path}: is no folder, and --preset {name} reads a folder"
        raise CxrtoolError(what, "Name the folder, or leave --preset out.")
    source = re.search(r"^Source: (\S+)$", preset.__doc__ or "", re.MULTILINE)
    where = f"{name} is published at {source[1]}" if source else ""
    there = absent = 0
    levels = FolderLevels(path)
    try:
        for row in preset.rows(_folder(path), **given):
            there += not isinstance(row, Skip)
            if name == "folder" and not isinstance(row, Skip):
                levels.add(row["path"])
            absent += isinstance(row, Skip) and row.reason.endswith(ABSENT)
            yield row
    except CxrtoolError as e:
        raise type(e)(f"{e} {where}".rstrip()) from e
    levels.warn()
    if absent:
        note(f"warning: {absent} of {there + absent} that {name} lists are absent; {where}")


def are_class_folders(paths: list[str], selection: Selection) -> bool:
    """Whether nothing but the folders says what class an image is of."""
    return selection.preset is selection.metadata is None and all(map(os.path.isdir, paths))


def _folder(path: str) -> str:
    return path if os.path.isdir(path) else os.path.dirname(path) or "."


def _is_list(path: str, selection: Selection) -> bool:
    """Whether a path is a manifest: with a preset or metadata it is what they describe."""
    if selection.preset is not None or selection.metadata is not None:
        return False
    return path == "-" or path.lower().endswith(".csv")


def _listed(path: str, root: str | None) -> Iterator[Row]:
    """Take the rows of a manifest as they are; what it measured need not be measured again."""
    source = manifest.Manifest(path)
    absent = 0
    for number, cells in enumerate(source.rows()):
        row = dict(zip(source.columns, cells, strict=True))
        file = manifest.resolve(row["path"], root)
        # Only the first rows are looked for: if they are there, so is the folder.
        if number == absent < SAMPLE and not os.path.exists(file):
            absent += 1
        if row.get("dup_group"):
            # A group that was found before stays together; its name is that of its manifest.
            row["dup_group"] = f"{path}: {row['dup_group']}"
        yield {**row, "path": file, LISTED: path}
    if absent:
        where = os.path.abspath(root or ".")
        note(f"warning: {source.name}: some images do not exist below the root folder {where}")


def _finished(
    row: Row, path: str, selection: Selection, unused: set[str], folders: FolderNames
) -> Row | Skip:
    """Add what the selection gives: source, patient across sources, label; filter the view.

    `unused` are the label patterns that no row has matched yet, `folders` the names of sources.
    """
    shown = manifest.relative(row["path"], selection.root)
    try:
        shown.encode()
    except UnicodeEncodeError:
        return Skip(shown, "its name is not UTF-8", "Rename the file.")
    row[FILE], row["path"] = row["path"], shown
    if LISTED in row:
        row["raw"] = row.get("raw") or shown
        if not row.get("source"):
            row["source"] = selection.source or ""
            selection.named += 1
    else:
        row["raw"] = shown
        selection.named += 1
        named = selection.source or row.get("source")
        row["source"] = named or _source(path, selection, folders)
        if row.get("patient"):
            owner = named or row.get(NUMBERING) or row["source"]
            # A table that this tool wrote has it already.
            row["patient"] = f"{owner}/{row['patient'].removeprefix(f'{owner}/')}"
        for column in MASKS:
            if row.get(column):
                row[column] = manifest.relative(row[column], selection.root)
    label = _label(row, selection.labels, unused)
    if label is None:
        return Skip(shown, "its label is mapped to nothing", failed=False)
    row["label"] = label
    return wrong_view(row, selection.views) or row


def wrong_view(row: Row, views: frozenset[str], known: bool = False) -> Skip | None:
    """Leave out a row whose view is not wanted; an empty one may yet come out of the header."""
    view = row.get("view", "")
    if not views or view.upper() in views or not (view or known):
        return None
    return Skip(row["path"], f"view is '{view}', not {' or '.join(sorted(views))}", failed=False)


def _source(path: str, selection: Selection, folders: FolderNames) -> str:
    if selection.preset is not None and selection.preset.partition(":")[0] != "folder":
        return selection.preset.partition(":")[0]
    return folders.of(_folder(path))


def _label(row: Row, patterns: list[tuple[str, str]], unused: set[str]) -> str | None:
    """Rename by the first pattern that fits the collection's own word, or else the label.

    None if it is mapped to nothing. An uncertain finding of a list (`Edema?`) is nothing to name a
    class by.
    """
    label, finding = row.get("label", ""), row.get("finding", "")
    if finding_lists.UNCERTAIN in finding:
        finding = finding_lists.written(finding_lists.read(finding)[0])
    for words in (finding, label):
        for pattern, new in patterns:
            if words and fnmatch.fnmatchcase(words.lower(), pattern.lower()):
                unused.discard(pattern)
                return new or None
    return label


def columns(names: Iterable[str]) -> list[str]:
    """List the columns of a manifest of rows with such cells: the fixed ones, then their own."""
    hidden = {*manifest.COLUMNS, FILE, LISTED, NUMBERING}
    return [*manifest.COLUMNS, *(name for name in names if name not in hidden)]
