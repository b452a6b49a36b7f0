"""Coverage of the 95 % intervals of `cxrtool compare`, by simulation, as Markdown tables.

    python tests/benchmarks/coverage.py [--quick] [--runs N] [--csv FILE]

Patients have a random effect, so that the scores of one patient's images correlate; labels are
constant within a patient, or vary. The scores of the two classes are normal, so that the true value
of every figure follows by integration. The intervals are those that `compare` prints.

Studies are drawn in rounds of 20, each of all scenarios. The tables are printed at the end, or when
Ctrl-C ends the simulation early: then of the rounds that are complete.
"""

import argparse
import contextlib
import csv
import functools
import itertools
import os
import time
import warnings
from dataclasses import dataclass

# One core: NumPy reads this when it is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from scipy import optimize, special, stats

from cxrtool.stats import calibration, metric_intervals, metrics
from cxrtool.stats.weighted_metrics import Judged

LEVEL = 0.95
# The model is overconfident, so that its calibration figures are not trivial; or calibrated.
DISTORTED, CALIBRATED = (1.5, 0.2), (1.0, 0.0)
# By patients of the smaller class, which decide how much is known.
SIZES = ((1, 9), (10, 29), (30, 10**9))
METRICS = [m for m in metrics.NAMES if m not in ("error", "dor")]
COLUMNS = ("labels", "images", "patients", "prevalence", "auc", "icc", "rarer")
GRID = np.linspace(-9, 14, 40001)
ROUND = 20


@dataclass(frozen=True)
class Scenario:
    """One kind of study."""

    labels: str  # "patient": the same for all images of a patient; "image": they vary
    images: int  # a patient: 1, or on average, from 1 to twice as many
    patients: int
    prevalence: float
    auc: float
    icc: float = 0.5  # what the scores of one patient's images have in common
    distorted: tuple = DISTORTED

    @property
    def apart(self):
        """How far the scores of the two classes are apart, in standard deviations."""
        return float(np.sqrt(2) * stats.norm.ppf(self.auc))

    def chance(self, scores):
        """Return the probability of disease that the model tells."""
        scale, shift = self.distorted
        truth = special.logit(self.prevalence) + self.apart * scores - self.apart**2 / 2
        return special.expit(scale * truth + shift)

    def study(self, rng):
        """Draw labels, scores and patients."""
        number, several = self.patients, self.images > 1
        sizes = rng.integers(1, 2 * self.images, number) if several else np.ones(number, int)
        clusters = np.repeat(np.arange(number), sizes)
        labels = (rng.random(number) < self.prevalence)[clusters]
        if self.labels == "image":
            a, b = 1.5 * self.prevalence, 1.5 * (1 - self.prevalence)
            labels = rng.random(len(clusters)) < rng.beta(a, b, number)[clusters]
        common = np.sqrt(self.icc) * rng.normal(size=number)[clusters]
        noise = np.sqrt(1 - self.icc) * rng.normal(size=len(clusters))
        return labels, self.apart * labels + common + noise, clusters

    def densities(self):
        """Return the joint density of label and score: positives, and the others."""
        step = GRID[1] - GRID[0]
        positive = self.prevalence * stats.norm.pdf(GRID - self.apart) * step
        return positive, (1 - self.prevalence) * stats.norm.pdf(GRID) * step

    def truths(self):
        """Integrate the true value of every figure but the debiased calibration error."""
        positive, negative = self.densities()
        above = self.apart / 2 < GRID
        table = np.array([[d[above].sum(), d[~above].sum()] for d in (positive, negative)])
        counts = metrics.Counts(*table.ravel())
        found = {m: float(v) for m, v in metrics.of_counts(counts).items()}
        found["dor_haldane"] = found["dor"]
        tails = np.cumsum(positive[::-1])[::-1], np.cumsum(negative[::-1])[::-1]
        precision = tails[0] / np.maximum(tails[0] + tails[1], 1e-300)
        p, gap = self.chance(GRID), self.gap()
        logits = special.logit(np.clip(p, calibration.EDGE, 1 - calibration.EDGE))
        off = optimize.brentq(
            lambda a: (positive - (positive + negative) * special.expit(a + logits)).sum(), -20, 20
        )
        return found | {
            "auc": self.auc,
            "average_precision": float((positive * precision).sum() / self.prevalence),
            "brier": float((positive * (1 - p) ** 2 + negative * p**2).sum()),
            "ece": float(np.abs(np.bincount(metrics.bins(p), gap)).sum()),
            "calibration_slope": 1 / self.distorted[0],
            "calibration_intercept": off,
        }

    def gap(self):
        """Return label minus probability, at every score."""
        positive, negative = self.densities()
        return positive - (positive + negative) * self.chance(GRID)

    def equal_mass_error(self, number):
        """Integrate the calibration error in so many bins of equal mass."""
        mass = np.cumsum(sum(self.densities()))
        place = np.minimum((mass / mass[-1] * number).astype(int), number - 1)
        return float(np.abs(np.bincount(place, self.gap())).sum())


# Rounds ask for the same again.
_truths, _equal_mass_error = map(functools.cache, (Scenario.truths, Scenario.equal_mass_error))


@dataclass
class Count:
    """How often the truth was below the interval, in it, above it, or there was no interval."""

    below: int = 0
    inside: int = 0
    above: int = 0
    none: int = 0

    @property
    def coverage(self):
        """In percent of the intervals that there are."""
        return 100 * self.inside / max(1, self.below + self.inside + self.above)

    def __add__(self, other):
        """Count both."""
        numbers = zip(vars(self).values(), vars(other).values(), strict=True)
        return Count(*(one + more for one, more in numbers))


