"""EfficientNet-Lite0: small, with ImageNet weights that need no network (cxrtool[imagenet])."""

from cxrtool.learn.architectures import _packaged, _timm
from cxrtool.learn.architectures._heads import Head
from cxrtool.learn.architectures._network import Network

SIZE = 224
PROVIDER = "timm"


def build(classes: int, channels: int = 3, size: int = SIZE, *, head: Head = "gap") -> Network:
    """Build it with a linear layer on the averaged map, or on Keras' flattened one."""
    return _timm.network(_packaged.LITE0.network, classes, channels, size, head)
