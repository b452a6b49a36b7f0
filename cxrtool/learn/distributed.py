"""Several processes that learn together, as `torchrun` starts them: one batch shared among all.

Each process takes its part of every batch. Gradients are summed by DistributedDataParallel, and
batch norms take their statistics over the whole batch, so that the result does not depend on how
many processes there are, up to rounding.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cxrtool.core import progress

T = TypeVar("T")


def processes() -> int:
    """Count the processes that torchrun started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return the number of this process; the first one writes and prints."""
    return int(os.environ.get("RANK", "0")) if processes() > 1 else 0


def begin(where: torch.device) -> torch.device:
    """Meet the other processes, and take a device of one's own."""
    if processes() == 1 or dist.is_initialized():
        return where
    backend = "gloo"
    if where.type == "cuda":
        number, backend = own_card(torch.cuda.device_count())
        where = torch.device("cuda", number)
        torch.cuda.set_device(where)
    dist.init_process_group(backend)
    if rank():
        # One process prints for all.
        progress.mute()
    return where


def own_card(cards: int) -> tuple[int, str]:
    """Return the number of this process's card, and what carries the sums.

    More processes than cards share them, in turn. NCCL refuses two processes on one card; gloo does
    not.
    """
    here = int(os.environ.get("LOCAL_RANK", "0"))
    crowded = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) > cards
    return here % cards, "gloo" if crowded else "nccl"


def end() -> None:
    """Part from the others."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def wait() -> None:
    """Wait for the others."""
    if processes() > 1:
        dist.barrier()


def in_turn(work: Callable[[], T]) -> T:
    """Let the first process do it before the others, who then find what it has made."""
    if rank():
        wait()
    done = work()
    if not rank():
        wait()
    return done


def gathered(value: T) -> list[T]:
    """Put what every process has in a row, everywhere."""
    if processes() == 1:
        return [value]
    values: list[Any] = [None] * processes()
    dist.all_gather_object(values, value)
    return values


def joined(network: nn.Module, where: torch.device) -> nn.Module:
    """Let a network learn together with its copies in the other processes."""
    if processes() == 1:
        return network
    with_common_norms(network, where)
    devices = [where] if where.type == "cuda" else None
    return DistributedDataParallel(network, device_ids=devices)


def with_common_norms(network: nn.Module, where: torch.device) -> None:
    """Let batch norms look at the whole batch."""
    for name, module in list(network.named_modules()):
        if type(module) is nn.BatchNorm2d:
            # The same tensors under the same names: only what forward does is another.
            module.__class__ = CommonNorm
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise TypeError(f"{name} is a batch norm that cannot be shared")


class CommonNorm(nn.BatchNorm2d):
    """A batch norm whose mean and variance are those of all processes' images.

    PyTorch's own (SyncBatchNorm) is for accelerators only.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Normalise by the statistics of the whole batch, and keep the running ones."""
        if not self.training:
            return super().forward(images)
        # In 64 bits: a sum over a hundred thousand places loses digits that the others have kept.
        count = torch.tensor([images.numel() / images.shape[1]], dtype=torch.float64)
        sums = images.sum(dim=(0, 2, 3), dtype=torch.float64)
        total = _summed(torch.cat([sums, count.to(sums.device)]))
        number = total[-1]
        mean = total[:-1] / number
        away = images - mean.to(images.dtype).view(1, -1, 1, 1)
        variance = _summed(away.square().sum(dim=(0, 2, 3), dtype=torch.float64)) / number
        self._keep(mean.detach(), variance.detach() * number / (number - 1).clamp(min=1))
        scale = torch.rsqrt(variance + self.eps).to(images.dtype) * self.weight
        normalised: Tensor = away * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normalised

    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        momentum = 0.1 if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), momentum)


class _Sum(torch.autograd.Function):
    """Add up what all processes have; the gradient of each part is the sum of theirs."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        """Add up."""
        return summed(values.clone())

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        """Add up the other way."""
        return summed(gradients[0].clone())


def _summed(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)
    return total


def summed(value: Tensor) -> Tensor:
    """Add up a number that every process has."""
    if processes() > 1:
        dist.all_reduce(value)
    return value


def interleaved(rows: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Put the rows of every process's part back in their order, everywhere."""
    whole = np.empty((number, *rows.shape[1:]))
    for which, share in enumerate(gathered(rows)):
        whole[which :: processes()] = share
    return whole


def part(number: int) -> slice:
    """Take this process's part of so many images, all parts as equal as they can be."""
    return slice(rank(), number, processes())
