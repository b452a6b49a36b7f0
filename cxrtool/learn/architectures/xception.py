"""Xception: convolutions separable by depth (Chollet 2016)."""

from cxrtool.learn.architectures import _timm
from cxrtool.learn.architectures._heads import Head
from cxrtool.learn.architectures._network import Network

SIZE = 299
PROVIDER = "timm"


def build(classes: int, channels: int = 3, size: int = SIZE, *, head: Head = "gap") -> Network:
    """Build it with a linear layer on the averaged map, or on Keras' flattened one."""
    return _timm.network("legacy_xception", classes, channels, size, head)
