"""Inception-ResNet-v2: inception modules with shortcuts (Szegedy et al. 2016)."""

from cxrtool.learn.architectures import _timm
from cxrtool.learn.architectures._heads import Head
from cxrtool.learn.architectures._network import Network

SIZE = 299
PROVIDER = "timm"


def build(classes: int, channels: int = 3, size: int = SIZE, *, head: Head = "gap") -> Network:
    """Build it with a linear layer on the averaged map, or on Keras' flattened one."""
    return _timm.network("inception_resnet_v2", classes, channels, size, head)
