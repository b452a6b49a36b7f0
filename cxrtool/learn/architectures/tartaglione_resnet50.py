"""ResNet-50 of grey images with a hidden layer of 512 units (Tartaglione et al. 2020)."""

from cxrtool.learn.architectures import _tartaglione
from cxrtool.learn.architectures._network import Network

SIZE = 224
PROVIDER = "torchvision"


def build(
    classes: int, channels: int = 1, size: int = SIZE, *, head: _tartaglione.Head = "covid"
) -> Network:
    """Build it with the head for COVID-19, or with that of the training on pneumonia before."""
    return _tartaglione.build("resnet50", 512, classes, channels, size, head)
