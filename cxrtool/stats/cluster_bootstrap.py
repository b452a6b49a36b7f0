"""Bootstrap over patients: whole patients are drawn, with all of their images."""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.progress import bar
from cxrtool.stats.metrics import Floats
from cxrtool.stats.weighted_metrics import Figures, Ints, Judged

# Weights that are made at a time: so many stay in the cache.
AT_A_TIME = 1 << 20


def resamples(clusters: Ints, number: int, seed: int) -> Iterator[Ints]:
    """Yield weights (resamples, images), some resamples at a time.

    The clusters are numbered from 0. As many are drawn, with replacement, as there are; the same
    clusters and seed give the same draws, which pairs models that judged the same images.
    """
    rng = np.random.default_rng(seed)
    size = int(clusters.max()) + 1
    step = _at_a_time(clusters)
    alone = len(clusters) == size and bool((clusters == np.arange(size)).all())
    for start in range(0, number, step):
        rows = min(step, number - start)
        drawn = rng.integers(0, size, (rows, size))
        drawn += np.arange(rows)[:, None] * size
        times = np.bincount(drawn.ravel(), minlength=rows * size).astype(np.int32)
        times = times.reshape(rows, size)
        yield times if alone else np.take(times, clusters, axis=1)


def replicates(
    judged: Judged,
    clusters: Ints,
    number: int,
    seed: int,
    when: str = "never",
    wanted: Collection[str] | None = None,
) -> Figures:
    """Compute every figure of every resample, or those `wanted`; `when` a bar counts the steps."""
    steps = -(-number // _at_a_time(clusters))
    drawn = bar(resamples(clusters, number, seed), steps, "steps", when)
    return joined([judged.of(weights, wanted) for weights in drawn])


def _at_a_time(clusters: Ints) -> int:
    return max(1, AT_A_TIME // len(clusters))


def joined(parts: list[Figures]) -> Figures:
    """Put the figures of some resamples after one another."""
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def interval(values: Floats, level: float) -> tuple[float, float]:
    """Return the percentile interval, its bounds being values that occur.

    Resamples in which the figure is undefined do not count. Where all agree, as on one image or
    with no error at all, the bootstrap knows of no spread, and the interval is undefined.
    """
    known = np.sort(values[~np.isnan(values)])
    # What differs by rounding alone is alike; of infinite ones the difference is undefined.
    if not len(known) or known[0] == known[-1] or known[-1] - known[0] < 1e-12:
        return np.nan, np.nan
    # Rounding up and down is not to step over a place for the last bit of a product.
    place = (1 - level) / 2 * (len(known) - 1) + 1e-9
    return float(known[int(place)]), float(known[len(known) - 1 - int(place)])


def numbered(keys: NDArray[np.integer]) -> Ints:
    """Number equal keys from 0, in the order of their first coming."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    place = np.empty(len(first), np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(first))
    return place[inverse]
