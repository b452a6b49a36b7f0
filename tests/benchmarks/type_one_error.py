"""Simulate how often tests err and what they detect, as Markdown tables.

    python tests/benchmarks/type_one_error.py [--quick] [--runs N]

Every row simulates so many data sets of one kind. The error rate is the share of sets without an
effect in which p <= 0.05; the power is the same share of sets with an effect. A rate that is truly
5 % is measured within two standard errors of it in 95 of 100 rows: +- 1.4 % for 1,000 sets.

The features of the probe are 30 numbers an image, with a part that all images of a patient share
(intraclass correlation 0.5). The scores of the two models that are compared are normal, correlated
with each other (0.5) and within patients (0.5).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# One core: NumPy reads this when it is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from scipy import stats

from cxrtool.stats import linear_probe, paired_tests
from cxrtool.stats.weighted_metrics import Judged

RUNS, QUICK = 1000, 100
ALPHA = 0.05
DEPTH = 30
# How many images patients have; "1-40" is very unequal: half of the patients have three or fewer.
IMAGES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "1": lambda rng, n: np.ones(n, int),
    "3": lambda rng, n: np.full(n, 3),
    "1-40": lambda rng, n: np.clip(np.exp(rng.normal(1, 1.2, n)).round(), 1, 40).astype(int),
    "1 or 40": lambda rng, n: np.where(np.arange(n) < max(1, n // 10), 40, 1),
}


@dataclass(frozen=True)
class Probed:
    """One kind of data that is probed."""

    patients: int
    images: str
    values: str
    effect: float = 0.0  # how far a value shifts its feature, in standard deviations


VALUES: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "2 alike": lambda rng, whose: _constant(rng, whose, (1, 1)),
    "3 alike": lambda rng, whose: _constant(rng, whose, (1, 1, 1)),
    "4 alike": lambda rng, whose: _constant(rng, whose, (1, 1, 1, 1)),
    "one in ten": lambda rng, whose: _constant(rng, whose, (9, 1)),
    "per image": lambda rng, whose: (rng.random(len(whose)) < 0.3).astype(int),
    "mixed": lambda rng, whose: _mixed(rng, whose),
    "by number": lambda rng, whose: (np.bincount(whose)[whose] > 3).astype(int),
}
EXPLAINED = {
    "2 alike": "two values of as many patients, the same for all images of a patient",
    "one in ten": "two values, one of a tenth of the patients (at least five)",
    "per image": "every image has one of two values, whatever the patient",
    "mixed": "patients tend to one of two values more or less",
    "by number": "one value for patients with more than three images, another for the rest",
}


def _constant(rng: np.random.Generator, whose: np.ndarray, shares: tuple[int, ...]) -> np.ndarray:
    patients = int(whose.max()) + 1
    counts = [max(5, round(patients * share / sum(shares))) for share in shares[1:]]
    values = np.repeat(np.arange(len(shares)), [patients - sum(counts), *counts])
    found: np.ndarray = rng.permutation(values)[whose]
    return found


def _mixed(rng: np.random.Generator, whose: np.ndarray) -> np.ndarray:
    chance = rng.beta(0.5, 0.5, int(whose.max()) + 1)[whose]
    return (rng.random(len(whose)) < chance).astype(int)


def features(
    rng: np.random.Generator, whose: np.ndarray, values: np.ndarray, effect: float
) -> np.ndarray:
    """Make correlated features; every value shifts one of them."""
    scale = 1 / np.sqrt(1 + np.arange(DEPTH) / 3)
    shift = effect * (values[:, None] == np.arange(DEPTH))
    shared = rng.normal(size=(int(whose.max()) + 1, DEPTH))[whose]
    found: np.ndarray = (np.sqrt(0.5) * (shared + rng.normal(size=shared.shape)) + shift) * scale
    return found


def probed(kind: Probed, runs: int, permutations: int) -> Iterator[linear_probe.Finding]:
    """Probe data sets of one kind."""
    for run in range(runs):
        rng = np.random.default_rng([run, kind.patients])
        finding = linear_probe.Finding()
        # Few patients may by chance have too few of a value, which is not probed.
        while finding.p is None:
            whose = np.repeat(np.arange(kind.patients), IMAGES[kind.images](rng, kind.patients))
            values = VALUES[kind.values](rng, whose)
            finding = linear_probe.probe(
                features(rng, whose, values, kind.effect),
                [f"v{value}" for value in values],
                whose,
                permutations=permutations,
                seed=run,
            )
        yield finding


NULLS = [
    Probed(10, "1", "2 alike"),
    Probed(10, "1-40", "2 alike"),
    Probed(20, "1-40", "4 alike"),
    Probed(20, "1 or 40", "2 alike"),
    Probed(20, "1-40", "per image"),
    Probed(40, "1-40", "mixed"),
    Probed(60, "1-40", "one in ten"),
    Probed(60, "1-40", "by number"),
    Probed(200, "1", "3 alike"),
    Probed(200, "1-40", "2 alike"),
]
# Effects near what these numbers of patients can show with a power of 80 %.
EFFECTS = [
    Probed(10, "1-40", "2 alike", 3.6),
    Probed(20, "1-40", "2 alike", 2.0),
    Probed(20, "3", "4 alike", 1.9),
    Probed(40, "1-40", "mixed", 0.9),
    Probed(60, "1-40", "one in ten", 1.7),
    Probed(100, "1", "2 alike", 0.95),
    Probed(200, "1-40", "3 alike", 0.5),
]


def error_of_the_probe(kind: Probed, runs: int) -> float:
    """Return how often p <= 0.05 without an effect; twenty exchanges suffice for that level."""
    return float(np.mean([one.p <= ALPHA for one in probed(kind, runs, 19)]))


def power_of_the_probe(kind: Probed, runs: int) -> tuple[float, float, float, float]:
    """Return power, mean balanced accuracy, mean of what is detectable, and coverage."""
    found = list(probed(kind, runs, 199))
    mean = float(np.mean([one.balanced_accuracy for one in found]))
    covered = np.mean([one.low <= mean <= one.high for one in found])
    detectable = np.mean([one.detectable or 1.0 for one in found])
    power = np.mean([one.p <= ALPHA for one in found])
    return float(power), mean, float(detectable), float(covered)


@dataclass(frozen=True)
class Paired:
    """One kind of data on which two models are compared."""

    patients: int
    images: str
    prevalence: float
    auc: float
    labels: str = "patient"  # the same for all images of a patient, or drawn for every image
    better: float = 0.0  # how far the second model shifts the diseased more, in standard deviations


PAIRS = {"1": (1, 1), "10": (10, 10), "1-10": (1, 10)}
TESTS = (
    "DeLong by image",
    "DeLong by patient",
    "McNemar by image",
    "McNemar by patient",
    "Obuchowski",
    "Durkalski",
    "permutation of AUC",
)


def paired(kind: Paired, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Make labels, the scores of two models, and the patients."""
    least, most = PAIRS[kind.images]
    whose = np.repeat(np.arange(kind.patients), rng.integers(least, most + 1, kind.patients))
    if kind.labels == "patient":
        ill = np.arange(kind.patients) < round(kind.patients * kind.prevalence)
        ill = rng.permutation(ill)[whose]
    else:
        ill = rng.random(len(whose)) < kind.prevalence
    shared, *own = (
        np.sqrt(0.5) * (rng.normal(size=kind.patients)[whose] + rng.normal(size=len(whose)))
        for _ in range(3)
    )
    apart = np.sqrt(2) * stats.norm.ppf(kind.auc)
    scores = [
        np.sqrt(0.5) * (shared + one) + (apart + more) * ill
        for one, more in zip(own, (0, kind.better), strict=True)
    ]
    return ill, *scores, whose


