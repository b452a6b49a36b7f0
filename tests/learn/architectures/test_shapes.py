"""Shapes are computed without PyTorch's compiler, and are those of PyTorch."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from cxrtool.learn.architectures._shapes import ShapesAlone

LAYERS = [
    nn.Conv2d(3, 5, 3),
    nn.Conv2d(3, 6, (5, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=3),
    nn.Conv2d(3, 4, 3, padding="same"),
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, 2, padding=1, dilation=2),
    nn.MaxPool2d(3, 2, ceil_mode=True),
    nn.AvgPool2d(3, 2, padding=1),
    nn.AvgPool2d(2, ceil_mode=True),
    nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.SiLU(), nn.LeakyReLU(), nn.Dropout(0.5)),
    nn.AdaptiveAvgPool2d(3),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("sides", [(17, 12), (16, 31)])
def test_a_layer_has_the_shape_that_it_computes(layer: nn.Module, sides: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *sides)
    with torch.no_grad():
        real = layer.eval()(images)
        with ShapesAlone():
            shape = layer.to("meta")(images.to("meta")).shape
    layer.to_empty(device="cpu")
    assert shape == real.shape


def test_sums_and_stacks_have_the_shape_that_they_compute() -> None:
    one, two = torch.rand(2, 3, 5, 7), torch.rand(2, 4, 5, 7)
    with ShapesAlone():
        assert torch.cat([one.to("meta"), two.to("meta")], 1).shape == (2, 7, 5, 7)
        assert torch.cat([one.to("meta"), one.to("meta")], 2).shape == (2, 3, 10, 7)
        assert (one.to("meta") + one.to("meta")).shape == one.shape
        assert (one.to("meta") + 1).shape == one.shape
        assert (one.to("meta") + one[:, :1].to("meta")).shape == one.shape


def test_a_kernel_that_is_too_large_is_an_error_as_with_numbers() -> None:
    with ShapesAlone(), pytest.raises(RuntimeError):
        nn.Conv2d(3, 5, 9).to("meta")(torch.empty(1, 3, 8, 8, device="meta"))


def test_real_images_are_left_alone() -> None:
    layer, images = nn.Conv2d(3, 5, 3), torch.rand(1, 3, 8, 8)
    with ShapesAlone():
        assert torch.equal(layer(images), layer.forward(images))
        assert layer(images).abs().sum() > 0


def test_building_a_small_network_does_not_import_the_compiler() -> None:
    names = ["cnn-x", "conv8", "covidnet", "cxnet-base", "darkcovidnet", "luiz-cnn"]
    code = (
        "import sys; from cxrtool.learn import inference\n"
        f"for name in {names}: inference.built(name, 3)\n"
        "print([m for m in ('sympy', 'torch._dynamo', 'torchvision', 'timm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