def simulate(scenario, runs, seed, wanted=METRICS):
    """Count for every metric where the truth lies, and average the patients of the rarer class."""
    rng, truths = np.random.default_rng(seed), _truths(scenario)
    counts, rarer = {metric: Count() for metric in wanted}, []
    while len(rarer) < runs:
        labels, scores, clusters = scenario.study(rng)
        if labels.all() or not labels.any():
            continue  # figures of one class alone are undefined
        rarer.append(min(len(np.unique(clusters[labels == side])) for side in (True, False)))
        p = scenario.chance(scores)
        judged = Judged(
            ["n", "y"],
            labels.astype(int),
            (scores > scenario.apart / 2).astype(int),
            np.column_stack([1 - p, p]),
            1,
            wanted,
            clusters,
        )
        found = metric_intervals.intervals_of(judged, clusters, judged.values(), LEVEL)
        for (_, metric), interval in found:
            if metric == "ece_debiased":
                bins = int(np.clip(len(labels) // calibration.LEAST, 1, metrics.BINS))
                truth = _equal_mass_error(scenario, bins)
            else:
                truth = truths[metric]
            _add(counts[metric], truth, interval)
    return counts, float(np.mean(rarer))


def _add(count, truth, interval):
    if np.isnan(interval.low):
        count.none += 1
    elif truth < interval.low - 1e-9:
        count.below += 1
    elif truth > interval.high + 1e-9:
        count.above += 1
    else:
        count.inside += 1


def rounds(studies, runs):
    """Yield how many studies of each scenario are drawn, and the rows so far, round by round."""
    rows = []
    for done in range(0, runs, ROUND):
        more = min(ROUND, runs - done)
        found = [(s, *simulate(s, more, (done, seed))) for seed, s in enumerate(studies)]
        both = zip(rows or found, found, strict=True)
        rows = [_joined(*pair, done, more) for pair in both] if done else found
        yield done + more, rows


def _joined(row, found, done, more):
    (scenario, counts, rarer), (_, others, other) = row, found
    mean = (rarer * done + other * more) / (done + more)
    return scenario, {m: counts[m] + others[m] for m in counts}, mean


def scenarios(quick):
    """List the studies that are simulated."""
    if quick:
        grid = (
            [("patient", 1), ("patient", 4), ("image", 4)],
            (30, 100, 300),
            (0.1, 0.4),
            (0.7, 0.9, 0.98),
        )
    else:
        grid = (
            [("patient", 1), ("patient", 3), ("patient", 10), ("image", 3), ("image", 10)],
            (30, 60, 120, 500),
            (0.1, 0.3, 0.5),
            (0.6, 0.75, 0.9, 0.97, 0.99),
        )
    for (labels, images), patients, prevalence, auc in itertools.product(*grid):
        yield Scenario(labels, images, patients, prevalence, auc)


def spread(values):
    """Write mean, least and most."""
    if not values:
        return ""
    return f"{np.mean(values):.1f} ({min(values):.1f}-{max(values):.1f})"


def by_size(rows, runs):
    """Write the coverage of every metric by the patients of the rarer class."""
    error = 196 * np.sqrt(0.95 * 0.05 / runs)
    print(
        f"\nCoverage in %: mean over the scenarios (least-most); {runs} studies each, so that "
        f"one scenario's figure is known to +- {error:.1f}.\n"
    )
    names = [
        f"{low}-{high} patients" if high < 10**9 else f"{low} patients and more"
        for low, high in SIZES
    ]
    print(f"| patients of the rarer class | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    chosen = [[c for s, c, rarer in rows if low <= round(rarer) <= high] for low, high in SIZES]
    print(f"| scenarios | {' | '.join(str(len(c)) for c in chosen)} |")
    for metric in rows[0][1]:
        cells = [spread([c[metric].coverage for c in part]) for part in chosen]
        print(f"| {metric} | {' | '.join(cells)} |")


def by_auc(rows, metric):
    """Write the coverage of one metric by its design and AUC."""
    aucs = sorted({s.auc for s, *_ in rows})
    print(f"\n{metric}: coverage in %, mean over the prevalences (least-most)\n")
    heads = [f"AUC {auc:g}" for auc in aucs]
    print(f"| labels by | images a patient | patients | {' | '.join(heads)} |")
    print(f"|---|---|---|{'---|' * len(aucs)}")
    for key, own in itertools.groupby(
        rows, lambda row: (row[0].labels, row[0].images, row[0].patients)
    ):
        own = list(own)
        cells = [spread([c[metric].coverage for s, c, _ in own if s.auc == auc]) for auc in aucs]
        print(f"| {key[0]} | {key[1]} | {key[2]} | {' | '.join(cells)} |")


def written(rows, file):
    """Write every count as CSV."""
    with open(file, "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*COLUMNS, "metric", "below", "inside", "above", "none"])
        for scenario, counts, rarer in rows:
            own = [getattr(scenario, name) for name in COLUMNS[:-1]]
            for metric, c in counts.items():
                found = [f"{rarer:.1f}", metric, c.below, c.inside, c.above, c.none]
                writer.writerow([*own, *found])


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller grid, in minutes")
    parser.add_argument("--runs", type=int, help="studies a scenario (default 300, quick 150)")
    parser.add_argument("--csv", help="write every count to this file")
    options = parser.parse_args()
    wanted, start = options.runs or (150 if options.quick else 300), time.perf_counter()
    warnings.simplefilter("error")
    complete = None
    with contextlib.suppress(KeyboardInterrupt):
        for complete in rounds(list(scenarios(options.quick)), wanted):
            if options.csv:
                written(complete[1], options.csv)
    if complete is None:
        raise SystemExit("no round is complete")
    runs, rows = complete
    by_size(rows, runs)
    for metric in ("auc", "sensitivity"):
        by_auc(rows, metric)
    print(f"\n{len(rows)} scenarios, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
