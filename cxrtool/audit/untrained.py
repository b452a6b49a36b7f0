"""The network of a run without its training: random weights, or those of ImageNet."""

import copy
from collections.abc import Callable
from dataclasses import replace

import torch

from cxrtool.core.errors import CxrtoolError
from cxrtool.learn import inference, local_weights, remote_batches
from cxrtool.learn.architectures._network import Network
from cxrtool.learn.inference import Model


def with_random_weights(model: Model) -> Model:
    """Return the network with fresh weights, drawn by the seed of the run."""
    return _kept(model, _random)


def with_imagenet_weights(model: Model) -> Model:
    """Return the network with ImageNet weights; an error says why they are not on this machine."""
    return _kept(model, _imagenet)


def _kept(model: Model, make: Callable[[Model], Model]) -> Model:
    """Make a network for the first batch, and take it again for the next ones."""
    key = make.__name__, repr(model.run), str(model.device)
    return remote_batches.kept(key, lambda: make(model))


def _random(model: Model) -> Model:
    return _with(model, _fresh(model))


def _imagenet(model: Model) -> Model:
    network = _fresh(model)
    if why := local_weights.with_imagenet(network, model.about.arch):
        raise CxrtoolError(why)
    other = _with(model, network)
    # Images as the training on ImageNet saw them.
    mean, std = inference.scale("imagenet", network)
    other.about = replace(model.about, mean=mean, std=std)
    return other


def _fresh(model: Model) -> Network:
    about = model.about
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(about.seed)
        return inference.built(about.arch, len(about.classes), about.channels, about.size)


def _with(model: Model, network: Network) -> Model:
    other = copy.copy(model)
    other.network = network.to(model.device).to(memory_format=torch.channels_last).eval()
    return other
