"""What the options of train choose from: networks, losses, optimisers, schedules, augmentations."""

from collections.abc import Callable, Mapping
from typing import Any

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError

Functions = Mapping[str, Callable[..., Any]]

PLUGINS = ("architectures", "build")
HARD = "hard"


def described(name: str) -> tuple[str, ...]:
    """Tell the input, the parameters (of two classes) and the provider of a network."""
    if not name:
        return "input", "parameters", "provider"
    import inspect

    import torch

    plugin = registry.module("architectures", name)
    # The U-Net has a number of classes of its own.
    own = inspect.signature(plugin.build).parameters["classes"].default
    try:
        with torch.device("meta"):
            network = plugin.build(2 if own is inspect.Parameter.empty else own)
    except (TypeError, CxrtoolError):
        # A plug-in such as timm offers many networks: without a name there is none to describe.
        return "", "", plugin.PROVIDER
    number = sum(p.numel() for p in network.parameters())
    channels = getattr(network, "channels", 1)
    return f"{plugin.SIZE}x{plugin.SIZE}x{channels}", str(number), plugin.PROVIDER


def losses() -> Functions:
    """Return the losses by name."""
    from cxrtool.learn.losses import LOSSES

    return LOSSES


def optimizers() -> Functions:
    """Return the optimisers by name."""
    from cxrtool.learn.optimizers import OPTIMIZERS

    return OPTIMIZERS


def schedules() -> Functions:
    """Return the schedules by name."""
    from cxrtool.learn.optimizers import SCHEDULES

    return SCHEDULES


def augmentations() -> list[str]:
    """List what --augment may begin with."""
    from cxrtool.learn.augmentation import KEYS

    return ["none", HARD, *KEYS]


def read_augment(option: str, text: str) -> None:
    """Check what is to happen to the images."""
    from cxrtool.learn import augmentation

    if "=" in text:
        augmentation.parse(text)
    else:
        registry.choose(
            option, text, ["none", HARD, *(f"{key}=VALUE" for key in augmentation.KEYS)]
        )
