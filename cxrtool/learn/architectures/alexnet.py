"""AlexNet: five convolutions and three linear layers (Krizhevsky 2012).

It is torchvision's, of one row of channels; the published one split them over two cards.
"""

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._heads import OwnHead
from cxrtool.learn.architectures._network import Network

SIZE = 227
PROVIDER = "torchvision"


def build(classes: int, channels: int = 3, size: int = SIZE, *, head: OwnHead = "own") -> Network:
    """Build it with its own hidden layers, or one of the other heads."""
    return _torchvision.network("alexnet", classes, channels, size, head)
