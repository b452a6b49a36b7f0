"""What makes a run the run it is, and where and with what it is done."""

import os
from dataclasses import dataclass, field, replace

import torch

from cxrtool.core import outputs
from cxrtool.core.parallel import Crew
from cxrtool.files import formats


@dataclass(frozen=True)
class TrainingSettings:
    """What the user chose; each of these makes another run."""

    arch: str
    classes: list[str] = field(default_factory=list)
    weights: str = "none"
    first: str = "red"
    freeze: str = "none"
    loss: str = "ce"
    class_weights: str = "none"
    rebalance: str = "none"
    label_smoothing: float = 0.0
    optimizer: str = "adam"
    schedule: str = "none"
    lr: str = "0.001"
    epochs: int = 30
    batch: int = 32
    patience: int = 0
    monitor: str = "loss"
    size: int = 0
    channels: int = 0
    fit: str = "squash"
    normalize: str = "auto"
    augment: str = ""
    clip: float = 0.0
    amp: bool = False
    fold: str = ""
    seed: int = 0


@dataclass(frozen=True)
class TrainingEnvironment:
    """Where and with what it is done, which changes nothing of the run but rounding."""

    folder: str
    device: torch.device
    cache: str
    crew: Crew
    compile: bool = False
    log: tuple[str, ...] = ()
    root: str = ""
    force: bool = False
    progress: str = "auto"


def reserve(folder: str, option: str) -> None:
    """Reserve the files of a run, whose folder an option names; train continues from them."""
    outputs.current().enter(os.path.join(folder, ""))
    for name in formats.RUN:
        if name != outputs.LIST:
            file = os.path.join(folder, name)
            outputs.current().add(outputs.Output(option, file, named=False, resumed=True))


def repeated(
    settings: TrainingSettings, place: TrainingEnvironment, number: int
) -> list[tuple[TrainingSettings, TrainingEnvironment]]:
    """Make a run of each seed, in a folder of its own."""
    if number == 1:
        return [(settings, place)]
    return [
        (
            replace(settings, seed=settings.seed + i),
            replace(place, folder=os.path.join(place.folder, f"seed-{settings.seed + i}")),
        )
        for i in range(number)
    ]
