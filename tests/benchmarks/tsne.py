"""Measure what `cxrtool tsne` computes from features: the points, and the probes beside them.

    python tests/benchmarks/tsne.py [ROWS]

Features are 512 numbers an image, of twelve overlapping clusters. The points are those of
Barnes-Hut (up to 20,000 rows) and of FIt-SNE, where openTSNE is installed, on one thread; the
smaller the divergence, the better the neighbours are kept. The probes have 1,999 permutations and
three classes; two images are of one patient. Memory is the most that the process had so far.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from cxrtool.stats import fft_tsne, linear_probe, projection

DEPTH, CLUSTERS = 512, 12
MOST_SLOW = 20_000


def features(rows: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 1, (CLUSTERS, DEPTH))[rng.integers(CLUSTERS, size=rows)]
    found: np.ndarray = (centres + rng.normal(0, 1.5, (rows, DEPTH))).astype(np.float32)
    return found


def placed(vectors: np.ndarray, method: str) -> float:
    settings = projection.ProjectionSettings(method=method)
    found = projection.placed(vectors, settings)
    assert found.divergence is not None
    return found.divergence


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
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    figures = f"{wall:8.1f} s{own:8.1f} s of CPU{most:7.0f} MiB"
    print(f"{name:12}{len(vectors):8} rows{figures}   {what} {value:.3f}", flush=True)


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for rows in sorted({400, 2000, most}):
        vectors = features(rows)
        if rows <= MOST_SLOW:
            report("barnes-hut", lambda v: placed(v, "barnes-hut"), vectors, "divergence")
        if fft_tsne.installed():
            report("fft", lambda v: placed(v, "fft"), vectors, "divergence")
        else:
            print("fft: openTSNE is not installed")
        report("probe", probe, vectors, "p")


if __name__ == "__main__":
    main()
