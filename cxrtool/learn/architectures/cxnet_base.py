"""The base model of COVID-CXNet: five convolutions, three linear layers (Haghanifar et al. 2020).

The paper says that all kernels are 3 x 3; in the published model and code the first is 5 x 5.
"""

from typing import Literal

from torch import nn

from cxrtool.learn.architectures._heads import glorot
from cxrtool.learn.architectures._network import Network, sigmoid_outputs
from cxrtool.learn.architectures._plain import Plain

SIZE = 320
PROVIDER = "cxrtool"

FILTERS, LAYERS = 32, 5


def build(
    classes: int,
    channels: int = 3,
    size: int = SIZE,
    *,
    kernels: Literal["code", "paper"] = "code",
) -> Network:
    """Build it with Keras' weights; two classes share one output."""
    layers: list[nn.Module] = []
    for layer in range(LAYERS):
        side = 5 if not layer and kernels == "code" else 3
        layers += [nn.Conv2d(FILTERS if layer else channels, FILTERS, side, 2), nn.ReLU()]
    network = Plain(nn.Sequential(*layers), (10, 10), sigmoid_outputs(classes), channels, size)
    glorot(network)
    return network
