"""COVID-Net as its repository defined it in March 2020: ResNet-50 v2 and two hidden layers.

Its published weights are TensorFlow's and are not loaded. Keras counts 64,448 more: statistics of
the batch norms, and a bias for some convolutions.
"""

from torch import nn

from cxrtool.learn.architectures import _timm
from cxrtool.learn.architectures._heads import classifier
from cxrtool.learn.architectures._network import Network

SIZE = 224
PROVIDER = "timm"


def build(classes: int, channels: int = 3, size: int = SIZE) -> Network:
    """Build it with the two hidden layers on the flattened map."""
    network = _timm.network("resnetv2_50", classes, channels, size)
    depth, height, width = network.map_shape()
    network.pool = nn.Identity()
    network.replace(classifier(depth * height * width, 1024, 256, classes))
    return network
