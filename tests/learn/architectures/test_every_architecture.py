"""What every classifier keeps to, whoever adds one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision import models

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.learn import imagenet_weights
from cxrtool.learn.architectures import _library, _packaged
from cxrtool.learn.architectures._network import IMAGENET, Network

# A network of masks, and those that need a NAME.
OTHERS = {"unet", "timm", "xrv"}
SPECS = [
    *(name for name in registry.names("architectures") if name not in OTHERS),
    "resnet18:head=flatten256",
    "alexnet:head=gap",
    "vgg16:head=gap",
    "squeezenet:version=1.0",
    "covid-cxnet:head=transfer",
    "tartaglione-resnet18:head=linear",
    "cvr-net:taps=paper",
    "conv8:layout=pooled",
    "cxnet-base:kernels=paper",
    "timm:test_vit",
    "timm:test_convnext",
    "timm:test_efficientnet",
    "timm:resnet10t",
    "timm:swin_tiny_patch4_window7_224",
]
LARGE = {
    "alexnet",
    "vgg16",
    "vgg19",
    "resnet101",
    "resnet152",
    "narin-resnet50",
    "coronet",
    "covidnet",
    "covidnet-r50v2",
    "cvr-net",
    "cvr-net:taps=paper",
    "densenet169",
    "densenet201",
    "xception",
    "inception-resnet-v2",
    "inception-v3",
    "tartaglione-resnet50",
    "googlenet",
    "chexnet",
    "covid-cxnet",
    "covid-cxnet:head=transfer",
    "resnet50",
    "efficientnet-b1",
    "efficientnet-lite0",
    "vgg16:head=gap",
    "timm:swin_tiny_patch4_window7_224",
}
# Networks of convolutions take any image that leaves something of it.
SIDE = 64
SIDES = {
    "inception-v3": 80,
    "inception-resnet-v2": 80,
    "xception": 72,
    "coronet": 72,
    "cnn-x": 32,
    "conv8:layout=pooled": 512,
    "cxnet-base": 96,
    "cxnet-base:kernels=paper": 96,
    "conv8": 1024,
    "timm:test_vit": 160,
    "timm:swin_tiny_patch4_window7_224": 224,
}
ONE_FOR_TWO = {"conv8", "cxnet-base", "covid-cxnet", "tartaglione-resnet18", "tartaglione-resnet50"}
NO_CAM = {
    "alexnet",
    "vgg16",
    "vgg19",
    "cxnet-base",
    "covid-cxnet",
    "coronet",
    "covidnet",
    "cvr-net",
    "covidnet-r50v2",
    "narin-resnet50",
    "resnet18:head=flatten256",
    "covid-cxnet:head=transfer",
    "tartaglione-resnet18",
    "tartaglione-resnet50",
    "cxnet-base:kernels=paper",
    "cvr-net:taps=paper",
    "timm:test_convnext",
    "timm:test_vit",
}


def marked(spec: str) -> Any:
    return pytest.param(spec, marks=pytest.mark.slow) if spec in LARGE else spec


def built(spec: str, classes: int = 3, channels: int = 3, seed: int = 0) -> Any:
    _, plugin, options = registry.load("architectures", spec, "build")
    torch.manual_seed(seed)
    return plugin.build(classes, channels, SIDES.get(spec, SIDE), **options)


def images(network: Network, number: int, channels: int = 3) -> Tensor:
    random = torch.Generator().manual_seed(number)
    return torch.rand(number, channels, network.size, network.size, generator=random) * 2 - 1


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks lose more time between threads than they win."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=[marked(spec) for spec in SPECS])
def spec(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(spec: str) -> Any:
    """One for all tests, which leave it as it is."""
    return built(spec).eval()


@pytest.mark.parametrize("number", [1, 3])
def test_logits_for_any_number_of_images(network: Any, number: int) -> None:
    with torch.no_grad():
        logits = network(images(network, number))
    assert logits.shape == (number, network.outputs)
    assert torch.isfinite(logits).all()


def test_images_do_not_see_each_other(network: Any) -> None:
    with torch.no_grad():
        batch = images(network, 3)
        torch.testing.assert_close(network(batch)[1:2], network(batch[1:2]), atol=1e-4, rtol=1e-4)


def test_the_parts_make_up_the_whole(network: Any) -> None:
    batch = images(network, 2)
    with torch.no_grad():
        maps = network.trunk(batch)
        logits = network.head(maps)
        torch.testing.assert_close(logits, network(batch))
        vectors, cam = network.embed(maps), network.cam_map(maps)
    assert vectors.shape[0] == 2 and vectors.ndim == 2
    assert cam.shape[0] == 2 and cam.shape[1:] == network.map_shape()
    if type(network).head is Network.head:
        torch.testing.assert_close(network.final()(vectors), logits)


def test_the_heads_are_no_trunk(network: Any) -> None:
    heads = [key for key in network.state_dict() if key.startswith(network.heads)]
    assert heads
    assert len(heads) < len(network.state_dict())
    for prefix in network.sources:
        assert any(key.startswith(prefix) for key in network.state_dict())


def test_gradients_reach_the_map(network: Any) -> None:
    """Grad-CAM asks for them."""
    maps = network.trunk(images(network, 2))
    cam = network.cam_map(maps)
    slope = torch.autograd.grad(network.head(maps)[:, 0].sum(), cam)[0]
    assert slope.shape == cam.shape
    assert slope.abs().sum() > 0


def test_the_logit_is_the_mean_or_the_sum_of_its_map(spec: str, network: Any) -> None:
    units = network.cam_weights()
    assert (units is None) == (spec in NO_CAM)
    if units is None:
        return
    with torch.no_grad():
        maps = network.trunk(images(network, 2))
        cam, logits = network.cam_map(maps), network.head(maps)
        if units.ndim == 2:
            heat = torch.einsum("kc,nchw->nkhw", units, cam).mean((2, 3))
        else:
            heat = torch.einsum("kchw,nchw->nk", units, cam)
    bias = getattr(network.final(), "bias", None)
    if type(network).__name__ == "SqueezeNet":
        bias = None  # Its convolution comes before the map.
    heat = heat if bias is None else heat + bias
    torch.testing.assert_close(heat, logits, atol=1e-4, rtol=1e-4)


def test_a_network_of_a_library_is_as_it_is_there(spec: str, network: Any) -> None:
    ours = not isinstance(network, _library.Library) or isinstance(network.pool, nn.Identity)
    if ours or spec in ("alexnet:head=gap", "vgg16:head=gap"):
        return
    batch = images(network, 2)
    with torch.no_grad():
        torch.testing.assert_close(network(batch), network.net(batch))


def test_the_same_seed_gives_the_same_weights(spec: str, network: Any, tmp_path: Path) -> None:
    again, other = built(spec).eval(), built(spec, seed=1).eval()
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[key]), key
    batch = images(network, 1)
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    with torch.no_grad():
        assert torch.equal(other(batch), network(batch))


def test_every_weight_learns(spec: str) -> None:
    network = built(spec)
    network.train()
    network(images(network, 3)).logsumexp(1).sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name


def test_one_channel_and_two_classes(spec: str) -> None:
    network = built(spec, classes=2, channels=1).eval()
    with torch.no_grad():
        logits = network(images(network, 2, channels=1))
    name = spec.partition(":")[0]
    assert network.outputs == (1 if name in ONE_FOR_TWO else 14 if name == "chexnet" else 2)
    assert logits.shape == (2, network.outputs)
    assert network.channels == 1


@pytest.mark.slow
def test_cvr_net_averages_probabilities() -> None:
    network = built("cvr-net").eval()
    with torch.no_grad():
        maps = network.trunk(images(network, 2))
        each = [b(m.mean((2, 3))).softmax(1) for b, m in zip(network.branches, maps, strict=True)]
        expected = torch.stack(each).mean(0)
        torch.testing.assert_close(network.head(maps).exp(), expected)
        assert network.embed(maps).shape == (2, 5 * 64)


@pytest.mark.slow
def test_the_taps_of_cvr_net_leave_its_encoders_as_they_are() -> None:
    network = built("cvr-net").eval()
    batch = images(network, 1)
    with torch.no_grad():
        ends = network.trunk(batch)[2]
        torch.testing.assert_close(ends[:, 2048:], network.xception.forward_features(batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["googlenet", "inception-v3"])
def test_the_normalization_of_weights_that_come_from_tensorflow(name: str) -> None:
    """Torchvision undoes ImageNet's on the way in; here the network says what it wants."""
    network = built(name).eval()
    raw = images(network, 2) / 2 + 0.5
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in IMAGENET)
    own_mean, own_std = (torch.tensor(v).view(3, 1, 1) for v in (network.mean, network.std))
    with torch.no_grad():
        found = network((raw - own_mean) / own_std)
        network.net.transform_input = True
        expected = network.net((raw - mean) / std)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", [n for n in registry.names("architectures") if n not in OTHERS])
