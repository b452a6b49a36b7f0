"""Inception-v3: inception modules of factorised convolutions (Szegedy et al. 2015).

The classifier on the way, which helps in training from scratch, is left out.
"""

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._heads import Head
from cxrtool.learn.architectures._network import Network

SIZE = 299
PROVIDER = "torchvision"


def build(classes: int, channels: int = 3, size: int = SIZE, *, head: Head = "gap") -> Network:
    """Build it with a linear layer on the averaged map, or on Keras' flattened one."""
    return _torchvision.network("inception_v3", classes, channels, size, head)
