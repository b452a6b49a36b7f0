"""The two encoders of Tartaglione et al. (2020), for grey images, and their heads."""

from typing import Literal

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._heads import classifier
from cxrtool.learn.architectures._network import Network, sigmoid_outputs

# `covid` has a hidden layer; `linear` has none, and is that of the training on pneumonia before.
Head = Literal["covid", "linear"]


def build(name: str, hidden: int, classes: int, channels: int, size: int, head: Head) -> Network:
    """Build one of them; two classes share one output."""
    outputs = sigmoid_outputs(classes)
    network = _torchvision.network(name, outputs, channels, size)
    if head == "covid":
        features = network.final().in_features
        assert isinstance(features, int)
        network.replace(classifier(features, hidden, outputs))
    return network