def test_published_weights_exist(name: str) -> None:
    plugin: Any = registry.module("architectures", name)
    with torch.device("meta"):
        sources = plugin.build(2).sources
    for source in sources.values():
        provider, _, found = source.partition(":")
        if provider == "torchvision":
            assert imagenet_weights.PUBLISHED in models.get_model_weights(found).__members__
        elif provider == "package":
            assert timm.get_pretrained_cfg(_packaged.OF_SOURCE[source].network).has_weights
        else:
            assert timm.get_pretrained_cfg(found).has_weights


def test_names_and_constants() -> None:
    for name in registry.names("architectures"):
        plugin = registry.module("architectures", name)
        assert plugin.SIZE > 0
        assert plugin.PROVIDER in {"torchvision", "timm", "cxrtool", "xrv"}
        assert plugin.__doc__ and len(plugin.__doc__.partition("\n")[0]) <= 100
    assert {row[0] for row in registry.listing("architectures", "build")} >= OTHERS


def test_chexnet_names_its_outputs() -> None:
    plugin: Any = registry.module("architectures", "chexnet")
    assert len(plugin.LABELS) == len(set(plugin.LABELS)) == 14


@pytest.mark.parametrize(
    "name, size", [("conv8", 1), ("conv8:layout=pooled", 64), ("cxnet-base", 40), ("cnn-x", 1)]
)
def test_images_that_are_too_small(name: str, size: int) -> None:
    _, plugin, options = registry.load("architectures", name, "build")
    if name == "conv8":
        plugin.build(2, 1, size)  # Its border keeps a pixel of anything.
        return
    with pytest.raises(CxrtoolError, match="needs larger images"):
        plugin.build(2, 1, size, **options)


