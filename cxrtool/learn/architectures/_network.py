"""What every network is: a classifier is `head(trunk(x))`, with the places where it is tapped."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cxrtool.core.errors import CxrtoolError
from cxrtool.learn.architectures._shapes import ShapesAlone

# What a trunk gives: one map (N, C, H, W) or a tuple of several tensors, the network's own affair.
Maps = Any

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVES = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


class Net(nn.Module):
    """What every network says about itself; its last layer is `last`.

    Attributes
    ----------
    outputs : how many logits there are; 1 is one sigmoid unit for two classes.
    size : the side of the images that it is built for.
    channels : the channels of these images.
    mean, std : how the images of its published weights are normalised, from 0..1.
    sources : whose published weights fit which part: prefix of the keys -> `provider:name`.
    heads : the prefixes of the keys which are no trunk, for other weights to leave out.
    loaded : the weights that it is built with, where these are no fresh ones.
    by_svm : whether a support vector machine finds the last layer, and nothing else
        learns.
    """

    heads: tuple[str, ...] = ("last.", "hidden.")
    loaded = ""
    by_svm = False

    def __init__(
        self,
        outputs: int,
        channels: int,
        size: int,
        *,
        sources: Mapping[str, str] | None = None,
        normalization: tuple[Sequence[float], Sequence[float]] = IMAGENET,
    ) -> None:
        super().__init__()
        self.outputs, self.channels, self.size = outputs, channels, size
        self.sources = dict(sources or {})
        self.mean, self.std = normalization

    def final(self) -> nn.Module:
        """Return the last layer."""
        return self.get_submodule("last")

    def tops(self) -> list[nn.Module]:
        """Return what learns still when the backbone is frozen."""
        return [self.final()]


class Branch(NamedTuple):
    """A part of a network with a map of its own: which of `maps`, and which channels of it."""

    number: int
    channels: slice = slice(None)


class Network(Net):
    """A classifier in two halves.

    It says what its `trunk` and `embed` are; the logits are the last layer, which is linear, on the
    embedding, unless `head` is its own.

    Attributes
    ----------
    seen : the channels of `cam_map` that heat maps are made of; all, but for a branch.
    """

    seen = slice(None)

    def trunk(self, images: Tensor) -> Maps:
        """Return the last feature maps."""
        raise NotImplementedError

    def embed(self, maps: Maps) -> Tensor:
        """Return the feature vectors (N, D) that the last linear layer sees."""
        raise NotImplementedError

    def head(self, maps: Maps) -> Tensor:
        """Return the logits (N, outputs) of feature maps."""
        logits: Tensor = self.final()(self.embed(maps))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, outputs) of images (N, channels, H, W)."""
        return self.head(self.trunk(images))

    def cam_map(self, maps: Maps) -> Tensor:
        """Return the map (N, C, H, W) that heat maps are drawn on.

        It is one of `maps` itself, so the gradient of `head(maps)` by it exists.
        """
        grid: Tensor = maps
        return grid

    def map_parts(self) -> dict[str, Branch]:
        """Name the parts that heat maps can be drawn of alone; their maps are among `maps`."""
        return {}

    def cam_weights(self) -> Tensor | None:
        """Return Zhou's weights w of the map A, or None where the method is not defined.

        (outputs, C) where the map is averaged: logit = mean over x, y of sum_u w_u A_u, + b;
        (outputs, C, H, W) where it is flattened: logit = sum over x, y of sum_u w_uxy A_uxy, + b.
        """
        return None

    def map_shape(self) -> tuple[int, int, int]:
        """Return the (C, H, W) of the map for images of the network's size, computing nothing."""
        # The copy has shapes instead of weights, which may be half a gigabyte.
        shapes: dict[int, Any] = {id(b): b.to("meta") for b in self.buffers()}
        shapes |= {id(p): nn.Parameter(p.to("meta")) for p in self.parameters()}
        probe = copy.deepcopy(self, shapes).eval()
        images = torch.empty(1, self.channels, self.size, self.size, device="meta")
        try:
            with torch.no_grad(), ShapesAlone():
                _, depth, height, width = probe.cam_map(probe.trunk(images)).shape
        except RuntimeError:
            raise too_small(self.size) from None
        return depth, height, width


def too_small(size: int) -> CxrtoolError:
    """Make the error for images that are too small for the network."""
    return CxrtoolError(f"the network needs larger images than {size} x {size}", "Raise the size.")


def sigmoid_outputs(classes: int) -> int:
    """Count the outputs where two classes share one sigmoid unit."""
    return 1 if classes == 2 else classes
