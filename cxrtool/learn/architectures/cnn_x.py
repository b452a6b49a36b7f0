"""CNN-X: four shallow branches of kernels from 3 x 3 to 9 x 9, side by side (Majeed et al. 2020).

The paper names three kernels and two poolings for four branches. One reading alone has its 1.4
million weights: 16 filters a branch, pooled by 2 x 2 pixels with a stride of 3. Which kernel comes
twice is not stated; 5 x 5 is used.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from cxrtool.learn.architectures._heads import glorot
from cxrtool.learn.architectures._network import Network
from cxrtool.learn.architectures._plain import Plain

SIZE = 224
PROVIDER = "cxrtool"

Kernels = Literal["3/5/5/9", "3/3/5/9", "3/5/9/9"]
FILTERS = 16


def build(
    classes: int, channels: int = 3, size: int = SIZE, *, kernels: Kernels = "3/5/5/9"
) -> Network:
    """Build it with Glorot's weights; every other branch is pooled by the mean."""
    sides = [int(side) for side in kernels.split("/")]
    network = Plain(Branches(sides, channels), (), classes, channels, size)
    glorot(network)
    return network


class Branches(nn.Module):
    """Convolutions of several kernels on the same image."""

    def __init__(self, sides: list[int], channels: int) -> None:
        super().__init__()
        pools = (nn.MaxPool2d(2, 3), nn.AvgPool2d(2, 3))
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, FILTERS, side, padding=side // 2),
                nn.BatchNorm2d(FILTERS),
                nn.ReLU(),
                pools[branch % 2],
            )
            for branch, side in enumerate(sides)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the maps of all branches, one upon the other."""
        return torch.cat([branch(images) for branch in self.branches], 1)
