"""Features of a run's network, and of the same network without its training (images -> arrays)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from cxrtool.audit import untrained
from cxrtool.core.errors import CxrtoolError
from cxrtool.explain.features import Tap
from cxrtool.learn import inference
from cxrtool.stats.metrics import Ints

if TYPE_CHECKING:
    from cxrtool.audit.audited_run import AuditedRun
    from cxrtool.audit.case import Case
    from cxrtool.explain.features import Floats

RUN, RANDOM, IMAGENET = "the run", "random weights", "ImageNet weights"


@dataclass(frozen=True)
class ProbeFeatures:
    """Features of the same images by networks with different weights."""

    rows: Ints  # of the case
    features: "dict[str, Floats]"
    absent: dict[str, str]  # weights that are not there, and why


def of_run(run: "AuditedRun", case: "Case", most: int) -> ProbeFeatures:
    """Return the features that the last linear layer of the run sees."""
    return _of_sample(run, case, most, {RUN: Tap(run.model)}, {})


def of_untrained(run: "AuditedRun", case: "Case", most: int) -> ProbeFeatures:
    """Return the same of the network without its training."""
    taps = {RANDOM: Tap(untrained.with_random_weights(run.model))}
    pretrained, why = untrained.with_imagenet_weights(run.model)
    if pretrained is None:
        return _of_sample(run, case, most, taps, {IMAGENET: why})
    return _of_sample(run, case, most, taps | {IMAGENET: Tap(pretrained)}, {})


def _of_sample(
    run: "AuditedRun", case: "Case", most: int, taps: dict[str, Tap], absent: dict[str, str]
) -> ProbeFeatures:
    rows: list[int] = []
    parts: dict[str, list[Floats]] = {name: [] for name in taps}
    for batch, changed in run.changed(case, "plain", most):
        images = torch.from_numpy(np.concatenate([one.versions for one in changed]))
        for name in list(taps):
            try:
                step = inference.bounded(len(images), run.model.about.size)
                steps = inference.batches(len(images), step)
                parts[name] += [taps[name].features(images[part]) for part in steps]
            except CxrtoolError as error:
                if name == RUN:
                    raise
                # Weights that were never trained may give no finite numbers.
                absent[name] = str(error)
                del taps[name]
        rows += batch
    features = {name: np.concatenate(parts[name]) for name in taps if parts[name]}
    return ProbeFeatures(np.array(rows, np.int64), features, absent)
