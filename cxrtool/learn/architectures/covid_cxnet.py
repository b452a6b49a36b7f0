"""COVID-CXNet: CheXNet's DenseNet-121 with a small hidden layer (Haghanifar et al. 2020).

`head=transfer` is that of the authors' script for transfer from ImageNet: 10 and 20 sigmoid units.
"""

from typing import Literal

from torch import nn

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._network import Network, sigmoid_outputs

SIZE = 320
PROVIDER = "torchvision"

FEATURES, DROPOUT = 1024, 0.2


def build(
    classes: int,
    channels: int = 3,
    size: int = SIZE,
    *,
    head: Literal["paper", "transfer"] = "paper",
) -> Network:
    """Build it; two classes share one output."""
    outputs = sigmoid_outputs(classes)
    network = _torchvision.network("densenet121", outputs, channels, size)
    layers: list[nn.Module] = [nn.Linear(FEATURES, 10), nn.ReLU(), nn.Dropout(DROPOUT)]
    if head == "transfer":
        layers = [nn.Linear(FEATURES, 10), nn.Sigmoid(), nn.Dropout(DROPOUT)]
        layers += [nn.Linear(10, 20), nn.Sigmoid(), nn.Dropout(DROPOUT)]
    width = 10 if head == "paper" else 20
    network.replace(nn.Sequential(*layers, nn.Linear(width, outputs)))
    return network
