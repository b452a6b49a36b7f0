"""COVID-Net: blocks that project, expand, project and extend (Wang and Wong 2020).

The published weights are TensorFlow's and are not loaded. Their sizes, 117 and 127 million, are of
no network that is described: this one has the paper's blocks and widths, and 132 million weights.
`covidnet-r50v2` is the Keras definition in the authors' repository, with 127 million.
"""

import itertools

import torch
from torch import Tensor, nn

from cxrtool.learn.architectures._network import Maps, Network
from cxrtool.learn.architectures._plain import Plain

SIZE = 224
PROVIDER = "cxrtool"

STAGES = ((3, 256), (4, 512), (6, 1024), (3, 2048))


def build(classes: int, channels: int = 3, size: int = SIZE) -> Network:
    """Build it with the two hidden layers on the flattened map."""
    return Plain(Blocks(channels), (1024, 256), classes, channels, size)


class Blocks(nn.Module):
    """The stages; every block sees the sum of what the blocks of its stage gave before it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 64, 7, 2, 3)
        self.stages = nn.ModuleList()
        inputs = 64
        for blocks, outputs in STAGES:
            widths = [inputs, *[outputs] * blocks]
            pairs = itertools.pairwise(widths)
            self.stages.append(nn.ModuleList(_block(*pair) for pair in pairs))
            inputs = outputs

    def forward(self, images: Tensor) -> Maps:
        """Return the map of the last stage."""
        maps = torch.relu(self.first(images))
        for stage in self.stages:
            maps = _through(stage, nn.functional.max_pool2d(maps, 2))
        return maps


def _through(stage: nn.Module, maps: Tensor) -> Tensor:
    first, *others = stage.children()
    total = maps = first(maps)
    for block in others:
        maps = block(total)
        total = total + maps
    return maps


def _block(inputs: int, outputs: int) -> nn.Sequential:
    narrow, wide = inputs // 2, 3 * inputs // 4
    return nn.Sequential(
        nn.Conv2d(inputs, narrow, 1),
        nn.Conv2d(narrow, wide, 1),
        nn.Conv2d(wide, wide, 3, padding=1, groups=wide),
        nn.Conv2d(wide, narrow, 1),
        nn.Conv2d(narrow, outputs, 1),
    )