def tested(kind: Paired, run: int, permutations: int) -> list[float]:
    """Return p of every test of one data set; the threshold is midway between the classes."""
    ill, first, second, whose = paired(kind, np.random.default_rng([run, kind.patients]))
    middle = stats.norm.ppf(kind.auc) / np.sqrt(2)
    right = [(scores > middle) == ill for scores in (first, second)]
    lead = np.bincount(whose, right[0].astype(int) - right[1])
    each, images = np.arange(len(ill)), np.bincount(whose)
    tables = [paired_tests.ranked(np.column_stack([-scores, scores])) for scores in (first, second)]
    both = Judged(
        ["well", "ill"],
        np.tile(ill.astype(int), 2),
        np.tile(ill.astype(int), 2),
        np.concatenate(tables),
        1,
        ["auc"],
    )
    exchanged = paired_tests.permutation(both, whose, permutations, run)["ill", "auc"]
    return [
        paired_tests.delong(ill, first, second, each).p,
        paired_tests.delong(ill, first, second, whose).p,
        paired_tests.mcnemar(*right, each),
        paired_tests.mcnemar(*right, whose),
        obuchowski(lead, images),
        durkalski(lead, images),
        paired_tests.share_as_large(exchanged),
    ]


def obuchowski(lead: np.ndarray, images: np.ndarray) -> float:
    """Compare correlated proportions of clusters (Obuchowski 1998), for comparison."""
    mean, patients = lead.sum() / images.sum(), len(lead)
    squares = patients / (patients - 1) * ((lead - images * mean) ** 2).sum()
    return 1.0 if squares == 0 else float(2 * stats.norm.sf(abs(lead.sum()) / np.sqrt(squares)))


