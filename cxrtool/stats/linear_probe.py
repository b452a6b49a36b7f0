"""How well features predict the values of a column: a linear probe, and its permutation test."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cxrtool.data import connected_groups
from cxrtool.stats import discriminant, exchange_units, intervals, projection
from cxrtool.stats.exchange_units import Units

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

# Principal components that the probe sees at most.
MOST_COMPONENTS = 128
PERMUTATIONS = 1999
NEIGHBOURS = 10
# A point whose nearest ones are so many of its own patient has no other neighbours.
MOST_OF_A_PATIENT = 200
# The test's level, the power for the smallest effect, and the level of the interval.
ALPHA, POWER, LEVEL = 0.05, 0.8, 0.95


@dataclass(frozen=True)
class Finding:
    """What a probe found, or the reason why there is nothing to find."""

    reason: str = ""
    images: int = 0
    patients: int = 0
    classes: dict[str, int] = field(default_factory=dict)  # images of each
    left_out: dict[str, int] = field(default_factory=dict)  # patients, where these are too few
    balanced_accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None  # one over the classes
    permuted: float | None = None  # the mean over the permutations
    p: float | None = None
    p_holm: float | None = None  # adjusted for the probes that were made together
    least_p: float | None = None  # no p can be smaller
    detectable: float | None = None  # balanced accuracy that p <= 0.05 would show with power 0.8


def probe(
    features: Floats,
    values: Sequence[str],
    patients: Ints,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Finding:
    """Find how well a linear probe predicts the values of images, for patients it has not seen.

    Empty values, and those of fewer patients than there are folds, are left out. Every image is
    predicted by a probe that was fitted without its patient's fold. Patients weigh the same
    however many images they have, and one with several values shares its weight among them.

    p is that of a permutation test: the share of random exchanges of values between patients
    (`exchange_units.permuted`) whose values are predicted as well. The folds are made anew for
    each, in the same way, so that the test is exact: where values have nothing to do with features,
    p <= a has at most the probability a. "As well" is judged by the mean probability of the right
    value, which has more power than counts of right and wrong.

    The balanced accuracy varies among permutations as a share of n independent images would.
    Wilson's interval for so many bounds it, with Student's quantile, as n is estimated. The same
    formula gives the balanced accuracy that would be over the permutations' 95 % quantile with a
    probability of 80 %. tests/benchmarks/type_one_error.py measures error rate, power and coverage.

    Parameters
    ----------
    features
        (N, D), as the network gives them; they are standardised here.
    patients
        Group numbers (N,), from 0.

    References
    ----------
    M. Ojala and G. Garriga, Permutation tests for studying classifier performance, JMLR 11, 2010.
    """
    kept, codes, names, left_out = _probed(values, patients)
    whose, groups = np.unique(patients[kept], return_inverse=True)
    counts = dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))
    result = Finding("", len(kept), len(whose), counts, left_out)
    if len(names) < 2:
        return replace(
            result, reason=f"fewer than two values have {discriminant.FOLDS} patients each"
        )
    with projection.one_thread():
        scores = projection.components(standardised(features[kept]), MOST_COMPONENTS, seed)
        if not scores.shape[1]:
            return replace(result, reason="the features of all images are alike")
        parts = exchange_units.units(codes, groups)
        rng = np.random.default_rng(seed)
        folds = discriminant.CrossValidation(scores.astype(np.float64), parts, len(names), rng)
        return _tested(result, folds, parts, permutations, rng)


def _tested(
    result: Finding,
    folds: discriminant.CrossValidation,
    parts: Units,
    permutations: int,
    rng: np.random.Generator,
) -> Finding:
    """Add the accuracy, its interval and the permutation test to a finding."""
    (observed,), (probability,) = folds.scored(parts.value[None])
    exchanged = (exchange_units.permuted(parts, rows, rng) for rows in folds.steps(permutations))
    scored = [folds.scored(labels) for labels in exchanged]
    by_chance, probable = (np.concatenate(part) for part in zip(*scored, strict=True))
    better = int((probable >= probability - 1e-9).sum())
    classes = len(result.classes)
    low, high, detectable = _bounds(float(observed), by_chance, parts, classes)
    least_p = max(1 / (1 + permutations), math.exp(-exchange_units.arrangements(parts)))
    return replace(
        result,
        balanced_accuracy=round(float(observed), 6),
        low=low,
        high=high,
        chance=round(1 / classes, 6),
        permuted=round(float(by_chance.mean()), 6),
        p=round((1 + better) / (1 + permutations), 6),
        least_p=round(least_p, 6),
        detectable=detectable,
    )


def _bounds(
    accuracy: float, permuted: Floats, parts: Units, classes: int
) -> tuple[float | None, float | None, float | None]:
    """Return the interval of a balanced accuracy, and the smallest that would be detected."""
    beyond, spread = int(ALPHA * (1 + len(permuted))), float(permuted.std())
    if not beyond or not spread:
        return None, None, None
    number = (1 - 1 / classes) / classes / spread**2
    t = special.stdtrit(_freedom(parts), (1 + LEVEL) / 2)
    low, high = intervals.wilson(accuracy * number, number, 2 * special.ndtr(t) - 1)
    critical = float(np.sort(permuted)[-beyond])
    _, most = intervals.wilson(critical * number, number, 2 * POWER - 1)
    detectable = round(most, 6) if critical < 1 else None
    return round(low, 6), round(high, 6), detectable


def _freedom(parts: Units) -> float:
    """Return the degrees of freedom of a mean over classes (Welch and Satterthwaite)."""
    patients = np.bincount(parts.value)
    variances = 1 / patients
    return float(variances.sum() ** 2 / (variances**2 / (patients - 1)).sum())


def within(
    features: Floats,
    values: Sequence[str],
    others: Sequence[str],
    patients: Ints,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> dict[str, Finding]:
    """Probe for the values within every value of another column, which cannot help there."""
    result = {}
    for place in sorted(set(others) - {""}):
        here = [number for number, other in enumerate(others) if other == place]
        result[place] = probe(
            features[here],
            [values[number] for number in here],
            patients[here],
            permutations=permutations,
            seed=seed,
        )
    return result


def groups_of(*columns: Sequence[str]) -> Ints:
    """Number the groups of images that share a cell of any column, which are not to be parted."""
    result = []
    for cells in columns:
        names, codes = coded(cells)
        # The empty text comes first, where there is one.
        result.append(codes - 1 if names[:1] == [""] else codes)
    return connected_groups.bind(result)


def _probed(values: Sequence[str], patients: Ints) -> tuple[Ints, Ints, list[str], dict[str, int]]:
    """Return the rows of a probe, their classes, the values of these, and what has few patients."""
    names, codes = coded(values)
    pairs = np.unique(np.stack([codes, patients]), axis=1)
    counts = dict(zip(names, np.bincount(pairs[0]).tolist(), strict=True))
    enough = [k for k, name in enumerate(names) if name and counts[name] >= discriminant.FOLDS]
    kept = np.flatnonzero(np.isin(codes, enough))
    few = {name: count for name, count in counts.items() if name and count < discriminant.FOLDS}
    return kept, np.searchsorted(enough, codes[kept]), [names[k] for k in enough], few


def coded(values: Sequence[str]) -> tuple[list[str], Ints]:
    """Number the values in alphabetical order; arrays of text are as wide as the longest."""
    names = sorted(set(values))
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[value] for value in values], np.int64)


def standardised(features: Floats) -> Floats:
    """Give every feature the mean 0 and the variance 1; leave out those that are all alike."""
    standard = features[:, projection.varies(features)].astype(np.float64)
    standard -= standard.mean(axis=0)
    standard /= standard.std(axis=0)
    return standard


def purity(points: Floats, values: Sequence[str], patients: Ints) -> float | None:
    """Return how many of a point's nearest ones have its value, as a mean over the values.

    Neighbours are those of other patients. By chance it is one over the values; points without a
    value neither count nor are neighbours; None where there is nobody to compare with.
    """
    from scipy.spatial import KDTree

    kept = np.array([bool(value) for value in values])
    names, codes = coded([value for value in values if value])
    if len(names) < 2:
        return None
    points, patients = points[kept], patients[kept]
    largest = min(int(np.bincount(patients).max()), MOST_OF_A_PATIENT)
    reach = min(len(points), largest + NEIGHBOURS)
    near = KDTree(points).query(points, reach)[1].reshape(len(points), -1)
    others = patients[near] != patients[:, None]
    others &= np.cumsum(others, axis=1) <= NEIGHBOURS
    counted = others.sum(axis=1)
    same = (others & (codes[near] == codes[:, None])).sum(axis=1)
    seen = counted > 0
    rates = [
        np.mean((same / np.maximum(counted, 1))[seen & (codes == k)])
        for k in range(len(names))
        if (seen & (codes == k)).any()
    ]
    return round(float(np.mean(rates)), 6) if len(rates) > 1 else None
