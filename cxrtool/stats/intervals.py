"""Intervals that follow from a formula: of shares, AUC, odds ratios, folds and repeats."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cxrtool.stats.metrics import Counts, Floats

Bounds = tuple[float, float]
UNKNOWN: Bounds = (np.nan, np.nan)


def quantile(level: float) -> float:
    """Return z of a two-sided interval."""
    return float(special.ndtri((1 + level) / 2))


def rounded_quantile(level: float) -> float:
    """Return z with two decimals, 1.96 for 95 %, as papers write it into their formulas."""
    return round(quantile(level), 2)


def wilson(count: float, total: float, level: float = 0.95) -> Bounds:
    """Return Wilson's score interval of a share (Wilson 1927)."""
    if total <= 0:
        return UNKNOWN
    return score(count / total, total, quantile(level))


def score(share: float, number: float, z: float) -> Bounds:
    """Return the shares p with |share - p| <= z sqrt(p (1 - p) / number), as Wilson (1927) does."""
    middle = share + z * z / (2 * number)
    half = z * np.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    below = 1 + z * z / number
    # At no image or all of them the bound is exact, and rounding is not to push it inside.
    low = 0.0 if share == 0 else max(0.0, (middle - half) / below)
    high = 1.0 if share == 1 else min(1.0, (middle + half) / below)
    return float(min(low, share)), float(max(high, share))


def normal(count: float, total: float, level: float = 0.95, clip: bool = True) -> Bounds:
    """Return share +- z sqrt(share (1 - share) / n), clipped to [0, 1] unless told otherwise.

    It has no width where no image or every image counts, and misses the truth too often where
    few do; papers print it.
    """
    if total <= 0:
        return UNKNOWN
    share = count / total
    half = rounded_quantile(level) * np.sqrt(share * (1 - share) / total)
    bounds = (share - half, share + half)
    low, high = np.clip(bounds, 0, 1) if clip else bounds
    return float(low), float(high)


def odds_ratio(counts: Counts, level: float = 0.95, add: float = 0.5) -> Bounds:
    """Return the log-normal interval of a diagnostic odds ratio.

    exp(ln DOR +- z sqrt(sum 1 / cell)); `add` goes to every cell (Haldane and Anscombe), and
    without it (Woolf) a cell of 0 leaves the interval undefined, as one class alone always does.
    """
    tp, fn, fp, tn = (float(cell) + add for cell in counts.cells)
    if not min(tp, fn, fp, tn) > 0 or 2 * add in (tp + fn, fp + tn):
        return UNKNOWN
    middle = np.log(tp * tn / (fp * fn))
    half = rounded_quantile(level) * np.sqrt(1 / tp + 1 / fn + 1 / fp + 1 / tn)
    with np.errstate(over="ignore"):
        return float(np.exp(middle - half)), float(np.exp(middle + half))


def placements(positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Return each positive's share of negatives below it, and each negative's of positives above.

    These are DeLong's structural components (DeLong et al. 1988, eq. 4 and 5), from sorted scores
    in O(n log n) as Sun and Xu (2014) do; equal scores count one half. The mean of either is AUC.
    """
    ours, theirs = np.sort(scores[positive]), np.sort(scores[~positive])
    return _share_below(scores[positive], theirs), 1 - _share_below(scores[~positive], ours)


def _share_below(scores: Floats, others: Floats) -> Floats:
    below, up_to = (np.searchsorted(others, scores, side=s) for s in ("left", "right"))
    share: Floats = (below + up_to) / (2 * max(1, len(others)))
    return share


def variance_of_mean(positives: Floats, negatives: Floats) -> float:
    """Return the variance of an AUC, or of a difference of two, from its components."""
    if min(len(positives), len(negatives)) < 2:
        return np.nan
    parts = (np.var(part, ddof=1) / len(part) for part in (positives, negatives))
    return float(sum(parts))


@dataclass(frozen=True)
class Summary:
    """A figure over folds or repeats; `std` has the divisor n - 1 (ddof 1)."""

    number: int
    mean: float
    std: float
    low: float
    high: float
    minimum: float
    maximum: float


def summary(values: Floats, level: float = 0.95) -> Summary:
    """Summarise a figure: mean, standard deviation, range and Student's interval of the mean.

    Folds in which the figure is undefined do not count; an infinite one leaves no spread.
    """
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return Summary(0, *[np.nan] * 6)
    number, ends = len(known), (float(known.min()), float(known.max()))
    if number < 2 or not np.isfinite(known).all():
        return Summary(number, float(known.mean()), np.nan, np.nan, np.nan, *ends)
    mean, std = float(known.mean()), float(known.std(ddof=1))
    half = float(special.stdtrit(number - 1, (1 + level) / 2)) * std / np.sqrt(number)
    return Summary(number, mean, std, float(mean - half), float(mean + half), *ends)
