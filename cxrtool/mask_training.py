"""Train a network to draw masks: arrays in, a trained network and its history out.

Every image is seen otherwise each time, so that a few hundred outlines do for images of any
hospital: turned, cut, mirrored, negative, equalized, marked, clouded by disease. All chance follows
from the seed. An image that shows no lungs has an empty mask.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Chance = np.random.Generator

FLAT = 1e-3  # Under this spread of levels (0..1) an image is constant.


@dataclass(frozen=True)
class Settings:
    """How to train; the changes of an image are shares of its side, or chances from 0 to 1."""

    size: int = 256
    epochs: int = 40
    batch: int = 8
    rate: float = 2e-3
    decay: float = 1e-2
    averaged: float = 0.995  # what the mean of the weights keeps of itself at each step
    half: bool = False  # Compute in bfloat16 what bears it.
    seed: int = 0

    turn: float = 20.0  # degrees
    scale: float = 1.3
    stretch: float = 1.15
    shear: float = 0.1
    shift: float = 0.12
    mirrored: float = 0.4
    upside_down: float = 0.02
    clouded: float = 0.35
    equalized: float = 0.3
    negative: float = 0.1
    marked: float = 0.4
    framed: float = 0.15
    spoilt: float = 0.4


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
    mean = {name: value.detach().clone() for name, value in network.state_dict().items()}
    for number in range(1, settings.epochs + 1):
        begun, losses = time.monotonic(), []
        for step, chosen in enumerate(_draws(len(images), steps, weights, settings, chance)):
            batch = augmented(images[chosen], masks[chosen], settings, chance)
            losses.append(_learnt(network, optimizer, *batch, settings.half))
            plan.step()
            done = (number - 1) * steps + step
            # The first weights are soon forgotten.
            _average(mean, network, min(settings.averaged, (1 + done) / (10 + done)))
        last = {name: value.clone() for name, value in network.state_dict().items()}
        network.load_state_dict(mean)
        dice = float("nan") if held_out is None else _dice(network, *held_out, settings)
        yield Epoch(number, float(np.mean(losses)), dice, time.monotonic() - begun)
        if number < settings.epochs:
            network.load_state_dict(last)


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
    found.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(found.detach())


def loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the mean cross-entropy of the pixels plus one less the mean Dice of the images."""
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, truth)
    found = torch.sigmoid(logits)
    both, total = (found * truth).sum((1, 2)), (found + truth).sum((1, 2))
    return entropy + 1 - ((2 * both + 1) / (total + 1)).mean()


def _average(mean: dict[str, Tensor], network: nn.Module, kept: float) -> None:
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            mean[name].lerp_(value, 1 - kept)
        else:
            mean[name].copy_(value)


def _dice(network: nn.Module, images: NDArray[np.uint8], masks: Mask, settings: Settings) -> float:
    network.eval()
    scores = []
    for image, mask in zip(images, masks, strict=True):
        with torch.inference_mode():
            logits = network(standardized(resized(image, settings.size)[None]))[0, 0].numpy()
        found = cv2.resize(logits, mask.shape[::-1]) > 0
        scores.append((2 * (found & mask).sum() + 1) / (found.sum() + mask.sum() + 1))
    return float(np.mean(scores))


def resized(image: Image, size: int) -> Image:
    """Bring an image to size x size pixels, whatever its shape."""
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA))


def standardized(images: Image) -> Tensor:
    """Give every image of (count, height, width) the mean 0 and the spread 1; add a channel."""
    levels = torch.from_numpy(images).float().div(255)
    spread, mean = torch.std_mean(levels, dim=(1, 2), keepdim=True, correction=0)
    return ((levels - mean) / spread.clamp_min(FLAT))[:, None]


def augmented(
    images: NDArray[np.uint8], masks: Mask, settings: Settings, chance: Chance
) -> tuple[Image, Mask]:
    """Change every image at random, and its mask as far as the lungs move."""
    pairs = [_changed(i, m, settings, chance) for i, m in zip(images, masks, strict=True)]
    return np.stack([image for image, _ in pairs]), np.stack([mask for _, mask in pairs])


def _changed(image: Image, mask: Mask, settings: Settings, chance: Chance) -> tuple[Image, Mask]:
    image, mask = _moved(image, mask, settings, chance)
    levels = image.astype(np.float32) / 255
    if chance.random() < settings.clouded and mask.any():
        levels = _clouded(levels, mask, chance)
    image = np.asarray(np.clip(_toned(levels, chance) * 255, 0, 255), np.uint8)
    if chance.random() < settings.marked:
        _mark(image, chance)
    if chance.random() < settings.equalized:
        image = _equalized(image, chance)
    if chance.random() < settings.negative:
        image = 255 - image
    if chance.random() < settings.framed:
        _frame(image, mask, chance)
    if chance.random() < settings.spoilt:
        image = _spoilt(image, chance)
    return image, mask


