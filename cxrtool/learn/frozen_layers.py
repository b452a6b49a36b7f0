"""The layers of a network that do not learn (--freeze)."""

import torch

from cxrtool.learn.architectures._network import Net


def frozen(network: Net, freeze: str) -> list[torch.nn.Module]:
    """Keep parts of a network from learning: none, the trunk, the backbone, or N layers.

    The trunk is all but the head, with the head's hidden layers; the backbone is all but the last
    layer.
    """
    named = [(n, m) for n, m in network.named_modules() if _has_weights(m)]
    layers = [m for _, m in named]
    if freeze == "none":
        return []
    tops = {id(top) for top in network.tops()}
    if freeze == "backbone":
        kept = [m for m in layers if id(m) not in tops]
    elif freeze == "trunk":
        kept = [m for name, m in named if not f"{name}.".startswith(network.heads)]
    else:
        kept = layers[: int(freeze)]
    for layer in kept:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(False)
    return kept


def _has_weights(module: torch.nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))
