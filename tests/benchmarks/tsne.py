"""Measure what `cxrtool tsne` computes from features: the points, and the probes beside them.

    python tests/benchmarks/tsne.py [ROWS]

Features are 512 numbers an image, of twelve overlapping clusters. The points are those of
scikit-learn on one thread, beside those of openTSNE where that is installed (it is no dependency);
the smaller the divergence, the better the neighbours are kept. The probes have 1,999 permutations
and three classes; two images are of one patient.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from cxrtool.stats import linear_probe, projection

DEPTH, CLUSTERS = 512, 12


def features(rows: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 1, (CLUSTERS, DEPTH))[rng.integers(CLUSTERS, size=rows)]
    found: np.ndarray = (centres + rng.normal(0, 1.5, (rows, DEPTH))).astype(np.float32)
    return found


def ours(vectors: np.ndarray) -> float:
    found = projection.placed(vectors, projection.ProjectionSettings())
    assert found.divergence is not None
    return found.divergence


def theirs(vectors: np.ndarray) -> float:
    from openTSNE import TSNE  # type: ignore[import-not-found]

    scores = projection.components(vectors, 50)
    embedding = TSNE(initialization="pca", random_state=0, n_jobs=1).fit(scores)
    return float(embedding.kl_divergence)


def probe(vectors: np.ndarray) -> float:
    rows = len(vectors)
    values = [f"v{k}" for k in np.random.default_rng(1).integers(3, size=rows)]
    found = linear_probe.probe(vectors, values, np.arange(rows) // 2)
    assert found.p is not None
    return found.p


def report(name: str, work: object, vectors: np.ndarray, what: str) -> None:
    """Print the seconds, those of the processor too: other programs may be busy."""
    assert callable(work)
    wall, own = time.perf_counter(), time.process_time()
    value = work(vectors)
    wall, own = time.perf_counter() - wall, time.process_time() - own
    print(f"{name:16}{len(vectors):8} rows{wall:8.1f} s{own:8.1f} s of CPU   {what} {value:.3f}")


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for rows in sorted({400, 2000, most}):
        vectors = features(rows)
        report("scikit-learn", ours, vectors, "divergence")
        try:
            report("openTSNE", theirs, vectors, "divergence")
        except ImportError:
            print("openTSNE is not installed")
        report("probe", probe, vectors, "p")


if __name__ == "__main__":
    main()
