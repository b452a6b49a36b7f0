"""Conv8: eight convolutions with strides for pooling, and one linear layer (Tartaglione 2020).

After ALL-CNN-C, for 1024 x 1024 grey pixels: without a border, 4,521 weights are left. Images of
another size get a border of one pixel, as little would be left of them. `layout=pooled` is the
other network of eight convolutions in the authors' code: 1 to 128 channels, pooled after each.
"""

from typing import Literal

from torch import nn

from cxrtool.learn.architectures._network import Network, sigmoid_outputs
from cxrtool.learn.architectures._plain import Plain

SIZE = 1024
PROVIDER = "cxrtool"

Layout = Literal["strided", "pooled"]
LAYERS = 8


def build(
    classes: int, channels: int = 1, size: int = SIZE, *, layout: Layout = "strided"
) -> Network:
    """Build it; two classes share one output."""
    padding = 0 if size == SIZE else 1
    widths = [8] * LAYERS if layout == "strided" else [1 << layer for layer in range(LAYERS)]
    layers: list[nn.Module] = []
    inputs = channels
    for layer, outputs in enumerate(widths):
        stride = 2 if layer and layout == "strided" else 1
        conv = nn.Conv2d(inputs, outputs, 3, stride, padding, bias=False)
        layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if layout == "pooled" else []
        inputs = outputs
    return Plain(nn.Sequential(*layers), (), sigmoid_outputs(classes), channels, size)
