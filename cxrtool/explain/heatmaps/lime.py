"""LIME: a linear model of which superpixels make the class likely (Ribeiro et al. 2016).

The defaults are those of COVID-CXNet: superpixels by quickshift, 1,000 looks at the image in each
of which half of them are black, a ridge regression that counts a look the more the less is black,
and the five superpixels that weigh most. It is written out, as the library of that name is made
for three channels and several outputs, and draws its samples from a state that all images share.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxrtool.core.registry import Between
from cxrtool.explain.heatmaps import _taps
from cxrtool.learn.architectures._network import Network

ALONE = True
SIGNED = True
ASKS_ONLY = True
Floats = NDArray[np.float64]

# Quickshift: the width of the density, the longest link, and how much colour counts beside place,
# for levels up to 255; from 0 to 1, a chest would be a handful of superpixels.
KERNEL, LONGEST, RATIO = 4, 200, 0.2
# The width of the weights of the looks, in cosine distances; and the ridge.
WIDTH, RIDGE = 0.25, 1.0


@torch.no_grad()
def heatmap(
    network: Network,
    images: Tensor,
    classes: Tensor,
    *,
    samples: Annotated[int, Between(2, 1_000_000)] = 1000,
    features: Annotated[int, Between(0, 100_000)] = 5,
    seed: Annotated[int, Between(0, 2**31 - 1)] = 18,
) -> Tensor:
    """Return the weight of every pixel's superpixel, 0 for all but so many `features` (0: none).

    A weight says how much likelier the class is with the superpixel than without.
    """
    result = []
    for image, of in zip(images, classes, strict=True):
        parts = _superpixels(image, seed)
        shown = np.random.default_rng(seed).integers(0, 2, (samples, parts.max() + 1))
        shown[0] = 1
        looks = _looks(image, torch.from_numpy(parts).to(image.device), shown)
        chances = _taps.asked(network, looks, int(of), _taps.chance)
        weights = _weights(shown, chances.double().cpu().numpy())
        result.append(_strongest(weights, features or len(weights))[parts])
    return torch.from_numpy(np.stack(result)).to(images)


def _superpixels(image: Tensor, seed: int) -> NDArray[np.int64]:
    """Number the superpixels of an image, its grey levels being red, green and blue alike."""
    from skimage.segmentation import quickshift

    grey: Any = image.double().cpu().numpy()
    colour = np.broadcast_to(grey, (3, *grey.shape[1:])).transpose(1, 2, 0)
    result = quickshift(
        np.ascontiguousarray(colour),
        kernel_size=KERNEL,
        max_dist=LONGEST,
        ratio=RATIO,
        rng=seed,
    )
    return np.asarray(result, np.int64)


def _looks(image: Tensor, parts: Tensor, shown: NDArray[np.int64]) -> Iterator[Tensor]:
    """Yield the image with the superpixels that a sample does not show in black."""
    for some in torch.split(torch.from_numpy(shown).to(image), _taps.STEP):
        yield image * some[:, parts][:, None]


def _weights(shown: NDArray[np.int64], chances: Floats) -> Floats:
    """Fit the ridge: a look counts sqrt(exp(-d^2 / width^2)), d being its cosine distance."""
    from sklearn.linear_model import Ridge

    # Of n superpixels, k shown, the cosine with all of them is k / sqrt(k n).
    distances = 1 - np.sqrt(shown.mean(1))
    counts = np.sqrt(np.exp(-(distances**2) / WIDTH**2))
    model = Ridge(alpha=RIDGE).fit(shown.astype(float), chances, sample_weight=counts)
    return np.asarray(model.coef_, np.float64)


def _strongest(weights: Floats, number: int) -> Floats:
    """Keep the weights that are largest, whatever their sign."""
    kept = np.zeros_like(weights)
    largest = np.argsort(-np.abs(weights), kind="stable")[:number]
    kept[largest] = weights[largest]
    return kept
