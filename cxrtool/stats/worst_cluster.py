"""The cluster of features where AUC is lowest, chosen and judged on different patients.

A network's features follow its score, so that clusters of them follow it, too: images that all have
a middling score are hard to rank, and in such a cluster AUC is low for any model (see
tests/benchmarks/audit_hidden_slices.py). What the label and the score of an image explain is
therefore taken out of the features first, and the length of what remains, which follows the score
as well: clusters are of directions.

The lowest AUC of several is low by chance. So the cluster is chosen on one half of the patients and
its AUC is that of the other half, both ways round; pairs of images are of one half.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats import within
from cxrtool.stats.cluster_variance import NOTHING, Strata
from cxrtool.stats.intervals import Bounds
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Auc, Marks, pair_auc

# Every cluster of each number is a candidate: few clusters hold large slices, many small ones.
NUMBERS = (3, 5, 8)
# A candidate has so many patients of each class in each half.
FEWEST = 4
COMPONENTS = 10
# k-means from so many starts.
STARTS = 4


@dataclass(frozen=True)
class FeatureCluster:
    """A cluster: its images, and how far each image is from its centre."""

    number: int  # of clusters in the same clustering
    members: Marks
    distances: Floats


@dataclass(frozen=True)
class WorstCluster:
    """AUC in the cluster that the other half of the patients chose, and in the other images."""

    chosen: tuple[FeatureCluster, FeatureCluster]  # by each half
    judged: Marks  # the images in which it was judged: of the half that did not choose
    own: Auc
    others: Auc

    @property
    def value(self) -> float:
        """AUC of the other images minus that of the cluster."""
        return self.others.value - self.own.value

    def bounds(self, level: float) -> Bounds:
        """Return the interval of the difference."""
        return within.difference_bounds(self.others, self.own, level)

    @property
    def agree(self) -> bool:
        """Whether both halves chose the same cluster."""
        return bool((self.chosen[0].members == self.chosen[1].members).all())


def cross_fitted(
    features: NDArray[np.floating], positive: Marks, logits: Floats, patients: Ints, seed: int
) -> WorstCluster | None:
    """Choose the worst cluster on each half of the patients, and judge it on the other.

    Parameters
    ----------
    features
        One row for each image.
    logits
        The scores that are judged; their order counts in AUC.
    patients
        Numbers of the patients, from 0.

    Returns
    -------
    None where no cluster has `FEWEST` patients of each class in each half.
    """
    directions = unexplained(features, positive, logits)
    if not directions.shape[1]:
        return None
    candidates = [c for number in NUMBERS for c in _clusters(directions, number, seed)]
    half = halves(positive, patients, seed)
    chosen = [_worst(candidates, half == k, positive, logits, patients) for k in (0, 1)]
    first, second = chosen
    if first is None or second is None:
        return None
    # The first is judged in the second half, and the second in the first.
    judged = np.where(half == 1, first.members, second.members)
    strata = Strata(positive.astype(np.int8), patients)
    effects = strata.design_effects(logits)
    own, others = (
        Auc(pair_auc(positive, logits, half, part.astype(float)), strata, effects)
        for part in (judged, ~judged)
    )
    if np.isnan([own.value, others.value]).any():
        return None
    return WorstCluster((first, second), judged, own, others)


def unexplained(features: NDArray[np.floating], positive: Marks, logits: Floats) -> Floats:
    """Return what label and score do not explain of the features: directions (images, components).

    Of each class apart, the mean and a parabola of the score are taken out of each feature; the
    first principal components of the rest are scaled to length 1.
    """
    values = features.astype(np.float64)
    spread = values.std(axis=0)
    values = values[:, spread > NOTHING] / spread[spread > NOTHING]
    rest = np.zeros_like(values)
    for label in (True, False):
        there = positive == label
        own = logits[there]
        if len(own):
            scaled = (own - own.mean()) / max(float(own.std()), NOTHING)
            design = np.column_stack([np.ones(len(own)), scaled, scaled**2])
            fit = np.linalg.lstsq(design, values[there], rcond=None)[0]
            rest[there] = values[there] - design @ fit
    left, sizes, _ = np.linalg.svd(rest, full_matrices=False)
    kept = sizes[:COMPONENTS] > NOTHING * max(1.0, float(sizes.max(initial=0)))
    parts = (left[:, :COMPONENTS] * sizes[:COMPONENTS])[:, kept]
    lengths = np.linalg.norm(parts, axis=1, keepdims=True)
    directions: Floats = parts / np.maximum(lengths, NOTHING)
    return directions


def halves(positive: Marks, patients: Ints, seed: int) -> Ints:
    """Deal the patients of each class out to two halves: 0 or 1 for each image."""
    number = int(patients.max()) + 1
    share = np.bincount(patients, positive, minlength=number) / np.bincount(patients)
    order = np.lexsort((np.random.default_rng([seed, 5]).random(number), share))
    half = np.empty(number, np.int64)
    half[order] = np.arange(number) % 2
    dealt: Ints = half[patients]
    return dealt


def _clusters(directions: Floats, number: int, seed: int) -> list[FeatureCluster]:
    """Cluster by k-means; fewer different images than clusters make none."""
    from sklearn.cluster import KMeans

    if len(np.unique(directions, axis=0)) <= number:
        return []
    fit = KMeans(number, n_init=STARTS, random_state=seed).fit(directions)
    distances = fit.transform(directions)
    return [FeatureCluster(number, fit.labels_ == k, distances[:, k]) for k in range(number)]


def _worst(
    candidates: list[FeatureCluster], half: Marks, positive: Marks, logits: Floats, patients: Ints
) -> FeatureCluster | None:
    """Return the cluster whose AUC is the most standard errors below that of the half."""
    whole = pair_auc(positive[half], logits[half]).value
    best, lowest = None, np.inf
    for one in candidates:
        inside = one.members & half
        parts = [inside, one.members & ~half]
        if min(_fewest(part, positive, patients) for part in parts) < FEWEST:
            continue
        counts = [(inside & (positive == label)).sum() for label in (True, False)]
        # As if each class were independent of the other; the constant is the same for all.
        error = np.sqrt(1 / counts[0] + 1 / counts[1])
        z = (pair_auc(positive[inside], logits[inside]).value - whole) / error
        if z < lowest:
            best, lowest = one, z
    return best


def _fewest(part: Marks, positive: Marks, patients: Ints) -> int:
    """Return the number of patients of the class that has fewer."""
    return min(len(np.unique(patients[part & (positive == k)])) for k in (True, False))
