"""Grad-CAM++: a channel counts by where its slope is positive (Chattopadhay et al. 2018)."""

import torch
from torch import Tensor

from cxrtool.explain.heatmaps import _taps
from cxrtool.learn.architectures._network import Network


def heatmap(network: Network, images: Tensor, classes: Tensor) -> Tensor:
    """Return ReLU(sum_k w_k A_k), w_k the sum of alpha_k ReLU(g_k) over the map (their eq. 5).

    With the score exp(y_c) and g = dy_c / dA, their alpha (eq. 19) is g^2 / (2 g^2 + g^3 S_k), S_k
    being the sum of A_k: that is 1 / (2 + g S_k), which small slopes leave a number. A map is taken
    to be what is left after a ReLU, as there; negative values add nothing to S_k.
    """
    maps, slopes = _taps.slopes(network, images, classes)
    rising = slopes.relu()
    alpha = 1 / (2 + rising * maps.relu().sum((2, 3), keepdim=True))
    weights = (alpha * rising).sum((2, 3))
    return torch.einsum("nc,nchw->nhw", weights, maps).relu()
