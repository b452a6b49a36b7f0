"""A baseline of four convolutional blocks, for the CNN that Luiz et al. compare with.

The paper says no more of its CNN than the word. Four blocks of a 3 x 3 convolution, batch norm,
ReLU and pooling with 32 to 256 channels, the averaged map, dropout and a linear layer are our
choice.
"""

import torch
from torch import Tensor, nn

from cxrtool.learn.architectures._network import Maps, Network

SIZE = 224
PROVIDER = "cxrtool"

CHANNELS, DROPOUT = (32, 64, 128, 256), 0.5


class LuizCnn(Network):
    """Four blocks, whose averaged map goes through dropout into the last layer."""

    def __init__(self, classes: int, channels: int, size: int) -> None:
        super().__init__(classes, channels, size)
        layers: list[nn.Module] = []
        inputs = channels
        for outputs in CHANNELS:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
            inputs = outputs
        self.body = nn.Sequential(*layers)
        self.dropout = nn.Dropout(DROPOUT)
        self.last = nn.Linear(inputs, classes)

    def trunk(self, images: Tensor) -> Maps:
        """Return the last map."""
        return self.body(images)

    def embed(self, maps: Maps) -> Tensor:
        """Return the averaged map, of which dropout leaves half out in training."""
        features: Tensor = self.dropout(torch.mean(maps, dim=(2, 3)))
        return features

    def cam_weights(self) -> Tensor | None:
        """Return the weights of the last layer: the map is averaged."""
        return self.last.weight.detach()


def build(classes: int, channels: int = 3, size: int = SIZE) -> Network:
    """Build it with fresh weights; no others exist."""
    return LuizCnn(classes, channels, size)
