"""t-SNE of many points: the repulsion of all pairs by interpolation on a grid (FIt-SNE).

Its time grows with the number of points; that of Barnes-Hut grows faster
(tests/benchmarks/tsne.py). The implementation is openTSNE's, which is an optional package: where it
has no wheel a compiler is needed.
"""

import importlib.metadata
import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

PACKAGE = "openTSNE"
# Iterations in which neighbours attract each other more, which brings clusters together.
EARLY = 250


def installed() -> bool:
    """Tell whether the package is there."""
    return importlib.util.find_spec(PACKAGE) is not None


def version() -> str:
    """Return the version of the package."""
    return importlib.metadata.version(PACKAGE)


def points(
    scores: Floats, first: Floats | None, perplexity: float, max_iter: int, seed: int
) -> tuple[NDArray[np.float64], float]:
    """Place scores (N, K) in the plane: points (N, 2), and the divergence.

    Neighbours of more than a thousand points are found by random trees, and are almost all of the
    nearest. One thread works, so that the same seed gives the same points.

    Parameters
    ----------
    scores : what is near to what.
    first : where the points begin (N, 2); None draws that.
    perplexity, max_iter : as those of scikit-learn, whose iterations have the early ones in them.
    seed : of the trees, and of the first guess.

    References
    ----------
    G. C. Linderman et al., Fast interpolation-based t-SNE for improved visualization of
    single-cell RNA-seq data, Nature Methods 16, 2019.
    P. G. Policar, M. Strazar and B. Zupan, openTSNE: a modular Python library for t-SNE
    dimensionality reduction and embedding, Journal of Statistical Software 109, 2024.
    """
    from openTSNE import TSNE, affinity

    chance: dict[str, Any] = {"random_state": seed, "n_jobs": 1}
    neighbours = affinity.PerplexityBasedNN(scores, perplexity, method="auto", **chance)
    method = TSNE(
        early_exaggeration_iter=EARLY,
        n_iter=max_iter - EARLY,
        negative_gradient_method="fft",
        initialization="random",
        **chance,
    )
    points = method.fit(affinities=neighbours, initialization=first)
    return np.array(points, np.float64), float(points.kl_divergence)
