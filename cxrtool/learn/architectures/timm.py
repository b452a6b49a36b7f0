"""Any network of timm by its name there: timm:convnext_tiny, timm:vit_tiny_patch16_224."""

from cxrtool.learn.architectures import _timm
from cxrtool.learn.architectures._network import Network

SIZE = 224
PROVIDER = "timm"


def build(
    classes: int, channels: int = 3, size: int | None = None, *, name: _timm.TimmName
) -> Network:
    """Build it for images of its own size, which is `Network.size`, or of the given one."""
    return _timm.anything(name, classes, channels, size)
