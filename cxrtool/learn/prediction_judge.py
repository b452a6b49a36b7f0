"""How good predictions are, and what looks wrong in them (predictions -> figures, warnings)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.progress import note
from cxrtool.data.label_columns import SOURCE, LabelColumns
from cxrtool.figures import numbers
from cxrtool.files.run_folder import Run
from cxrtool.stats import label_traps, metrics
from cxrtool.stats.label_traps import AUDIT

Row = dict[str, str]
Floats = NDArray[np.float64]


class Judge:
    """Keeps what came out, to say at the end how good it is and what looks wrong."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self.labels: list[int] = []
        self.preds: list[int] = []
        self.probabilities: list[Floats] = []
        self.by_source: dict[str, set[float]] = defaultdict(set)
        self.of_source: Counter[str] = Counter()
        self.label_columns = LabelColumns()
        self.unknown: set[str] = set()
        self.number = 0

    def see(self, row: Row, p: Floats, pred: int) -> None:
        """Keep one prediction."""
        self.number += 1
        self.of_source[row.get("source", "")] += 1
        scores = self.by_source[row.get("source", "")]
        if len(scores) < 3:
            scores.add(round(float(p[-1]), 6))
        label = row.get("label", "")
        if label in self.classes:
            self.labels.append(self.classes.index(label))
            self.preds.append(pred)
            self.probabilities.append(p)
            self.label_columns.add([row])
        elif label:
            self.unknown.add(label)

    def table(self) -> list[tuple[str, str]]:
        """Return the figures, where labels are known."""
        if not self.labels:
            return []
        labels, preds = np.array(self.labels), np.array(self.preds)
        figures = {
            "accuracy": metrics.accuracy(labels, preds),
            "balanced accuracy": metrics.balanced_accuracy(labels, preds),
            "AUC": metrics.macro_auc(labels, np.array(self.probabilities)),
        }
        for k, name in enumerate(self.classes):
            there = labels == k
            if there.any():
                share = float((preds[there] == k).mean())
                figures[f"recall of {name} ({int(there.sum())})"] = share
        return [(name, numbers.value(value, "undefined")) for name, value in figures.items()]

    def warn(self) -> None:
        """Say what looks wrong."""
        if self.unknown:
            note(f"warning: labels that the run does not know: {', '.join(sorted(self.unknown))}")
        if self.number > 1 and len(self.labels) > 1 and len(set(self.preds)) == 1:
            note(f"warning: every image is predicted '{self.classes[self.preds[0]]}'")
        for source, scores in sorted(self.by_source.items()):
            if len(scores) == 1 and self.of_source[source] > 2:
                note(f"warning: source '{source}': all scores are equal")
        if len(set(self.labels)) > 1:
            auc = metrics.macro_auc(np.array(self.labels), np.array(self.probabilities))
            if auc < 0.5:
                note(
                    f"warning: AUC {numbers.value(auc)} is below 0.5. Possible reasons: chance, if "
                    "there are few images; the labels mean the opposite here; the network uses a "
                    f"feature that goes with the other class in these images ({AUDIT})"
                )

    def warn_of_traps(self, runs: Iterable[Run]) -> None:
        """Say what gives the label away in these images, else in those that the runs learned from.

        One line is enough: both say what the AUC may rest on.
        """
        labels, patients, columns = self.label_columns.columns()
        traps = label_traps.find(labels, patients, columns)
        if traps:
            share = label_traps.across(labels, columns[SOURCE])
            note(f"warning: {label_traps.warning_of_auc(traps, share)}")
            return
        for run in runs:
            if warning := label_traps.warning_of_run(run.folder, run.about.label_traps):
                note(warning)
                return
