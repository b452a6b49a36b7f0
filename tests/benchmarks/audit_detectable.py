"""Print whether `detectable`, as the audit states it for clean data, is shown with 80 % power.

    python tests/benchmarks/audit_detectable.py [SETS]

Each row has sets of so many patients with one image each. The disease raises the score; source A,
in which P of the positive and 1 - P of the negative patients are, raises it, too. On clean sets
(P = 0.5, the source adds nothing) the mean of `detectable` is printed; on the others the true value
of AUC minus AUC_within, and the share of sets in which it is shown. The first test of four is
assumed, as Holm's procedure has it (level 98.75 %).
"""

import sys

import numpy as np

from cxrtool.audit import estimates, verdicts
from cxrtool.stats.within import Decomposition

FAMILY, MARGIN = 4, 0.05
# P(source A | positive), and how far source A raises the score.
CLEAN, KINDS = (0.5, 0.0), ((0.8, 1.5), (0.85, 2.0), (0.87, 2.5), (0.9, 3.0), (0.93, 3.5))


def drawn(number: int, share: float, rise: float, rng: np.random.Generator) -> Decomposition:
    positive = rng.random(number) < 0.5
    there = rng.random(number) < np.where(positive, share, 1 - share)
    scores = 1.5 * positive + rise * there + rng.normal(0, 1.12, number)
    return Decomposition(positive, scores, there.astype(np.int64), np.arange(number))


def row_of(parts: Decomposition) -> verdicts.CheckRow:
    row = estimates.tested_difference(
        "within", parts, margin=MARGIN, number=FAMILY, lead="", sentences={}, next=""
    )
    verdicts.adjust([row], FAMILY)
    return row


def main(sets: int) -> None:
    print(f"{'n':>5} {'P':>5} {'rise':>5} {'true':>7} {'shown':>7} {'detectable':>11}")
    for number in (24, 40, 60, 120):
        for share, rise in (CLEAN, *KINDS):
            rng = np.random.default_rng([number, round(100 * share)])
            true = np.mean([drawn(20_000, share, rise, rng).value for _ in range(3)])
            rows = [row_of(drawn(number, share, rise, rng)) for _ in range(sets)]
            shown = np.mean([row.verdict == verdicts.SHOWN for row in rows])
            value = np.nanmean([row.detectable for row in rows])
            print(
                f"{number:>5} {share:>5} {rise:>5} {true:>7.3f} {shown:>7.2f} {value:>11.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
