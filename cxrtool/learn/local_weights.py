"""Are the published weights of a network on this machine, so that nothing need be downloaded?"""

import os

import torch
from torch import nn

from cxrtool.core.errors import CxrtoolError
from cxrtool.learn import imagenet_weights, initial_weights
from cxrtool.learn.architectures import _import, _timm


def with_imagenet(network: nn.Module, arch: str) -> str:
    """Load ImageNet weights that are here already; say why not, or nothing where it was done."""
    sources: dict[str, str] = getattr(network, "sources", {})
    if not sources:
        return "there are none for this network"
    if not all(map(_is_here, sources.values())):
        return "they are not on this machine"
    try:
        initial_weights.load(network, "imagenet", arch)
    except CxrtoolError as error:
        return str(error)
    return ""


def _is_here(source: str) -> bool:
    """Look for the file of a source; one that is part of a package needs no network."""
    provider, _, name = source.partition(":")
    if provider == "torchvision":
        weights = _import.torchvision().models.get_model_weights(name)[imagenet_weights.PUBLISHED]
        return _is_in_hub(weights.url)
    return _is_in_timm(name) if provider == "timm" else True


def _is_in_hub(url: str) -> bool:
    return os.path.isfile(os.path.join(torch.hub.get_dir(), "checkpoints", os.path.basename(url)))


def _is_in_timm(name: str) -> bool:
    config = _timm.timm().get_pretrained_cfg(name)
    if config is None:
        return False
    if config.url and _is_in_hub(config.url):
        return True
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    files = ("model.safetensors", "pytorch_model.bin")
    hub = config.hf_hub_id or ""
    return bool(hub) and any(isinstance(try_to_load_from_cache(hub, f), str) for f in files)
