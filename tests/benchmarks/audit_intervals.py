"""Print how often the intervals of AUC - AUC_within hold the true value.

    python tests/benchmarks/audit_intervals.py [--runs N] [--several [--labels]]

Scores are normal: the disease moves them, and so does the source, if `use` is not 0. Association is
P(source B | ill) - P(source B | well). The truth is the mean of four sets of 40,000 patients. With
several images a patient, half of the variance is the patient's. `shown` is the share of intervals
above the margin of 0.05.

With --several, every image of a patient draws its own source, so that a patient is in several
sources; a source has an effect of its own on the scores of its images, the same in every set. With
--labels, one patient in three has images of both classes. The interval is by patient in all cases.
"""

import argparse

import numpy as np
from scipy import special

from cxrtool.stats.within import Decomposition

LEVEL, MARGIN, ALIKE = 0.95, 0.05, 0.5
OF_A_SOURCE = 0.3
SCENARIOS = ((0.8, 0, 0), (0.95, 0, 0), (0.99, 0.5, 0), (0.8, 0.6, 0), (0.8, 0.6, 1), (0.7, 0.9, 2))
Scenario = tuple[float, float, float]


def drawn(
    rng: np.random.Generator,
    patients: int,
    ill: float,
    images: int,
    scenario: Scenario,
    sources: int,
    several: bool = False,
    labels: bool = False,
) -> Decomposition:
    """Draw a set of patients, and split its AUC."""
    auc, association, use = scenario
    number = rng.integers(1, 2 * images, patients) if images > 1 else np.ones(patients, np.int64)
    who = np.repeat(np.arange(patients), number)
    label = (rng.random(patients) < ill)[who]
    if labels:
        label = np.where(rng.random(patients)[who] < 1 / 3, rng.random(len(who)) < ill, label)
    unit = np.arange(len(who)) if several else who
    second = rng.random(len(who))[unit] < 0.5 + np.where(label, 1, -1) * association / 2
    source = second * (sources // 2) + rng.integers(0, sources // 2, len(who))[unit]
    scores = np.sqrt(2) * special.ndtri(auc) * label + use * second
    scores += np.sqrt(ALIKE) * rng.normal(size=patients)[who]
    scores += np.sqrt(1 - ALIKE) * rng.normal(size=len(who))
    if several:
        scores += OF_A_SOURCE * np.linspace(-1, 1, sources)[source]
    return Decomposition(label, scores, source, who)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--several", action="store_true")
    parser.add_argument("--labels", action="store_true")
    options = parser.parse_args()
    runs, kind = options.runs, (options.several, options.labels)
    rng = np.random.default_rng(0)
    print(
        "patients   ill images  AUC assoc. use sources | truth  covered  above  below  width shown"
    )
    for patients in (40, 100, 300):
        for ill in (0.2, 0.5):
            for images in (4,) if options.several else (1, 4):
                for scenario in SCENARIOS:
                    for sources in (2, 6):
                        given = ill, images, scenario, sources, *kind
                        truth = np.mean([drawn(rng, 40_000, *given).value for _ in range(4)])
                        parts = [drawn(rng, patients, *given).bounds(LEVEL) for _ in range(runs)]
                        known = np.array([bounds for bounds in parts if not np.isnan(bounds[0])])
                        low, high = known.T
                        figures = [np.mean(high < truth), np.mean(low > truth)]
                        covered = 1 - sum(figures)
                        width, shown = np.mean(high - low), np.mean(low > MARGIN)
                        print(
                            f"{patients:>8} {ill:>5} {images:>6} {scenario[0]:>4} {scenario[1]:>6} "
                            f"{scenario[2]:>3} {sources:>7} | {truth:>5.3f}  {covered:>7.3f} "
                            f"{figures[0]:>6.3f} {figures[1]:>6.3f} {width:>6.3f} {shown:>5.3f}",
                            flush=True,
                        )


if __name__ == "__main__":
    main()
