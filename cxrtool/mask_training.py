"""Train a network to draw masks: arrays in, a trained network and its history out.

Every image is seen otherwise each time (`mask_changes.py`), so that a few hundred outlines do for
images of any hospital. All chance follows from the seed. An image without lungs has an empty mask.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrtool.mask_changes import Changes, Image, Mask, augmented

Chance = np.random.Generator

FLAT = 1e-3  # Under this spread of levels (0..1) an image is constant.


@dataclass(frozen=True)
class Settings:
    """How to train."""

    size: int = 256
    epochs: int = 40
    batch: int = 8
    rate: float = 2e-3
    decay: float = 1e-2
    averaged: float = 0.995  # what the mean of the weights keeps of itself a step
    half: bool = False  # Compute in bfloat16 what bears it.
    seed: int = 0
    changes: Changes = field(default_factory=Changes)


class Epoch(NamedTuple):
    """What an epoch came to; dice is the mean over the held-out images, NaN where none are."""

    number: int
    loss: float
    dice: float
    seconds: float


def fit(
    network: nn.Module,
    images: NDArray[np.uint8],
    masks: Mask,
    settings: Settings,
    *,
    weights: NDArray[Any] | None = None,
    held_out: tuple[NDArray[np.uint8], Mask] | None = None,
) -> Iterator[Epoch]:
    """Train the network in place and yield after each epoch; when it is over, the mean is left.

    Images and masks are (count, height, width). Weights say how often an image is drawn.
    """
    torch.manual_seed(settings.seed)
    chance = np.random.default_rng(settings.seed)
    optimizer = torch.optim.AdamW(network.parameters(), settings.rate, weight_decay=settings.decay)
    steps = max(1, len(images) // settings.batch)
    plan = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.rate, settings.epochs * steps, pct_start=0.1
    )
    last, mean = network.state_dict(), _Mean(network, settings.averaged)
    for number in range(1, settings.epochs + 1):
        begun, losses = time.monotonic(), []
        network.load_state_dict(last)
        for chosen in _draws(len(images), steps, weights, settings, chance):
            batch = images[chosen], masks[chosen], settings.size, settings.changes, chance
            losses.append(_learnt(network, optimizer, *augmented(*batch), settings.half))
            plan.step()
            mean.add(network)
        last = _copied(network)
        network.load_state_dict(mean.weights)
        dice = float("nan") if held_out is None else _dice(network, *held_out, settings.size)
        yield Epoch(number, float(np.mean(losses)), dice, time.monotonic() - begun)


class _Mean:
    """The weights of a network, averaged over its last steps: they find what each one misses."""

    def __init__(self, network: nn.Module, kept: float) -> None:
        self.weights, self.kept, self.steps = _copied(network), kept, 0

    def add(self, network: nn.Module) -> None:
        """Take in another step; the first ones are soon forgotten."""
        self.steps += 1
        kept = min(self.kept, self.steps / (9 + self.steps))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - kept)
            else:
                self.weights[name].copy_(value)


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _draws(
    count: int, steps: int, weights: NDArray[Any] | None, settings: Settings, chance: Chance
) -> Iterator[NDArray[np.intp]]:
    share = None if weights is None else weights / weights.sum()
    number = min(count, settings.batch)
    order = chance.choice(count, steps * number, replace=share is not None, p=share)
    return iter(np.split(order, steps))


def _learnt(
    network: nn.Module, optimizer: torch.optim.Optimizer, images: Image, masks: Mask, half: bool
) -> float:
    network.train()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = network(standardized(images))[:, 0]
    found = loss(logits.float(), torch.from_numpy(masks).float())
    optimizer.zero_grad()
    found.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(found.detach())


def loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the mean cross-entropy of the pixels plus one less the mean Dice of the images."""
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, truth)
    found = torch.sigmoid(logits)
    both, total = (found * truth).sum((1, 2)), (found + truth).sum((1, 2))
    return entropy + 1 - ((2 * both + 1) / (total + 1)).mean()


def _dice(network: nn.Module, images: NDArray[np.uint8], masks: Mask, size: int) -> float:
    network.eval()
    scores = []
    for image, mask in zip(images, masks, strict=True):
        with torch.inference_mode():
            logits = network(standardized(resized(image, size)[None]))[0, 0].numpy()
        found = cv2.resize(logits, mask.shape[::-1]) > 0
        scores.append((2 * (found & mask).sum() + 1) / (found.sum() + mask.sum() + 1))
    return float(np.mean(scores))


def resized(image: Any, size: int) -> Any:
    """Bring an image to size x size pixels, whatever its shape."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def standardized(images: Image) -> Tensor:
    """Give every image of (count, height, width) the mean 0 and the spread 1; add a channel."""
    levels = torch.from_numpy(images.astype(np.float32)).div(255)
    spread, mean = torch.std_mean(levels, dim=(1, 2), keepdim=True, correction=0)
    return ((levels - mean) / spread.clamp_min(FLAT))[:, None]
