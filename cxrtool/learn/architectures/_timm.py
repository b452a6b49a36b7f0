"""Networks of timm, which is imported only when one of them is built."""

import contextlib
import difflib
import math
from typing import Any

import torch
from torch import Tensor, nn

from cxrtool.core.errors import CxrtoolError
from cxrtool.learn.architectures import _import, _packaged
from cxrtool.learn.architectures._library import Library, take
from cxrtool.learn.architectures._network import IMAGENET, Maps, Network

CLASSIFIERS = {
    "legacy_xception": "fc",
    "inception_resnet_v2": "classif",
    "resnetv2_50": "head",
    "tf_efficientnet_lite0": "classifier",
}


def timm() -> Any:
    """Import timm."""
    _import.torchvision()  # which timm would import in the slow way
    try:
        import timm
    except ImportError:
        raise CxrtoolError("this network needs timm", "Install it: pip install timm.") from None
    return timm


def plain(name: str, outputs: int, channels: int) -> Any:
    """Build a network of timm with fresh weights."""
    return timm().create_model(name, pretrained=False, num_classes=outputs, in_chans=channels)


def network(name: str, outputs: int, channels: int, size: int, head: str = "gap") -> Library:
    """Build a network of timm whose map is averaged for one linear layer."""
    net = plain(name, outputs, channels)
    _redraw(net.get_classifier())
    library = Library(
        net,
        CLASSIFIERS[name],
        outputs,
        channels,
        size,
        source=_source(name),
        normalization=_normalization(name, net),
    )
    return take(library, head)


