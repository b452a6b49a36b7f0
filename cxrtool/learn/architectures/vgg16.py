"""VGG-16: sixteen layers of 3 x 3 convolutions (Simonyan and Zisserman 2014)."""

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._heads import OwnHead
from cxrtool.learn.architectures._network import Network

SIZE = 224
PROVIDER = "torchvision"


def build(classes: int, channels: int = 3, size: int = SIZE, *, head: OwnHead = "own") -> Network:
    """Build it with its own hidden layers, or one of the other heads."""
    return _torchvision.network("vgg16", classes, channels, size, head)
