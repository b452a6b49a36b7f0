"""Batches with a fixed number of images of a rare class, as COVID-Net's code fills them.

An epoch goes once through the images of the other classes. In every batch, images of the rare
class, drawn again for each batch, replace some of them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool.core import class_numbers
from cxrtool.core.errors import CxrtoolError

Ints = NDArray[np.int64]


def quotas(
    text: str, classes: Sequence[str], images: Mapping[str, int], batch: int
) -> dict[int, int]:
    """Read how many images of which class a batch has; `none` means no number is fixed.

    Parameters
    ----------
    text : CLASS=N[,CLASS=N...].
    classes : of the network, in their order.
    images : of each class, to learn from.
    batch : the size of a batch; 0 is not known yet.
    """
    if text == "none":
        return {}
    numbers = class_numbers.of_classes(text, classes, "rebalance", int)
    if batch and sum(numbers.values()) >= batch:
        what = f"{text} leaves no room for other classes in a batch of {batch}"
        raise CxrtoolError(what, "Ask for fewer, or use larger batches.", settings=["rebalance"])
    if not any(images.get(name, 0) for i, name in enumerate(classes) if i not in numbers):
        what = f"{text} names every class of the training images"
        raise CxrtoolError(what, "Name the rare ones only.", settings=["rebalance"])
    return {place: int(number) for place, number in numbers.items()}


def others(labels: Ints, numbers: Mapping[int, int]) -> Ints:
    """Return the places of the images whose classes have no fixed number."""
    return np.flatnonzero(~np.isin(labels, list(numbers)))


def rebalanced(
    labels: Ints, order: Ints, steps: Sequence[slice], numbers: Mapping[int, int], seed: int
) -> Ints:
    """Give some places of every batch to images of the classes with a fixed number.

    Parameters
    ----------
    labels : the classes of all images.
    order : the places of the images of the other classes, in the order of the epoch.
    steps : the batches of that order.
    numbers : how many images a batch has, by class.
    seed : of the images and their places in the batch.
    """
    rng = np.random.default_rng(seed)
    rare = np.repeat(list(numbers), list(numbers.values()))
    members = {place: np.flatnonzero(labels == place) for place in numbers}
    result = order.copy()
    for step in steps:
        size = step.stop - step.start
        taken = rng.permutation(size)[: len(rare)]
        for at, place in zip(taken.tolist(), rare.tolist(), strict=False):
            if len(members[place]):
                result[step.start + at] = rng.choice(members[place])
    return result
