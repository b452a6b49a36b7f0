"""From rows of a manifest to rows of predictions, a part at a time; what looks wrong in them."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from cxrtool import augmenting, learning, metrics, sharing
from cxrtool.artifacts import pixels, predictions
from cxrtool.artifacts.failures import Failures
from cxrtool.artifacts.run import About
from cxrtool.errors import CxrtoolError, Skip
from cxrtool.inference import Model, batches, bounded
from cxrtool.losses import log_probabilities
from cxrtool.parallel import Crew
from cxrtool.progress import note

Row = dict[str, str]
Floats = NDArray[np.float64]

# Rows that are read, and kept in memory, at a time.
CHUNK = 1024
# What test-time augmentation does to an image, beside leaving it as it is.
MILD = augmenting.Augmentation(rotate="5", shift="0.02", zoom="0.03")


@dataclass(frozen=True)
class Way:
    """How probabilities are made and read."""

    batch: int = 64
    threshold: float | None = None  # of the second of two classes; None takes the likelier class
    calibrate: bool = False
    tta: int = 0  # augmented looks at an image beside the plain one
    cache: str = ""
    root: str = ""
    crew: Crew = field(default_factory=Crew)


class Oracle:
    """One run, several of the same classes, or two of which the second asks further."""

    def __init__(self, models: Sequence[Model], second: Model | None, way: Way) -> None:
        self.models, self.second, self.way = models, second, way
        first = models[0].about
        for other in models[1:]:
            if sorted(other.about.classes) != sorted(first.classes):
                what = f"the runs tell apart {first.classes} and {other.about.classes}"
                raise CxrtoolError(what, "An ensemble needs runs of the same classes.")
        self.classes = list(first.classes)
        if second is not None:
            if len(first.classes) != 2:
                what = f"--hierarchy: the first run has {len(first.classes)} classes"
                raise CxrtoolError(what, "It must tell two apart, the second of which is asked on.")
            self.classes = [first.classes[0], *second.about.classes]
            if len(set(self.classes)) < len(self.classes):
                what = f"--hierarchy: both runs know '{first.classes[0]}'"
                raise CxrtoolError(what, "The second must tell apart what the first's second is.")

    def of(self, paths: Sequence[str]) -> tuple[Floats, dict[int, Skip]]:
        """Return p of every image, and which of them could not be read and why."""
        skips: dict[int, Skip] = {}
        found: list[Floats] = []
        for model in self.models:
            p, skips = self._of(model, paths)
            order = [model.about.classes.index(c) for c in self.models[0].about.classes]
            found.append(p[:, order])
        mean = np.mean(found, axis=0)
        if self.second is not None:
            p, _ = self._of(self.second, paths)
            mean = np.concatenate([mean[:, :1], mean[:, 1:] * p], axis=1)
        return mean, skips

    def shared(self, paths: Sequence[str]) -> tuple[Floats, dict[int, Skip]]:
        """Do the same together with other processes, each its part."""
        part = sharing.part(len(paths))
        mine = paths[part]
        p, skips = self.of(mine) if mine else (np.zeros((0, len(self.classes))), {})
        numbers = range(len(paths))[part]
        everywhere = sharing.gathered({numbers[i]: skip for i, skip in skips.items()})
        together = {i: skip for found in everywhere for i, skip in found.items()}
        return sharing.interleaved(p, len(paths)), together

    def _of(self, model: Model, paths: Sequence[str]) -> tuple[Floats, dict[int, Skip]]:
        about, way = model.about, self.way
        channels = 3 if "stack:" in about.preprocessing else 1
        frame = pixels.Frame(about.size, channels, about.fit, way.root)
        array, skips = pixels.gathered(paths, frame, way.cache, way.crew, "never")
        temperature = about.temperature if way.calibrate else 1.0
        logs = [
            self._logs(model, array[step], temperature)
            for step in batches(len(array), bounded(way.batch, about.size))
        ]
        return np.exp(np.concatenate(logs)), skips

    def _logs(self, model: Model, array: NDArray[np.uint8], temperature: float) -> Floats:
        images = torch.from_numpy(np.array(array))
        looks = [model.logits(images)]
        for look in range(self.way.tta):
            # Every image alike, so that what is beside it changes nothing.
            drawn = augmenting.drawn(MILD, 1, learning.mixed(look, 7))
            drawn = {name: value.expand(len(images)) for name, value in drawn.items()}
            changed = augmenting.augmented(images.to(model.device).float(), drawn)
            looks.append(model.logits(changed))
        each = [log_probabilities(logits / temperature).double() for logits in looks]
        mean = torch.stack(each).exp().mean(dim=0).log()
        return mean.cpu().numpy()


def rows(
    source: Iterable[Row], oracle: Oracle, model: str, skipped: Failures, judge: "Judge"
) -> Iterator[Row]:
    """Yield a row of predictions for every row whose image can be read."""
    waiting = iter(source)
    while chunk := list(itertools.islice(waiting, CHUNK)):
        probabilities, skips = oracle.shared([row["path"] for row in chunk])
        for number, (row, p) in enumerate(zip(chunk, probabilities, strict=True)):
            if number in skips:
                skipped.add(skips[number])
            else:
                pred = oracle.classes[chosen(p, oracle.way.threshold)]
                judge.see(row, p, pred)
                told = {
                    "model": model,
                    "pred": pred,
                    **predictions.cells(oracle.classes, p.tolist()),
                }
                yield row | told


def of_val(about: About, calibrate: bool) -> float:
    """Return the best threshold of the validation part, scaled as the probabilities are."""
    if not calibrate:
        return about.threshold
    from scipy.special import expit, logit  # It takes a sixth of a second to import.

    return float(expit(logit(about.threshold) / about.temperature))


def chosen(probabilities: Floats, threshold: float | None) -> int:
    """Choose a class: the likelier one (of two, the second if p > 0.5), or by a threshold."""
    if threshold is not None and len(probabilities) == 2:
        return int(probabilities[1] > threshold)
    return int(probabilities.argmax())


class Judge:
    """Keeps what came out, to say at the end how good it is and what looks wrong."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self.labels: list[int] = []
        self.preds: list[int] = []
        self.probabilities: list[Floats] = []
        self.by_source: dict[str, set[float]] = defaultdict(set)
        self.of_source: Counter[str] = Counter()
        self.unknown: set[str] = set()
        self.number = 0

    def see(self, row: Row, p: Floats, pred: str) -> None:
        """Keep one prediction."""
        self.number += 1
        self.of_source[row.get("source", "")] += 1
        scores = self.by_source[row.get("source", "")]
        if len(scores) < 3:
            scores.add(round(float(p[-1]), 6))
        label = row.get("label", "")
        if label in self.classes:
            self.labels.append(self.classes.index(label))
            self.preds.append(self.classes.index(pred))
            self.probabilities.append(p)
        elif label:
            self.unknown.add(label)

    def rechosen(self, rows: Iterable[Row]) -> list[Row]:
        """Choose again by the threshold that parts these very images best (Youden's index)."""
        told = list(rows)
        positive = np.array(self.labels) == 1
        if len(self.classes) != 2 or not 0 < positive.sum() < len(positive):
            what = "--threshold youden needs images of both of two classes, with their labels"
            raise CxrtoolError(what, "Use --threshold val.")
        threshold = metrics.youden(positive, np.array(self.probabilities)[:, 1])
        note(f"threshold {threshold:.4f}, the best for these very images: the figures flatter")
        self.preds = [int(p[1] > threshold) for p in self.probabilities]
        name = predictions.CHANCE + self.classes[1]
        for row in told:
            row["pred"] = self.classes[float(row[name]) > threshold]
        return told

    def table(self) -> list[tuple[str, str]]:
        """Return the figures, where labels are known."""
        if not self.labels:
            return []
        labels, preds = np.array(self.labels), np.array(self.preds)
        found = {
            "accuracy": metrics.accuracy(labels, preds),
            "balanced accuracy": metrics.balanced_accuracy(labels, preds),
            "AUC": metrics.macro_auc(labels, np.array(self.probabilities)),
        }
        for k, name in enumerate(self.classes):
            there = labels == k
            if there.any():
                found[f"recall of {name} ({int(there.sum())})"] = float((preds[there] == k).mean())
        return [(name, "" if np.isnan(value) else f"{value:.3f}") for name, value in found.items()]

    def warn(self) -> None:
        """Say what looks wrong."""
        if self.unknown:
            note(f"warning: labels that the run does not know: {', '.join(sorted(self.unknown))}")
        if self.number > 1 and len(self.labels) > 1 and len(set(self.preds)) == 1:
            note(f"warning: every image is predicted '{self.classes[self.preds[0]]}'")
        for source, scores in sorted(self.by_source.items()):
            if len(scores) == 1 and self.of_source[source] > 2:
                note(f"warning: source '{source}': all scores are alike")
        if len(set(self.labels)) > 1:
            auc = metrics.macro_auc(np.array(self.labels), np.array(self.probabilities))
            if auc < 0.5:
                note(f"warning: AUC {auc:.3f} is under 0.5: are the classes in the right order?")
