"""Class activation map: the last map weighted by the last linear layer (Zhou et al. 2016).

It is defined where that layer sees nothing but the averaged map, M_c(x, y) = sum_u w_u A_u(x, y),
or the flattened one, M_c(x, y) = sum_u w_uxy A_u(x, y). The class's logit less its bias is then
the mean, or the sum, of M_c.
"""

import torch
from torch import Tensor

from cxrtool.learn.architectures._network import Network

# What is used where it is not defined.
INSTEAD = "gradcam"
SIGNED = True


def is_defined(network: Network) -> bool:
    """Tell whether no hidden layer stands between the map and the logits."""
    return network.cam_weights() is not None


@torch.no_grad()
def heatmap(network: Network, images: Tensor, classes: Tensor) -> Tensor:
    """Return M_c of every image; of one sigmoid unit, class 0 has the negative map of class 1."""
    weights = network.cam_weights()
    if weights is None:
        raise ValueError("a hidden layer stands between the map and the logits")
    if len(weights) == 1:
        weights = torch.cat([-weights, weights])
    maps = network.cam_map(network.trunk(images)).float()
    equation = "nc,nchw->nhw" if weights.ndim == 2 else "nchw,nchw->nhw"
    return torch.einsum(equation, weights.float()[classes], maps)
