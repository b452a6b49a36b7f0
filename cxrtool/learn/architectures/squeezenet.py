"""SqueezeNet 1.1: squeezed and expanded convolutions, and no linear layer (Iandola et al. 2016)."""

from typing import Literal

import torch
from torch import Tensor, nn

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._library import Library
from cxrtool.learn.architectures._network import Maps, Network

SIZE = 227
PROVIDER = "torchvision"


def build(
    classes: int,
    channels: int = 3,
    size: int = SIZE,
    *,
    version: Literal["1.1", "1.0"] = "1.1",
) -> Network:
    """Build it; the two versions are alike in what they find, 1.1 is faster."""
    name = f"squeezenet{version.replace('.', '_')}"
    return SqueezeNet(_torchvision.network(name, classes, channels, size), classes, name)


class SqueezeNet(Network):
    """The classifier is a 1 x 1 convolution: a map for each class, the mean of which is its logit.

    The maps are that of the features and that of the classes.
    """

    heads = ("net.classifier.",)

    def __init__(self, library: Library, outputs: int, name: str) -> None:
        super().__init__(
            outputs, library.channels, library.size, sources={"net.": f"torchvision:{name}"}
        )
        self.net = library.net

    def trunk(self, images: Tensor) -> Maps:
        """Return the features (N, 512, H, W) and the map of each class, which is not negative."""
        features = self.net.features(images)
        dropout, classifier, relu, _ = self.net.classifier
        return features, relu(classifier(dropout(features)))

    def embed(self, maps: Maps) -> Tensor:
        """Return the averaged features."""
        vectors: Tensor = maps[0].mean((2, 3))
        return vectors

    def final(self) -> nn.Module:
        """Return the convolution of the classes."""
        convolution: nn.Module = self.net.classifier[1]
        return convolution

    def head(self, maps: Maps) -> Tensor:
        """Return the mean of each class's map."""
        logits: Tensor = maps[1].mean((2, 3))
        return logits

    def cam_map(self, maps: Maps) -> Tensor:
        """Return the maps of the classes."""
        class_maps: Tensor = maps[1]
        return class_maps

    def cam_weights(self) -> Tensor:
        """Return 1 for a class's own map."""
        return torch.eye(self.outputs, device=self.net.classifier[1].weight.device)
