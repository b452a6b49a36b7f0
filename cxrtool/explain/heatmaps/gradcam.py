"""Grad-CAM: the last map weighted by the mean slope of the logit on it (Selvaraju et al. 2017).

Where Zhou's map of an averaged map is defined it is the same, but for the factor 1 / (h w) and the
negative part, which is cut off.
"""

import torch
from torch import Tensor

from cxrtool.explain.heatmaps import _taps
from cxrtool.learn.architectures._network import Network


def heatmap(network: Network, images: Tensor, classes: Tensor) -> Tensor:
    """Return ReLU(sum_k a_k A_k), a_k the mean of dy_c / dA_k over the map (their eqs 1 and 2)."""
    maps, slopes = _taps.slopes(network, images, classes)
    return torch.einsum("nc,nchw->nhw", slopes.mean((2, 3)), maps).relu()
