"""ResNet-101: 101 layers of bottlenecks with shortcuts (He et al. 2015)."""

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._heads import Head
from cxrtool.learn.architectures._network import Network

SIZE = 224
PROVIDER = "torchvision"


def build(classes: int, channels: int = 3, size: int = SIZE, *, head: Head = "gap") -> Network:
    """Build it with a linear layer on the averaged map, or on Keras' flattened one."""
    return _torchvision.network("resnet101", classes, channels, size, head)