def durkalski(lead: np.ndarray, images: np.ndarray) -> float:
    """Compare the mean leads of clusters (Durkalski et al. 2003), for comparison."""
    mean = lead / images
    squares = (mean**2).sum()
    return 1.0 if squares == 0 else float(stats.chi2.sf(mean.sum() ** 2 / squares, 1))


SAME = [
    Paired(30, "1", 0.5, 0.8),
    Paired(30, "10", 0.5, 0.8),
    Paired(30, "1-10", 0.5, 0.8, "image"),
    Paired(30, "1-10", 0.2, 0.8),
    Paired(100, "1", 0.2, 0.95),
    Paired(100, "10", 0.2, 0.95),
    Paired(100, "1-10", 0.5, 0.8, "image"),
    Paired(100, "1-10", 0.1, 0.8),
    Paired(500, "1", 0.1, 0.8),
    Paired(500, "1-10", 0.1, 0.95),
    Paired(500, "10", 0.5, 0.8),
    Paired(30, "1-10", 0.1, 0.8),
]
BETTER = [
    Paired(30, "10", 0.5, 0.8, better=1.0),
    Paired(100, "1", 0.5, 0.8, better=0.7),
    Paired(100, "1-10", 0.5, 0.8, better=0.5),
    Paired(100, "1-10", 0.2, 0.8, "image", better=0.5),
    Paired(500, "1-10", 0.1, 0.8, better=0.4),
]


def shares(kind: Paired, runs: int, permutations: int) -> list[float]:
    """Return how often each test has p <= 0.05."""
    p = np.array([tested(kind, run, permutations) for run in range(runs)])
    return [float(share) for share in (p <= ALPHA).mean(axis=0)]


def pair_tables(runs: int) -> None:
    head = "patients | images a patient | labels by | prevalence | AUC | sets | "
    for kinds, permutations in ((SAME, 19), (BETTER, 199)):
        more = "" if kinds is SAME else "better by | "

        def rows(kinds: list[Paired], permutations: int) -> Iterator[list[str]]:
            for kind in kinds:
                large = kind.patients * PAIRS[kind.images][1] > 1000
                some = max(1, runs // (2 if large or kind.better else 1))
                effect = [f"{kind.better:g} SD"] if kind.better else []
                yield [
                    str(kind.patients),
                    kind.images,
                    kind.labels,
                    f"{kind.prevalence:g}",
                    f"{kind.auc:g}",
                    str(some),
                    *effect,
                    *map(percent, shares(kind, some, permutations)),
                ]

        table(head + more + " | ".join(TESTS), rows(kinds, permutations))


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def table(head: str, rows: Iterator[list[str]]) -> None:
    """Print a table, row by row as they come."""
    print(f"| {head} |")
    print("|" + " --- |" * (head.count("|") + 1))
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    print()


def probe_tables(runs: int) -> None:
    table(
        "patients | images a patient | values | sets | p <= 0.05 without an effect",
        (
            [str(k.patients), k.images, k.values, str(runs), percent(error_of_the_probe(k, runs))]
            for k in NULLS
        ),
    )
    some = max(1, runs // 4)

    def rows() -> Iterator[list[str]]:
        for kind in EFFECTS:
            power, mean, detectable, covered = power_of_the_probe(kind, some)
            figures = f"{mean:.2f}", f"{detectable:.2f}", percent(power), percent(covered)
            yield [str(kind.patients), kind.images, kind.values, str(some), *figures]

    table(
        "patients | images a patient | values | sets | balanced accuracy | stated as detectable | "
        "power | interval covers",
        rows(),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help=f"{QUICK} sets instead of {RUNS}")
    options.add_argument("--runs", type=int, help="sets of every row")
    given = options.parse_args()
    runs = given.runs or (QUICK if given.quick else RUNS)
    start = time.process_time()
    probe_tables(runs)
    pair_tables(runs)
    print(f"{time.process_time() - start:.0f} s of one core")


if __name__ == "__main__":
    main()
