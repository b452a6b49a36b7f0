"""The papers' figures beside one's own: chosen by a SPEC, and put into the same rows."""

import re
from collections.abc import Sequence
from dataclasses import replace

from cxrtool.compare.comparison import PRINTED, Figure, Shown
from cxrtool.compare.positive_class import positive_class
from cxrtool.core import commas, registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.published import library
from cxrtool.stats.metrics import NAMES
from cxrtool.stats.weighted_metrics import MACRO, WEIGHTED, Key

ABOUT = {
    "covid-cxnet": "Haghanifar et al. 2020 (COVID-CXNet), Tables 1 to 7",
    "cvr-net": "Hasan et al. 2020 (CVR-Net), Tables 2 to 5",
    "luiz": "Luiz et al. (DenseNet121 in ten folds), Tables 3 and 5 to 7",
    "majeed": "Majeed et al. 2020 (twelve networks and CNN-X), Tables 1 to 3",
    "tartaglione": "Tartaglione et al. 2020 (cross-dataset tests), Tables II to IV",
}
# What papers print and no prediction has.
EXTRA = ("parameters",)
COLUMNS = ("name", "options", "summary")
# A table to be read has room for so many columns of a paper.
MOST = 6
# What CVR-Net's short names of classes mean; its code uses NCP for COVID-19.
CLASS_WORDS = {
    "nor": "normal",
    "ncp": "pneumonia",
    "obp": "bacteria",
    "ovp": "virus",
    "cvp": "covid",
    "cp": "covid",
    "ncv": "other",
}
# A number of its list of references that a paper puts behind a name: DarkNet [9].
_REFERENCE = re.compile(r" \[\d+\]$")


def listing() -> list[tuple[str, str, str]]:
    """Describe the papers: name, keys, what it is."""
    keys = {name: [*_keys(library.read(name)[0]), "table"] for name in library.names()}
    return [(name, ",".join(keys[name]), ABOUT[name]) for name in library.names()]


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
        registry.choose(f"--published {name}", key, [*keys, "table"])
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
    classes, confusion = library.confusion(name, row["model"], row[keys[-1]])
    model = f"{name}: {row['model']}"
    return Shown(model, group, classes, None, {}, number, confusion or None)


def _figure(row: dict[str, str]) -> Figure:
    value, low, high, std = (float(row[c] or "nan") for c in ("value", "low", "high", "std"))
    averaging, table = row["averaging"], row["table"]
    return Figure(value, low, high, PRINTED, row["note"], std, averaging, table)


def metrics_of(metrics: Sequence[str]) -> list[str]:
    """Add what only papers print to the metrics that are shown, unless some were chosen."""
    return [*metrics, *EXTRA] if set(NAMES) <= set(metrics) else list(metrics)


def beside(entries: Sequence[Shown], results: Sequence[Shown]) -> list[Shown]:
    """Put the paper's figures into the rows of one's own groups and classes."""
    outcome = []
    for group in dict.fromkeys(result.group for result in results):
        ours = next(r for r in results if r.group == group)
        for entry in entries:
            model = f"{entry.model} ({entry.group})" if entry.group else entry.model
            outcome.append(replace(placed(entry, ours), model=model, group=group))
    return outcome


def placed(entry: Shown, ours: Shown) -> Shown:
    """Put the figures of one of the paper's models where one's own result has them."""
    figures = {_place(k, figure, ours): figure for k, figure in entry.figures.items()}
    return replace(entry, figures=figures)


def columns_of(entries: Sequence[Shown]) -> list[str]:
    """Name the columns of a table with a row a model: the paper, and what it was tested on."""
    columns = list(dict.fromkeys(map(column_of, entries)))
    if len(columns) > MOST:
        some = "; ".join(columns[:3])
        what = (
            f"--published: {len(columns)} settings of the paper ({some}; ...) are too many to show"
        )
        raise CxrtoolError(what, "Choose with NAME:KEY=VALUE, or take --format csv.")
    return columns


def column_of(entry: Shown) -> str:
    """Name the column that has a model of a paper."""
    paper = entry.model.partition(": ")[0]
    return f"{paper} ({entry.group})" if entry.group else paper


def same_model(entry: Shown, name: str) -> bool:
    """Tell whether a model of a paper is one's own, by its name without marks and case."""
    theirs = _plain(_REFERENCE.sub("", entry.model.partition(": ")[2]))
    mine = _plain(name)
    return bool(mine) and (theirs == mine or theirs.removeprefix("proposed") == mine)


def _place(key: Key, figure: Figure, ours: Shown) -> Key:
    """Find one's own class that a paper means; its word for one may be longer (COVID-19)."""
    label, metric = key
    if not label:
        overall = figure.averaging == "overall"
        return _whole(ours) if overall else _positive(ours), metric
    theirs = CLASS_WORDS.get(_plain(label), _plain(label))
    for known in ours.classes:
        word = _plain(known)
        if word == theirs or (len(word) > 3 and theirs.startswith(word)):
            return known, metric
    return key


def _positive(ours: Shown) -> str:
    """Name the class that stands for the positive one of a paper."""
    return ours.positive or positive_class(ours.classes) or ""


def _whole(ours: Shown) -> str:
    """Name where figures over all images stand: of two classes at the positive one, if any."""
    return ours.positive or "" if len(ours.classes) == 2 else ""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9&+]", "", text.lower())
