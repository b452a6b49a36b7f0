"""Which rows of predictions belong together: models, groups, folds, and images that stand twice."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.files.failures import Failures
from cxrtool.files.predictions import FINDING, Predictions
from cxrtool.files.text_columns import Coded, digests
from cxrtool.stats.weighted_metrics import Ints

ALL = "all"  # The model of runs that are pooled as repeats.
NOTHING = "(none)"  # The group of rows whose cell is empty.
KEEP_ONE = (
    "Keep one of its rows; if they are of two runs, give each its own value in the column model."
)


def once(
    predictions: Predictions, columns: Sequence[str], skipped: Failures, *, grouped: bool = True
) -> Predictions:
    """Leave out an image that one model judges twice in the same group.

    `grouped` says whether the caller could group the rows by other columns.
    """
    keys = [predictions.same["path"], predictions.coded["model"].codes]
    keys += [predictions.coded[c].codes for c in columns]
    order = np.lexsort(keys)
    again = np.ones(len(order), bool)
    if len(order):
        again[0] = False
    for key in keys:
        again[1:] &= key[order][1:] == key[order][:-1]
    _check_findings(predictions, order[again], order[:-1][again[1:]], grouped)
    for at in np.sort(order[again]).tolist():
        model = predictions.coded["model"]
        what = f"it occurs twice for model '{model.names[model.codes[at]]}'"
        skipped.add(Skip(predictions.path(at), what, KEEP_ONE))
    return predictions.take(np.sort(order[~again])) if again.any() else predictions


def _check_findings(predictions: Predictions, again: Ints, before: Ints, grouped: bool) -> None:
    """Refuse rows that differ in the finding that they are of: each is a question of its own."""
    finding = predictions.coded.get(FINDING)
    if finding is not None and (finding.codes[again] != finding.codes[before]).any():
        what = "these predictions are of several findings, and each finding is judged alone"
        names = [finding.names[k] for k in np.unique(finding.codes).tolist()]
        choice = f"Group by the column {FINDING}, or choose" if grouped else "Choose"
        remedy = f"{choice} one of {', '.join(names)}."
        one = shlex.quote(f"{FINDING}={names[0]}")
        raise CxrtoolError(what, remedy, settings=[f"by={FINDING}", f"where={one}"])


def pooled(predictions: Predictions, column: str) -> Predictions:
    """Give the models of one cross-validation, a run a fold, one name."""
    model, values = predictions.coded["model"], predictions.coded[column]
    if len(np.unique(values.codes)) < 2:
        what = f"--pool {column}: it is '{values.names[values.codes[0]]}' in every row"
        raise CxrtoolError(what, "There is nothing to take a mean of: drop --pool.")
    if column == "model":
        coded = {"model": Coded([ALL], np.zeros(len(predictions), np.int64)), "pool": model}
        return replace(predictions, coded=predictions.coded | coded)
    coded = predictions.coded | {"pool": values}
    pairs = np.unique(np.column_stack([model.codes, values.codes]), axis=0).tolist()
    stems = {m: _stem(model.names[m], values.names[v]) for m, v in pairs}
    # A run a fold: no model has two folds, and no two of a name have the same one.
    apart = {(stems[m], v) for m, v in pairs}
    if len(pairs) == len(apart) == len(stems):
        names = list(dict.fromkeys(stems.values()))
        places = np.array([names.index(stems.get(m, names[0])) for m in range(len(model.names))])
        coded["model"] = Coded(names, places[model.codes])
    return replace(predictions, coded=coded)


def _stem(model: str, value: str) -> str:
    """Take the fold off the name of a model: `r18-fold3` of fold 3 is `r18`."""
    if not value:
        return model
    ending = rf"[-_. ]*(fold|f|seed|run)?[-_. ]*0*{re.escape(value)}$"
    return re.sub(ending, "", model, flags=re.IGNORECASE) or ALL


def groups(predictions: Predictions, by: Sequence[str]) -> Iterator[tuple[str, str, Ints]]:
    """Yield every group of every model: the group, the model and the rows."""
    model = predictions.coded["model"]
    columns = [predictions.coded[c] for c in by]
    codes = np.column_stack([*(c.codes for c in columns), model.codes])
    result, place = np.unique(codes, axis=0, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(place.ravel()))[:-1])
    named = []
    for values, rows in zip(result.tolist(), parts, strict=True):
        texts = [c.names[v] or NOTHING for c, v in zip(columns, values, strict=False)]
        named.append((texts, values[-1], rows))
    for texts, code, rows in sorted(named, key=lambda part: ([*map(_natural, part[0])], part[1])):
        yield ", ".join(texts), model.names[code], rows


def _natural(text: str) -> list[str | int]:
    """Sort fold 10 behind fold 9."""
    return [int(t) if t.isdecimal() else t for t in re.split(r"(\d+)", text)]


def images_of(predictions: Predictions, pool: str) -> dict[str, NDArray[np.int64]]:
    """Tell images apart by path and by raw file; an image of two repeats is two."""
    keys = {name: predictions.same[name] for name in ("path", "raw")}
    if pool and len(predictions):
        column = predictions.coded["pool"]
        salt = digests([f"pool {name}" for name in column.names])[column.codes]
        keys = {name: np.where(key != 0, key ^ salt, 0) for name, key in keys.items()}
    return keys
