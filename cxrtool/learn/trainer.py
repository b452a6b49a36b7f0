"""From a manifest to a run folder: the epochs of a run, which a later call can continue."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from cxrtool.core import progress
from cxrtool.core.errors import CxrtoolError, is_memory
from cxrtool.files import disk, pixel_cache
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import Manifest, image_channels
from cxrtool.learn import (
    batch_size,
    distributed,
    head_rows,
    history,
    leaks,
    rate_finder,
    training_loop,
    validation,
)
from cxrtool.learn.checkpoint import Checkpoint
from cxrtool.learn.tracking import Tracking
from cxrtool.learn.training_data import NoImageLeft, OnSkip, Reader
from cxrtool.learn.training_loop import ImageSet, Learner
from cxrtool.learn.training_settings import TrainingEnvironment, TrainingSettings
from cxrtool.learn.training_setup import FIRST_TRIED, LAST_TRIED, TrainingSetup
from cxrtool.learn.training_state import TrainingState
from cxrtool.stats import label_traps

# How many rates the range test tries.
TRIES = 100
# How many layers that learn are named.
LAYERS_SHOWN = 6


class Training(TrainingSetup):
    """One run: begun, or continued."""

    def __init__(
        self,
        source: Manifest,
        settings: TrainingSettings,
        place: TrainingEnvironment,
        on_skip: OnSkip,
    ) -> None:
        super().__init__(source, settings, place, on_skip)
        self.state = TrainingState()
        self.checkpoint = Checkpoint(place.folder, writes=not distributed.rank())
        self.tracking = Tracking({})

    def resume(self) -> dict[str, Any]:
        """Look for what there is to go on from: its tensors."""
        if self.place.force:
            return {}
        self.state, tensors = self.checkpoint.read(self.key)
        if tensors and (wrong := self._state_mistake()):
            raise self.checkpoint.damaged(wrong)
        return tensors

    def _state_mistake(self) -> str:
        """Say what of the last state cannot be of this run."""
        state, own = self.state, self.schedule
        rate = FIRST_TRIED if state.rate is None else state.rate
        if state.epoch > self.epochs:
            return f"its epoch {state.epoch} is beyond the {self.epochs} of the run"
        if not FIRST_TRIED <= rate <= LAST_TRIED * (1 + 1e-9):
            return f"its rate {state.rate} is none that was tried"
        if not set(own.state) <= set(state.schedule):
            return "its schedule is another"
        highest = (own.lr if state.rate is None else state.rate) * (1 + 1e-9)
        if not 0 <= state.schedule.get("lr", 0) <= highest:
            return "its schedule.lr is beyond the rate of the run"
        return ""

    def learning(self) -> str:
        """Say what is left to learn, by how many weights and by the names of the layers."""
        network = self.network
        free = [name for name, p in network.named_parameters() if p.requires_grad]
        weights = sum(p.numel() for p in network.parameters())
        learned = sum(p.numel() for p in network.parameters() if p.requires_grad)
        layers = list(dict.fromkeys(name.rpartition(".")[0] for name in free))
        shown = ", ".join(layers[:LAYERS_SHOWN]) + ", ..." * (len(layers) > LAYERS_SHOWN)
        return (
            f"frozen ({self.settings.freeze}): {learned:,} of {weights:,} weights learn, "
            f"in {len(layers)} layers: {shown}"
        )

    def remarks(self) -> list[str]:
        """Say what else a user should know of the data before it is learned."""
        return []

    def plan(self) -> str:
        """Describe what would be done."""
        network, settings, data = self.network, self.settings, self.data
        weights = sum(p.numel() for p in network.parameters())
        still = {id(p) for module in self.frozen for p in module.parameters()}
        learned = sum(p.numel() for p in network.parameters() if id(p) not in still)
        classes = ", ".join(f"{name} {n}" for name, n in sorted(data.counts()["train"].items()))
        steps = f"batches of {settings.batch}" if settings.batch else "the largest batches that fit"
        steps = f"for {self.epochs} epochs of {steps}" if self.epochs else "only to find a rate"
        after = f", after the {self.state.epoch} that are done" if self.state.epoch else ""
        return (
            f"{self.place.folder}: would train {settings.arch} ({learned:,} of {weights:,} "
            f"weights) on {len(data.train)} images of {network.size} x {network.size} ({classes}), "
            f"validated on {len(data.val)}, {steps}{after}"
        )

    def go(self, train: ImageSet, val: ImageSet | None, tensors: dict[str, Any]) -> None:
        """Learn until the end, and keep the best and the last state after every epoch."""
        learner = self.ready_learner(train)
        if self.place.force:
            self.checkpoint.clear()
        if not self.settings.batch:
            self._find_batch(learner, train)
        if self.settings.lr == "find":
            self._find_rate(learner, train)
        if tensors:
            self._remember(learner, tensors)
        else:
            # From here on, the same command again goes on with this run.
            self._write_last(learner)
        if not self.epochs:
            return
        images = learner.images(train)
        total, done = self.epochs * images, self.state.epoch * images
        self._begin_tracking()
        with progress.counter(total, done, "images", self.place.progress) as tick:
            while self.state.epoch < self.epochs and not self._is_over():
                self._keep(learner, self._epoch(learner, train, val, tick))
        self.tracking.end()
        if tensors:
            self.checkpoint.check_best()
        self._note_best()

    def _begin_tracking(self) -> None:
        """Let the trackers know the epochs that are done. Of several processes, the first has them.

        They get what was found for the options that ask for it, as run.json does.
        """
        if not distributed.rank():
            found = {**dataclasses.asdict(self.settings), **self.state.chosen()}
            self.tracking = Tracking.of(self.place.log, self.place.folder, self.key, found)
        self.tracking.begin(self.state.history)

    def _epoch(
        self, learner: Learner, train: ImageSet, val: ImageSet | None, tick: Callable[[int], object]
    ) -> training_loop.Epoch:
        try:
            return learner.epoch(self.state.epoch + 1, train, val, tick)
        except (RuntimeError, MemoryError) as e:
            if not is_memory(e) or distributed.processes() > 1:
                raise
        # Only here has the failed step let go of its memory.
        raise batch_size.too_large(learner, train, learner.plan.batch)

    def _find_batch(self, learner: Learner, train: ImageSet) -> None:
        """Choose how many images a step has, unless an earlier start of the run did."""
        if self.state.batch is None:
            self.state.batch = batch_size.chosen(learner, train)
            progress.note(f"batch size (auto): {self.state.batch}")
        learner.plan = dataclasses.replace(learner.plan, batch=self.state.batch)

    def _remember(self, learner: Learner, tensors: dict[str, Any]) -> None:
        self.checkpoint.restore(learner, tensors)
        learner.plan.schedule.state.update(self.state.schedule)
        if self.state.history:
            self.checkpoint.write_missing(self.state)
            progress.note(f"continues after epoch {self.state.epoch}")

    def _write_last(self, learner: Learner) -> None:
        self.state.schedule, self.state.key = learner.plan.schedule.state, self.key
        self.checkpoint.write(self.state, learner)

    def _find_rate(self, learner: Learner, train: ImageSet) -> None:
        """Choose the rate by a range test, unless an earlier start of the run did."""
        rate = self.state.rate
        fresh = rate is None
        if rate is None:
            test = rate_finder.range_test(learner, train, FIRST_TRIED, LAST_TRIED, TRIES)
            rate = self.state.rate = test.steepest
            self.state.rates = test.points
        self.checkpoint.write_rates(self.state, again=fresh)
        if fresh or not self.epochs:
            progress.note(f"learning rate (find): {rate:.3g}")
        learner.plan.schedule.begin(rate)

    def _is_over(self) -> bool:
        patience = self.settings.patience
        return bool(patience) and self.state.waited >= patience

    def _keep(self, learner: Learner, epoch: training_loop.Epoch) -> None:
        """Write down an epoch: the best weights first, then the state to go on from."""
        row = {
            "epoch": epoch.number,
            **history.cells(epoch.figures),
            "seconds": round(epoch.seconds, 3),
        }
        monitor = self.settings.monitor
        value = epoch.figures.get(f"val_{monitor}", math.nan)
        fallen = -value if self.monitors[monitor] else value
        learner.plan.schedule.after(fallen if math.isfinite(fallen) else epoch.figures["loss"])
        if self.state.add(row, fallen):
            about = dataclasses.replace(
                self.about(self.state), **validation.calibrated(epoch.logs, epoch.labels)
            )
            self.checkpoint.write_best(about, learner, self.images)
        self.checkpoint.write_history(self.state)
        self._write_last(learner)
        self.tracking.add(row)
        self._note_epoch(epoch, row)

    def _note_epoch(self, epoch: training_loop.Epoch, row: dict[str, Any]) -> None:
        shown = {k: row.get(k) for k in self.shown}
        figures = ", ".join(f"{k} {v:.4f}" for k, v in shown.items() if v is not None)
        speed = f"{epoch.figures['images_per_second']:.0f} images/s"
        progress.note(f"epoch {epoch.number}/{self.epochs}: {figures}, {speed}")

    def _note_best(self) -> None:
        best = self.state.best
        figures = ", ".join(
            f"{name.removeprefix('val_').replace('_', ' ')} {best[name]:.3f}"
            for name in self.final
            if best.get(name) is not None
        )
        seen = f" (validation: {figures})" if figures else ""
        number, folder = self.state.epoch, self.place.folder
        chosen = number > 1 and best.get("fallen") is not None
        by = f", by val_{self.settings.monitor} (--monitor)," if chosen else ""
        progress.note(f"{folder}: the best of {number} epochs{by} is {best['epoch']}{seen}")


def train(
    source: Manifest,
    settings: TrainingSettings,
    place: TrainingEnvironment,
    skipped: Failures | None,
    kind: type[Training] = Training,
    check: Callable[[Training], None] = lambda _: None,
) -> None:
    """Train one run, after a `check`. Only the first of several seeds reports skipped images."""
    on_skip: OnSkip = (lambda _: None) if skipped is None or distributed.rank() else skipped.add
    training = kind(source, settings, place, on_skip)
    data = training.data
    check(training)
    if skipped is not None:
        leaks.warn_of_leaks(data.name, data.leaks, skipped.strict)
        leaks.warn_of_weights(settings.weights, training.validated_before, skipped.strict)
        if warning := label_traps.warning_of_images(data.label_traps):
            progress.note(warning)
        if data.masks:
            what = f"{data.masks} of {len(data.train)} training images are lung masks"
            progress.note(f"warning: {what} (segment --keep mask): they show the outlines alone")
        if data.tested:
            what = f"{data.tested} training rows have a fold, but are of the split's test or unseen"
            remedy = "Leave them out (--where split!=test,unseen)."
            progress.note(f"warning: {data.name}: {what}. {remedy}")
        if head_rows.BY_PLACE in training.began_with:
            progress.note(f"warning: weights: {training.began_with}")
        for text in training.remarks():
            progress.note(text)
    channels = image_channels(data.preprocessing)
    if channels > training.network.channels:
        what = f"{data.name}: images are stacks of three channels, '{settings.arch}' takes one"
        raise CxrtoolError(what, "Use three channels.", settings=["channels"])
    _check_batch(settings.batch, len(data.train), distributed.processes())
    if not distributed.rank():
        disk.make_folder(place.folder)
        disk.claim(place.folder)
    distributed.wait()
    tensors = training.resume()
    if settings.freeze != "none":
        progress.note(training.learning())
    frame = pixel_cache.Frame(training.network.size, channels, settings.fit, place.root)
    reader = Reader(frame, place.cache, place.device, place.crew, place.progress, on_skip)
    try:
        parts = distributed.in_turn(lambda: training.loaded(reader))
    except NoImageLeft:
        if skipped is not None and not distributed.rank():
            skipped.close()
        raise
    training.go(*parts, tensors)


def _check_batch(size: int, images: int, processes: int) -> None:
    """Refuse a batch of which not every process gets a part; 0 is the largest that fits."""
    if not size and processes > 1:
        what = "several processes need a fixed batch size, not auto"
        raise CxrtoolError(what, "Name a number.", settings=["batch"])
    if 0 < min(size, images) < processes:
        what = f"a batch of {size} is too small for {processes} processes"
        raise CxrtoolError(what, "Use larger batches.", settings=["batch"])
