"""Weights go where they belong, and what does not fit is said or refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cxrtool.core import registry
from cxrtool.core.choices import First
from cxrtool.core.errors import CxrtoolError
from cxrtool.files import run_folder, run_record
from cxrtool.learn import initial_weights

Tensors = dict[str, Tensor]


def built(spec: str, classes: int = 2, channels: int = 3, size: int = 64, seed: int = 0) -> Any:
    _, plugin, options = registry.load("architectures", spec, "build")
    torch.manual_seed(seed)
    return plugin.build(classes, channels, size, **options)


def state(network: nn.Module) -> Tensors:
    return {key: tensor.clone() for key, tensor in network.state_dict().items()}


def library(network: Any, prefix: str = "") -> Tensors:
    """Give the weights the names that they have in the library."""
    return {prefix + key: tensor.clone() for key, tensor in network.net.state_dict().items()}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks lose more time between threads than they win."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def resnet() -> Any:
    return built("resnet18", 5, seed=1)


@pytest.fixture(scope="module")
def densenet() -> Any:
    return built("chexnet", seed=1)


def same(network: Any, tensors: Tensors, where: Callable[[str], bool] = lambda key: True) -> bool:
    found = network.net.state_dict()
    return all(torch.equal(found[k], t) for k, t in tensors.items() if where(k))


def test_none_leaves_the_network_as_it_is() -> None:
    network = built("cnn-x", size=32)
    before = state(network)
    assert initial_weights.load(network, "none", "cnn-x") == "none"
    assert all(torch.equal(before[k], t) for k, t in network.state_dict().items())


@pytest.mark.parametrize("prefix", ["", "module.", "module.model.", "net.", "resnet18."])
def test_prefixes(resnet: Any, tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "w.pth"
    torch.save(library(resnet, prefix), file)
    network = built("resnet18", 5)
    assert (
        initial_weights.load(network, str(file), "resnet18")
        == f"{file}: 100 of 100 tensors of the trunk"
    )
    assert same(network, library(resnet))


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_endings(resnet: Any, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"w{ending}"
    save_file(library(resnet), file) if ending != ".pt" else torch.save(library(resnet), file)
    network = built("resnet18", 5)
    initial_weights.load(network, str(file), "resnet18")
    assert same(network, library(resnet))


def test_another_number_of_classes(resnet: Any, tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    torch.save({"epoch": 3, "state_dict": library(resnet)}, file)
    network = built("resnet18", 2)
    head = network.net.fc.weight.clone()
    record = initial_weights.load(network, str(file), "resnet18")
    assert record == f"{file}: 100 of 100 tensors of the trunk; fresh: net.fc"
    assert torch.equal(network.net.fc.weight, head)
    assert same(network, library(resnet), lambda key: not key.startswith("fc."))


@pytest.mark.parametrize("first", ["red", "sum"])
def test_the_first_convolution_for_grey_images(resnet: Any, tmp_path: Path, first: First) -> None:
    file = tmp_path / "w.pth"
    torch.save(library(resnet), file)
    network = built("tartaglione-resnet18", channels=1)
    record = initial_weights.load(network, str(file), "tartaglione-resnet18", first)
    assert record == (
        f"{file}: 100 of 100 tensors of the trunk; first convolution: {first}; "
        "fresh: net.fc.0, net.fc.2"
    )
    kernel = resnet.net.conv1.weight.detach()
    expected = kernel[:, :1] if first == "red" else kernel.sum(1, keepdim=True)
    assert torch.equal(network.net.conv1.weight, expected)


def old_names(network: Any) -> Tensors:
    """Write the weights of a DenseNet as the checkpoint of CheXNet does."""
    names: Tensors = {}
    for key, tensor in library(network, "module.densenet121.").items():
        for layer in ("norm", "conv"):
            for number in "12":
                key = key.replace(f".{layer}{number}.", f".{layer}.{number}.")
        key = key.replace("classifier.", "classifier.0.")
        if not key.endswith("num_batches_tracked"):
            names[key] = tensor
    return names


def test_the_old_names_of_chexnet(densenet: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.pth.tar"
    old = old_names(densenet)
    assert "module.densenet121.features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save({"epoch": 1, "state_dict": old, "best_loss": 0.1, "optimizer": {"lr": 1}}, file)
    network = built("chexnet")
    assert initial_weights.load(network, str(file), "chexnet") == (
        f"{file}: 604 of 604 tensors of the trunk"
    )
    assert same(network, library(densenet))
    smaller = built("covid-cxnet")
    record = initial_weights.load(smaller, str(file), "covid-cxnet")
    assert record.endswith("604 tensors of the trunk; fresh: net.classifier.0, net.classifier.3")
    assert same(smaller, library(densenet), lambda key: key.startswith("features."))


def write_run(folder: Path, arch: str, network: nn.Module, classes: int) -> None:
    channels = network.channels
    names = [f"class {k}" for k in range(classes)]
    about = run_record.About(
        arch, names, network.size, channels, [0.0] * channels, [255.0] * channels
    )
    run_folder.write(str(folder), about, network.state_dict())


def test_a_run_whose_weights_are_not_its_own_is_refused(tmp_path: Path) -> None:
    network = built("cnn-x", 2, size=32)
    write_run(tmp_path, "cnn-x", network, 2)
    path = tmp_path / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CxrtoolError, match="its SHA-256 is wrong"):
        initial_weights.load(network, str(tmp_path), "cnn-x")


def test_a_run_gives_its_encoder(tmp_path: Path) -> None:
    """Trained on pneumonia with three classes first, on COVID-19 with one sigmoid unit then."""
    first = built("tartaglione-resnet18:head=linear", 3, 1, seed=1)
    write_run(tmp_path, "tartaglione-resnet18:head=linear", first, 3)
    network = built("tartaglione-resnet18", 2, 1)
    record = initial_weights.load(network, str(tmp_path), "tartaglione-resnet18")
    assert record == f"{tmp_path}: 100 of 100 tensors of the trunk; fresh: net.fc.0, net.fc.2"
    assert same(network, library(first), lambda key: not key.startswith("fc."))
    again = built("tartaglione-resnet18:head=linear", 3, 1)
    initial_weights.load(again, str(tmp_path), "tartaglione-resnet18")
    assert same(again, library(first))


def test_a_run_of_our_own_network(tmp_path: Path) -> None:
    first = built("cnn-x", 4, size=32, seed=1)
    write_run(tmp_path, "cnn-x", first, 4)
    network = built("cnn-x", 4, size=32)
    assert initial_weights.load(network, str(tmp_path), "cnn-x").endswith(
        ": 24 of 24 tensors of the trunk"
    )
    assert all(torch.equal(first.state_dict()[k], t) for k, t in network.state_dict().items())
    smaller = built("cnn-x", 2, size=40)
    assert initial_weights.load(smaller, str(tmp_path), "cnn-x").endswith("; fresh: last")


def test_a_layer_fits_as_a_whole(tmp_path: Path) -> None:
    """A bias that fits by chance stays with its weights."""
    first = built("resnet18:head=flatten256", 2, size=64, seed=1)
    torch.save(library(first), tmp_path / "w.pth")
    network = built("resnet18:head=flatten256", 2, size=96)
    before = network.net.fc[0].bias.clone()
    record = initial_weights.load(network, str(tmp_path / "w.pth"), "resnet18")
    assert record.endswith("; fresh: net.fc.0")
    assert torch.equal(network.net.fc[0].bias, before)
    assert torch.equal(network.net.fc[2].weight, first.net.fc[2].weight)


def test_any_network_takes_its_own_weights(tmp_path: Path) -> None:
    first, second = nn.Linear(2, 3), nn.Linear(2, 3)
    save_file(state(first), tmp_path / "w.safetensors")
    initial_weights.load(second, str(tmp_path / "w.safetensors"), "linear")
    assert torch.equal(first.weight, second.weight)


def refused(network: nn.Module, spec: object, arch: str = "resnet18") -> str:
    before = state(network)
    with pytest.raises(CxrtoolError) as caught:
        initial_weights.load(network, str(spec), arch)
    assert all(torch.equal(before[k], t) for k, t in network.state_dict().items())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_weights_of_another_network(resnet: Any, tmp_path: Path) -> None:
    torch.save(library(resnet), tmp_path / "w.pth")
    message = refused(built("densenet121"), tmp_path / "w.pth", "densenet121")
    assert message == (
        f"{tmp_path / 'w.pth'} has 0 of the 604 tensors of 'densenet121'; missing or of another "
        "shape: net.features.conv0.weight, net.features.norm0.weight, net.features.norm0.bias. "
        "Name the architecture that the weights are of."
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(resnet: Any, tmp_path: Path, value: float) -> None:
    tensors = library(resnet)
    tensors["layer4.1.bn2.bias"][7] = value
    torch.save(tensors, tmp_path / "w.pth")
    message = refused(built("resnet18"), tmp_path / "w.pth")
    assert (
        f"{tmp_path / 'w.pth'}: net.layer4.1.bn2.bias holds values that are not finite" in message
    )


class Hostile:
    """Writes a file as soon as it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (eval, (f"open({str(self.target)!r}, 'w').close()",))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_hostile_pickle_does_not_run(tmp_path: Path, legacy: bool) -> None:
    file, trace = tmp_path / "w.pth", tmp_path / "it-ran"
    torch.save({"a": Hostile(trace)}, file, _use_new_zipfile_serialization=not legacy)
    message = refused(built("cnn-x", size=32), file)
    assert message == (
        f"weights '{file}' hold more than tensors (eval), and are not loaded. "
        "Save the state_dict alone."
    )
    file.write_bytes(pickle.dumps({"a": Hostile(trace)}))
    refused(built("cnn-x", size=32), file)
    assert not trace.exists()


