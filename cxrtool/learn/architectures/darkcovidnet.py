"""DarkCovidNet: seventeen convolutions after Darknet-19 (Ozturk et al. 2020)."""

from torch import nn

from cxrtool.learn.architectures._network import Network
from cxrtool.learn.architectures._plain import Plain

SIZE = 256
PROVIDER = "cxrtool"


def build(classes: int, channels: int = 3, size: int = SIZE) -> Network:
    """Build it; the last convolution has a channel for each class."""
    layers = [*_conv(channels, 8), nn.MaxPool2d(2), *_conv(8, 16), nn.MaxPool2d(2)]
    for inputs in (16, 32, 64, 128):
        layers += [*_conv(inputs, 2 * inputs), *_narrow(2 * inputs, inputs)]
        layers += [*_conv(inputs, 2 * inputs), *([nn.MaxPool2d(2)] if inputs < 128 else [])]
    layers += [*_narrow(256, 128), *_conv(128, 256)]
    layers += [nn.Conv2d(256, classes, 3, padding=1, bias=False), nn.ReLU()]
    return Plain(nn.Sequential(*layers, nn.BatchNorm2d(classes)), (), classes, channels, size)


def _conv(inputs: int, outputs: int, side: int = 3) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, side, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)]


def _narrow(inputs: int, outputs: int) -> list[nn.Module]:
    """Make a convolution of 1 x 1 with a border as the published code does: the map grows by 2."""
    return _conv(inputs, outputs, 1)
