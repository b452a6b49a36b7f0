"""A network of torchxrayvision, trained on radiographs: xrv:densenet121-res224-all.

It always has the weights of its name, which the library downloads and loads by pickle; other
weights are not used. Its images are grey, from -1024 to 1024.
"""

import importlib
from typing import Any

from torch import Tensor, nn

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.learn.architectures._library import Library, take_channels
from cxrtool.learn.architectures._network import Maps, Network

SIZE = 224
PROVIDER = "xrv"

# (x - 0.5) / (1 / 2048), for x from 0 to 1.
NORMALIZATION = (0.5,), (1 / 2048,)


class XrvName(str):
    """A network of torchxrayvision."""

    def __new__(cls, text: str) -> "XrvName":
        """Refuse a name that the library does not have."""
        registry.choose("network of torchxrayvision", text, list(_library().models.model_urls))
        return super().__new__(cls, text)


def build(classes: int, channels: int = 1, size: int | None = None, *, name: XrvName) -> Network:
    """Build the network of the name with its weights and a fresh linear layer."""
    # Its ResNet is one of torchvision's, wrapped.
    whole = _loaded(name)
    net = getattr(whole, "model", whole)
    attribute = "fc" if hasattr(net, "fc") else "classifier"
    take_channels(net, channels)
    side = size or (512 if "512" in name else SIZE)
    network = Radiographs(
        net, attribute, classes, channels, side, source=f"xrv:{name}", normalization=NORMALIZATION
    )
    network.sources, network.loaded = {"net.": f"xrv:{name}"}, f"xrv:{name}"
    network.replace(nn.Linear(network.final().in_features, classes))  # type: ignore[arg-type]
    return network


def _library() -> Any:
    try:
        return importlib.import_module("torchxrayvision")
    except ImportError:
        remedy = "Install it: pip install torchxrayvision."
        raise CxrtoolError("xrv networks need torchxrayvision", remedy) from None


def _loaded(name: str) -> Any:
    library = _library()
    try:
        return library.models.get_model(name)
    except Exception as error:
        # Whatever it raises, bare exceptions among it, it is about the name or the download.
        remedy = (
            "See torchxrayvision.models.model_urls for the names; the weights are fetched once."
        )
        raise CxrtoolError(f"torchxrayvision does not give '{name}': {error}", remedy) from error


class Radiographs(Library):
    """A DenseNet or ResNet of the library; the DenseNet's last ReLU is no layer of it."""

    def trunk(self, images: Tensor) -> Maps:
        """Return the last map, which is not negative."""
        return nn.functional.relu(super().trunk(images))