def test_a_whole_model_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "w.pt")
    assert "hold more than tensors" in refused(built("cnn-x", size=32), tmp_path / "w.pt")


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file(resnet: Any, tmp_path: Path, ending: str, share: float) -> None:
    file = tmp_path / f"w{ending}"
    tensors = library(resnet)
    save_file(tensors, file) if ending == ".safetensors" else torch.save(tensors, file)
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    assert f"weights '{file}' are damaged" in refused(built("resnet18"), file)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("w.pth", None, "there are no weights"),
        ("w.txt", b"x", "are not one of: none, imagenet, a file"),
        ("w.pth", b"no pickle at all", "are damaged"),
        ("w.safetensors", b"no tensors at all", "are damaged"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert message in refused(built("cnn-x", size=32), tmp_path / name)


def test_a_folder_without_weights(tmp_path: Path) -> None:
    assert "has no model.safetensors" in refused(built("cnn-x", size=32), tmp_path)


@pytest.mark.parametrize("content", [{"epoch": 3}, [torch.ones(2)], torch.ones(2), {}])
def test_a_checkpoint_without_weights(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    assert "hold no named tensors" in refused(built("cnn-x", size=32), tmp_path / "w.pth")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of torch.hub, on a machine without a network."""

    def fetch(*args: object, **options: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_imagenet_from_the_cache(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = built("resnet18", 1000, seed=1)
    torch.save(library(first), cache / "resnet18-f37072fd.pth")
    network = built("resnet18")
    record = initial_weights.load(network, "imagenet", "resnet18")
    assert record == (
        "imagenet (torchvision:resnet18): 100 of 100 tensors of the trunk; fresh: net.fc"
    )
    assert same(network, library(first), lambda key: not key.startswith("fc."))
    assert capsys.readouterr().out == ""


def test_imagenet_without_a_network(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(built("resnet18"), "imagenet")
    assert message == (
        "the ImageNet weights of resnet18 cannot be downloaded (Name or service not known). Put "
        f"https://download.pytorch.org/models/resnet18-f37072fd.pth into {cache}."
    )
    assert capsys.readouterr().out == ""


def test_imagenet_of_a_damaged_cache(cache: Path) -> None:
    (cache / "resnet18-f37072fd.pth").write_bytes(b"half")
    assert "the ImageNet weights of resnet18 cannot be downloaded" in refused(
        built("resnet18"), "imagenet"
    )


def test_imagenet_of_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    create = timm.create_model

    def pretrained(name: str, pretrained: bool = False, **options: Any) -> Any:
        if name == "resnet10t":
            torch.manual_seed(2)
            return create(name, **options)
        raise OSError("offline")

    network, other = built("timm:resnet10t"), built("timm:resnet14t")
    monkeypatch.setattr(timm, "create_model", pretrained)
    record = initial_weights.load(network, "imagenet", "timm:resnet10t")
    assert record.startswith("imagenet (timm:resnet10t): ") and record.endswith("; fresh: net.fc")
    message = refused(other, "imagenet", "timm:resnet14t")
    assert message.startswith(
        "the ImageNet weights of resnet14t cannot be downloaded (offline). Fetch"
    )


@pytest.mark.slow
def test_imagenet_of_two_encoders(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = built("cvr-net")
    one, other = built("resnet50", 1000, seed=1), built("xception", 1000, seed=1)
    torch.save(library(one), cache / "resnet50-0676ba61.pth")
    monkeypatch.setattr(timm, "create_model", lambda name, **options: other.net)
    record = initial_weights.load(network, "imagenet", "cvr-net")
    assert record.startswith("imagenet (torchvision:resnet50, timm:legacy_xception): 499 of 499")
    assert torch.equal(network.resnet.conv1.weight, one.net.conv1.weight)
    assert torch.equal(network.xception.conv1.weight, other.net.conv1.weight)


def test_networks_that_have_none() -> None:
    message = refused(built("cnn-x", size=32), "imagenet", "cnn-x")
    assert message == "'cnn-x' has no ImageNet weights. Choose none, or a file."
