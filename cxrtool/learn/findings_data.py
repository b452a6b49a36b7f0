"""Which findings the images of a manifest have, for learning them (manifest -> rows, answers)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from cxrtool.core import finding_lists
from cxrtool.core.errors import CxrtoolError, shortened
from cxrtool.core.negative_names import says_none
from cxrtool.data.label_columns import LabelColumns
from cxrtool.files.manifest import Manifest
from cxrtool.files.text_columns import Coded
from cxrtool.learn import training_data
from cxrtool.learn.findings import ANSWERS, COLUMN, Truth, names_of
from cxrtool.learn.training_data import Data, NoImageLeft, OnSkip, Row
from cxrtool.learn.training_loop import ImageSet
from cxrtool.stats import label_traps
from cxrtool.stats.label_traps import ColumnPredictor, LabelTraps

Answers = NDArray[np.int64]

# A finding is absent, present, or nobody says it.
CODES = {ANSWERS[0]: 0, ANSWERS[1]: 1, "": -1}
MOST_SHOWN = 300  # Characters of a list of names in a message.


@dataclass(frozen=True)
class FindingsData(Data):
    """The rows whose findings are learned from and looked at."""

    target: str = COLUMN

    @cached_property
    def _read(self) -> dict[str, list[int]]:
        """The answers of lists: a collection has far fewer lists than images."""
        return {}

    def label(self, row: Row) -> list[int]:
        """Return the answer of each finding: 0 absent, 1 present, -1 unknown."""
        text = row[COLUMN]
        if text not in self._read:
            self._read[text] = [CODES[answer] for answer in Truth(self.classes).of(row)]
        return self._read[text]

    def answers(self, rows: Iterable[Row]) -> Answers:
        """Return the answers of some rows (N, findings)."""
        return np.array([self.label(row) for row in rows], np.int64).reshape(-1, len(self.classes))

    def counts(self) -> dict[str, dict[str, int]]:
        """Count the images of each part that show each finding."""
        parts = {"train": self.train, "val": self.val}
        shown = {part: (self.answers(rows) == 1).sum(axis=0) for part, rows in parts.items()}
        return {
            part: dict(zip(self.classes, counts.tolist(), strict=True))
            for part, counts in shown.items()
        }

    @cached_property
    def label_traps(self) -> LabelTraps:
        """Columns that give a finding away: of each column, the finding that it predicts best."""
        columns = LabelColumns()
        for rows in (self.train, self.val):
            columns.add(row | {"label": row[COLUMN]} for row in rows)
        lists, patients, others = columns.columns()
        one_source: dict[str, str] = {}
        predictors: dict[str, ColumnPredictor] = {}
        for place, name in enumerate(self.classes):
            words = {0: f"no {name}", 1: name, -1: ""}
            answers = [words[self.label({COLUMN: text})[place]] for text in lists.names]
            traps = label_traps.find(Coded.of(answers, lists.codes), patients, others)
            one_source |= traps.one_source
            for column, one in traps.predictors.items():
                if column not in predictors or one.auc > predictors[column].auc:
                    predictors[column] = replace(one, label=name)
        return LabelTraps(one_source, predictors)


def listed(source: Manifest, fold: str, names: Sequence[str], on_skip: OnSkip) -> FindingsData:
    """Read the rows with a list of findings; unnamed, all findings of the training rows count."""
    source.index(
        COLUMN,
        "It has lists such as Edema|Pneumonia; cxrtool ingest writes it for collections that "
        "have them.",
    )
    training_data.check_distinct([name.casefold() for name in names])
    _check_names(names)
    classes = list(names) or _occurring(source, fold)
    training_data.check_size(classes)
    truth, there = Truth(classes), set[str]()

    @cache
    def problem(text: str) -> str:
        certain, uncertain = names_of({COLUMN: text})
        there.update(certain)
        if not certain + uncertain:
            return f"its column {COLUMN} is empty"
        if any(truth.of({COLUMN: text})):
            return ""
        return f"'{text}' says nothing of the findings to learn"

    train, val, leaks = training_data.chosen(
        source, fold, lambda row: problem(row[COLUMN]), on_skip
    )
    data = FindingsData(source.name, train, val, classes, leaks=leaks)
    _check_answers(data, there)
    return data


def _occurring(source: Manifest, fold: str) -> list[str]:
    """List the findings of the training rows, each as it is spelled most often."""
    part_of, spelled = training_data.parts(source, fold), Counter[str]()
    for cells in source.rows():
        row = dict(zip(source.columns, cells, strict=True))
        if part_of(row) == "train":
            spelled.update(names_of(row)[0])
    # The most frequent spelling is put last, and stays.
    names = {name.casefold(): name for name, _ in reversed(spelled.most_common())}
    found = [name for name in names.values() if not says_none(name)]
    if names and not found:
        what = f"{source.name}: no training image shows a finding"
        raise CxrtoolError(what, "Training needs images with and without each finding.")
    return sorted(found, key=str.casefold)


def _check_names(names: Iterable[str]) -> None:
    """Refuse names that cannot be of a finding."""
    for name in names:
        if says_none(name):
            what = f"'{name}' cannot be learned as a finding: it means that there is no finding"
            raise CxrtoolError(what, "Leave it out.", settings=["classes"])
        if name.endswith(finding_lists.UNCERTAIN):
            what = f"'{name}' is how lists write that a finding is uncertain"
            raise CxrtoolError(what, "Name it without the mark.", settings=["classes"])


def _check_answers(data: FindingsData, there: Iterable[str]) -> None:
    """Refuse findings that all training rows have, or none has: nothing can be learned."""
    answers = data.answers(data.train)
    never = [name for name, of in zip(data.classes, answers.T, strict=True) if not (of == 1).any()]
    always = [name for name, of in zip(data.classes, answers.T, strict=True) if not (of == 0).any()]
    known = shortened(", ".join(sorted(there)), MOST_SHOWN)
    facts = [f"no training image shows {', '.join(never)} (the lists: {known})"] if never else []
    facts += [f"no training image is known to be without {', '.join(always)}"] if always else []
    if facts:
        what = f"{data.name}: {', and '.join(facts)}"
        others = len(never + always) < len(data.classes)
        remedy = "Name the other findings only." if others else "Name other findings."
        raise CxrtoolError(what, remedy, settings=["classes"])


def check_read(names: Sequence[str], answers: Answers) -> None:
    """Refuse findings that all readable training images have, or none has."""
    for name, of in zip(names, answers.T, strict=True):
        if not {0, 1} <= set(of.tolist()):
            word = "without" if (of == 1).any() else "with"
            what = f"no training image {word} {name} can be read"
            raise NoImageLeft(what, "See the reasons above, or name the other findings.")


def check_auc(names: Sequence[str], answers: Answers) -> None:
    """Refuse to choose an epoch by an AUC that there is not."""
    if not any({0, 1} <= set(of.tolist()) for of in answers.T):
        what = f"the validation images have no AUC of {shortened(', '.join(names), MOST_SHOWN)}"
        raise NoImageLeft(what, "Choose the epoch by the loss.", settings=["monitor"])


def counts_of(
    names: Sequence[str], train: ImageSet, val: ImageSet | None
) -> dict[str, dict[str, int]]:
    """Count the images that were read: all, and by finding those that show it or say of it."""
    parts = {"train": train.labels} | ({"val": val.labels} if val is not None else {})
    result = {"images": {part: len(answers) for part, answers in parts.items()}}
    for part, answers in parts.items():
        shown, known = (answers == 1).sum(axis=0), (answers >= 0).sum(axis=0)
        result[part] = dict(zip(names, shown.tolist(), strict=True))
        result[f"{part}_known"] = dict(zip(names, known.tolist(), strict=True))
    return result


def summary(data: FindingsData) -> str:
    """Say in one line which findings are learned, and from how many images."""
    answers = data.answers(data.train)
    shown, known = (answers == 1).sum(axis=0).tolist(), (answers >= 0).sum(axis=0).tolist()
    named = [
        f"{name} ({n} of {of})" for name, n, of in zip(data.classes, shown, known, strict=True)
    ]
    return f"findings of {len(data.train)} training images: {', '.join(named)}"


def one_sided(data: FindingsData) -> list[str]:
    """List the findings that no validation image has, or all have: they have no AUC there."""
    answers = data.answers(data.val)
    return [
        name
        for name, of in zip(data.classes, answers.T, strict=True)
        if not {0, 1} <= set(of.tolist())
    ]
