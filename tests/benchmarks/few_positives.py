"""Print how often tests between two models err where few patients have the disease, as Markdown.

    python tests/benchmarks/few_positives.py [SETS]

Two models that are equally good judge the same images, one a patient; their scores are normal and
correlated (0.5). Printed is the share of sets in which p <= 0.05: of 2,000 sets, 5 % is measured
within 1 % in 95 of 100 rows.
"""

from __future__ import annotations

import os
import sys

# One core: NumPy reads this when it is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from scipy import special

from cxrtool.stats import paired_tests
from cxrtool.stats.weighted_metrics import Judged

SETS, PERMUTATIONS = 2000, 199
POSITIVE, NEGATIVE, AUCS = (3, 4, 6, 8, 10, 15, 20, 30), (20, 100, 400), (0.8, 0.95)


def error_rates(positive: int, negative: int, auc: float, sets: int) -> tuple[float, float]:
    """Return how often DeLong's test and the permutation test find a difference."""
    number = positive + negative
    marks = np.arange(number) < positive
    shift = np.sqrt(2) * special.ndtri(auc) * marks
    patients = np.arange(number)
    found = np.zeros(2)
    for seed in range(sets):
        rng = np.random.default_rng([seed, positive, negative])
        shared, *own = rng.normal(size=(3, number)) * np.sqrt(0.5)
        scores = [shared + one + shift for one in own]
        found[0] += paired_tests.delong(marks, *scores, patients).p <= 0.05
        p = [paired_tests.ranked(special.expit(np.column_stack([-s, s]))) for s in scores]
        labels = np.tile(marks.astype(int), 2)
        both = Judged(
            ["n", "y"], labels, labels, np.concatenate(p), 1, ["auc"], np.tile(patients, 2)
        )
        chance = paired_tests.permutation(both, patients, PERMUTATIONS, seed)
        found[1] += paired_tests.share_as_large(chance["y", "auc"]) <= 0.05
    return float(found[0] / sets), float(found[1] / sets)


def main() -> None:
    """Print a row for each kind of data."""
    sets = int(sys.argv[1]) if sys.argv[1:] else SETS
    print("| positive | negative | AUC | sets | DeLong | permutation |")
    print("| --- | --- | --- | --- | --- | --- |")
    for positive in POSITIVE:
        for negative in NEGATIVE:
            for auc in AUCS:
                rates = error_rates(positive, negative, auc, sets)
                cells = " | ".join(f"{100 * rate:.1f} %" for rate in rates)
                print(f"| {positive} | {negative} | {auc} | {sets} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
