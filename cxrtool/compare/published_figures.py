"""The papers' figures beside one's own: chosen by a SPEC, and put into the same rows."""

import re
from collections.abc import Sequence
from dataclasses import replace

from cxrtool.compare.comparison import PRINTED, Figure, Shown
from cxrtool.core import commas, registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.published import library
from cxrtool.stats.weighted_metrics import MACRO, WEIGHTED, Key

ABOUT = {
    "covid-cxnet": "Haghanifar et al. 2020 (COVID-CXNet), Tables 2 to 6",
    "cvr-net": "Hasan et al. 2020 (CVR-Net), Tables 2, 3 and 5",
    "luiz": "Luiz et al. (DenseNet121 in ten folds), Tables 5 to 7",
    "majeed": "Majeed et al. 2020 (twelve networks and CNN-X), Tables 1 to 3",
    "tartaglione": "Tartaglione et al. 2020 (cross-dataset tests), Tables II to IV",
}
COLUMNS = ("name", "options", "summary")
# A table to be read has room for so many columns of a paper.
MOST = 6


def listing() -> list[tuple[str, str, str]]:
    """Describe the papers: name, keys, what it is."""
    return [(name, ",".join(_keys(library.read(name)[0])), ABOUT[name]) for name in library.names()]


def _keys(columns: Sequence[str]) -> list[str]:
    return list(columns[: columns.index("class")])


def chosen(spec: str) -> list[Shown]:
    """Read NAME[:KEY=VALUE[,KEY=VALUE...]] and take the rows of that paper that fit."""
    name, colon, rest = spec.partition(":")
    registry.choose("--published", name, library.names())
    columns, rows = library.read(name)
    keys = _keys(columns)
    for pair in commas.split(rest) if colon else ():
        key, equals, value = pair.partition("=")
        registry.choose(f"--published {name}", key, keys)
        there = list(dict.fromkeys(row[key] for row in rows))
        rows = [row for row in rows if _plain(row[key]) == _plain(value)]
        if not equals or not rows:
            what = f"--published {name}: {key} '{value}' is not one of: {', '.join(there)}"
            raise CxrtoolError(what, "Choose one of them.")
    entries: dict[tuple[str, ...], Shown] = {}
    for row in rows:
        place = tuple(row[key] for key in keys)
        entry = entries.setdefault(place, _entry(name, keys, row))
        entry.figures[row["class"], row["metric"]] = _figure(row)
        if row["class"] and row["class"] not in (MACRO, WEIGHTED, *entry.classes):
            entry.classes.append(row["class"])
    return list(entries.values())


def _entry(name: str, keys: Sequence[str], row: dict[str, str]) -> Shown:
    group = ", ".join(f"{key} {row[key]}" for key in keys[1:])
    number = int(row["n"]) if row["n"] else None
    return Shown(f"{name}: {row['model']}", group, [], None, {}, number)


def _figure(row: dict[str, str]) -> Figure:
    value, low, high = (float(row[c] or "nan") for c in ("value", "low", "high"))
    return Figure(value, low, high, PRINTED, row["note"])


def beside(entries: Sequence[Shown], results: Sequence[Shown]) -> list[Shown]:
    """Put the paper's figures into the rows of one's own groups and classes."""
    if len(entries) > MOST:
        keys = "; ".join(dict.fromkeys(f"{e.model}, {e.group}".rstrip(", ") for e in entries[:3]))
        what = f"--published: {len(entries)} rows of the paper ({keys}; ...) are too many to show"
        raise CxrtoolError(what, "Choose with NAME:KEY=VALUE, or take --format csv.")
    outcome = []
    for group in dict.fromkeys(result.group for result in results):
        ours = next(r for r in results if r.group == group)
        for entry in entries:
            model = f"{entry.model} ({entry.group})" if entry.group else entry.model
            figures = {_place(key, ours): figure for key, figure in entry.figures.items()}
            outcome.append(replace(entry, model=model, group=group, figures=figures))
    return outcome


def _place(key: Key, ours: Shown) -> Key:
    """Find one's own class that a paper means; its word for one may be longer (COVID-19)."""
    label, metric = key
    if not label:
        return ours.positive or "", metric
    for known in ours.classes:
        word = _plain(known)
        if word == _plain(label) or (len(word) > 3 and _plain(label).startswith(word)):
            return known, metric
    return key


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9&+]", "", text.lower())
