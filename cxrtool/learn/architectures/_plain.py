"""Networks of our own: a row of layers, a row of hidden ones on the flattened map, and a last."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cxrtool.learn.architectures._network import Maps, Network


class Plain(Network):
    """`body` gives the map, `hidden` the features of the flattened map, `last` the logits."""

    def __init__(
        self,
        body: nn.Module,
        widths: Sequence[int],
        outputs: int,
        channels: int,
        size: int,
    ) -> None:
        super().__init__(outputs, channels, size)
        self.body = body
        self.shape = self.map_shape()
        layers: list[nn.Module] = []
        inputs = math.prod(self.shape)
        for units in widths:
            layers += [nn.Linear(inputs, units), nn.ReLU()]
            inputs = units
        self.hidden = nn.Sequential(*layers)
        self.last = nn.Linear(inputs, outputs)

    def trunk(self, images: Tensor) -> Maps:
        """Return the last map."""
        return self.body(images)

    def embed(self, maps: Maps) -> Tensor:
        """Return what the last layer sees; it fits images of the network's size only."""
        features: Tensor = self.hidden(torch.flatten(maps, 1))
        return features

    def cam_weights(self) -> Tensor | None:
        """Return the weights of the last layer as those of a map, where it sees the map itself."""
        if len(self.hidden):
            return None
        return self.last.weight.detach().reshape(-1, *self.shape)
