"""A network of a library, with its own names of weights under `net.` and any of our heads."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cxrtool.learn.architectures import _heads
from cxrtool.learn.architectures._network import IMAGENET, Maps, Network

# The children of a library's network that come after its last map.
AFTER = frozenset(
    ("avgpool", "global_pool", "dropout", "head_drop", "fc", "classif", "classifier", "head")
)


class Library(Network):
    """The children of `net` one after another; the last of them, `attribute`, classifies.

    The classifier may be one linear layer or a row that ends in one.
    """

    def __init__(
        self,
        net: nn.Module,
        attribute: str,
        outputs: int,
        channels: int,
        size: int,
        *,
        source: str,
        pool: nn.Module | None = None,
        normalization: tuple[Sequence[float], Sequence[float]] = IMAGENET,
    ) -> None:
        super().__init__(
            outputs, channels, size, sources={"net.": source}, normalization=normalization
        )
        self.net: Any = net
        self.attribute = attribute
        self.heads = (f"net.{attribute}.",)
        self.pool = pool or nn.AdaptiveAvgPool2d(1)

    @property
    def classifier(self) -> list[nn.Module]:
        """The layers of the classifier."""
        classifier = self.net.get_submodule(self.attribute)
        return list(classifier) if isinstance(classifier, nn.Sequential) else [classifier]

    def trunk(self, images: Tensor) -> Maps:
        """Return the last map, before it is averaged."""
        for name, child in self.net.named_children():
            if name not in AFTER:
                images = child(images)
        return images

    def embed(self, maps: Maps) -> Tensor:
        """Return the averaged map, after all hidden layers where there are some."""
        vectors = torch.flatten(self.pool(maps), 1)
        if isinstance(dropout := getattr(self.net, "dropout", None), nn.Module):
            vectors = dropout(vectors)
        for layer in self.classifier[:-1]:
            vectors = layer(vectors)
        return vectors

    def final(self) -> nn.Module:
        """Return the last linear layer."""
        return self.classifier[-1]

    def cam_weights(self) -> Tensor | None:
        """Return the weights of the linear layer if it sees nothing but the averaged map."""
        hidden = [layer for layer in self.classifier[:-1] if not isinstance(layer, nn.Dropout)]
        if hidden or not _averages(self.pool):
            return None
        weights: Tensor = self.classifier[-1].weight.detach()  # type: ignore[operator]
        return weights

    def flatten(self, units: int) -> None:
        """Put a hidden layer of so many units on the flattened map."""
        depth, height, width = self.map_shape()
        self.pool = nn.Identity()
        self.replace(_heads.classifier(depth * height * width, units, self.outputs))

    def replace(self, classifier: nn.Module) -> None:
        """Put another classifier in the place of the library's."""
        setattr(self.net, self.attribute, classifier)


def _averages(pool: nn.Module) -> bool:
    return isinstance(pool, nn.AdaptiveAvgPool2d) and pool.output_size in (1, (1, 1))


def take(network: Library, head: str) -> Library:
    """Give a network of a library the head of that name; its own one stays."""
    if head.startswith("flatten"):
        network.flatten(_heads.hidden(head))
    elif head == "gap" and sum(isinstance(x, nn.Linear) for x in network.classifier) > 1:
        network.pool = nn.AdaptiveAvgPool2d(1)
        network.replace(nn.Linear(network.map_shape()[0], network.outputs))
    network.by_svm = head == "svm"
    return network


def take_channels(net: nn.Module, channels: int) -> None:
    """Let the first convolution see so many channels, with the weights of the first ones.

    Cut weights keep the distribution that the library draws them from; repeated ones are divided,
    so that one picture in all channels gives what it gave in one.
    """
    first = next(m for m in net.modules() if isinstance(m, nn.Conv2d))
    if first.in_channels == channels:
        return
    turns = -(-channels // first.in_channels)
    weight = first.weight.detach().repeat(1, turns, 1, 1)[:, :channels] / turns
    first.weight, first.in_channels = nn.Parameter(weight), channels
