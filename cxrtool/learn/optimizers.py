"""Optimisers and schedules of the papers, by name.

A fused step looks at every weight once instead of once for each of its terms: a step of ResNet-18
with 32 images takes an eighth less time on a CPU.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.registry import Between

Decay = Annotated[float, Between(0, 1)]
Share = Annotated[float, Between(0, 1)]
Parameters = Iterable[Parameter]


def sgd(
    parameters: Parameters,
    lr: float,
    *,
    momentum: Share = 0.0,
    decay: Decay = 0.0,
    nesterov: bool = False,
) -> Optimizer:
    """Stochastic gradient descent."""
    return torch.optim.SGD(
        parameters, lr, momentum=momentum, weight_decay=decay, nesterov=nesterov, fused=True
    )


def adam(
    parameters: Parameters,
    lr: float,
    *,
    decay: Decay = 0.0,
    beta1: Share = 0.9,
    beta2: Share = 0.999,
    eps: float = 1e-8,
    amsgrad: bool = False,
) -> Optimizer:
    """Adam, with L2 regularisation; `amsgrad` keeps the largest second moment so far."""
    betas = (beta1, beta2)
    return torch.optim.Adam(
        parameters, lr, betas, eps, weight_decay=decay, amsgrad=amsgrad, fused=True
    )


def adamw(
    parameters: Parameters, lr: float, *, decay: Decay = 0.01, beta1: Share = 0.9
) -> Optimizer:
    """Adam with weight decay of its own."""
    return torch.optim.AdamW(parameters, lr, (beta1, 0.999), weight_decay=decay, fused=True)


def adamax(parameters: Parameters, lr: float, *, decay: Decay = 0.0) -> Optimizer:
    """Adam by the largest gradient, as CVR-Net's code uses it."""
    return torch.optim.Adamax(parameters, lr, weight_decay=decay)


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adamw,
    "adamax": adamax,
}


def build(spec: str, parameters: Parameters, lr: float) -> Optimizer:
    """Make the optimiser of a SPEC for the parameters that learn."""
    _, make, options = registry.pick("optimizer", spec, OPTIMIZERS)
    learning = [p for p in parameters if p.requires_grad]
    if not learning:
        what = "all layers are frozen, so that nothing is learned"
        raise CxrtoolError(what, "Freeze fewer layers.", settings=["freeze"])
    try:
        optimizer: Optimizer = make(learning, lr, **options)
    except ValueError as e:
        what = f"optimizer {spec}: {e}"
        raise CxrtoolError(what, "Change its options.", settings=["optimizer"]) from e
    return optimizer


@dataclass
class Schedule:
    """The learning rate of each epoch; `state` is what a resumed run takes over."""

    lr: float
    epochs: int
    state: dict[str, float]

    @property
    def first_change(self) -> int:
        """The first epoch, counted from 1, that may have another rate; 1 is within the first."""
        return 1

    def begin(self, lr: float) -> None:
        """Take another rate to begin with."""
        self.lr = lr
        if "lr" in self.state:
            self.state["lr"] = lr

    def at(self, epoch: int, share: float) -> float:
        """Return the rate at a share (0 to 1) of an epoch, the first being 0."""
        return self.lr

    def after(self, value: float) -> None:
        """Learn the monitored value of an epoch: the smaller, the better."""


class Plateau(Schedule):
    """Divide the rate when the monitored value stops to fall.

    Without a `delta`, a value is better if it is lower by a ten-thousandth of the best, as in
    PyTorch; with one, if it is lower by more than that, as in Keras.
    """

    def __init__(
        self, lr: float, epochs: int, factor: float, patience: int, least: float, delta: float
    ) -> None:
        super().__init__(lr, epochs, {"lr": lr, "waited": 0})
        self.factor, self.patience, self.least, self.delta = factor, patience, least, delta

    @property
    def first_change(self) -> int:
        """Count the first epoch, which is the best so far, then those that are waited for."""
        return self.patience + 3

    def at(self, epoch: int, share: float) -> float:
        """Return the rate that is left."""
        return self.state["lr"]

    def after(self, value: float) -> None:
        """Count the epochs without a better value."""
        state = self.state
        best = state.get("best")
        if best is None or value < best - (self.delta or 1e-4 * abs(best)):
            state.update(best=value, waited=0)
            return
        state["waited"] += 1
        if state["waited"] > self.patience:
            state.update(lr=max(self.least, state["lr"] * self.factor), waited=0)


