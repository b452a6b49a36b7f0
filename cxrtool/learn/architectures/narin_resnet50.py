"""Narin's network: ResNet-50 with a hidden layer of 1,024 units (Narin et al. 2020)."""

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._heads import classifier
from cxrtool.learn.architectures._network import Network

SIZE = 224
PROVIDER = "torchvision"


def build(classes: int, channels: int = 3, size: int = SIZE) -> Network:
    """Build it; nothing of it is meant to be frozen."""
    network = _torchvision.network("resnet50", classes, channels, size)
    network.replace(classifier(2048, 1024, classes))
    return network
