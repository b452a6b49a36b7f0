"""LayerCAM: every place of the map weighted by its own positive slope (Jiang et al. 2021)."""

from torch import Tensor

from cxrtool.explain.heatmaps import _taps
from cxrtool.learn.architectures._network import Network


def heatmap(network: Network, images: Tensor, classes: Tensor) -> Tensor:
    """Return ReLU(sum_k ReLU(g_k) A_k), g_k being dy_c / dA_k (their eqs 4 to 6)."""
    maps, slopes = _taps.slopes(network, images, classes)
    return (slopes.relu() * maps).sum(1).relu()
