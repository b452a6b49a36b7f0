"""U-Net: a mask from an image, in five levels with skips between them (7.8 million weights).

With the default options it is the U-Net of 32 to 512 channels that was published for lungs: two
3 x 3 convolutions a level, 2 x 2 pooling on the way down, transposed convolutions on the way up,
and one logit for every pixel and class. The sides of its images are multiples of 16.
"""

import itertools
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from cxrtool.core.errors import CxrtoolError
from cxrtool.core.registry import Between
from cxrtool.learn.architectures._network import Net

SIZE = 320
PROVIDER = "cxrtool"
LEVELS = 5

Norm = Literal["none", "batch"]


def build(
    classes: int = 1,
    channels: int = 1,
    size: int = SIZE,
    *,
    width: Annotated[int, Between(4, 128)] = 32,
    norm: Norm = "none",
) -> nn.Module:
    """Build the network with fresh weights; width is the number of channels at full size."""
    if size % 2 ** (LEVELS - 1):
        what = f"the size of a U-Net is a multiple of 16, not {size}"
        raise CxrtoolError(what, f"Choose {max(1, round(size / 16)) * 16}.")
    return UNet(classes, channels, size, width, norm)


class UNet(Net):
    """The network; `down`, `up` and `mend` are numbered from the full size to the smallest."""

    def __init__(self, classes: int, channels: int, size: int, width: int, norm: Norm) -> None:
        super().__init__(classes, channels, size)
        widths = [width << level for level in range(LEVELS)]
        steps = list(itertools.pairwise(widths))
        first = _block(channels, width, norm)
        self.down = nn.ModuleList([first, *(_block(fine, deep, norm) for fine, deep in steps)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(deep, fine, 2, 2) for fine, deep in steps])
        self.mend = nn.ModuleList([_block(2 * fine, fine, norm) for fine, _ in steps])
        self.last = nn.Conv2d(width, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return a logit for every image, class and pixel."""
        levels = [self.down[0](images)]
        for block in self.down[1:]:
            levels.append(block(nn.functional.max_pool2d(levels[-1], 2)))
        features = levels.pop()
        for up, mend in zip(reversed(self.up), reversed(self.mend), strict=True):
            features = mend(torch.cat([levels.pop(), up(features)], dim=1))
        logits: Tensor = self.last(features)
        return logits


def _block(inputs: int, outputs: int, norm: Norm) -> nn.Sequential:
    """Make two 3 x 3 convolutions; the image keeps its size."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        conv = nn.Conv2d(channels, outputs, 3, padding=1)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        layers += [conv, *([nn.BatchNorm2d(outputs)] if norm == "batch" else []), nn.ReLU()]
    return nn.Sequential(*layers)


def folded(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of the same function without its batch norms, for `norm="none"`.

    In use, a batch norm only scales and shifts, which the convolution before it can do as well.
    """
    weights: dict[str, Tensor] = {}
    for name, module in network.named_children():
        part: Any = _merged(module) if isinstance(module, nn.Sequential) else None
        inner = part.state_dict() if part is not None else folded(module)
        own = {n: p.detach() for n, p in module.named_parameters(recurse=False)}
        weights |= {f"{name}.{key}": value for key, value in (own | inner).items()}
    return weights


def _merged(block: nn.Sequential) -> nn.Sequential:
    layers: list[nn.Module] = []
    for layer in block:
        before = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            layers[-1] = nn.utils.fuse_conv_bn_eval(before.eval(), layer.eval())
        else:
            layers.append(layer)
    return nn.Sequential(*layers)
