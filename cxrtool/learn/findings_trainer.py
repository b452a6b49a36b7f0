"""From a manifest with lists of findings to a run that predicts findings independently."""

from dataclasses import replace
from typing import cast

import numpy as np
import torch

from cxrtool.core import choices, finding_lists
from cxrtool.core.choices import First
from cxrtool.core.errors import CxrtoolError
from cxrtool.files.manifest import Manifest
from cxrtool.files.run_record import About
from cxrtool.learn import findings_data, inference, initial_weights, losses
from cxrtool.learn.architectures._network import Net
from cxrtool.learn.findings import contradicts, warning_of_lists
from cxrtool.learn.findings_data import FindingsData
from cxrtool.learn.findings_learner import FindingsLearner
from cxrtool.learn.run_of_weights import own_findings
from cxrtool.learn.trainer import Training
from cxrtool.learn.training_data import Data, OnSkip, Reader
from cxrtool.learn.training_loop import ImageSet, Learner, TrainingPlan
from cxrtool.learn.training_state import TrainingState

LOSS = "binary cross-entropy of each finding"


class FindingsTraining(Training):
    """One run of a network whose outputs are findings."""

    task = "findings"
    monitors = choices.MONITORS[task]
    shown = ("loss", "val_loss", "val_auc")
    final = ("val_auc",)

    def read(self, source: Manifest, on_skip: OnSkip) -> Data:
        """Read the rows that are learned from and looked at."""
        settings = self.settings
        names = settings.classes or own_findings(settings.arch)
        return findings_data.listed(source, settings.fold, names, on_skip)

    def loaded(self, reader: Reader) -> tuple[ImageSet, ImageSet | None]:
        """Read the pixels; what unreadable images show cannot be learned."""
        train, val = super().loaded(reader)
        data = self.data
        assert isinstance(data, FindingsData)
        findings_data.check_read(data.classes, train.labels)
        if self.settings.monitor == "auc" and val is not None:
            findings_data.check_auc(data.classes, val.labels)
        self.read_counts = findings_data.counts_of(data.classes, train, val)
        return train, val

    def built(self) -> Net:
        """Build the network."""
        settings = self.settings
        findings = len(self.data.classes)
        network = inference.of_findings(settings.arch, findings, settings.channels, settings.size)
        if network.by_svm:
            what = f"'{settings.arch}' is solved by a support vector machine, which knows classes"
            raise CxrtoolError(f"{what} and no findings", "Choose another head.")
        return network

    def loaded_weights(self) -> str:
        """Load the weights to begin with; of a run, outputs by the names of the findings."""
        settings = self.settings
        first = cast(First, settings.first)
        names = self.data.classes
        return initial_weights.load(self.network, settings.weights, settings.arch, first, names)

    def learner(self, plan: TrainingPlan) -> Learner:
        """Make what learns by a plan."""
        learner = FindingsLearner(self.network, self.optimizer, plan, self.place.device)
        learner.classes = len(self.data.classes)
        return learner

    def remarks(self) -> list[str]:
        """Say which findings are learned, and which have no AUC on the validation part."""
        data = self.data
        assert isinstance(data, FindingsData)
        result = [findings_data.summary(data)]
        if contradictory := sum(contradicts(row) for row in data.train + data.val):
            result.append(warning_of_lists(contradictory))
        if joined := [name for name in data.classes if ";" in name]:
            what = f"warning: '{joined[0]}' is learned as one finding"
            result.append(f"{what}: names in a list are separated by {finding_lists.BETWEEN}")
        if data.val and (without := findings_data.one_sided(data)):
            others = len(without) < len(data.classes)
            so = "val_auc is the mean of the other findings" if others else "there is no val_auc"
            names = ", ".join(without)
            what = f"no validation AUC for {names}: all of these images have it, or none has"
            result.append(f"warning: {what}: {so}")
        return result

    def about(self, state: TrainingState) -> About:
        """Describe the run and its loss."""
        about = super().about(state)
        return replace(about, options=about.options | {"loss": "bce"})

    @property
    def criterion(self) -> str:
        """Name the loss of training, which is also that of the validation part."""
        return losses.named(LOSS, 0, self.settings.class_weights)

    def _class_weights(self, train: ImageSet) -> torch.Tensor | None:
        """Return the weight of the images that show a finding: balanced, absent over present."""
        if self.settings.class_weights == "none" or self.named_weights is not None:
            return self.named_weights
        absent, present = ((train.labels == answer).sum(axis=0) for answer in (0, 1))
        return torch.from_numpy(absent / np.maximum(present, 1)).float()
