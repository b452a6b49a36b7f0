"""Training: one epoch after another, each of which can be gone on from.

Every random choice of an epoch follows from the seed and the number of the epoch, so that a run
which was killed goes on from its last whole epoch as if nothing had happened, and several processes
that share a batch choose as one would.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxrtool.core.errors import BrokenRun, CxrtoolError
from cxrtool.learn import augmentation, distributed, losses, rebalancing, validation
from cxrtool.learn.architectures._network import Net
from cxrtool.learn.augmentation import Augmentation
from cxrtool.learn.inference import batches, precision, prepared
from cxrtool.learn.optimizers import Schedule

Bytes = NDArray[np.uint8]

NEGATIVE = 0x6E656761


@dataclass(frozen=True)
class ImageSet:
    """The images of one part of the split, and their classes."""

    pixels: Bytes  # (all images, C, S, S), of which `rows` belong to the part
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]  # (N), or the answers of findings (N, findings)
    held: Tensor | None = None  # all pixels, where the device has room for them

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, places: NDArray[np.int64], where: torch.device) -> Tensor:
        """Gather the grey levels of some images of the part."""
        rows = self.rows[places]
        if self.held is not None:
            return self.held[torch.from_numpy(rows).to(where)]
        return torch.from_numpy(self.pixels[rows]).to(where)


@dataclass(frozen=True)
class TrainingPlan:
    """How to learn."""

    loss: Callable[[Tensor, Tensor], Tensor]  # logits, target distributions -> loss of each image
    schedule: Schedule
    epochs: int
    batch: int
    mean: Sequence[float]
    std: Sequence[float]
    augment: Augmentation = field(default_factory=Augmentation)
    smoothing: float = 0.0
    weights: Tensor | None = None  # of the classes
    quotas: Mapping[int, int] = field(default_factory=dict)  # images of a class in every batch
    amp: bool = False
    frozen: Sequence[torch.nn.Module] = ()
    clip: float = 0.0
    seed: int = 0


@dataclass
class Epoch:
    """What came of one epoch."""

    number: int  # the first is 1
    figures: dict[str, float]
    seconds: float
    logs: NDArray[np.float64] | None = None  # log p of the images that were looked at
    labels: NDArray[np.int64] | None = None


class Learner:
    """A network that learns."""

    def __init__(
        self,
        network: Net,
        optimizer: torch.optim.Optimizer,
        plan: TrainingPlan,
        where: torch.device,
    ) -> None:
        self.network, self.optimizer, self.plan, self.where = network, optimizer, plan, where
        self.call: Callable[[Tensor], Tensor] = network
        self.classes = 0

    def epoch(
        self, number: int, train: ImageSet, val: ImageSet | None, tick: Callable[[int], object]
    ) -> Epoch:
        """Learn from every image once, and look at the validation part."""
        start = time.perf_counter()
        loss, rate = self.learn(number, train, tick)
        seconds = time.perf_counter() - start
        speed = self.images(train) / seconds
        figures = {"loss": loss, "lr": rate, "images_per_second": speed}
        if val is None:
            return Epoch(number, figures, time.perf_counter() - start)
        val_figures, logs = self.looked_at(val)
        if not math.isfinite(val_figures["loss"]):
            raise diverged("nan on the validation part", number)
        figures |= {f"val_{name}": value for name, value in val_figures.items()}
        return Epoch(number, figures, time.perf_counter() - start, logs, val.labels)

    def looked_at(self, part: ImageSet) -> tuple[dict[str, float], NDArray[np.float64] | None]:
        """Return the figures of a part, the loss being that of training, and log p of its images.

        Smoothing and class weights belong to the loss: what is not minimised cannot say when to
        stop.
        """
        logs, lost = self.judged(part)
        return {"loss": float(lost.mean()), **validation.validated(logs, part.labels)}, logs

    def learn(
        self, number: int, train: ImageSet, tick: Callable[[int], object]
    ) -> tuple[float, float]:
        """Learn from every image once: the mean loss, and the last rate."""
        plan = self.plan
        torch.manual_seed(mixed(plan.seed, number, 1))  # for dropout
        self.begin()
        order = self.order(number, train)
        values = self.drawn(number, len(order))
        total = torch.zeros((), dtype=torch.float64, device=self.where)
        rate = 0.0
        for step in steps(len(order), plan.batch):
            rate = plan.schedule.at(number - 1, step.start / len(order))
            self.set_rate(rate)
            drawn = {name: v[step] for name, v in values.items()}
            # The loss is read at the end: asking for it now would make an accelerator wait.
            total += self.step(train, order[step], drawn)
            tick(step.stop - step.start)
        mean = float(distributed.summed(total)) / len(order)
        if not math.isfinite(mean):
            raise diverged(f"{mean}", number)
        # The last step may have broken what no loss has seen yet.
        if not all(bool(torch.isfinite(v).all()) for v in self.network.state_dict().values()):
            raise diverged("finite, but the weights are not", number)
        return mean, rate

    def images(self, train: ImageSet) -> int:
        """Count the images that an epoch learns from, repeated ones as often as they are."""
        quotas = self.plan.quotas
        return len(rebalancing.others(train.labels, quotas)) if quotas else len(train)

    def order(self, number: int, train: ImageSet) -> NDArray[np.int64]:
        """Shuffle the images of an epoch, and fill batches that have a number of some class."""
        seed, quotas = self.plan.seed, self.plan.quotas
        order = shuffled(self.images(train), mixed(seed, number, 2))
        if not quotas:
            return order
        order = rebalancing.others(train.labels, quotas)[order]
        parts = steps(len(order), self.plan.batch)
        return rebalancing.rebalanced(train.labels, order, parts, quotas, mixed(seed, number, 5))

    def set_rate(self, rate: float) -> None:
        """Take the next steps with a learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def begin(self) -> None:
        """Prepare the network for steps of learning; frozen parts stay as they are."""
        self.network.train()
        for part in self.plan.frozen:
            part.eval()

    def drawn(self, epoch: int, number: int) -> dict[str, Tensor]:
        """Draw what is to happen to every image of an epoch."""
        return augmentation.drawn(self.plan.augment, number, mixed(self.plan.seed, epoch, 3))

    def step(self, train: ImageSet, places: NDArray[np.int64], drawn: dict[str, Tensor]) -> Tensor:
        """Learn from one batch, of which this process has its part: the sum of its losses."""
        plan, part = self.plan, distributed.part(len(places))
        values = {name: value[part] for name, value in drawn.items()}
        total = self.lost(train, places[part], values).sum()
        self.optimizer.zero_grad(set_to_none=True)
        # The gradients of all processes are averaged.
        (total * (distributed.processes() / len(places))).backward()  # type: ignore[no-untyped-call]
        if plan.clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), plan.clip)
        self.optimizer.step()
        return total.detach()

    def lost(self, train: ImageSet, places: NDArray[np.int64], drawn: dict[str, Tensor]) -> Tensor:
        """Return the loss of each image."""
        plan = self.plan
        images = train.batch(places, self.where).float()
        if not plan.augment.is_none:
            images = augmentation.augmented(images, drawn, plan.augment.fill)
        return self.criterion(self.logits(images), train.labels[places])

    def criterion(self, logits: Tensor, labels: NDArray[np.int64]) -> Tensor:
        """Return the loss of each image by its logits: weighted, with smooth targets."""
        plan, classes = self.plan, torch.from_numpy(labels).to(self.where)
        each = plan.loss(logits, losses.targets(classes, self.classes, plan.smoothing))
        return each if plan.weights is None else each * plan.weights.to(self.where)[classes]

    def logs(self, logits: Tensor) -> Tensor:
        """Return log p of each class."""
        return losses.log_probabilities(logits)

    def logits(self, images: Tensor) -> Tensor:
        """Run the network on grey levels."""
        plan = self.plan
        try:
            with precision(self.where, plan.amp):
                return self.call(prepared(images, plan.mean, plan.std)).float()
        except ValueError as e:
            # Batch normalisation of one image of which one place is left has nothing to average.
            if "more than 1 value per channel" not in str(e):
                raise
            what = f"a batch of {len(images)} is too small for the network"
            remedy = "Use larger batches or larger images."
            raise CxrtoolError(what, remedy, settings=["batch", "size"]) from e

    def judged(self, part: ImageSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return log p of every image of a part (N, classes), and the loss of each (N)."""
        self.network.eval()
        plan, parts = self.plan, []
        with torch.inference_mode(), precision(self.where, plan.amp):
            mine = np.arange(len(part))[distributed.part(len(part))]
            for step in batches(len(mine), 2 * plan.batch):
                images = part.batch(mine[step], self.where)
                logits = self.network(prepared(images, plan.mean, plan.std)).float()
                lost = self.criterion(logits, part.labels[mine[step]])
                together = torch.cat([self.logs(logits), lost[:, None]], dim=1)
                parts.append(together.double().cpu())
        rows = torch.cat(parts).numpy() if parts else np.zeros((0, self.classes + 1))
        rows = distributed.interleaved(rows, len(part))
        return rows[:, :-1], rows[:, -1]


def diverged(loss: str, number: int) -> BrokenRun:
    """Make the error for a loss that is not finite."""
    kept = "The last good weights are kept. " if number > 1 else ""
    what = f"the loss is {loss} in epoch {number}"
    remedy = f"{kept}Lower the learning rate, or clip the gradients."
    return BrokenRun(what, remedy, settings=["lr", "clip"])


def steps(number: int, size: int) -> list[slice]:
    """Divide images into batches to learn from.

    One that is left over joins the batch before: alone, it has no spread to be normalised by. So
    do fewer than there are processes, each of which needs a part.
    """
    slices = list(batches(number, size))
    least = max(2, distributed.processes())
    if size > 1 and len(slices) > 1 and 0 < number % size < least:
        slices[-2:] = [slice(slices[-2].start, number)]
    return slices


def mixed(seed: int, *numbers: int) -> int:
    """Make one seed of several numbers, so that neighbours have nothing in common."""
    # Only what is not negative is taken; a mark of its own keeps -1 apart from 1.
    sign = [NEGATIVE] if seed < 0 else []
    entropy = np.random.SeedSequence([*sign, abs(seed), *numbers]).generate_state(2, np.uint32)
    return int(entropy[0]) << 31 ^ int(entropy[1])


def shuffled(number: int, seed: int) -> NDArray[np.int64]:
    """Return the places in a random order."""
    return np.random.default_rng(seed).permutation(number)


def averages(part: ImageSet) -> tuple[list[float], list[float]]:
    """Return the mean over images of each image's mean and spread, as Tartaglione's code does."""
    means, spreads = [], []
    for step in batches(len(part), 64):
        values = part.pixels[part.rows[step]].astype(np.float64)
        means.append(values.mean(axis=(2, 3)))
        spreads.append(values.std(axis=(2, 3)))
    mean = np.concatenate(means).mean(axis=0)
    spread = np.maximum(np.concatenate(spreads).mean(axis=0), 1e-3)
    return mean.tolist(), spread.tolist()
