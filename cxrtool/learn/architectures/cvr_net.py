"""CVR-Net: ResNet-50 and Xception side by side, tapped at five places (Hasan et al. 2020).

Each tap has a classifier of its own, and the output is the mean of their probabilities. Xception
is tapped after its entry flow and, in the code, in its exit flow; the paper says its middle flow.
"""

import math
from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from cxrtool.learn.architectures import _timm, _torchvision
from cxrtool.learn.architectures._heads import dense
from cxrtool.learn.architectures._library import AFTER
from cxrtool.learn.architectures._network import Branch, Maps, Network

SIZE = 224
PROVIDER = "timm"

Taps = Literal["code", "paper"]
# The channels of conv3_x, of conv4_x, of both ends together, and of the two taps in Xception.
ENDS, ENTRY, MIDDLE, EXIT = 2048 + 2048, 728, 728, 1024
BLOCK = 6  # the layers of an Xception block before its pooling


def build(classes: int, channels: int = 3, size: int = SIZE, *, taps: Taps = "code") -> Network:
    """Build it; its logits are the logarithms of the averaged probabilities."""
    return CvrNet(classes, channels, size, taps)


class CvrNet(Network):
    """The maps: conv3_x, conv4_x, both ends together, Xception's entry flow, and its later one."""

    heads = ("branches.",)

    def __init__(self, classes: int, channels: int, size: int, taps: Taps) -> None:
        sources = {"resnet.": "torchvision:resnet50", "xception.": "timm:legacy_xception"}
        super().__init__(classes, channels, size, sources=sources)
        self.taps = taps
        self.resnet: Any = _torchvision.network("resnet50", 1, channels, size).net
        self.xception: Any = _timm.plain("legacy_xception", 1, channels)
        del self.resnet.fc, self.xception.fc
        widths = (512, 1024, ENDS, ENTRY, EXIT if taps == "code" else MIDDLE)
        self.branches = nn.ModuleList(
            nn.Sequential(*dense(width, 512, 128, 64), nn.Linear(64, classes)) for width in widths
        )

    def trunk(self, images: Tensor) -> Maps:
        """Return the five maps."""
        third, fourth, end = self._resnet(images)
        entry, later, other_end = self._xception(images)
        return third, fourth, torch.cat([end, other_end], 1), entry, later

    def _resnet(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps: dict[str, Tensor] = {}
        for name, child in _trunk(self.resnet):
            images = maps[name] = child(images)
        return maps["layer2"], maps["layer3"], images

    def _xception(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        taps: dict[str, Tensor] = {}
        for name, child in _trunk(self.xception):
            if name in ("block3", "block12"):
                taps[name], images = _tapped(child, images)
            else:
                images = child(images)
            if name == "block11" and self.taps == "paper":
                taps[name] = images
        return taps["block3"], taps["block12" if self.taps == "code" else "block11"], images

    def embed(self, maps: Maps) -> Tensor:
        """Return the 64 features of each of the five branches, one after the other."""
        return torch.cat(self._hidden(maps), 1)

    def _hidden(self, maps: Maps) -> list[Tensor]:
        pairs = zip(self.branches, maps, strict=True)
        return [_all_but_last(branch, tap.mean((2, 3))) for branch, tap in pairs]

    def head(self, maps: Maps) -> Tensor:
        """Return the logarithm of the mean of the five softmaxes."""
        hidden = self._hidden(maps)
        logits = [branch[-1](h) for branch, h in zip(self.branches, hidden, strict=True)]  # type: ignore[index]
        # In logarithms, as a probability that has become 0 has no gradient.
        logs = torch.stack(logits).log_softmax(2)
        return logs.logsumexp(0) - math.log(len(logits))

    def tops(self) -> list[nn.Module]:
        """Return the last layer of each branch."""
        return [branch[-1] for branch in self.branches]  # type: ignore[index]

    def map_parts(self) -> dict[str, Branch]:
        """Name the end of each encoder, and the other maps that have a vote of their own."""
        later = "exit" if self.taps == "code" else "middle"
        parts = {"resnet": Branch(2, slice(0, 2048)), "xception": Branch(2, slice(2048, None))}
        return parts | {
            "conv3": Branch(0),
            "conv4": Branch(1),
            "entry": Branch(3),
            later: Branch(4),
        }

    def cam_map(self, maps: Maps) -> Tensor:
        """Return both ends together; the first 2,048 channels are of ResNet-50."""
        ends: Tensor = maps[2]
        return ends


def _trunk(net: nn.Module) -> Iterable[tuple[str, nn.Module]]:
    return ((name, child) for name, child in net.named_children() if name not in AFTER)


def _tapped(block: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """Run a block of Xception; the tap is its second batch norm, before pooling and shortcut."""
    tap = images
    for layer in block.rep[:BLOCK]:
        tap = layer(tap)
    return tap, block.rep[BLOCK](tap) + block.skipbn(block.skip(images))


def _all_but_last(layers: Any, vectors: Tensor) -> Tensor:
    for layer in layers[:-1]:
        vectors = layer(vectors)
    return vectors
