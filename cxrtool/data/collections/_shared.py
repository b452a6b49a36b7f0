"""What the collections have in common: metadata found, paired with files, in plain words."""

import os
import re
from collections.abc import Callable, Iterable, Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.files.tree import Index, images

# A file's name with its row, or with the reason why it is left out by rule.
Entry = tuple[str, dict[str, str] | str]

OLDEST = 120


def tables(
    root: str, *names: str, needed: bool = True, remedy: str = "Name the collection's top folder."
) -> list[str]:
    """Find those of the metadata files that are there, in the folder itself or one below."""
    below: list[list[str]] = []
    for folder in (root, *_below(root)):
        here = [os.path.join(folder, name) for name in names]
        here = [path for path in here if os.path.isfile(path)]
        if here and folder == root:
            return here
        if here:
            below.append(here)
    if len(below) > 1:
        what = f"{root}: holds both {below[0][0]} and {below[1][0]}"
        raise CxrtoolError(what, "Name one collection's folder.")
    if needed and not below:
        listed = " or ".join(names)
        raise CxrtoolError(f"{root}: no {listed} in it, nor in a folder of it", remedy)
    return below[0] if below else []


def _below(root: str) -> list[str]:
    if not os.path.isdir(root):
        raise CxrtoolError(f"{root}: no such folder", "Check the path.")
    try:
        with os.scandir(root) as entries:
            return sorted((e.path for e in entries if e.is_dir()), key=os.fsencode)
    except OSError as e:
        raise CxrtoolError(f"{root}: {(e.strerror or '').lower()}", "Check its rights.") from e


def pair(
    root: str,
    entries: Iterable[Entry],
    where: str,
    find: Callable[[str], str | None] | None = None,
) -> Iterator[dict[str, str] | Skip]:
    """Give every row its file, then report the files below `root` that no row names.

    `where` names the metadata in messages; `find` looks a file up when names alone do not do.
    """
    find = find or Index(root).find
    known: set[str] = set()
    taken: set[str] = set()
    for name, row in entries:
        path = find(name)
        listed = path or os.path.join(root, name.lstrip("/"))
        if isinstance(row, str):
            yield Skip(listed, row, failed=False)
        elif path is None:
            yield Skip(listed, f"listed in {where} but absent", "Complete the download.")
        elif path in taken:
            yield Skip(path, f"listed again in {where}", failed=False)
        else:
            taken.add(path)
            yield {"path": path, **row}
        known.add(listed)
    yield from _unlisted(root, known, where)


def _unlisted(root: str, known: set[str], where: str) -> Iterator[Skip]:
    for path in images(root):
        if isinstance(path, Skip):
            yield path
        elif path not in known:
            yield Skip(path, f"not listed in {where}", failed=False)


def view(text: str) -> str:
    """Write a projection as the manifest does: `ap_horizontal` as `AP Supine`, `?` as unknown."""
    first, *rest = re.split(r"[\s_]+", text.replace("?", "").strip())
    name = " ".join((first.upper(), *(word.capitalize() for word in rest)))
    same = {"AP Horizontal": "AP Supine", "APS": "AP Supine", "LATERAL": "L"}
    return same.get(name, name)


def age(text: str) -> str:
    """Write an age in whole years: `058Y`, `58.0` and `18 months`; unknown if impossible."""
    match = re.fullmatch(r"(\d+)(?:\.\d*)?\s*(?:(y)|(mo?)|(w)|(d))?[a-z]*\.?", text.strip().lower())
    if match is None:
        return ""
    number, _, months, weeks, days = match.groups()
    years = int(number) // (12 if months else 52 if weeks else 365 if days else 1)
    # Old copies of ChestX-ray14 have patients of 411 years.
    return str(years) if years <= OLDEST else ""


def sex(text: str) -> str:
    """Write `male`, `Female`, `m` as M or F; unknown if neither."""
    first = text.strip()[:1].upper()
    return first if first in ("M", "F") else ""


def lung_class(finding: str) -> str:
    """Map the word that the COVID-19 collections have for a finding to a class, or to none.

    Every named cause of a pneumonia is `pneumonia`; tuberculosis is not counted among them.
    """
    word = finding.strip().lower()
    if word in ("", "todo", "unknown"):
        return ""
    if "covid-19" in word:
        return "covid"
    if "tuberculosis" in word:
        return "tuberculosis"
    return "normal" if word == "no finding" else "pneumonia"
