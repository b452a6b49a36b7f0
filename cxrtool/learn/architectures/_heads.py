"""The heads that published networks put on a trunk."""

import itertools
from typing import Literal

from torch import nn

# `gap` is one linear layer on the averaged map. The others are what Keras users build on a network
# without its top: the map flattened, a hidden layer of so many units, and the linear layer; or the
# linear layer that a support vector machine finds, in a network that otherwise stays as it is.
Head = Literal["gap", "flatten1024", "flatten256", "svm"]
# `own` is the published head of a network that has hidden layers itself.
OwnHead = Literal["own", "gap", "flatten1024", "flatten256", "svm"]


def dense(*widths: int) -> list[nn.Module]:
    """Make linear layers, each followed by a ReLU, from the first width to the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers


def classifier(*widths: int) -> nn.Sequential:
    """Make linear layers with a ReLU between each two."""
    return nn.Sequential(*dense(*widths[:-1]), nn.Linear(widths[-2], widths[-1]))


def hidden(head: str) -> int:
    """Return the number of hidden units in a name such as `flatten1024`."""
    return int(head.removeprefix("flatten"))


def glorot(network: nn.Module) -> None:
    """Start all weights as Keras and MATLAB do: Glorot's uniform, and biases of 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
