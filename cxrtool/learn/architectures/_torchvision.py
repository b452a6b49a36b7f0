"""Networks of torchvision."""

from typing import Any

from torch import nn

from cxrtool.learn.architectures import _import
from cxrtool.learn.architectures._library import Library, take, take_channels
from cxrtool.learn.architectures._network import HALVES, IMAGENET

models: Any = _import.torchvision().models

# Trained with a second classifier on the way, which is of no use for so few images. Torchvision's
# weights of these two want images from -1 to 1, as they come from TensorFlow.
INCEPTION: dict[str, Any] = {"aux_logits": False, "init_weights": True}
BRANCHED = ("googlenet", "inception_v3")
# The hidden layers of these see a map that is averaged down to a few pixels.
POOLED = {"alexnet": 6, "vgg16": 7, "vgg19": 7}


def network(name: str, outputs: int, channels: int, size: int, head: str = "gap") -> Library:
    """Build a network of torchvision by its name there, with fresh weights."""
    net = _fresh(name, outputs)
    take_channels(net, channels)
    library = Library(
        net,
        "fc" if hasattr(net, "fc") else "classifier",
        outputs,
        channels,
        size,
        source=f"torchvision:{name}",
        pool=nn.AdaptiveAvgPool2d(POOLED[name]) if name in POOLED else None,
        normalization=HALVES if name in BRANCHED else IMAGENET,
    )
    return take(library, head)


def _fresh(name: str, outputs: int) -> Any:
    fresh = models.get_model(
        name, weights=None, num_classes=outputs, **(INCEPTION if name in BRANCHED else {})
    )
    if name.startswith("densenet"):
        # Torchvision calls it as a function after `features`; it has no weights.
        fresh.features.add_module("relu5", nn.ReLU(inplace=True))
    return fresh
