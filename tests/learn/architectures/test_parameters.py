"""The networks have the numbers of weights that are published, or that follow from the papers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cxrtool.core import registry

# spec, classes, channels, weights, statistics of batch norms (where they were published).
COUNTS: list[tuple[str, int, int, int, int | None]] = [
    ("conv8", 2, 1, 4_521, 128),
    ("conv8:layout=pooled", 2, 1, 99_330, 510),
    ("tartaglione-resnet18", 2, 1, 11_301_825, 9_600),
    ("tartaglione-resnet50", 2, 1, 24_551_361, 53_120),
    ("tartaglione-resnet18:head=linear", 3, 1, 11_171_779, 9_600),
    ("tartaglione-resnet18:head=linear", 2, 1, 11_170_753, 9_600),
    ("tartaglione-resnet50:head=linear", 3, 1, 23_507_907, 53_120),
    ("tartaglione-resnet50:head=linear", 2, 1, 23_503_809, 53_120),
    # 9 (3 32 + 32 64 + 64 128 + 128 256) and biases, two numbers a channel of the batch norms, and
    # the linear layer.
    ("luiz-cnn", 3, 3, 390_147, 960),
    ("cnn-x", 4, 3, 1_446_916, 128),
    ("cnn-x", 2, 3, 726_914, 128),
    ("cnn-x:kernels=3/3/5/9", 4, 3, 1_446_148, 128),
    ("cnn-x:kernels=3/5/9/9", 4, 3, 1_449_604, 128),
    ("covid-cxnet", 2, 3, 6_964_117, 83_648),
    ("covid-cxnet", 3, 3, 6_964_139, 83_648),
    ("covid-cxnet:head=transfer", 2, 3, 6_964_347, 83_648),
    ("chexnet", 14, 3, 6_968_206, 83_648),
    ("cvr-net", 2, 3, 48_468_402, 107_648),
    ("cvr-net", 3, 3, 48_468_727, 107_648),
    ("cvr-net", 4, 3, 48_469_052, 107_648),
    ("cvr-net:taps=paper", 2, 3, 48_316_850, 107_648),
    ("darkcovidnet", 2, 3, 1_164_434, None),
    ("darkcovidnet", 3, 3, 1_167_586, None),
    ("darkcovidnet", 4, 3, 1_171_076, None),
    ("coronet", 4, 3, 33_915_436, 54_528),
    ("coronet", 3, 3, 33_915_179, 54_528),
    ("coronet", 2, 3, 33_914_922, 54_528),
    ("narin-resnet50", 2, 3, 25_608_258, None),
    ("narin-resnet50", 3, 3, 25_609_283, None),
    ("covidnet", 3, 3, 131_741_203, 0),
    ("alexnet", 4, 3, 57_020_228, 0),
    ("vgg16", 4, 3, 134_276_932, 0),
    ("vgg19", 4, 3, 139_586_628, 0),
    ("resnet18", 4, 3, 11_178_564, None),
    ("resnet50", 4, 3, 23_516_228, None),
    ("resnet101", 4, 3, 42_508_356, None),
    ("googlenet", 4, 3, 5_604_004, None),
    ("inception-v3", 4, 3, 21_793_764, None),
    ("squeezenet", 4, 3, 724_548, 0),
    ("squeezenet:version=1.0", 4, 3, 737_476, 0),
    ("inception-resnet-v2", 4, 3, 54_312_612, None),
    ("xception", 4, 3, 20_815_148, 54_528),
    ("densenet201", 4, 3, 18_100_612, None),
    ("densenet121", 4, 3, 6_957_956, 83_648),
    ("densenet169", 4, 3, 12_491_140, None),
    ("resnet152", 4, 3, 58_152_004, None),
    ("efficientnet-b1", 4, 3, 6_518_308, None),
    ("densenet121", 3, 3, 6_956_931, 83_648),
    ("efficientnet-lite0", 1000, 3, 4_652_008, None),
]

# spec, size, channels, weights
BASE_MODELS = [
    ("cxnet-base", 400, 1, 76_675),
    ("cxnet-base", 400, 3, 78_275),
    ("cxnet-base", 300, 3, 60_035),
    ("cxnet-base", 320, 3, 60_035),
    ("cxnet-base", 320, 1, 58_435),
    ("cxnet-base:kernels=paper", 320, 3, 63_939),
]

# What the comparison of CVR-Net with others prints, in millions: Keras' networks at 224 x 224
# without their top, and a hidden layer on the flattened map. Keras gives ResNet's convolutions a
# bias (+1), and Inception's batch norms no scale (-1).
PRINTED = [
    ("vgg19:head=flatten1024", 45.7, 0),
    ("xception:head=flatten1024", 123.6, 0),
    ("densenet169:head=flatten1024", 96.1, 0),
    ("inception-v3:head=flatten1024", 74.2, -1),
    ("resnet152:head=flatten256", 84.06, 1),
    ("efficientnet-b1", 6.6, 0),
]


def meta(spec: str, classes: int, *given: int) -> nn.Module:
    """Build a network without memory for its weights."""
    _, plugin, options = registry.load("architectures", spec, "build")
    with torch.device("meta"):
        network: nn.Module = plugin.build(classes, *given, **options)
    return network


def weights(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def statistics(network: nn.Module) -> int:
    return sum(b.numel() for name, b in network.named_buffers() if "running" in name)


@pytest.mark.parametrize("spec, classes, channels, expected, buffers", COUNTS)
def test_published_counts(
    spec: str, classes: int, channels: int, expected: int, buffers: int | None
) -> None:
    network = meta(spec, classes, channels)
    assert weights(network) == expected
    if buffers is not None:
        assert statistics(network) == buffers


@pytest.mark.parametrize("spec, size, channels, expected", BASE_MODELS)
def test_the_base_model_by_size(spec: str, size: int, channels: int, expected: int) -> None:
    assert weights(meta(spec, 2, channels, size)) == expected


@pytest.mark.parametrize("spec, millions, channelwise", PRINTED)
def test_printed_counts(spec: str, millions: float, channelwise: int) -> None:
    network = meta(spec, 2, 3, 224)
    total = weights(network) + statistics(network)
    total += channelwise * sum(
        m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)
    )
    digits = len(str(millions).partition(".")[2])
    assert round(total / 1e6, digits) == millions


def test_coronet_on_larger_images() -> None:
    assert round(weights(meta("coronet", 4, 3, 224)) / 1e6, 1) == 46.5


def test_keras_counts_of_cvr_net() -> None:
    network: Any = meta("cvr-net", 2)
    biases = sum(m.out_channels for m in network.resnet.modules() if isinstance(m, nn.Conv2d))
    assert biases == 26_560
    assert weights(network) + biases == 48_494_962
    assert weights(network) + biases + statistics(network) == 48_602_610
    assert sum(p.numel() for p in network.resnet.parameters()) == 23_508_032
    assert sum(p.numel() for p in network.xception.parameters()) == 20_806_952
    blocks = [weights(branch) for branch in network.branches]
    assert blocks == [336_706, 598_850, 2_171_714, 447_298, 598_850]


def test_keras_counts_of_covid_net() -> None:
    network = meta("covidnet-r50v2", 3)
    # The first convolution, the shortcut of each stage, and the last one of each block.
    biases = 64 + sum((1 + n) * 4 * w for n, w in ((3, 64), (4, 128), (6, 256), (3, 512)))
    assert statistics(network) == 45_440
    assert weights(network) + statistics(network) + biases == 126_589_443


def test_keras_counts_of_covid_cxnet_and_coronet() -> None:
    for spec, classes, total in (("covid-cxnet", 2, 7_047_765), ("coronet", 4, 33_969_964)):
        network = meta(spec, classes)
        assert weights(network) + statistics(network) == total


def test_the_last_layer_of_densenet121() -> None:
    """Luiz et al. train nothing else."""
    network: Any = meta("densenet121", 3)
    assert weights(network.final()) == 3_075


@pytest.mark.parametrize(
    "spec, size, channels, shape",
    [
        ("conv8", 1024, 1, (8, 6, 6)),
        ("cnn-x", 224, 3, (64, 75, 75)),
        ("cxnet-base", 400, 1, (32, 11, 11)),
        ("cxnet-base", 320, 3, (32, 8, 8)),
        ("cxnet-base", 300, 3, (32, 8, 8)),
        ("darkcovidnet", 256, 3, (3, 13, 13)),
        ("darkcovidnet", 224, 3, (3, 12, 12)),
        ("coronet", 150, 3, (2048, 5, 5)),
        ("covidnet", 224, 3, (2048, 7, 7)),
        ("covidnet-r50v2", 224, 3, (2048, 7, 7)),
        ("covid-cxnet", 320, 3, (1024, 10, 10)),
        ("cvr-net", 224, 3, (4096, 7, 7)),
        ("inception-v3", 299, 3, (2048, 8, 8)),
        ("squeezenet", 227, 3, (3, 14, 14)),
    ],
)
def test_maps(spec: str, size: int, channels: int, shape: tuple[int, int, int]) -> None:
    network: Any = meta(spec, 3, channels, size)
    assert network.map_shape() == shape


@pytest.mark.parametrize("taps, later", [("code", (1024, 14, 14)), ("paper", (728, 14, 14))])
def test_the_taps_of_cvr_net(taps: str, later: tuple[int, int, int]) -> None:
    network: Any = meta(f"cvr-net:taps={taps}", 2)
    maps = network.eval().trunk(torch.empty(1, 3, 224, 224, device="meta"))
    found = [tuple(tap.shape[1:]) for tap in maps]
    assert found == [(512, 28, 28), (1024, 14, 14), (4096, 7, 7), (728, 28, 28), later]
