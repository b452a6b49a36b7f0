"""What tables, plots and pages show of a comparison: groups, panels, words and file names."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxrtool.compare import published_figures
from cxrtool.compare.comparison import Question, Result, Shown
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.groups import NOTHING
from cxrtool.core import filenames

# Vector graphics: sharp on paper, and texts that a report can hold.
ENDING = ".svg"
WORDS = {
    "auc": "AUC",
    "npv": "NPV",
    "f1": "F1",
    "dor": "DOR",
    "mcc": "MCC",
    "ece": "ECE",
    "ece_debiased": "ECE (debiased)",
    "dor_haldane": "DOR (Haldane)",
    "brier": "Brier score",
}
ALL = "all images"


@dataclass(frozen=True)
class Plot:
    """One plot: its file, what it shows in words, and how it is drawn."""

    file: str
    kind: str
    alt: str
    caption: str
    draw: Callable[[str | os.PathLike[str]], None]


@dataclass(frozen=True)
class Shows:
    """All that there is to be shown."""

    results: Sequence[Result]
    question: Question
    metrics: Sequence[str]
    papers: Sequence[Shown] = ()
    matrix: Matrix | None = None

    @property
    def by(self) -> tuple[str, ...]:
        """The columns that make the groups."""
        return self.question.by if self.matrix is None else (self.matrix.names[1],)

    @property
    def beside(self) -> list[Shown]:
        """The papers' figures in the rows of one's own groups, however many there are."""
        result: list[Shown] = []
        for start in range(0, len(self.papers), published_figures.MOST):
            result += published_figures.beside(
                self.papers[start : start + published_figures.MOST], self.results
            )
        return result

    @property
    def views(self) -> Sequence[int]:
        """The classes, each against the rest; of two, both would show the same."""
        return self.results[0].judged.views if self.results else ()

    def label(self, k: int) -> str:
        """Name the class in the name of a file, where there are pictures of several."""
        return "" if len(self.views) == 1 else self.results[0].classes[k]


@dataclass(frozen=True)
class Panel:
    """The lines of one plot: models on one group, or one model on all groups."""

    name: str
    lines: list[tuple[str, Result]]


def panels_of(results: Sequence[Result]) -> list[Panel]:
    """Put what is to be compared into one panel, by group where there are several models."""
    groups: dict[str, list[tuple[str, Result]]] = {}
    for result in results:
        groups.setdefault(result.group, []).append((result.model, result))
    if len(groups) > 1 and len({r.model for r in results}) == 1:
        return [Panel(results[0].model, [(r.group, r) for r in results])]
    return [Panel(group, lines) for group, lines in groups.items()]


@dataclass
class Names:
    """Names for files, readable where that is safe, and never the same for two pictures.

    Two that differ in case alone would be one file on some disks.
    """

    taken: set[str] = field(default_factory=set)

    def of(self, *parts: str) -> str:
        """Name one more."""
        whole = "-".join(part for part in parts if part).replace(", ", "-").replace(" ", "_")
        name = re.sub(r"[^A-Za-z0-9_.+=-]+", "_", whole)
        if name != whole or len(name) > 80 or name.casefold() in self.taken:
            name = filenames.file_name(name + ENDING, "\0".join(parts))
        self.taken.add(name.casefold())
        return name + ENDING


def sources_of(result: Result) -> NDArray[np.object_]:
    """Name the source of every image."""
    if result.sources is None:
        return np.full(len(result.judged), NOTHING, object)
    named = np.array([name or NOTHING for name in result.sources.names], object)
    return named[result.sources.codes]


def titled(*parts: str) -> str:
    """Join the parts of a title that there are."""
    return ", ".join(part for part in parts if part)


def word(metric: str) -> str:
    """Write a metric's name to be read."""
    return WORDS.get(metric, metric.replace("_", " "))