def test_timm_has_no_such_network() -> None:
    with pytest.raises(CxrtoolError, match="timm has no network 'resnet51'"):
        registry.load("architectures", "timm:resnet51", "build")
    with pytest.raises(CxrtoolError, match="timm has no weights 'none' of resnet18"):
        registry.load("architectures", "timm:resnet18.none", "build")


def test_a_network_of_timm_tells_its_own_size() -> None:
    _, plugin, options = registry.load("architectures", "timm:test_vit", "build")
    assert plugin.build(2, **options).size == 160
    resized = plugin.build(2, 3, 96, **options).eval()
    assert resized(torch.zeros(1, 3, 96, 96)).shape == (1, 2)


def test_xrv_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchxrayvision", None)
    with pytest.raises(CxrtoolError, match="pip install torchxrayvision"):
        registry.load("architectures", "xrv:densenet121-res224-all", "build")


class Radiographic(nn.Module):
    """A small stand-in for a DenseNet of torchxrayvision."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.classifier = nn.Linear(4, 18)


def test_xrv_keeps_the_weights_of_the_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Radiographic()

    class Library:
        class models:  # noqa: N801
            model_urls = {"densenet121-res224-all": {}, "densenet121-res224-nih": {}}

            @staticmethod
            def get_model(name: str) -> nn.Module:
                if name != "densenet121-res224-all":
                    raise Exception("weights value must be in ...")
                return original

    monkeypatch.setitem(sys.modules, "torchxrayvision", Library)  # type: ignore[arg-type]
    _, plugin, options = registry.load("architectures", "xrv:densenet121-res224-all", "build")
    kernel = original.features[0].weight.detach().clone()  # type: ignore[operator]
    network = plugin.build(2, 1, **options)
    assert (network.size, network.loaded) == (224, "xrv:densenet121-res224-all")
    assert torch.equal(network.net.features[0].weight, kernel)
    assert network(torch.randn(3, 1, 16, 16)).shape == (3, 2)
    assert (network.trunk(torch.randn(3, 1, 16, 16)) >= 0).all()
    thrice = plugin.build(2, 3, **options)
    assert torch.allclose(thrice.net.features[0].weight.sum(1), kernel[:, 0])
    with pytest.raises(CxrtoolError, match="'nothing' is not one of: densenet121-res224-all,"):
        registry.load("architectures", "xrv:nothing", "build")
    with pytest.raises(
        CxrtoolError, match="torchxrayvision does not give 'densenet121-res224-nih'"
    ):
        plugin.build(2, 1, name="densenet121-res224-nih")


def test_the_folder_costs_no_torch() -> None:
    code = "import sys, cxrtool.learn.architectures; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_timm_is_imported_when_it_is_used() -> None:
    code = (
        "import sys\n"
        "from cxrtool.core import registry\n"
        "registry.listing('architectures', 'build')\n"
        "assert 'timm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def compiler() -> Iterator[None]:
    yield
    torch.compiler.reset()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["cnn-x", "resnet18"])
def test_compiled_networks_agree(name: str, compiler: None) -> None:
    network = built(name).eval()
    batch = images(network, 2)
    with torch.no_grad():
        expected = network(batch)
        torch.testing.assert_close(torch.compile(network)(batch), expected, atol=1e-4, rtol=1e-4)
