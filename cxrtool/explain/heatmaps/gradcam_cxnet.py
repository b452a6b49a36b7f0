"""Grad-CAM as the published code of COVID-CXNet has it (Haghanifar et al. 2020), which is another.

It asks for the slope of the probability, scales it by its range, lets only positive slopes at
positive places of the map count, cuts nothing off, and spreads the result from 0 to 1. So the
coldest place of an image is always 0, the hottest 1.
"""

import torch
from torch import Tensor

from cxrtool.explain.heatmaps import _taps
from cxrtool.learn.architectures._network import Network


def heatmap(network: Network, images: Tensor, classes: Tensor) -> Tensor:
    """Return their map; it is 0 where the probability is so sure that its slope has vanished."""
    maps, slopes = _taps.slopes(network, images, classes, _taps.chance)
    low, high = slopes.amin((1, 2, 3), keepdim=True), slopes.amax((1, 2, 3), keepdim=True)
    guided = _divided(slopes, high - low) * (maps > 0) * (slopes > 0)
    result = torch.einsum("nc,nchw->nhw", guided.mean((2, 3)), maps)
    low, high = result.amin((1, 2), keepdim=True), result.amax((1, 2), keepdim=True)
    return _divided(result - low, high - low)


def _divided(above: Tensor, below: Tensor) -> Tensor:
    return torch.where(below > 0, above / below, torch.zeros_like(above))
