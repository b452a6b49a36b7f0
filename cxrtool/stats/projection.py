"""Points in the plane that lie near each other where features do: PCA, then t-SNE.

The t-SNE is scikit-learn's (Barnes-Hut), of many points openTSNE's, where that is installed.
"""

import contextlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats import fft_tsne

Floats = NDArray[np.floating]
Points = NDArray[np.float64]

# How far the first guess spreads, which is what t-SNE begins with anywhere.
FIRST_SPREAD = 1e-4
# Fewer points than these have no neighbours to speak of.
FEWEST = 4
# A network's results for an image differ so much, relatively, with what else is in its batch.
ROUNDING = 1e-6
# Up to so many points Barnes-Hut takes about a minute, and is nearer to the exact t-SNE.
MOST_BARNES_HUT = 10_000
METHODS = ("auto", "barnes-hut", "fft")


@dataclass(frozen=True)
class ProjectionSettings:
    """How points are placed."""

    perplexity: float = 30.0
    pca: int = 50  # dimensions that t-SNE sees; 0 leaves all of them
    max_iter: int = 750  # the first 250 only draw clusters together: no picture yet
    seed: int = 0
    method: str = "auto"  # one of METHODS


def uses_fft(method: str, number: int) -> bool:
    """Choose how so many points are placed: many by FIt-SNE, where its package is installed."""
    if method == "auto":
        return number > MOST_BARNES_HUT and fft_tsne.installed()
    return method == "fft"


@dataclass(frozen=True)
class Projection:
    """Points (N, 2), and what is to be said of how they came about."""

    points: Points
    notes: tuple[str, ...] = ()
    perplexity: float | None = None
    divergence: float | None = None  # Kullback-Leibler, which t-SNE makes small


def placed(features: Floats, plan: ProjectionSettings) -> Projection:
    """Place features (N, D) in the plane.

    The same features and plan give the same points: one thread works, as the sums of several are
    rounded in another order. Whatever cannot be placed by t-SNE is placed all the same, and a
    note says how: one point, and points that are all alike, at 0, 0; two or three by their
    principal components.

    References
    ----------
    L. van der Maaten and G. Hinton, Visualizing Data using t-SNE, JMLR 9, 2008.
    D. Kobak and P. Berens, The art of using t-SNE for single-cell transcriptomics, Nature
    Communications 10, 2019: the first guess from PCA.
    """
    if features.ndim != 2 or not len(features):
        raise ValueError("features must be of shape (N, D), N > 0")
    if not np.isfinite(features).all():
        raise ValueError("features must be finite")
    number = len(features)
    with one_thread():
        scores = components(features, max(plan.pca, 2) if plan.pca else 0, plan.seed)
        if not scores.shape[1]:
            why = "one image" if number == 1 else "the features of all images are alike"
            return Projection(np.zeros((number, 2)), (f"{why}: placed at 0, 0",))
        if number < FEWEST:
            why = f"{number} images are too few for t-SNE: placed by their principal components"
            return Projection(_two(scores).astype(np.float64), (why,))
        return _tsne(scores, plan)


def one_thread() -> contextlib.AbstractContextManager[object]:
    """Let one thread do the sums of linear algebra: those of several differ in their last digits.

    Where other programs are busy too, the threads of small sums mostly wait for each other.
    """
    from threadpoolctl import threadpool_limits

    limits: contextlib.AbstractContextManager[object] = threadpool_limits(1)
    return limits


def _tsne(scores: Floats, plan: ProjectionSettings) -> Projection:
    most = (len(scores) - 1) / 3
    notes: tuple[str, ...] = ()
    if plan.perplexity > most:
        notes = (
            f"perplexity {most:.3g} in place of {plan.perplexity:g}: {len(scores)} images are few",
        )
    perplexity = min(plan.perplexity, most)
    # Along a single dimension points could never pass each other: then chance begins.
    first = _two(scores) * FIRST_SPREAD if scores.shape[1] > 1 else None
    if uses_fft(plan.method, len(scores)):
        points, divergence = fft_tsne.points(scores, first, perplexity, plan.max_iter, plan.seed)
        notes = (*notes, f"{len(scores)} points placed by FIt-SNE (openTSNE {fft_tsne.version()})")
    else:
        points, divergence = _barnes_hut(scores, first, perplexity, plan)
    # Adding zero makes of -0.0 a plain zero.
    points = np.round(points - points.mean(axis=0), 4) + 0.0
    return Projection(points, notes, perplexity, divergence)


def _barnes_hut(
    scores: Floats, first: Floats | None, perplexity: float, plan: ProjectionSettings
) -> tuple[Points, float]:
    from sklearn.manifold import TSNE

    init = "random" if first is None else first
    method = TSNE(perplexity=perplexity, init=init, max_iter=plan.max_iter, random_state=plan.seed)
    points = np.asarray(method.fit_transform(scores), np.float64)
    return points, float(method.kl_divergence_)


def _two(scores: Floats) -> Floats:
    """Return the first two components; where there is one only, the other is 0."""
    return np.pad(scores, ((0, 0), (0, 1)))[:, :2]


def components(features: Floats, most: int, seed: int = 0) -> Floats:
    """Return the scores (N, K) of the principal components, at most so many (0: all).

    They are scaled together, so that the first has the variance 1, and what is rounding alone is
    left out: features that are all alike have no component.
    """
    from sklearn.decomposition import PCA

    # The squares of large numbers would overflow.
    features = np.asarray(features, np.float32) / (np.abs(features).max(initial=0) or 1)
    varying = features[:, varies(features)]
    rank = min(varying.shape[1], len(features) - 1)
    if rank < 1:
        return np.zeros((len(features), 0), np.float32)
    number = min(most, rank) if most else rank
    scores = PCA(number, random_state=seed).fit_transform(varying)
    spread = scores.std(axis=0)
    rounding = spread[0] * max(varying.shape) * np.finfo(np.float32).eps
    kept: Floats = scores[:, spread > rounding] / spread[0]
    return kept


def varies(features: Floats) -> NDArray[np.bool_]:
    """Tell which features are not the same, but for rounding, in all rows."""
    size = np.maximum(features.max(axis=0), -features.min(axis=0))
    return np.asarray(np.ptp(features, axis=0) > ROUNDING * size)
