"""Print by how much the AUC of the best of k models is too high, with and without the correction.

    python tests/benchmarks/audit_reuse.py [--runs N]

Scores of all models are normal and correlate by `alike` within a label; half of the variance of
several images of a patient is the patient's. The true AUCs are all 0.8 (`equal`), or one is 0.85
(`one`), or they range evenly from 0.75 to 0.85 (`range`). `corrected` is less the expected error
of the best of models that are equally good; `covered` is how often the interval of the best model
holds the true AUC of that model: as it stands, moved by the correction, and from the lower bound
of the one to the upper bound of the other (`both`), which is what the audit shows.
"""

import argparse

import numpy as np
from scipy import special

from cxrtool.stats import best_model
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Decomposition, Marks

AUC, LEVEL = 0.8, 0.95
Cell = tuple[int, int, int, float, str]


def truths(kind: str, models: int) -> Floats:
    """Return the true AUC of each model."""
    values = np.full(models, AUC)
    if kind == "one":
        values[0] += 0.05
    return np.linspace(0.75, 0.85, models) if kind == "range" else values


def drawn(rng: np.random.Generator, cell: Cell) -> tuple[Marks, Floats, Ints]:
    """Draw labels, scores of all models, and patients."""
    patients, images, models, alike, kind = cell
    number = rng.integers(1, 2 * images, patients) if images > 1 else np.ones(patients, np.int64)
    who = np.repeat(np.arange(patients), number)
    label = (rng.random(patients) < 0.5)[who]
    # The last column is what the models have in common.
    noise = np.sqrt(0.5) * rng.normal(size=(patients, models + 1))[who]
    noise += np.sqrt(0.5) * rng.normal(size=(len(who), models + 1))
    scores = np.sqrt(1 - alike) * noise[:, :-1] + np.sqrt(alike) * noise[:, -1:]
    distance = np.sqrt(2) * special.ndtri(truths(kind, models))
    return label, scores + label[:, None] * distance, who


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    print(
        "patients images models alike truth | too high corrected | covered moved  both", flush=True
    )
    for patients in (60, 150):
        for images in (1, 3):
            for models in (2, 5, 20):
                for alike in (0.5, 0.8):
                    for kind in ("equal", "one", "range"):
                        _line(runs, (patients, images, models, alike, kind))


def _line(runs: int, cell: Cell) -> None:
    rng, rows = np.random.default_rng(0), []
    true = truths(cell[4], cell[2])
    for _ in range(runs):
        label, scores, who = drawn(rng, cell)
        if label.all() or not label.any():
            continue
        aucs = best_model.joint_aucs(label, scores, who)
        best, optimism = int(aucs.values.argmax()), aucs.optimism(0)
        whole = Decomposition(label, scores[:, best], np.zeros(len(who), np.int64), who).whole
        low, high = whole.bounds(LEVEL)
        error = float(aucs.values[best] - true[best])
        ends = ((low, high), (low - optimism, high - optimism), (low - optimism, high))
        held = [first <= true[best] <= last for first, last in ends]
        rows.append((error, error - optimism, *held))
    figures = np.mean(np.array(rows, float), axis=0)
    patients, images, models, alike, kind = cell
    print(
        f"{patients:>8} {images:>6} {models:>6} {alike:>5} {kind:>5} | {figures[0]:>8.4f}"
        f" {figures[1]:>9.4f} | {figures[2]:>7.3f} {figures[3]:>5.3f} {figures[4]:>5.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