class RateCurve(Schedule):
    """A rate that follows a curve over the whole training."""

    def __init__(self, lr: float, epochs: int, warmup: float, least: float) -> None:
        super().__init__(lr, epochs, {})
        self.warmup, self.least = warmup, least

    def at(self, epoch: int, share: float) -> float:
        """Rise over the warm-up, then fall by half a cosine."""
        done = (epoch + share) / self.epochs
        if done < self.warmup:
            return self.lr * max(self.least, done / self.warmup)
        left = (done - self.warmup) / max(1e-9, 1 - self.warmup)
        return self.lr * (self.least + (1 - self.least) * (1 + math.cos(math.pi * left)) / 2)


class Steps(Schedule):
    """A rate that is divided every so many epochs."""

    def __init__(self, lr: float, epochs: int, factor: float, every: int) -> None:
        super().__init__(lr, epochs, {})
        self.factor, self.every = factor, every

    @property
    def first_change(self) -> int:
        """Count the epochs of the first step."""
        return self.every + 1

    def at(self, epoch: int, share: float) -> float:
        """Count the steps."""
        return self.lr * float(self.factor ** (epoch // self.every))


def none(lr: float, epochs: int) -> Schedule:
    """Keep the rate."""
    return Schedule(lr, epochs, {})


def plateau(
    lr: float,
    epochs: int,
    *,
    factor: Share = 0.1,
    patience: Annotated[int, Between(0, 1000)] = 10,
    least: float = 0.0,
    delta: Annotated[float, Between(0, 1000)] = 0.0,
) -> Schedule:
    """Multiply the rate by `factor` after more than `patience` epochs without a better value.

    PyTorch counts so; Keras' patience is one more. Better is what is lower by more than `delta`, or
    if that is 0 by a ten-thousandth.
    """
    return Plateau(lr, epochs, factor, patience, least, delta)


def cosine(lr: float, epochs: int, *, warmup: Share = 0.0, least: Share = 0.0) -> Schedule:
    """Fall by half a cosine, after a linear warm-up over a share of the training."""
    return RateCurve(lr, epochs, warmup, least)


def onecycle(lr: float, epochs: int, *, warmup: Share = 0.3, least: Share = 0.0) -> Schedule:
    """Rise to the rate and fall again."""
    return RateCurve(lr, epochs, warmup, least)


def step(
    lr: float,
    epochs: int,
    *,
    factor: Share = 0.1,
    every: Annotated[int, Between(1, 10000)] = 30,
) -> Schedule:
    """Multiply the rate by `factor` every so many epochs."""
    return Steps(lr, epochs, factor, every)


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "none": none,
    "plateau": plateau,
    "cosine": cosine,
    "onecycle": onecycle,
    "step": step,
}


def tensors_of(optimizer: Optimizer) -> dict[str, Any]:
    """Return the optimiser's memory as flat tensors, by the place of their parameter."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, memory in state.items()
        for name, value in memory.items()
        if value is not None
    }


def restore(optimizer: Optimizer, tensors: dict[str, Any]) -> None:
    """Give an optimiser its memory back."""
    learning = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        weight = learning[int(number)]
        if value.shape == weight.shape:
            # A fused step goes through the memory of both alike, so they must lie there alike.
            value = torch.empty_like(weight).copy_(value)
        state.setdefault(int(number), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
