"""Compare the bootstrap of every metric with scikit-learn's metrics in a loop, on one core.

    python tests/benchmarks/bootstrap.py [IMAGES [RESAMPLES]]

The loop is timed on a part of the resamples and its time scaled, as all of them would take minutes.
Both compute the same figures of the same resamples, which is checked.
"""

import os
import sys
import time
import warnings

# One core: NumPy reads this when it is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from sklearn import metrics as theirs

from cxrtool.compare import comparison
from cxrtool.stats import cluster_bootstrap, metrics
from cxrtool.stats.weighted_metrics import Judged

# The metrics that `compare --interval bootstrap` draws.
DRAWN = [m for m in metrics.NAMES if m not in comparison.BY_FORMULA]
LOOPED = 20
REPEATS = 3


def made(images, classes, tied):
    """Make labels, predictions and probabilities, of two decimals where many are to be equal."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, images)
    p = rng.dirichlet(np.ones(classes), images) + 0.5 * np.eye(classes)[labels]
    p /= p.sum(axis=1, keepdims=True)
    if tied:
        p = np.round(p, 2)
    return labels, p.argmax(axis=1), p


def of_class(labels, predicted, p, k):
    """Compute what scikit-learn has of one class against the rest."""
    ours, said, score = labels == k, predicted == k, p[:, k]
    tn, fp, fn, tp = theirs.confusion_matrix(ours, said).ravel()
    return [
        theirs.accuracy_score(ours, said),
        theirs.balanced_accuracy_score(ours, said),
        theirs.recall_score(ours, said),
        theirs.recall_score(ours, said, pos_label=False),
        theirs.precision_score(ours, said),
        theirs.precision_score(ours, said, pos_label=False),
        theirs.f1_score(ours, said),
        theirs.roc_auc_score(ours, score),
        theirs.average_precision_score(ours, score),
        theirs.matthews_corrcoef(ours, said),
        theirs.brier_score_loss(ours, score),
        tp * tn / (fp * fn),
    ]


COMPARED = (
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "npv",
    "f1",
    "auc",
    "average_precision",
    "mcc",
    "brier",
    "dor",
)


def loop(data, clusters, resamples, views):
    """Do what the bootstrap does, a resample at a time."""
    labels, predicted, p = data
    found = []
    for weights in cluster_bootstrap.resamples(clusters, resamples, 0):
        for times in weights:
            again = np.repeat(np.arange(len(labels)), times)
            some = labels[again], predicted[again], p[again]
            found.append([of_class(*some, k) for k in views])
    return np.array(found)


def seconds(work):
    """Time some work, best of several, and keep what it gives."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        made = work()
        taken.append(time.perf_counter() - start)
    return min(taken), made


def main(images, resamples):
    """Print the figures."""
    # Several images a patient, as in most collections.
    clusters = cluster_bootstrap.numbered(np.random.default_rng(1).integers(0, images, images))
    print(f"{images} images of {clusters.max() + 1} patients, {resamples} resamples, one core")
    print(f"{'classes':>7} {'scores':>8} {'figures':>7} {'ours s':>7} {'loop s':>7} {'faster':>6}")
    for classes in (2, 3):
        for tied in (False, True):
            data = made(images, classes, tied)
            positive = 1 if classes == 2 else None
            judged = Judged([f"c{k}" for k in range(classes)], *data, positive, DRAWN)
            ours, found = seconds(
                lambda j=judged: cluster_bootstrap.replicates(j, clusters, resamples, 0)
            )
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = loop(data, clusters, min(LOOPED, resamples), judged.views)
            looped = (time.perf_counter() - start) * resamples / len(expected)
            for place, k in enumerate(judged.views):
                for number, metric in enumerate(COMPARED):
                    some = found[f"c{k}", metric][: len(expected)]
                    assert np.allclose(some, expected[:, place, number]), metric
            kind = "tied" if tied else "distinct"
            print(f"{classes:>7} {kind:>8} {len(found):>7}", end=" ")
            print(f"{ours:>7.2f} {looped:>7.1f} {looped / ours:>5.0f}x")


if __name__ == "__main__":
    main(*(int(a) for a in (sys.argv[1:] + ["10000", "2000"][len(sys.argv) - 1 :])[:2]))
