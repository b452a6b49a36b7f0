"""Layers that do not learn."""

from __future__ import annotations

import pytest

from cxrtool.learn import frozen_layers, inference


@pytest.mark.parametrize(
    ("arch", "hidden", "last"),
    [
        # 10 and 20 units between 1,024 features and one output; ReLU and dropout have no weights.
        ("covid-cxnet:head=transfer", 1024 * 10 + 10 + 10 * 20 + 20, 21),
        ("cxnet-base", None, 11),
        ("narin-resnet50", 2048 * 1024 + 1024, 1024 * 2 + 2),
        ("resnet18", 0, 512 * 2 + 2),
        ("luiz-cnn", 0, 256 * 2 + 2),
    ],
)
def test_the_trunk_leaves_the_head_free_and_the_backbone_its_last_layer(
    arch: str, hidden: int | None, last: int
) -> None:
    def learned(freeze: str) -> int:
        network = inference.built(arch, 2, 0, 96)
        frozen_layers.frozen(network, freeze)
        return sum(p.numel() for p in network.parameters() if p.requires_grad)

    assert learned("backbone") == last
    if hidden is None:
        assert learned("trunk") > last
    else:
        assert learned("trunk") == hidden + last
    assert learned("trunk") < learned("none")