class Timm(Network):
    """Any network of timm, through the interface that all of them have.

    Tokens and maps whose channels come last are turned into maps (N, C, H, W), so heat maps can be
    drawn on them; the head turns them back.
    """

    def __init__(self, net: Any, name: str, outputs: int, channels: int) -> None:
        super().__init__(
            outputs,
            channels,
            net.pretrained_cfg.get("input_size", (3, 224, 224))[-1],
            sources={"net.": _source(name)},
            normalization=_normalization(name, net),
        )
        self.net = net
        self.last_place = getattr(net, "output_fmt", "NCHW") == "NHWC"
        layers = self._classifiers()
        self.heads = tuple(f"net.{n}." for n, m in net.named_modules() if m in layers)

    def _classifiers(self) -> list[nn.Module]:
        """List the last layers; a distilled network has two."""
        last = self.net.get_classifier()
        return list(last) if isinstance(last, tuple) else [last]

    def trunk(self, images: Tensor) -> Maps:
        """Return the map, the tokens that are no part of it, and the features if not of these."""
        if getattr(self.net, "global_pool", "") == "token" and hasattr(self.net, "blocks"):
            return self._tapped(images)
        features: Tensor = self.net.forward_features(images)
        if features.ndim == 4:
            return features.permute(0, 3, 1, 2) if self.last_place else features, None, None
        return *self._split(features), None

    def _tapped(self, images: Tensor) -> Maps:
        """Take the map before the last block: of what it gives, the head sees one token only."""
        grids: list[Tensor] = []

        def through(block: nn.Module, given: Any) -> Any:
            grid, extra = self._split(given[0])
            grids.append(grid)
            return _joined(grid, extra), *given[1:]

        hook = self.net.blocks[-1].register_forward_pre_hook(through)
        try:
            features = self.net.forward_features(images)
        finally:
            hook.remove()
        return grids[0], None, features

    def _split(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Lay tokens out as a map; some may come before it."""
        extra, (height, width) = self._layout(features.shape[1])
        grid = features[:, extra:].transpose(1, 2).reshape(len(features), -1, height, width)
        return grid, features[:, :extra]

    def _layout(self, tokens: int) -> tuple[int, tuple[int, int]]:
        """Return how many tokens are not part of the map, and its height and width."""
        height, width = getattr(getattr(self.net, "patch_embed", None), "grid_size", (0, 0))
        before = getattr(self.net, "num_prefix_tokens", 0)
        # Some networks put their class token there only after their last block.
        for extra in (before, 0):
            if height * width == tokens - extra:
                return extra, (height, width)
            if (side := math.isqrt(tokens - extra)) ** 2 == tokens - extra:
                return extra, (side, side)
        # Tokens which are no square are a column.
        return before, (tokens - before, 1)

    def _features(self, maps: Maps) -> Tensor:
        grid, extra, features = maps
        if extra is not None:
            return _joined(grid, extra)
        if features is not None:
            vectors: Tensor = features
            return vectors
        back: Tensor = grid.permute(0, 2, 3, 1) if self.last_place else grid
        return back

    def final(self) -> nn.Module:
        """Return the last layer."""
        return self._classifiers()[0]

    def embed(self, maps: Maps) -> Tensor:
        """Return the features before the last layer."""
        features: Tensor = self.net.forward_head(self._features(maps), pre_logits=True)
        return features.flatten(1)

    def head(self, maps: Maps) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.net.forward_head(self._features(maps))
        return logits

    def cam_map(self, maps: Maps) -> Tensor:
        """Return the map, or the tokens laid out as one."""
        grid: Tensor = maps[0]
        return grid

    def cam_weights(self) -> Tensor | None:
        """Return the weights of the last layer where it sees nothing but the averaged map."""
        last = self.net.get_classifier()
        if not isinstance(last, nn.Linear) or not self._averages(last):
            return None
        return last.weight.detach()

    def _averages(self, last: nn.Linear) -> bool:
        """Whether the embedding is the mean; the network is run, as its parts do not show it."""
        random = torch.Generator().manual_seed(0)
        grid = torch.rand(1, last.in_features, 3, 3, generator=random).to(last.weight)
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                vector = self.embed((grid, None, None))
            return vector.shape == (1, last.in_features) and torch.allclose(
                vector, grid.mean((2, 3)), atol=1e-5
            )
        except (RuntimeError, IndexError, ValueError):
            return False
        finally:
            self.train(training)


def _joined(grid: Tensor, extra: Tensor) -> Tensor:
    return torch.cat([extra, grid.flatten(2).transpose(1, 2)], 1)


class TimmName(str):
    """A network of timm, perhaps with the tag of its weights."""

    def __new__(cls, text: str) -> "TimmName":
        """Refuse a name that timm does not have."""
        _check(timm(), text)
        return super().__new__(cls, text)


def anything(name: str, outputs: int, channels: int, size: int | None) -> Timm:
    """Build a network of timm by its name there; a size that it has no use for is left out."""
    net = sized(name, size, pretrained=False, num_classes=outputs, in_chans=channels)
    _redraw(net.get_classifier())
    network = Timm(net, name, outputs, channels)
    network.size = size or network.size
    return network


def sized(name: str, size: int | None, **options: Any) -> Any:
    """Create a network of timm for images of a size, where it is made for one."""
    create = timm().create_model
    if size is not None:
        # Networks of convolutions take images of any size, and no such option.
        with contextlib.suppress(TypeError):
            return create(name, **options, img_size=size)
    return create(name, **options)


def _redraw(last: Any) -> None:
    """Draw a last layer anew, as PyTorch draws linear layers, if its weights are far larger.

    The EfficientNets of timm draw it as TensorFlow does, from U(-r, r) with r = 1 / sqrt(outputs).
    That is small for 1,000 classes; for two, the logits of a trained trunk are in the tens.
    """
    if not isinstance(last, nn.Linear) or last.weight.is_meta:
        return
    if last.weight.std() > 1 / math.sqrt(last.in_features):
        last.reset_parameters()


def _source(name: str) -> str:
    """Name where the published weights of a network are from."""
    packaged = _packaged.OF_NETWORK.get(name)
    return packaged.source if packaged else f"timm:{name}"


def _normalization(name: str, net: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if packaged := _packaged.OF_NETWORK.get(name):
        return packaged.normalization
    settings = net.pretrained_cfg
    return settings.get("mean", IMAGENET[0]), settings.get("std", IMAGENET[1])


def _check(library: Any, name: str) -> None:
    base, _, tag = name.partition(".")
    if not library.is_model(base):
        near = difflib.get_close_matches(base, library.list_models(), 1, 0.6)
        hint = f"Did you mean '{near[0]}'?" if near else "See timm.list_models() in Python."
        raise CxrtoolError(f"timm has no network '{base}'", hint)
    if tag and name not in library.list_pretrained(f"{base}.*"):
        raise CxrtoolError(f"timm has no weights '{tag}' of {base}", "Leave the tag out.")
