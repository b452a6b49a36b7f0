"""A run whose images are changed and predicted again (case, kind of change -> logits).

It needs PyTorch, so that it is imported only where a run is given; checks reach it as
`case.network`.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import special

from cxrtool.audit import case_images
from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.changed_images import KINDS, Changed, Changer
from cxrtool.audit.image_measurements import file_state
from cxrtool.audit.run_predictions import RunWork
from cxrtool.core import parallel
from cxrtool.core.errors import Skip
from cxrtool.core.parallel import Crew, Lost
from cxrtool.core.progress import bar
from cxrtool.files import run_folder as runs
from cxrtool.files.pixel_cache import Frame
from cxrtool.images.changes import Bytes
from cxrtool.learn import inference
from cxrtool.learn.inference import Model
from cxrtool.stats.metrics import Floats, Ints

if TYPE_CHECKING:
    from cxrtool.audit.network_features import ProbeFeatures
    from cxrtool.audit.network_heat import PairedHeat

# Images that a network looks at together.
BATCH = 64


@dataclass(frozen=True)
class Predicted:
    """What the run makes of the versions of some images."""

    rows: Ints  # of the case
    names: list[str]
    logits: Floats  # (rows, versions), of the positive class against all others

    def of(self, name: str) -> Floats:
        """Return the logits of one version."""
        values: Floats = self.logits[:, self.names.index(name)]
        return values


@dataclass(frozen=True)
class AuditedRun:
    """A run, the images that it has predicted, and who reads them."""

    work: RunWork
    crew: Crew

    @functools.cached_property
    def run(self) -> runs.Run:
        """The run as its folder describes it."""
        return runs.classifier(self.work.run)

    @functools.cached_property
    def model(self) -> Model:
        """The network of the run, read once."""
        return Model(self.run, inference.device(self.work.device))

    def scores(self, case: Case) -> ModelScores | None:
        """Return the predictions of the run itself among those of the case."""
        return next((m for m in case.models if m.name == self.run.name), None)

    def sample(self, case: Case, most: int) -> Ints:
        """Return rows that the run has predicted: all, or so many at random."""
        own = self.scores(case)
        if own is None or case.positive not in self.run.about.classes:
            return np.zeros(0, np.int64)
        usable = case.images.of_manifest[own.rows] & (case.images.positive[own.rows] >= 0)
        rows = np.unique(own.rows[usable])
        rng = np.random.default_rng([case.seed, 4])
        chosen: Ints = np.sort(rng.permutation(rows)[:most])
        return chosen

    def state(self, case: Case) -> bytes:
        """Digest what the outcome depends on: the network, and the files of its images."""
        about = self.run.about
        digest = hashlib.sha256(repr((about.weights, about.size, about.mean, about.fit)).encode())
        for row in self.sample(case, len(case.images)).tolist():
            place = case_images.place(case, row)
            digest.update(repr((place, file_state(place.file), file_state(place.mask))).encode())
        return digest.digest()

    def predicted(self, case: Case, kind: str, most: int) -> Predicted:
        """Predict all versions of a kind, of a sample of the images."""
        versions = len(KINDS[kind].names)
        rows, logits = [], []
        for batch, changed in self.changed(case, kind, most):
            stacked = np.concatenate([one.versions for one in changed])
            logits.append(self._logits(case, stacked).reshape(len(batch), versions))
            rows += batch
        values = np.concatenate(logits) if logits else np.zeros((0, versions))
        return Predicted(np.array(rows, np.int64), list(KINDS[kind].names), values)

    @functools.cached_property
    def _features(self) -> "dict[tuple[str, bytes], ProbeFeatures]":
        return {}

    def features(self, case: Case, most: int, *, with_untrained: bool = False) -> "ProbeFeatures":
        """Return the features of a sample of the images, also those of untrained networks.

        Several checks ask for those of the same sample: they are computed once.
        """
        from cxrtool.audit import network_features

        def once(compute: "Callable[[AuditedRun, Case, int], ProbeFeatures]") -> "ProbeFeatures":
            key = compute.__name__, self.sample(case, most).tobytes()
            if key not in self._features:
                self._features[key] = compute(self, case, most)
            return self._features[key]

        own = once(network_features.of_run)
        if not with_untrained:
            return own
        others = once(network_features.of_untrained)
        return replace(others, rows=own.rows, features=own.features | others.features)

    def heat(self, case: Case, most: int) -> "PairedHeat":
        """Return heat maps of a sample of the images and the lungs, with and without training."""
        from cxrtool.audit import network_heat

        return network_heat.of_sample(self, case, most)

    def changed(
        self, case: Case, kind: str, most: int
    ) -> Iterator[tuple[list[int], list[Changed]]]:
        """Yield rows and their images in all versions, some at a time, in order."""
        about = self.run.about
        chosen = self.sample(case, most).tolist()
        places = [case_images.place(case, row) for row in chosen]
        changer = Changer(kind, Frame(about.size, about.image_channels, about.fit))
        results = parallel.each(changer, places, self.crew.of(max(1, len(places))))
        together = max(1, BATCH // len(KINDS[kind].names))
        rows: list[int] = []
        waiting: list[Changed] = []
        try:
            shown = bar(results, len(places), f"images ({kind})", self.work.when)
            for row, place, result in zip(chosen, places, shown, strict=True):
                if isinstance(result, Lost):
                    result = Skip(place.path, result.reason, "Remove it.")
                if isinstance(result, Skip):
                    self.work.skipped.add(result)
                    continue
                rows.append(row)
                waiting.append(result)
                if len(rows) == together:
                    yield rows, waiting
                    rows, waiting = [], []
            if rows:
                yield rows, waiting
        finally:
            results.close()

    def _logits(self, case: Case, images: Bytes) -> Floats:
        """Return the log odds of the positive class."""
        at = self.run.about.classes.index(case.positive)
        parts = []
        step = inference.bounded(BATCH, self.run.about.size)
        for part in inference.batches(len(images), step):
            logs = self.model.log_probabilities(torch.from_numpy(np.array(images[part])))
            parts.append(logs.double().cpu().numpy())
        log_p = np.concatenate(parts)
        others = special.logsumexp(np.delete(log_p, at, axis=1), axis=1)
        odds: Floats = log_p[:, at] - others
        return odds


def with_network(case: Case, work: RunWork, crew: Crew) -> Case:
    """Let the checks ask the run."""
    return replace(case, network=AuditedRun(work, crew))
