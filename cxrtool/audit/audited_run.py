"""A run whose images are changed and predicted again (case, kind of change -> logits).

It needs PyTorch, so that it is imported only where a run is given; checks reach it as
`case.network`.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import special

from cxrtool.audit import case_images, network_answers
from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.changed_images import KINDS, Changed, Changer
from cxrtool.audit.image_measurements import file_state
from cxrtool.audit.network_answers import Answers, Question, RemoteAnswers
from cxrtool.audit.run_predictions import RunWork
from cxrtool.core.progress import counter
from cxrtool.files import run_folder as runs
from cxrtool.files.pixel_cache import Frame
from cxrtool.learn import inference, remote_batches
from cxrtool.learn.inference import Model
from cxrtool.learn.remote_batches import Batch, RemotePlace
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
    """A run, and the images that it has predicted."""

    work: RunWork

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
        names = list(KINDS[kind].names)
        odds = LogOdds(case.positive)
        rows, logits = list[int](), [np.zeros((0, len(names)))]
        for some, values in self.asked(case, kind, most, odds):
            rows += some
            logits.append(values)
        return Predicted(np.array(rows, np.int64), names, np.concatenate(logits))

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

    def asked(
        self, case: Case, kind: str, most: int, question: Question
    ) -> Iterator[tuple[list[int], Any]]:
        """Yield rows and what the network says of their images in all versions, batch by batch."""
        about = self.run.about
        rows = self.sample(case, most).tolist()
        places = [case_images.place(case, row) for row in rows]
        changer = Changer(kind, Frame(about.size, about.image_channels, about.fit))
        together = max(1, BATCH // len(KINDS[kind].names))
        parts = list(inference.batches(len(places), together))
        batches = [Batch(tuple(places[part])) for part in parts]
        count = counter(len(places), 0, f"images ({kind})", self.work.when)
        with count as add, closing(self._answers(batches, changer, question)) as answers:
            for part, (batch, answer) in zip(parts, answers, strict=True):
                add(len(batch.images))
                for skip in answer.skips:
                    self.work.skipped.add(skip)
                if answer.numbers:
                    yield [rows[part][number] for number in answer.numbers], answer.values

    def _answers(self, batches: Sequence[Batch], changer: Changer, question: Question) -> Answers:
        """Ask the network here, or on the workers of a cluster."""
        settings = self.work.settings
        if settings.remote:
            work = RemoteAnswers(self.run, changer, question, RemotePlace(settings.remote))
            return remote_batches.done(work, batches, settings.crew)
        ask = functools.partial(question, self.model)
        return network_answers.here(batches, changer, ask, settings.crew)


@dataclass(frozen=True)
class LogOdds:
    """What is asked of a network: the log odds of a class against all others."""

    positive: str

    def __call__(self, model: Model, changed: Sequence[Changed]) -> Floats:
        """Return them for every image and version of it."""
        images = np.concatenate([one.versions for one in changed])
        steps = inference.batches(len(images), inference.bounded(BATCH, model.about.size))
        parts = [model.log_probabilities(torch.from_numpy(images[step])) for step in steps]
        log_p = torch.cat(parts).double().cpu().numpy()
        at = model.about.classes.index(self.positive)
        others = special.logsumexp(np.delete(log_p, at, axis=1), axis=1)
        odds: Floats = log_p[:, at] - others
        return odds.reshape(len(changed), -1)


def with_network(case: Case, work: RunWork) -> Case:
    """Let the checks ask the run."""
    return replace(case, network=AuditedRun(work))
