"""Score-CAM: channels weighted by the logit of the image that each lets through (Wang et al. 2020).

It needs no slopes, and one pass through the network for each channel of the map.
"""

from collections.abc import Iterator
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from cxrtool.core.registry import Between
from cxrtool.explain.heatmaps import _taps
from cxrtool.learn.architectures._network import Network

ALONE = True


@torch.no_grad()
def heatmap(
    network: Network,
    images: Tensor,
    classes: Tensor,
    *,
    channels: Annotated[int, Between(0, 100_000)] = 0,
) -> Tensor:
    """Return ReLU(sum_k a_k A_k), a the softmax over all channels of the logits (algorithm 1).

    `channels` asks only those that vary most over the image, 0 all. One that does not vary has no
    place to show, and is left out. What is not let through is black.
    """
    maps = network.cam_map(network.trunk(images))[:, network.seen].float()
    result = [
        _of_one(network, image, tap, int(of), channels)
        for image, tap, of in zip(images, maps, classes, strict=True)
    ]
    return torch.stack(result)


def _of_one(network: Network, image: Tensor, tap: Tensor, of: int, channels: int) -> Tensor:
    spread = tap.flatten(1).var(1, correction=0)
    chosen = spread.argsort(descending=True, stable=True)[: channels or None]
    chosen = chosen[spread[chosen] > 0]
    if not len(chosen):
        return torch.zeros_like(tap[0])
    kept = tap[chosen]
    scores = _taps.asked(network, _through(image, kept), of)
    if len(scores) > 1 and not (scores.max() > scores.min()):
        # The network does not see what is let through.
        return torch.zeros_like(tap[0])
    return torch.einsum("c,chw->hw", scores.softmax(0), kept).relu()


def _through(image: Tensor, maps: Tensor) -> Iterator[Tensor]:
    """Yield what each channel lets through, its map spread from 0 to 1 (their eqs 5 and 6)."""
    for part in torch.split(maps, _taps.STEP):
        size = image.shape[1:]
        large = functional.interpolate(part[:, None], size, mode="bilinear", align_corners=False)
        low, high = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
        yield image * ((large - low) / (high - low).clamp_min(torch.finfo(large.dtype).tiny))
