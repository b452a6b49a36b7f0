"""Coverage of the 95 % intervals of macro and weighted averages, by simulation, as a table.

    python tests/benchmarks/average_coverage.py [--runs N]

Patients have one of three classes, and a random effect that makes up half of the variance of their
scores. The scores are normal, one a class; the model tells their posterior probabilities, made
overconfident. The true values are those of 400,000 independent images, by scikit-learn.
"""

import argparse
import functools
import itertools
import os
import time
import warnings
from dataclasses import dataclass

# One core: NumPy reads this when it is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from scipy import special
from sklearn import metrics as reference

from cxrtool.stats import cluster_bootstrap, metric_intervals, weighted_metrics
from cxrtool.stats.weighted_metrics import Judged

LEVEL, ICC, OVERCONFIDENT = 0.95, 0.5, 1.5
AVERAGES = (weighted_metrics.MACRO, weighted_metrics.WEIGHTED)
METRICS = ("sensitivity", "precision", "f1", "auc", "average_precision")
IMAGES_OF_TRUTH = 400_000


@dataclass(frozen=True)
class Scenario:
    """One kind of study of three classes."""

    shares: tuple  # of the classes
    images: int  # a patient: 1, or on average, from 1 to twice as many
    patients: int
    apart: float  # the mean score of a class, in standard deviations

    def study(self, rng):
        """Draw labels, probabilities and patients."""
        several = self.images > 1
        sizes = rng.integers(1, 2 * self.images, self.patients) if several else 1
        patients = np.repeat(np.arange(self.patients), sizes)
        labels = rng.choice(len(self.shares), self.patients, p=self.shares)[patients]
        p = drawn(self.shares, self.apart, labels, patients, rng)
        return labels, p, patients


def drawn(shares, apart, labels, patients, rng):
    """Draw the probabilities of images by their class and patient."""
    common = rng.normal(size=(patients.max() + 1, len(shares)))[patients]
    noise = rng.normal(size=(len(labels), len(shares)))
    scores = np.sqrt(ICC) * common + np.sqrt(1 - ICC) * noise
    scores[np.arange(len(labels)), labels] += apart
    posterior = np.log(shares) + apart * scores
    return special.softmax(OVERCONFIDENT * posterior, axis=1)


@functools.cache
def truths(shares, apart):
    """Compute the true averages on many images of as many patients."""
    rng = np.random.default_rng(1)
    labels = rng.choice(len(shares), IMAGES_OF_TRUTH, p=shares)
    p = drawn(shares, apart, labels, np.arange(len(labels)), rng)
    hot, result = np.eye(len(shares), dtype=int)[labels], {}
    for average in AVERAGES:
        precision, recall, f1, _ = reference.precision_recall_fscore_support(
            labels, p.argmax(axis=1), average=average
        )
        auc = reference.roc_auc_score(hot, p, average=average)
        area = reference.average_precision_score(hot, p, average=average)
        found = (recall, precision, f1, auc, area)
        result |= {(average, m): float(v) for m, v in zip(METRICS, found, strict=True)}
    return result


def simulate(scenario, runs, seed):
    """Count how often the interval of each average holds its true value."""
    rng, true = np.random.default_rng(seed), truths(scenario.shares, scenario.apart)
    names = [f"c{k}" for k in range(len(scenario.shares))]
    inside, done = dict.fromkeys(true, 0), 0
    while done < runs:
        labels, p, patients = scenario.study(rng)
        if len(np.unique(labels)) < len(names):
            continue  # an average leaves out what is undefined, and is of something else
        done += 1
        clusters = cluster_bootstrap.numbered(patients)
        judged = Judged(names, labels, p.argmax(axis=1), p, None, METRICS, clusters)
        found = dict(metric_intervals.intervals_of(judged, clusters, judged.values(), LEVEL))
        for key, truth in true.items():
            inside[key] += found[key].low - 1e-9 <= truth <= found[key].high + 1e-9
    return {key: 100 * number / runs for key, number in inside.items()}


def scenarios():
    """List the studies that are simulated."""
    shares = ((0.4, 0.3, 0.3), (0.7, 0.2, 0.1))
    return itertools.starmap(Scenario, itertools.product(shares, (1, 4), (60, 120, 500), (1.5, 3)))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="studies a scenario")
    runs, start = parser.parse_args().runs, time.perf_counter()
    warnings.simplefilter("error")
    rows = [(s, simulate(s, runs, seed)) for seed, s in enumerate(scenarios())]
    sizes = sorted({s.patients for s, _ in rows})
    print(f"| average | metric | {' | '.join(f'{n} patients' for n in sizes)} |")
    print(f"|---|---|{'---|' * len(sizes)}")
    for average, metric in itertools.product(AVERAGES, METRICS):
        cells = []
        for size in sizes:
            own = [found[average, metric] for s, found in rows if s.patients == size]
            cells.append(f"{np.mean(own):.1f} ({min(own):.1f}-{max(own):.1f})")
        print(f"| {average} | {metric} | {' | '.join(cells)} |")
    print(f"\n{len(rows)} scenarios, {runs} studies each, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
