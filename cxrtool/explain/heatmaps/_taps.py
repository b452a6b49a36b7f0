"""What the methods share: the score of a class, the map it hangs on, and the slope between them."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from cxrtool.learn.architectures._network import Maps, Network
from cxrtool.learn.losses import log_probabilities

Score = Callable[[Tensor, Tensor], Tensor]

# Images of one look, where a method asks about one image many times.
STEP = 32


def logit(logits: Tensor, classes: Tensor) -> Tensor:
    """Return each image's logit of its class; of one sigmoid unit, class 0 has the negative one."""
    if logits.shape[1] == 1:
        return torch.where(classes == 1, logits[:, 0], -logits[:, 0])
    return logits.gather(1, classes[:, None])[:, 0]


def chance(logits: Tensor, classes: Tensor) -> Tensor:
    """Return each image's probability of its class."""
    return log_probabilities(logits).gather(1, classes[:, None])[:, 0].exp()


def slopes(
    network: Network, images: Tensor, classes: Tensor, score: Score = logit
) -> tuple[Tensor, Tensor]:
    """Return the map A (N, C, H, W) of the images, and the slope of each one's score by it.

    Of a branch, these are its channels alone; the score is of the whole network. The trunk, which
    is nearly all of the network, is passed forward once and never back.
    """
    with torch.no_grad():
        maps = network.trunk(images)
    tap = network.cam_map(maps).detach().requires_grad_()
    slope = _slope(network, _with(maps, network.cam_map(maps), tap), tap, classes, score)
    if slope is None:
        # The head of some transformers sees only a token that the last block has read from A.
        with torch.enable_grad():
            maps = network.trunk(images.detach().requires_grad_())
        tap = network.cam_map(maps)
        slope = _slope(network, maps, tap, classes, score)
    if slope is None:
        slope = torch.zeros_like(tap)
    return tap.detach()[:, network.seen].float(), slope[:, network.seen].float()


def _slope(
    network: Network, maps: Maps, tap: Tensor, classes: Tensor, score: Score
) -> Tensor | None:
    with torch.enable_grad():
        total = score(network.head(maps), classes).sum()
        if not total.requires_grad:
            return None
        return torch.autograd.grad(total, tap, allow_unused=True)[0]


def _with(maps: Maps, old: Tensor, new: Tensor) -> Any:
    if isinstance(maps, tuple):
        return tuple(new if one is old else one for one in maps)
    return new


@torch.no_grad()
def asked(network: Network, batches: Iterable[Tensor], of: int, score: Score = logit) -> Tensor:
    """Return the score of one class for many changed looks at an image, a batch at a time."""
    result = []
    for images in batches:
        classes = torch.full((len(images),), of, device=images.device)
        result.append(score(network(images), classes).float())
    return torch.cat(result)
