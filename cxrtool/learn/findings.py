"""Predict independent findings: one row for each image and finding (rows -> predictions).

Every output of the network is a sigmoid unit of its own, so that an image has any number of
findings. Each of them is a question with two answers: a table of one finding is one that any
command reads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cxrtool.core import finding_lists
from cxrtool.core.errors import Skip
from cxrtool.core.negative_names import says_none
from cxrtool.figures import numbers
from cxrtool.files import predictions
from cxrtool.learn.inference import Model
from cxrtool.learn.prediction import Looks, PredictionSettings, Predictor, predicted
from cxrtool.stats import metrics
from cxrtool.stats.label_traps import AUDIT

Row = dict[str, str]
Floats = NDArray[np.float64]

# The two answers of a finding.
ANSWERS = predictions.ANSWERS
# What images are called that do not have the label that outputs are scores for.
OTHER = predictions.OTHER
COLUMN = predictions.FINDING
# The column that keeps the list of an image, beside one finding of it.
LISTS = "findings"


@dataclass(frozen=True)
class Truth:
    """Who says which findings an image has: its list of findings, or a label that is asked for."""

    names: Sequence[str]
    target: str | None = None

    @property
    def answers(self) -> tuple[str, str]:
        """The two classes of every finding."""
        return ANSWERS if self.target is None else (OTHER, self.target)

    def of(self, row: Mapping[str, str]) -> list[str]:
        """Return the answer of each finding; empty where nobody says it.

        A list that has a name which the run does not know says nothing of the findings that are
        not in it: COVID-19 may be beside a pneumonia, or not. `Edema?` is in the list, and leaves
        open whether there is an oedema.
        """
        if self.target is not None:
            label = row.get("label", "")
            answer = self.answers[label == self.target] if label else ""
            return [answer] * len(self.names)
        certain, uncertain = ({*map(str.casefold, names)} for names in names_of(row))
        known = {name.casefold() for name in self.names}
        known |= {name for name in certain if says_none(name)}
        listed = certain | uncertain
        absent = ANSWERS[0] if listed and listed <= known else ""
        answers = dict.fromkeys(uncertain, "") | dict.fromkeys(certain, ANSWERS[1])
        return [answers.get(name.casefold(), absent) for name in self.names]


def contradicts(row: Mapping[str, str]) -> bool:
    """Tell whether a list has a finding, and says that there is none."""
    none = [says_none(name) for name in names_of(row)[0]]
    return any(none) and not all(none)


def warning_of_lists(contradictory: int) -> str:
    """Say how many lists contradict themselves."""
    lists = "1 list says" if contradictory == 1 else f"{contradictory} lists say"
    return f"warning: {lists} both that there is no finding and name one: the finding counts"


def names_of(row: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the names in the list of a row, "no finding" among them; and the uncertain ones."""
    return finding_lists.read(row.get(COLUMN, ""))


class FindingsPredictor(Predictor):
    """One run whose outputs are findings."""

    def __init__(self, model: Model, settings: PredictionSettings) -> None:
        super().__init__([model], None, settings)

    @property
    def looks(self) -> Looks:
        """What is asked of the network: each finding by itself."""
        return Looks(findings=True)


class FindingsJudge:
    """Keeps what came out, to say at the end how good each finding is."""

    def __init__(self, truth: Truth) -> None:
        self.truth, self.answers = truth, list[list[str]]()
        self.scores: list[Floats] = []
        self.contradictory = 0

    def see(self, row: Mapping[str, str], answers: list[str], scores: Floats) -> None:
        """Keep one image."""
        self.contradictory += self.truth.target is None and contradicts(row)
        self.answers.append(answers)
        self.scores.append(scores)

    def table(self) -> list[tuple[str, str]]:
        """Return the AUC of each finding that some images have and others have not, in words."""
        return [
            (f"{name} ({there} of {of})", numbers.value(auc)) for name, auc, there, of in self.aucs
        ]

    @cached_property
    def aucs(self) -> list[tuple[str, float, int, int]]:
        """The AUC of such findings, how many images have them, and of how many it is known."""
        result = []
        answers, scores = np.array(self.answers, object), np.array(self.scores)
        for k, name in enumerate(self.truth.names if self.answers else ()):
            known = answers[:, k] != ""
            there = answers[known, k] == self.truth.answers[1]
            if 0 < there.sum() < len(there):
                p = np.column_stack([1 - scores[known, k], scores[known, k]])
                auc = metrics.macro_auc(there.astype(np.int64), p)
                result.append((name, auc, int(there.sum()), len(there)))
        return result

    def warnings(self) -> list[str]:
        """Say what looks wrong, as `evaluate` does for classes."""
        result, target = [], self.truth.target
        if self.contradictory:
            result.append(warning_of_lists(self.contradictory))
        if target and self.answers and not any(target in answers for answers in self.answers):
            result.append(f"warning: no image has the label '{target}' (--target)")
        if len(scores := np.array(self.scores)) > 2 and (
            same := [
                n for n, one in zip(self.truth.names, scores.T, strict=True) if not np.ptp(one)
            ]
        ):
            result.append(f"warning: all scores are equal for {', '.join(same)}")
        below = [f"{name} {numbers.value(auc)}" for name, auc, _, _ in self.aucs if auc < 0.5]
        if below:
            why = "chance, if there are few images; or the network uses a feature that goes with "
            why += f"the other answer in these images ({AUDIT})"
            result.append(f"warning: AUC below 0.5 for {', '.join(below)}. Possible reasons: {why}")
        return result


def answered(
    source: Iterable[Row],
    predictor: FindingsPredictor,
    truth: Truth,
    threshold: float,
    judge: FindingsJudge,
    skipped: Callable[[Skip], None],
) -> Iterator[Row]:
    """Yield a row of predictions for every image and finding."""
    for row, scores in predicted(source, predictor, skipped):
        answers = truth.of(row)
        judge.see(row, answers, scores)
        for name, answer, score in zip(truth.names, answers, scores.tolist(), strict=True):
            pred = truth.answers[score > threshold]
            chances = predictions.cells(truth.answers, [1 - score, score])
            decision = {"label": answer, "model": predictor.name, "pred": pred, COLUMN: name}
            lists = {LISTS: row[COLUMN]} if COLUMN in row else {}
            yield row | lists | decision | chances
