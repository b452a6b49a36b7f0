"""Sources that give the label away in the images of a comparison (results -> warnings)."""

from collections.abc import Sequence

import numpy as np

from cxrtool.compare.comparison import Result
from cxrtool.core.progress import note
from cxrtool.data.label_columns import SOURCE
from cxrtool.files.text_columns import Coded
from cxrtool.stats import label_traps
from cxrtool.stats.weighted_metrics import Ints

REST = "all other classes"


def warnings(results: Sequence[Result]) -> dict[str, list[str]]:
    """Return the warnings, and the models of each: those of the same images have the same one."""
    models: dict[str, list[str]] = {}
    for model in dict.fromkeys(result.model for result in results):
        own = [r for r in results if r.model == model and r.sources is not None]
        if warning := _warning(own):
            models.setdefault(warning, []).append(model)
    return models


def _warning(own: Sequence[Result]) -> str:
    """Look at the images of all groups of one model."""
    if not own:
        return ""
    labels = _classes(own[0], np.concatenate([r.judged.labels for r in own]))
    sources = Coded.joined([r.sources for r in own if r.sources is not None])
    who = np.concatenate([r.patient for r in own])
    patients = np.unique(who, return_inverse=True)[1]
    traps = label_traps.find(labels, patients, {SOURCE: sources})
    return label_traps.warning_of_auc(traps, label_traps.across(labels, sources))


def _classes(result: Result, labels: Ints) -> Coded:
    """Name the classes that AUC sets against one another."""
    if result.positive is None or len(result.classes) == 2:
        return Coded(result.classes, labels)
    positive = labels == result.classes.index(result.positive)
    return Coded([REST, result.positive], positive.astype(np.int64))


def note_warnings(results: Sequence[Result]) -> None:
    """Say them, with their models."""
    for warning, models in warnings(results).items():
        note(f"warning: {', '.join(models)}: {warning}")
