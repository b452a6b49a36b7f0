"""Features of a run's network, and of the same network without its training (images -> arrays)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from cxrtool.audit import untrained
from cxrtool.audit.changed_images import Changed
from cxrtool.core.errors import CxrtoolError
from cxrtool.explain.features import Tap
from cxrtool.learn import inference
from cxrtool.learn.inference import Model
from cxrtool.stats.metrics import Ints

if TYPE_CHECKING:
    from cxrtool.audit.audited_run import AuditedRun
    from cxrtool.audit.case import Case
    from cxrtool.explain.features import Floats

RUN, RANDOM, IMAGENET = "the run", "random weights", "ImageNet weights"
# How a network gets these weights.
WITH: dict[str, Callable[[Model], Model]] = {
    RUN: lambda model: model,
    RANDOM: untrained.with_random_weights,
    IMAGENET: untrained.with_imagenet_weights,
}


@dataclass(frozen=True)
class ProbeFeatures:
    """Features of the same images by networks with different weights."""

    rows: Ints  # of the case
    features: "dict[str, Floats]"
    absent: dict[str, str]  # weights that are not there, and why


def of_run(run: "AuditedRun", case: "Case", most: int) -> ProbeFeatures:
    """Return the features that the last linear layer of the run sees."""
    return _of_sample(run, case, most, (RUN,), {})


def of_untrained(run: "AuditedRun", case: "Case", most: int) -> ProbeFeatures:
    """Return the same of the network without its training."""
    try:
        untrained.with_imagenet_weights(run.model)
    except CxrtoolError as error:
        return _of_sample(run, case, most, (RANDOM,), {IMAGENET: str(error)})
    return _of_sample(run, case, most, (RANDOM, IMAGENET), {})


def _of_sample(
    run: "AuditedRun",
    case: "Case",
    most: int,
    weights: tuple[str, ...],
    absent: dict[str, str],
) -> ProbeFeatures:
    rows: list[int] = []
    parts: dict[str, list[Floats]] = {name: [] for name in weights}
    for some, answers in run.asked(case, "plain", most, FeaturesOf(weights)):
        rows += some
        for name, answer in answers.items():
            if isinstance(answer, str):
                absent.setdefault(name, answer)
            else:
                parts[name].append(answer)
    there = [name for name in weights if parts[name] and name not in absent]
    features = {name: np.concatenate(parts[name]) for name in there}
    return ProbeFeatures(np.array(rows, np.int64), features, absent)


@dataclass(frozen=True)
class FeaturesOf:
    """What is asked of a network: its features with each of the weights, or why there are none."""

    weights: tuple[str, ...]

    def __call__(self, model: Model, changed: Sequence[Changed]) -> "dict[str, Floats | str]":
        """Look at the images of a batch."""
        images = torch.from_numpy(np.concatenate([one.versions for one in changed]))
        return {name: _features(model, name, images) for name in self.weights}


def _features(model: Model, weights: str, images: torch.Tensor) -> "Floats | str":
    steps = inference.batches(len(images), inference.bounded(len(images), model.about.size))
    try:
        tap = Tap(WITH[weights](model))
        return np.concatenate([tap.features(images[step]) for step in steps])
    except CxrtoolError as error:
        if weights == RUN:
            raise
        # Weights that were never trained may give no finite numbers, or not be on a worker.
        return str(error)
