"""Measure how often the warning of label traps is a false alarm, and how often it finds a trap.

    python tests/benchmarks/label_traps.py [RUNS]

Clean sets: 2 to 5 sources of unequal size, 60 to 1,000 images, 1 to 10 images a patient, 2 to 5
classes of unequal frequency; source, file format and image size are independent of the label, and
belong to the patient. Traps: with this strength each patient of a class is of the class's own
source, else of any.
"""

import sys

import numpy as np
from scipy import stats

from cxrtool.data.label_columns import FORMAT, SIZE, SOURCE
from cxrtool.files.text_columns import Coded
from cxrtool.stats import label_traps
from cxrtool.stats.label_traps import LabelTraps
from cxrtool.stats.metrics import Ints

SIZES = (60, 120, 300, 1000)
STRENGTHS = (0.5, 0.8, 0.9, 0.95, 1.0)


def coded(codes: Ints, prefix: str) -> Coded:
    """Name the codes."""
    return Coded([f"{prefix}{k}" for k in range(int(codes.max()) + 1)], codes)


def drawn(rng: np.random.Generator, images: int, classes: int, strength: float) -> LabelTraps:
    """Draw a set and look at it."""
    most = rng.integers(1, 11)
    each = rng.integers(1, most + 1, images)
    patients = np.repeat(np.arange(images), each)[:images]
    number = int(patients.max()) + 1
    shares = rng.dirichlet(np.full(classes, 5.0))
    labels = rng.choice(classes, number, p=shares)
    sources = rng.choice(k := int(rng.integers(2, 6)), number, p=rng.dirichlet(np.full(k, 2.0)))
    sources = np.where(rng.random(number) < strength, labels % k, sources)
    formats = rng.choice(3, number, p=rng.dirichlet(np.full(3, 1.0)))
    # Half of the sets have images of any size.
    sizes = rng.integers(0, 4 if rng.random() < 0.5 else 10_000, number)
    columns = {SOURCE: sources, FORMAT: formats, SIZE: sizes}
    return label_traps.find(
        coded(labels[patients], "class"),
        patients,
        {name: coded(codes[patients], name) for name, codes in columns.items()},
    )


def bound(count: int, runs: int) -> float:
    """Return the upper one-sided 95 % bound of a rate (Clopper-Pearson)."""
    return 1.0 if count == runs else float(stats.beta.ppf(0.95, count + 1, runs - count))


def main() -> None:
    """Print the tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("false alarms on clean sets: images, classes, runs, alarms, rate, 95 % bound")
    rng, every, alarms = np.random.default_rng(1), 0, 0
    for images in SIZES:
        for classes in (2, 5):
            found = [drawn(rng, images, classes, 0.0) for _ in range(runs)]
            count = sum(map(bool, found))
            every, alarms = every + runs, alarms + count
            rate = f"{count / runs:.4f} {bound(count, runs):.4f}"
            print(f"{images:5} {classes} {runs} {count} {rate}", flush=True)
    print(f"all: {every} {alarms} {alarms / every:.4f} {bound(alarms, every):.4f}")
    print("warnings of a trap of two classes: images, strength, runs, share with a warning")
    few = max(runs // 5, 1)
    for images in SIZES:
        for strength in STRENGTHS:
            count = sum(bool(drawn(rng, images, 2, strength)) for _ in range(few))
            print(f"{images:5} {strength:4} {few} {count / few:.3f}", flush=True)


if __name__ == "__main__":
    main()
