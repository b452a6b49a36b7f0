"""Models that differ in their seed alone, and groups of them that differ in the preprocessing."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cxrtool.audit.case import Case, ModelScores
from cxrtool.core.filenames import DIGEST
from cxrtool.stats import within
from cxrtool.stats.cluster_bootstrap import numbered
from cxrtool.stats.cluster_variance import Strata
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.seed_contrast import SeedFigures
from cxrtool.stats.within import Marks

# Student's t of fewer is so wide that an interval says little (of two seeds: 12.7 errors).
ENOUGH_SEEDS = 5
# Models that have less than this in common were tested on different images.
IN_COMMON = 0.5
STEPS = " | "


@dataclass(frozen=True)
class SeedGroup:
    """The models of one preprocessing."""

    steps: str
    models: list[ModelScores]

    @property
    def name(self) -> str:
        """The preprocessing in words."""
        return f"'{self.steps}'" if self.steps else "no preprocessing"

    @property
    def is_enough(self) -> bool:
        """Whether there are seeds enough for an interval."""
        return len(self.models) >= ENOUGH_SEEDS

    @property
    def names_differ(self) -> bool:
        """Whether the names of the models differ in more than one number."""
        texts = [re.split(r"\d+", model.name) for model in self.models]
        numbers = [re.findall(r"\d+", model.name) for model in self.models]
        if any(text != texts[0] for text in texts):
            return True
        varying = [column for column in zip(*numbers, strict=True) if len(set(column)) > 1]
        return any(column != varying[0] for column in varying)


@dataclass(frozen=True)
class CommonImages:
    """The images that all models judge, in one order, and the groups of the models.

    The rows of each model are replaced by those of the first: the same radiograph may have another
    file, and so another row of the case, for each preprocessing.
    """

    rows: Ints
    groups: list[SeedGroup]  # the plainest first
    left_out: int  # images that some models judge, and others do not
    copies: int  # models with the same scores as another one
    mixed: list[str]  # models whose images differ in their preprocessing

    def strata(self, case: Case, keep: Marks) -> Strata:
        """Return classes and patients of some of the images."""
        rows = self.rows[keep]
        patients = numbered(case.images.patients[rows])
        return Strata(case.images.positive[rows].astype(np.int8), patients)

    def figures(self, case: Case, group: SeedGroup, keep: Marks, column: str = "") -> SeedFigures:
        """Return the AUC of each model of a group, on some of the images.

        With a column it is the AUC over pairs of the same value of it.
        """
        rows = self.rows[keep]
        codes = case.images.columns[column].codes[rows] if column else None
        positive = case.images.positive[rows] == 1
        parts = [within.pair_auc(positive, m.scores[keep], codes) for m in group.models]
        values = np.array([part.value for part in parts])
        return SeedFigures(values, np.array([part.influence for part in parts]))


def common_images(case: Case) -> CommonImages:
    """Find the images that all models judge, and group the models by their preprocessing."""
    mixed = [model.name for model in case.models if model.preprocessing is None]
    models = [model for model in case.models if model.preprocessing is not None]
    if not models:
        return CommonImages(np.zeros(0, np.int64), [], 0, 0, mixed)
    keys = _keys(case, models)
    common, everything = keys[0], keys[0]
    for own in keys[1:]:
        common, everything = np.intersect1d(common, own), np.union1d(everything, own)
    aligned = [
        replace(model, **{n: getattr(model, n)[at] for n in ("rows", "scores", "predicted")})
        for model, own in zip(models, keys, strict=True)
        for at in [_places(own, common)]
    ]
    groups = [
        SeedGroup(steps, [model for model in aligned if model.preprocessing == steps])
        for steps in sorted({str(model.preprocessing) for model in aligned}, key=plainness)
    ]
    single = [replace(group, models=_distinct(group.models)) for group in groups]
    copies = len(aligned) - sum(len(group.models) for group in single)
    return CommonImages(aligned[0].rows, single, len(everything) - len(common), copies, mixed)


def plainness(steps: str) -> tuple[int, str]:
    """Order preprocessings by how much they change: by their steps, without mere resizing."""
    changing = [step for step in steps.split(STEPS) if step and "--method none" not in step]
    return len(changing), steps


def _distinct(models: Sequence[ModelScores]) -> list[ModelScores]:
    """Leave out models with the scores of another: the same seed again is no further seed."""
    kept: list[ModelScores] = []
    for model in models:
        if not any(np.array_equal(model.scores, other.scores) for other in kept):
            kept.append(model)
    return kept


def _keys(case: Case, models: Sequence[ModelScores]) -> list[Ints]:
    """Return what tells the images of each model apart: their rows, or else their names."""
    rows = [model.rows for model in models]
    shared = set(rows[0].tolist()).intersection(*(own.tolist() for own in rows[1:]))
    if len(shared) >= IN_COMMON * min(map(len, rows)):
        return rows
    named = _by_name(case, rows)
    return rows if named is None else named


def _by_name(case: Case, rows: Sequence[Ints]) -> list[Ints] | None:
    """Number the images by the names of their files, where names, labels and patients agree."""
    number: dict[str, int] = {}
    about: dict[str, tuple[int, int]] = {}
    result: list[Ints] = []
    for own in rows:
        names = [stem(case.images.paths(row)) for row in own.tolist()]
        if len(set(names)) < len(names):
            return None
        for name, row in zip(names, own.tolist(), strict=True):
            known = int(case.images.positive[row]), int(case.images.identities["patient"][row])
            if about.setdefault(name, known) != known:
                return None
        result.append(np.array([number.setdefault(name, len(number)) for name in names], np.int64))
    return result


def stem(path: str) -> str:
    """Name an image without its folder, its ending, and the digest that preprocessing adds.

    >>> stem("he/a-0123456789abcdef.png"), stem("raw/a.jpg")
    ('a', 'a')
    """
    name = os.path.splitext(os.path.basename(path))[0]
    return DIGEST.sub("", name) or name


def _places(own: Ints, wanted: Ints) -> Ints:
    order = np.argsort(own, kind="stable")
    return order[np.searchsorted(own[order], wanted)]


def spread(values: Floats) -> tuple[float, float, float]:
    """Return mean, minimum and maximum."""
    return float(values.mean()), float(values.min()), float(values.max())
