"""CoroNet: Xception with a hidden layer on the flattened map (Khan et al. 2020)."""

from torch import nn

from cxrtool.learn.architectures import _timm
from cxrtool.learn.architectures._heads import classifier
from cxrtool.learn.architectures._network import Network

SIZE = 150
PROVIDER = "timm"


def build(classes: int, channels: int = 3, size: int = SIZE) -> Network:
    """Build it; all of its layers are meant to be trained."""
    network = _timm.network("legacy_xception", classes, channels, size)
    depth, height, width = network.map_shape()
    network.pool = nn.Identity()
    layers = classifier(depth * height * width, 256, classes)
    network.replace(nn.Sequential(nn.Dropout(0.5), *layers))
    return network
