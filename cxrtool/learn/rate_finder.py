"""The learning rate range test: the rate at which the loss falls fastest."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cxrtool.core.errors import BrokenRun
from cxrtool.learn import distributed, learner_state
from cxrtool.learn.training_loop import ImageSet, Learner, steps

WARM_UP = 5  # Steps whose losses end no test.
RUN_AWAY = 4  # A loss of so many times the least one ends the test.


@dataclass(frozen=True)
class RangeTest:
    """The rates of a range test, and the loss of the batch that each was tried on."""

    rates: list[float]
    losses: list[float]

    @property
    def steepest(self) -> float:
        """The rate at which the loss falls fastest."""
        return steepest_rate(self.rates, self.losses)

    @property
    def points(self) -> list[list[float]]:
        """The rates with their losses."""
        return [list(pair) for pair in zip(self.rates, self.losses, strict=True)]


def range_test(learner: Learner, train: ImageSet, low: float, high: float, most: int) -> RangeTest:
    """Raise the rate from batch to batch until the loss runs away.

    The network and the optimiser are as before afterwards.
    """
    before = {k: v.clone() for k, v in learner_state.tensors(learner).items()}
    rate_before = [group["lr"] for group in learner.optimizer.param_groups]
    tried, lost = _tried(learner, train, rates(low, high, most))
    learner_state.restore(learner, before)
    for group, rate in zip(learner.optimizer.param_groups, rate_before, strict=True):
        group["lr"] = rate
    if len(tried) < 2:
        what = f"no learning rate can be found: the loss is not finite at {low:g}"
        raise BrokenRun(what, "Name a rate, or clip the gradients.", settings=["lr", "clip"])
    return RangeTest(tried, lost)


def _tried(
    learner: Learner, train: ImageSet, all_rates: Iterator[float]
) -> tuple[list[float], list[float]]:
    """Take a step with each rate: the rates up to where the loss runs away, and their losses."""
    order = learner.order(0, train)
    parts, values = steps(len(order), learner.plan.batch), learner.drawn(0, len(order))
    learner.begin()
    tried: list[float] = []
    lost: list[float] = []
    for number, rate in enumerate(all_rates):
        step = parts[number % len(parts)]
        learner.set_rate(rate)
        drawn = {name: v[step] for name, v in values.items()}
        total = learner.step(train, order[step], drawn)
        loss = float(distributed.summed(total.double())) / (step.stop - step.start)
        if not math.isfinite(loss) or (number >= WARM_UP and loss > RUN_AWAY * min(lost)):
            break
        tried.append(rate)
        lost.append(loss)
    return tried, lost


def rates(low: float, high: float, steps: int) -> Iterator[float]:
    """Yield the rates of a range test, from low to high by equal factors."""
    return (low * (high / low) ** (k / max(1, steps - 1)) for k in range(steps))


def steepest_rate(
    tried: Sequence[float], lost: Sequence[float], skip: int = 10, end: int = 5
) -> float:
    """Return the rate at which the loss falls fastest, as Keras' LR finder does."""
    if len(tried) <= skip + end + 1:
        skip = end = 0
    slopes = np.diff(np.asarray(lost, float))
    window = slice(skip, len(slopes) - end)
    return float(tried[skip + int(np.argmin(slopes[window]))])
