"""BEASF: bi-histogram equalisation with two smooth sigmoids instead of the two distributions.

Arriaga-Garcia et al. 2014, as COVID-CXNet publishes it as code. That code is not the textbook
algorithm: its 256 bins span the range of the image, not 0 to 255, the median of the upper half is
one too low, its sigmoid is read one level off, and it cuts to whole numbers three times.
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.registry import Between
from cxrtool.files.grey_levels import Grey, to8
from cxrtool.preprocess.equalizers import _levels

Floats = NDArray[np.float64]


def equalize(
    image: Grey,
    bits: int = 8,
    *,
    gamma: Annotated[float, Between(0.01, 100)] = 1.5,
    variant: Literal["code", "fixed"] = "code",
) -> Grey:
    """Stretch the levels up to the mean, and those above it, each by a sigmoid at its median.

    `code` gives what the published code gives, bit for bit; `fixed` what it was meant to be. The
    result has 8 bits, and so has the image before: its levels are spread from lowest to highest.
    A half whose sigmoid is flat is left as it is, where the code divides by zero.
    """
    if _levels.is_constant(image):
        return _levels.kept(image, bits)
    grey = to8(image)
    counts = _levels.counts(grey)
    # In 64 bits: the code's own sum overflows on very large bright images.
    mean = int(counts @ np.arange(256)) // grey.size
    table = (_code if variant == "code" else _fixed)(counts, mean, gamma)
    return _levels.looked_up(grey, table.astype(np.uint8))


def _code(counts: NDArray[np.int64], mean: int, gamma: float) -> Floats:
    """Make the table as the published code does, slips included."""
    levels = np.flatnonzero(counts)
    ends = (levels[0], levels[-1])
    share = np.histogram(levels, 256, ends, weights=counts[levels])[0] / counts.sum()
    lower, upper = _medians(share, mean)
    table = np.arange(256.0)
    low = np.trunc(mean * _sigmoid(np.arange(mean + 1), lower, mean, gamma))
    if low[-1] > low[0]:
        table[: mean + 1] = np.trunc(mean / (low[-1] - low[0]) * (low - low[0]))
    above = 255 - mean
    # The sigmoid of level i is that of i - 1.
    shifted = _sigmoid(np.arange(mean, 255), max(mean, upper - 1), above, gamma)
    high = np.trunc(mean + above * shifted)
    if high[-1] > high[0]:
        table[mean + 1 :] = above * (high - high[0]) / (high[-1] - high[0]) + mean
    return table


def _fixed(counts: NDArray[np.int64], mean: int, gamma: float) -> Floats:
    """Make the table as it was meant: true levels and medians, cut to whole numbers once."""
    lower, upper = _medians(counts / counts.sum(), mean)
    table = np.arange(256.0)
    low = _sigmoid(np.arange(mean + 1), lower, mean, gamma)
    if low[-1] > low[0]:
        table[: mean + 1] = mean * (low - low[0]) / (low[-1] - low[0])
    high = _sigmoid(np.arange(mean + 1, 256), upper, 255 - mean, gamma)
    if high[-1] > high[0]:
        table[mean + 1 :] = mean + (255 - mean) * (high - high[0]) / (high[-1] - high[0])
    return table


def _medians(share: Floats, mean: int) -> tuple[int, int]:
    """Find the median of the levels up to the mean, and of those from it on."""
    halves = share[: mean + 1], share[mean:]
    # The sums run level by level, as the code's do: on a tie the last bit decides.
    middles = (int(np.argmax(np.cumsum(h / np.cumsum(h)[-1]) > 0.5)) for h in halves)
    return next(middles), mean + next(middles)


def _sigmoid(levels: NDArray[np.int64], middle: int, width: int, gamma: float) -> Floats:
    with np.errstate(over="ignore"):
        curve: Floats = 1 / (1 + np.exp(-gamma * (5.0 * (levels - middle) / max(width, 1))))
    return curve
