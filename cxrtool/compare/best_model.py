"""The best of several models by one metric, and how much the choice flatters it."""

import math
from collections.abc import Sequence

import numpy as np

from cxrtool.compare.comparison import Result
from cxrtool.core.errors import CxrtoolError
from cxrtool.figures import numbers
from cxrtool.stats import metrics, weighted_metrics

# The smaller, the better.
ERRORS = ("error", "brier", "ece", "ece_debiased")
# No value of these is the best that there is.
WITHOUT_BEST = metrics.RECALIBRATED


def sentences(results: Sequence[Result], metric: str | None) -> list[str]:
    """Name the best model of every group, if a metric is given to choose by."""
    if metric is None:
        return []
    if metric in WITHOUT_BEST:
        what = f"--best {metric}: neither high nor low is good"
        raise CxrtoolError(what, "Choose another metric.")
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    return [_sentence(group, members, metric) for group, members in groups.items()]


def _sentence(group: str, results: Sequence[Result], metric: str) -> str:
    """Say which model is best; the first of several that are equal."""
    where = f" on {group}" if group else ""
    if len(results) < 2:
        raise CxrtoolError(f"--best {metric}: there is one model{where}", "Name several.")
    values = np.array([_value(result, metric) for result in results])
    if np.isnan(values).all():
        return f"No model has a value of {metric}{where}."
    sign = -1 if metric in ERRORS else 1
    place = int(np.nanargmax(sign * values))
    mean = float(np.nanmean(values))
    return (
        f"The best of {len(results)} models by {metric}{where} is {results[place].model}: "
        f"{numbers.value(values[place])}; their mean is {numbers.value(mean)}. "
        "It was chosen on these images, which are no unbiased test of it any more: evaluate it on "
        "others."
    )


def _value(result: Result, metric: str) -> float:
    """Take the figure of the positive class, or the mean of the classes."""
    for label in (result.positive or "", "", weighted_metrics.MACRO):
        if (label, metric) in result.figures:
            return float(result.figures[label, metric].value)
    return math.nan
