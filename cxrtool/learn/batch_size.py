"""How many images a step may have: the largest batch that memory has room for."""

from collections.abc import Callable

import numpy as np
import torch

from cxrtool.core.errors import BrokenRun, is_memory
from cxrtool.learn import learner_state
from cxrtool.learn.training_loop import ImageSet, Learner

# What `auto` chooses among on an accelerator: more images a step would only learn worse.
AUTO = (8, 256)
# On a CPU larger batches are no faster.
ON_CPU = 32
# Between two sizes of which one fits, this share of the larger does not matter.
NEAR = 8


def chosen(learner: Learner, train: ImageSet) -> int:
    """Choose the largest batch that fits, a power of two."""
    if learner.where.type == "cpu":
        return ON_CPU
    least, most = AUTO
    size = most
    while size > least and not fits(learner, train, size):
        size //= 2
    return size


def too_large(learner: Learner, train: ImageSet, size: int) -> BrokenRun:
    """Make the error for a batch that does not fit; it names one that does."""
    most = largest(lambda number: fits(learner, train, number), size)
    what = f"out of memory: a batch of {size} does not fit"
    if not most:
        return BrokenRun(f"{what}, nor do two images", "Use a smaller size.", settings=["size"])
    return BrokenRun(what, f"The largest that fits is {most}; auto finds one.", settings=["batch"])


def largest(fit: Callable[[int], bool], most: int) -> int:
    """Find about the largest number under `most`, which does not fit, that does; 0 if none."""
    # Of one image, batch norms may have nothing to average.
    there, size = 0, 2
    while size < most and fit(size):
        there, size = size, size * 2
    absent = min(size, most)
    while absent - there > max(1, absent // NEAR):
        middle = (there + absent) // 2
        there, absent = (middle, absent) if fit(middle) else (there, middle)
    return there


def fits(learner: Learner, train: ImageSet, size: int) -> bool:
    """Try a step of so many images; the network and the optimiser are as before afterwards."""
    before = {name: value.clone() for name, value in learner_state.tensors(learner).items()}
    places = np.resize(np.arange(len(train)), size)
    try:
        learner.network.train()
        learner.step(train, places, learner.drawn(0, size))
    except Exception as e:
        if not is_memory(e):
            raise
        return False
    finally:
        learner.optimizer.zero_grad(set_to_none=True)
        if learner.where.type == "cuda":
            torch.cuda.empty_cache()
        learner_state.restore(learner, before)
    return True
