"""EfficientNet-b1: depth, width and size scaled together (Tan and Le 2019).

Its published weights want 240 x 240; the comparison by Hasan et al. uses 224 x 224.
"""

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._heads import Head
from cxrtool.learn.architectures._network import Network

SIZE = 240
PROVIDER = "torchvision"


def build(classes: int, channels: int = 3, size: int = SIZE, *, head: Head = "gap") -> Network:
    """Build it with a linear layer on the averaged map, or on Keras' flattened one."""
    return _torchvision.network("efficientnet_b1", classes, channels, size, head)