def _moved(image: Image, mask: Mask, settings: Settings, chance: Chance) -> tuple[Image, Mask]:
    """Turn, scale, stretch, shear, shift and mirror; what comes in from outside has no lungs."""
    angle = np.deg2rad(chance.uniform(-settings.turn, settings.turn))
    scale = settings.scale ** chance.uniform(-1, 1)
    stretch = settings.stretch ** chance.uniform(-1, 1)
    flip = 1 - 2 * (chance.random(2) < (settings.mirrored, settings.upside_down))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lean = np.array([[1, chance.uniform(-settings.shear, settings.shear)], [0, 1]])
    matrix = turn @ lean @ np.diag(scale * flip * [stretch, 1 / stretch])
    sides = settings.size / np.array(image.shape[::-1])
    centre = settings.size * (0.5 + chance.uniform(-settings.shift, settings.shift, 2))
    matrix = matrix @ np.diag(sides)
    offset = centre - matrix @ (np.array(image.shape[::-1]) / 2)
    full = np.column_stack([matrix, offset])
    side = (settings.size, settings.size)
    border = cv2.BORDER_CONSTANT if chance.random() < 0.7 else cv2.BORDER_REPLICATE
    level = 0.0 if chance.random() < 0.8 else chance.uniform(0, 255)
    moved = cv2.warpAffine(image, full, side, borderMode=border, borderValue=level)
    lungs = cv2.warpAffine(mask.view(np.uint8) * np.uint8(255), full, side)
    return np.asarray(moved), np.asarray(lungs > 127)


def _clouded(levels: Floats, mask: Mask, chance: Chance) -> Floats:
    """Whiten parts of the lungs as disease does: soft patches, or one lung as a whole."""
    side, (rows, columns) = len(mask), np.nonzero(mask)
    thick = np.zeros((side, side), np.float32)
    for _ in range(chance.integers(1, 6)):
        k = chance.integers(len(rows))
        axes = (side * chance.uniform(0.03, 0.22, 2)).astype(int)
        spot = (int(columns[k]), int(rows[k]))
        cv2.ellipse(thick, spot, axes.tolist(), chance.uniform(0, 180), 0, 360, 1.0, cv2.FILLED)
    if chance.random() < 0.15:
        half = np.s_[:, : side // 2] if chance.random() < 0.5 else np.s_[:, side // 2 :]
        thick[half] = 1
    soft = cv2.GaussianBlur(thick * mask, (0, 0), side * chance.uniform(0.01, 0.05))
    white = float(np.quantile(levels, chance.uniform(0.7, 0.97)))
    return np.asarray(levels + soft * chance.uniform(0.2, 0.9) * np.maximum(white - levels, 0))


def _toned(levels: Floats, chance: Chance) -> Floats:
    """Change gamma, contrast and brightness; at times there is hardly any contrast left."""
    levels = levels ** np.float32(np.exp(chance.normal(0, 0.35)))
    contrast = chance.uniform(0.1, 0.4) if chance.random() < 0.08 else chance.uniform(0.6, 1.5)
    return np.asarray((levels - 0.5) * contrast + 0.5 + chance.normal(0, 0.1), np.float32)


def _equalized(image: Image, chance: Chance) -> Image:
    if chance.random() < 0.4:
        return np.asarray(cv2.equalizeHist(image))
    tiles = int(chance.integers(2, 13))
    return np.asarray(cv2.createCLAHE(chance.uniform(1, 6), (tiles, tiles)).apply(image))


def _mark(image: Image, chance: Chance) -> None:
    """Lay wires, letters and boxes over the image."""
    side = len(image)
    for _ in range(chance.integers(1, 5)):
        level, start = int(chance.choice([0, 180, 255, 255])), chance.integers(0, side, 2)
        kind = chance.random()
        if kind < 0.5:
            bend = np.cumsum(chance.normal(0, side / 8, (6, 2)), axis=0) + start
            points = [cv2.convexHull(bend.astype(np.int32)) if kind < 0.1 else bend.astype(int)]
            cv2.polylines(image, points, False, level, int(chance.integers(1, 4)), cv2.LINE_AA)
        elif kind < 0.8:
            text = "".join(chance.choice(list("LRAPSUEITC0123"), chance.integers(1, 8)))
            size = side / 256 * chance.uniform(0.3, 1)
            cv2.putText(image, text, start.tolist(), 0, size, level, int(chance.integers(1, 3)))
        elif kind < 0.9:
            cv2.circle(image, start.tolist(), int(chance.integers(2, side // 16)), level, -1)
        else:
            end = start + chance.integers(side // 32, side // 6, 2)
            cv2.rectangle(image, start.tolist(), end.tolist(), level, -1)


def _frame(image: Image, mask: Mask, chance: Chance) -> None:
    """Black or white margins beside the lungs, such as a shutter or a scanner leaves."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return
    level = 255 if chance.random() < 0.25 else 0
    ends = (rows[0], len(mask) - 1 - rows[-1], columns[0], len(mask) - 1 - columns[-1])
    top, bottom, left, right = (int(end * chance.choice([0, chance.random()])) for end in ends)
    image[:top] = level
    image[len(image) - bottom :] = level
    image[:, :left] = level
    image[:, image.shape[1] - right :] = level


def _spoilt(image: Image, chance: Chance) -> Image:
    """Blur, coarsen, add noise to or compress the image."""
    side, kind = len(image), chance.integers(4)
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), side / 256 * chance.uniform(0.4, 2)))
    if kind == 1:
        small = cv2.resize(image, None, fx=(f := chance.uniform(0.3, 0.8)), fy=f)
        return np.asarray(cv2.resize(small, (side, side)))
    if kind == 2:
        noise = chance.normal(0, chance.uniform(3, 20), image.shape)
        return np.asarray(np.clip(image + noise, 0, 255), np.uint8)
    packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(8, 60))])
    return np.asarray(cv2.imdecode(packed[1], cv2.IMREAD_GRAYSCALE))
