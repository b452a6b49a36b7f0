"""From rows of a manifest to rows of predictions, a part at a time."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import logsigmoid

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.core.parallel import Crew
from cxrtool.core.progress import Count
from cxrtool.files import pixel_cache, predictions
from cxrtool.files.run_record import About
from cxrtool.learn import augmentation, distributed, remote_batches, training_loop
from cxrtool.learn.inference import Model, batches, bounded
from cxrtool.learn.losses import log_probabilities
from cxrtool.learn.prediction_judge import Judge
from cxrtool.stats import metrics

Row = dict[str, str]
Floats = NDArray[np.float64]

# Rows that are read, and kept in memory, at a time.
CHUNK = 1024
# What test-time augmentation does to an image, beside leaving it as it is.
MILD = augmentation.Augmentation(rotate="5", shift="0.02", zoom="0.03")


@dataclass(frozen=True)
class PredictionSettings:
    """How images are read and probabilities are made."""

    batch: int = 64
    calibrate: bool = False
    tta: int = 0  # augmented looks at an image beside the plain one
    cache: str = ""
    root: str = ""
    crew: Crew = field(default_factory=Crew)
    remote: str = ""  # the device of networks on the crew's Dask workers; they are here if empty


class Predictor:
    """One run, several of the same classes, or two that decide level by level.

    The first level is the run, or the mean of several. A second run, if there is one, subdivides
    the second class of the first level. The probabilities of the levels are kept side by side,
    (N, K) or (N, 2 + K): the decision is taken from them, not from their products.
    """

    def __init__(
        self, models: Sequence[Model], second: Model | None, settings: PredictionSettings
    ) -> None:
        self.models, self.second, self.settings = models, second, settings
        # Is called with the number of images that a network has processed, in all processes.
        self.looked: Count = lambda number: None
        self.progress = "never"  # of reading images
        self._ahead = 0  # looks at a part that are not counted yet
        first = models[0].about
        for other in models[1:]:
            if sorted(other.about.classes) != sorted(first.classes):
                what = f"the runs have different classes: {first.classes} and {other.about.classes}"
                raise CxrtoolError(what, "An ensemble needs runs of the same classes.")
        self.classes = list(first.classes)
        if second is not None:
            if len(first.classes) != 2:
                what = f"the first level of the hierarchy has {len(first.classes)} classes"
                remedy = "It must have two classes; the second one is subdivided."
                raise CxrtoolError(what, remedy, settings=["hierarchy"])
            self.classes = [first.classes[0], *second.about.classes]
            if len(set(self.classes)) < len(self.classes):
                what = f"both levels of the hierarchy have the class '{first.classes[0]}'"
                remedy = "RUN2 must subdivide the second class of RUN."
                raise CxrtoolError(what, remedy, settings=["hierarchy"])

    @property
    def name(self) -> str:
        """Name what predicts: `a`, `a+b` for their mean, `a>b` where b subdivides a class of a."""
        names = "+".join(model.name for model in self.models)
        return f"{names}>{self.second.name}" if self.second else names

    @property
    def first(self) -> list[str]:
        """The classes of the first level."""
        return self.models[0].about.classes

    @property
    def width(self) -> int:
        """How many probabilities the levels have together."""
        return len(self.first) + (len(self.second.about.classes) if self.second else 0)

    def levels(self, rows: Sequence[Row]) -> tuple[Floats, dict[int, Skip]]:
        """Return the probabilities of every image, and which a run could not read and why."""
        return self._together([self._of(model, rows) for model in self._every])

    @property
    def networks(self) -> int:
        """How many networks look at each image."""
        return len(self._every)

    @property
    def _every(self) -> list[Model]:
        return [*self.models, *([self.second] if self.second else [])]

    def _together(
        self, of_models: Sequence[tuple[Floats, dict[int, Skip]]]
    ) -> tuple[Floats, dict[int, Skip]]:
        skips: dict[int, Skip] = {}
        for _, unread in of_models:
            skips = unread | skips
        each = [
            np.exp(logs)[:, [model.about.classes.index(c) for c in self.first]]
            for model, (logs, _) in zip(self.models, of_models, strict=False)
        ]
        levels = np.mean(each, axis=0)
        if self.second is not None:
            levels = np.concatenate([levels, np.exp(of_models[-1][0])], axis=1)
        return levels, skips

    def parts(self, source: Iterable[Row]) -> Iterator[tuple[list[Row], Floats, dict[int, Skip]]]:
        """Yield the rows in parts, with the probabilities of the images, and the unread ones."""
        settings = self.settings
        if not settings.remote:
            waiting = iter(source)
            while chunk := list(itertools.islice(waiting, CHUNK)):
                yield chunk, *self.shared(chunk)
            return
        runs = tuple(model.run for model in self._every)
        place = remote_batches.RemotePlace(settings.remote)
        work = remote_batches.Networks(runs, self.looks, place, settings.root)
        for chunk, each in remote_batches.answers(
            work, source, CHUNK, settings.batch, settings.crew
        ):
            self.looked(len(chunk) * len(runs))
            yield chunk, *self._together(each)

    def shared(self, rows: Sequence[Row]) -> tuple[Floats, dict[int, Skip]]:
        """Return what `levels` does, together with other processes, each its part."""
        part = distributed.part(len(rows))
        mine = rows[part]
        self._ahead = len(rows) * self.networks
        levels, skips = self.levels(mine) if mine else (np.zeros((0, self.width)), {})
        numbers = range(len(rows))[part]
        self._count(self._ahead)
        everywhere = distributed.gathered({numbers[i]: skip for i, skip in skips.items()})
        together = {i: skip for some in everywhere for i, skip in some.items()}
        return distributed.interleaved(levels, len(rows)), together

    def probabilities(self, levels: Floats) -> Floats:
        """Return p of each class (N, classes): of a second level, the products."""
        if self.second is None:
            return levels
        return np.concatenate([levels[:, :1], levels[:, 1:2] * levels[:, 2:]], axis=1)

    def decisions(self, levels: Floats, threshold: float | None) -> NDArray[np.int64]:
        """Decide on a class, level by level.

        The threshold is that of the second of two classes of the first level; without one, or of
        more classes, the likeliest is taken (the first of equals).
        """
        first = levels[:, : len(self.first)]
        if threshold is not None and len(self.first) == 2:
            classes = (first[:, 1] > threshold).astype(np.int64)
        else:
            classes = first.argmax(axis=1)
        if self.second is not None:
            classes = np.where(classes == 1, 1 + levels[:, 2:].argmax(axis=1), classes)
        return classes

    @property
    def looks(self) -> "Looks":
        """What is asked of every network."""
        return Looks(self.settings.tta, self.settings.calibrate)

    def _of(self, model: Model, rows: Sequence[Row]) -> tuple[Floats, dict[int, Skip]]:
        about, settings = model.about, self.settings
        frame = pixel_cache.Frame(about.size, about.image_channels, about.fit, settings.root)
        paths, digests = pixel_cache.named(rows)
        array, skips = pixel_cache.gathered(
            paths, frame, settings.cache, settings.crew, self.progress, digests
        )
        logs = []
        for step in batches(len(array), bounded(settings.batch, about.size)):
            logs.append(self.looks(model, array[step]))
            # The other processes are about as far; the last share may be smaller.
            self._count(len(logs[-1]) * distributed.processes())
        return np.concatenate(logs), skips

    def _count(self, looks: int) -> None:
        """Count looks, of all processes, at a part, but not more than it takes."""
        if looks := min(looks, self._ahead):
            self._ahead -= looks
            self.looked(looks)


@dataclass(frozen=True)
class Looks:
    """The logarithm of the probabilities of a batch: the mean of several looks at each image."""

    tta: int = 0
    calibrate: bool = False
    findings: bool = False  # They need not sum to 1.

    def __call__(self, model: Model, array: NDArray[np.uint8]) -> Floats:
        """Look at a batch of images."""
        temperature = model.about.temperature if self.calibrate else 1.0
        images = torch.from_numpy(np.array(array))
        looks = [model.logits(images)]
        for look in range(self.tta):
            # Every image alike, so that what is beside it changes nothing.
            drawn = augmentation.drawn(MILD, 1, training_loop.mixed(look, 7))
            drawn = {name: value.expand(len(images)) for name, value in drawn.items()}
            changed = augmentation.augmented(images.to(model.device).float(), drawn)
            looks.append(model.logits(changed))
        logs_of = logsigmoid if self.findings else log_probabilities
        each = [logs_of((logits / temperature).double()) for logits in looks]
        mean = torch.stack(each).exp().mean(dim=0).log()
        return mean.cpu().numpy()


def predicted(
    source: Iterable[Row], predictor: Predictor, skipped: Callable[[Skip], None]
) -> Iterator[tuple[Row, Floats]]:
    """Yield every row whose image all runs can read, with the probabilities of its levels."""
    for chunk, levels, skips in predictor.parts(source):
        for number, pair in enumerate(zip(chunk, levels, strict=True)):
            if number in skips:
                skipped(skips[number])
            else:
                yield pair


def decided(
    pairs: Iterable[tuple[Row, Floats]],
    predictor: Predictor,
    threshold: float | None,
    judge: Judge,
) -> Iterator[Row]:
    """Yield a row of predictions for every row and the probabilities of its levels."""
    for row, levels in pairs:
        p = predictor.probabilities(levels[None])[0]
        pred = int(predictor.decisions(levels[None], threshold)[0])
        judge.see(row, p, pred)
        decision = {"model": predictor.name, "pred": predictor.classes[pred]}
        yield row | decision | predictions.cells(predictor.classes, p.tolist())


def best_threshold(
    pairs: Iterable[tuple[Row, Floats]], predictor: Predictor
) -> tuple[float, int] | None:
    """Return Youden's threshold of the first level, and of how many images; None of one class.

    A label may be a class of the first level, or one that the second run knows.
    """
    seconds = {predictor.first[1], *predictor.classes[1:]}
    scores: list[float] = []
    positive: list[bool] = []
    for row, levels in pairs:
        label = row.get("label", "")
        if label == predictor.first[0] or label in seconds:
            scores.append(float(levels[1]))
            positive.append(label in seconds)
    if len(set(positive)) < 2:
        return None
    return metrics.youden(np.array(positive), np.array(scores)), len(scores)


def of_val(about: About, calibrate: bool) -> float:
    """Return the best threshold of the validation part, scaled as the probabilities are."""
    if not calibrate:
        return about.threshold
    from scipy.special import expit, logit  # It takes a sixth of a second to import.

    return float(expit(logit(about.threshold) / about.temperature))
