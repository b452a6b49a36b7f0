"""The interval of every figure of some predictions, metric by metric."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from cxrtool.stats import calibration, metrics, weighted_metrics
from cxrtool.stats.class_intervals import AllClasses, OneClass
from cxrtool.stats.interval_methods import NONE, Interval, averaged, calibration_error
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.weighted_metrics import Judged, Key


def intervals_of(
    judged: Judged, clusters: Ints, values: dict[Key, float], level: float
) -> Iterator[tuple[Key, Interval]]:
    """Compute the interval of every figure in `values`, metric by metric."""
    for key, one in _computed(judged, clusters, values, level):
        # But for rounding an interval holds its figure anyway.
        low, high = min(one.low, values[key]), max(one.high, values[key])
        yield key, NONE if np.isnan(one.low) else replace(one, low=low, high=high)


def _computed(
    judged: Judged, clusters: Ints, values: dict[Key, float], level: float
) -> Iterator[tuple[Key, Interval]]:
    views = [OneClass(judged, k, clusters) for k in judged.views]
    names = [judged.classes[k] for k in judged.views]
    whole = AllClasses(judged, clusters) if judged.positive is None else None
    for metric in dict.fromkeys(metric for _, metric in values):
        each = [
            view.of(metric, values[name, metric], level)
            for view, name in zip(views, names, strict=True)
        ]
        yield from (((name, metric), one) for name, one in zip(names, each, strict=True))
        if whole is None:
            continue
        if ("", metric) in values:
            yield ("", metric), _of_all(whole, views, metric, values["", metric], level)
        own = np.array([values[name, metric] for name in names])
        for average in (weighted_metrics.MACRO, weighted_metrics.WEIGHTED):
            weights = _weights(metric, own, whole.table, average)
            value = values[average, metric]
            yield (average, metric), _average(metric, views, own, each, weights, value, level)


def _of_all(
    whole: AllClasses, views: Sequence[OneClass], metric: str, value: float, level: float
) -> Interval:
    """Bound a figure of all classes together; balanced accuracy is the mean sensitivity."""
    if metric != "balanced_accuracy" or np.isnan(value):
        return whole.of(metric, value, level)
    there = [views[code] for code in whole.strata.present]
    own = np.array([float(metrics.ratio(*view.counts.share("sensitivity"))) for view in there])
    each = [view.of("sensitivity", v, level) for view, v in zip(there, own.tolist(), strict=True)]
    return averaged("sensitivity", own, each, np.full(len(own), 1 / len(own)))


def _weights(metric: str, values: Floats, table: Floats, average: str) -> Floats:
    """Return what each class counts in an average, as `metrics.mean_over_classes` has it."""
    weights = table.sum(axis=1) if average == weighted_metrics.WEIGHTED else np.ones(len(values))
    counted = metrics.present_classes(table) & (~np.isnan(values) | (metric == "precision"))
    weights = np.where(counted, weights, 0.0)
    return weights / weights.sum() if weights.sum() else weights


def _average(
    metric: str,
    views: Sequence[OneClass],
    values: Floats,
    each: Sequence[Interval],
    weights: Floats,
    value: float,
    level: float,
) -> Interval:
    if not np.isfinite(value):
        return NONE
    if metric in calibration.ERRORS:
        terms = [v.term(metric, w) for v, w in zip(views, weights.tolist(), strict=True) if w]
        return calibration_error(terms, views[0].strata, value, level)
    return averaged(metric, values, each, weights)
