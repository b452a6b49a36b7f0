"""What a run is made of: its data, network, optimiser and plan, before the first epoch."""

import hashlib
import json
import os
from collections import Counter
from dataclasses import asdict
from functools import cached_property
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from cxrtool import __version__
from cxrtool.core import choices, registry
from cxrtool.core.choices import First
from cxrtool.files import run_folder, run_record
from cxrtool.files.manifest import Manifest
from cxrtool.files.run_fields import Best, DataAbout
from cxrtool.learn import (
    augmentation,
    distributed,
    frozen_layers,
    inference,
    initial_weights,
    losses,
    optimizers,
    rebalancing,
    training_data,
    training_loop,
    versions,
)
from cxrtool.learn.architectures._network import Net
from cxrtool.learn.svm import SvmLearner
from cxrtool.learn.training_data import Data, OnSkip, Reader
from cxrtool.learn.training_loop import ImageSet, Learner, TrainingPlan
from cxrtool.learn.training_settings import TrainingEnvironment, TrainingSettings
from cxrtool.learn.training_state import TrainingState

# The lowest and the highest rate of the range test, as Keras' LR finder tries them.
FIRST_TRIED, LAST_TRIED = 1e-7, 1e-1


class TrainingSetup:
    """What one run of a classifier is made of."""

    task = "classify"
    # What epochs may be judged by, and whether more is better.
    monitors = choices.MONITORS[task]
    # Which figures are said after every epoch, and which in the end.
    shown: tuple[str, ...] = ("loss", "val_loss", "val_auc")
    final: tuple[str, ...] = ("val_auc", "val_accuracy", "val_balanced_accuracy")

    def __init__(
        self,
        source: Manifest,
        settings: TrainingSettings,
        place: TrainingEnvironment,
        on_skip: OnSkip,
    ) -> None:
        self.settings, self.place = settings, place
        self.read_counts: dict[str, dict[str, int]] = {}  # of the images that could be read
        self.data = self.read(source, on_skip)
        # Classes that are not there are refused before any image is read.
        self.named_weights = self._named_weights()
        self.quotas = rebalancing.quotas(
            settings.rebalance, self.data.classes, self.data.counts()["train"], settings.batch
        )
        _, self.loss, self.loss_options = registry.pick("loss", settings.loss, losses.LOSSES)
        torch.manual_seed(training_loop.mixed(settings.seed, 0))
        self.network = self.built()
        self.began_with = self.loaded_weights()
        # What is wrong with these is said before any image is read.
        self.augment = self.augmentation()
        freeze = "backbone" if self.network.by_svm else settings.freeze
        self.frozen = frozen_layers.frozen(self.network, freeze)
        lr = FIRST_TRIED if settings.lr == "find" else float(settings.lr)
        _, schedule, given = registry.pick("schedule", settings.schedule, optimizers.SCHEDULES)
        self.schedule = schedule(lr, settings.epochs, **given)
        self.optimizer = optimizers.build(settings.optimizer, self.network.parameters(), lr)

    def read(self, source: Manifest, on_skip: OnSkip) -> Data:
        """Read the rows that are learned from and looked at."""
        return training_data.divided(source, self.settings.fold, self.settings.classes, on_skip)

    def built(self) -> Net:
        """Build the network."""
        settings = self.settings
        classes = len(self.data.classes)
        return inference.built(settings.arch, classes, settings.channels, settings.size)

    def loaded_weights(self) -> str:
        """Load the weights to begin with, and describe them."""
        settings = self.settings
        first = cast(First, settings.first)
        names = self.data.classes if self.task == "classify" else ()
        return initial_weights.load(
            self.network, settings.weights, settings.arch, first, classes=names
        )

    @cached_property
    def images(self) -> bytes | None:
        """Pack which images the run has seen, and the run whose weights it begins with before."""
        if self.data.images is None:
            return None
        before = {run_folder.BEFORE: np.array(self._seen_before, np.int64)}
        return run_folder.packed_images(self.data.images | (before if self._seen_before else {}))

    @property
    def validated_before(self) -> int:
        """How many images that are only to be looked at the weights have learned from or seen."""
        val = (self.data.images or {}).get("val", ())
        return int(np.isin(val, self._seen_before).sum())

    @cached_property
    def _seen_before(self) -> list[int]:
        return initial_weights.seen_images(self.settings.weights)

    def augmentation(self) -> augmentation.Augmentation:
        """Read what is to happen to the images."""
        return augmentation.parse(self.settings.augment)

    def loaded(self, reader: Reader) -> tuple[ImageSet, ImageSet | None]:
        """Read the pixels; a class that only unreadable images have cannot be learned."""
        train, val = reader.parts(self.data)
        if self.task == "classify":
            training_data.check_read(self.data.classes, train.labels)
            parts = {"train": train} | ({"val": val} if val is not None else {})
            self.read_counts = {n: self._counted(part.labels) for n, part in parts.items()}
        return train, val

    def _counted(self, labels: NDArray[np.int64]) -> dict[str, int]:
        return dict(Counter(self.data.classes[place] for place in labels.tolist()))

    def learner(self, plan: TrainingPlan) -> Learner:
        """Make what learns by a plan."""
        kind = SvmLearner if self.network.by_svm else Learner
        learner = kind(self.network, self.optimizer, plan, self.place.device)
        learner.classes = len(self.data.classes)
        return learner

    @property
    def key(self) -> str:
        """A digest that differs for runs of other options or other data."""
        # Runs of plain cross-entropy were always judged by it: they are gone on with.
        judged_by = [self.criterion] * (self.criterion != losses.PLAIN)
        said = json.dumps([asdict(self.settings), self.data.digest, __version__, *judged_by])
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def criterion(self) -> str:
        """Name the loss of training, which is also that of the validation part."""
        settings = self.settings
        if self.network.by_svm:
            return losses.PLAIN
        return losses.named(settings.loss, settings.label_smoothing, settings.class_weights)

    @property
    def epochs(self) -> int:
        """The number of epochs; a support vector machine finds its layer in one."""
        return 1 if self.network.by_svm else self.settings.epochs

    @property
    def normalize(self) -> str:
        """How grey levels are scaled: as the weights want it, or else by the data."""
        if self.settings.normalize != "auto":
            return self.settings.normalize
        return (
            "imagenet" if initial_weights.scaled_as_imagenet(self.settings.weights) else "dataset"
        )

    def ready_learner(self, train: ImageSet) -> Learner:
        """Put the network on the device, and make what learns from some images."""
        settings, network = self.settings, self.network
        network.to(self.place.device).to(memory_format=torch.channels_last)
        self.mean, self.std = self._scale(train)
        plan = TrainingPlan(
            loss=self._each_loss,
            schedule=self.schedule,
            epochs=settings.epochs,
            batch=settings.batch,
            mean=self.mean,
            std=self.std,
            augment=self.augment,
            smoothing=settings.label_smoothing,
            weights=self._class_weights(train),
            quotas=self.quotas,
            amp=settings.amp,
            frozen=self.frozen,
            clip=settings.clip,
            seed=settings.seed,
        )
        learner = self.learner(plan)
        learner.call = distributed.joined(network, self.place.device)
        if self.place.compile:
            learner.call = torch.compile(learner.call)
        return learner

    def _each_loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.loss(logits, targets, **self.loss_options)
        return loss

    def _scale(self, train: ImageSet) -> tuple[list[float], list[float]]:
        method = self.normalize
        if method != "dataset":
            return inference.scale(method, self.network)
        mean, std = training_loop.averages(train)
        many = self.network.channels // len(mean)
        return mean * many, std * many

    def _named_weights(self) -> torch.Tensor | None:
        chosen = self.settings.class_weights
        named = chosen not in choices.CLASS_WEIGHTS
        return losses.named_weights(chosen, self.data.classes) if named else None

    def _class_weights(self, train: ImageSet) -> torch.Tensor | None:
        if self.settings.class_weights == "none" or self.named_weights is not None:
            return self.named_weights
        counts = np.bincount(train.labels, minlength=len(self.data.classes))
        return losses.class_weights(torch.from_numpy(counts), self.settings.class_weights)

    def about(self, state: TrainingState) -> run_record.About:
        """Describe the run with the best epoch of a state, for run.json."""
        settings, network, data = self.settings, self.network, self.data
        best = {k: v for k, v in state.best.items() if k not in ("fallen", "seconds")}
        return run_record.About(
            arch=settings.arch,
            classes=data.classes,
            size=network.size,
            channels=network.channels,
            mean=self.mean,
            std=self.std,
            fit=settings.fit,
            task=self.task,
            normalize=self.normalize,
            preprocessing=data.preprocessing,
            loaded=self.began_with,
            seed=settings.seed,
            options=asdict(settings) | state.chosen(),
            data=cast(
                DataAbout,
                {
                    "manifest": os.path.basename(data.name),
                    "sha256": data.digest,
                    **data.counts(),
                    **self.read_counts,
                },
            ),
            leaks=data.leaks,
            label_traps=data.label_traps.record(),
            best=cast(Best, {k: v for k, v in best.items() if k != "images_per_second"}),
            criterion=self.criterion,
            versions=versions.used(),
        )
