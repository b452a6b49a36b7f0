"""Print how often a difference from few pairs is `shown` though the model does not use the cue.

    python tests/benchmarks/audit_few_pairs.py [--runs N]

The cue predicts the label with the AUC `cue`, the model with the AUC `model`; given the label they
are independent, so that the cue adds nothing. Pairs are of images with a similar cue (one of five
equal groups). Each side is tested at 2.5 %. Columns: all, the share of sets whose interval is
beyond the margin of 0.05, on either side; judged, the share that has enough pairs of patients for a
verdict; shown, the share of sets that are shown, as only judged ones can be. `used` is the same
share for a model that sees the cue alone.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from scipy import special

from cxrtool.audit import estimates
from cxrtool.audit.checks.bystanders import BINS
from cxrtool.stats.metrics import Floats
from cxrtool.stats.within import Decomposition

MARGIN, LEVEL = 0.05, 0.95
SIZES, CUES, MODELS = (20, 24, 30, 40, 60, 120), (0.5, 0.9, 0.98), (0.75, 0.9)


def drawn(
    rng: np.random.Generator, number: int, images: int, ill: float, aucs: tuple[float, float]
) -> tuple[Decomposition, Decomposition]:
    """Draw a set, and split the AUC of a model without the cue, and of one that is the cue."""
    who = np.arange(number) // images
    label = (rng.random(number) < ill)[who]

    def seen(auc: float) -> Floats:
        # Half of the variance is the patient's, where a patient has several images.
        own, other = rng.normal(size=(2, number))
        noise = own if images == 1 else np.sqrt(0.5) * (own + other[who])
        values: Floats = np.sqrt(2) * special.ndtri(auc) * label + noise
        return values

    cue, score = seen(aucs[0]), seen(aucs[1])
    bins = np.searchsorted(np.quantile(cue, np.arange(1, BINS) / BINS), cue)
    return Decomposition(label, score, bins, who), Decomposition(label, cue, bins, who)


def is_judged(parts: Decomposition) -> bool:
    return not estimates.is_from_few(parts)


def figures(sets: Iterator[tuple[Decomposition, Decomposition]]) -> Floats:
    """Return the number of pairs, and the columns of the table."""
    rows = []
    for without, alone in sets:
        if without.is_defined and without.share > 0:
            low, high = without.bounds(LEVEL)
            beyond = low > MARGIN or high < -MARGIN
            judged = is_judged(without)
            used = alone.bounds(LEVEL)[0] > MARGIN and is_judged(alone)
            rows.append([without.within.pairs, beyond, judged, beyond and judged, used])
    table = np.array(rows, float)
    result: Floats = np.array([np.median(table[:, 0]), *table[:, 1:].mean(axis=0)])
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    print("images patient's  ill  cue model | pairs    all judged  shown   used")
    every = []
    for images in (1, 3, 6):
        for number in SIZES:
            for ill in (0.5, 0.25):
                for cue in CUES:
                    for model in MODELS:
                        rng = np.random.default_rng(7)
                        found = figures(
                            drawn(rng, number, images, ill, (cue, model)) for _ in range(runs)
                        )
                        every.append(found)
                        print(
                            f"{number:>6} {images:>9} {ill:>4} {cue:>4} {model:>5} | "
                            f"{found[0]:>5.0f} " + " ".join(f"{v:>6.4f}" for v in found[1:]),
                            flush=True,
                        )
    worst, mean = np.max(every, axis=0), np.mean(every, axis=0)
    print(f"all {len(every)} rows: beyond the margin at most {worst[1]:.4f}, mean {mean[1]:.4f};")
    print(f"shown at most {worst[3]:.4f}, mean {mean[3]:.4f}")


if __name__ == "__main__":
    main()
