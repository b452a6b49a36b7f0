"""Print how often the check `image-quality` names a measurement where labels are dealt at random.

    python tests/benchmarks/audit_image_quality.py MANIFEST [--images N] [--runs N]

The images (of one collection, with their masks in the column `mask`) are measured once, and kept in
`--folder`. In each run some patients are drawn, and labels and two sources are dealt out to them:
all images of a patient have one label, so that they resemble each other more than chance would.
Columns: the share of runs in which any measurement is named over all pairs, within sources, and in
either; the one-sided 95 % bound of the last; and the share in which an interval, adjusted as in the
audit, excludes 0.5 itself, whatever the margin is.
"""

import argparse
import csv
import os

import numpy as np
from scipy import stats

from cxrtool.audit import image_measurements
from cxrtool.audit.case import Case, ImageRows
from cxrtool.audit.checks import image_quality
from cxrtool.audit.image_measurements import Item
from cxrtool.audit.verdicts import CheckRow
from cxrtool.core.parallel import Crew
from cxrtool.files.failures import Failures
from cxrtool.files.text_columns import Coded
from cxrtool.stats.metrics import Floats, Ints

SIZES, PREVALENCES = (100, 200, 400), (0.5, 0.2)


def measured(manifest: str, number: int, folder: str) -> tuple[Floats, list[str]]:
    with open(manifest, newline="") as file:
        rows = list(csv.DictReader(file))[:number]
    items = [Item(r["path"], r["path"], "", r.get("mask", "")) for r in rows]
    os.makedirs(folder, exist_ok=True)
    result = image_measurements.measure(
        items, Crew(1), folder, Failures(None, folder=folder), "never"
    )
    return result.values, [row["patient"] for row in rows]


def dealt(values: Floats, who: Ints, size: int, ill: float, rng: np.random.Generator) -> CheckRow:
    """Draw patients up to so many images, and judge them with labels at random."""
    order = rng.permutation(int(who.max()) + 1)
    counts = np.bincount(who)[order]
    chosen = order[: max(1, int(np.searchsorted(np.cumsum(counts), size)) + 1)]
    rows = np.flatnonzero(np.isin(who, chosen))
    patients = np.unique(who[rows], return_inverse=True)[1]
    number = int(patients.max()) + 1
    label = rng.permutation(np.arange(number) < round(ill * number))[patients]
    source = rng.integers(0, 2, number)[patients]
    images = ImageRows(
        lambda row: f"{row}.png",
        label.astype(np.int64),
        patients,
        {"patient": patients + 1},
        {"source": Coded(["A", "B"], source)},
        np.ones(len(rows), bool),
    )
    own = values[rows]
    return image_quality.assess(Case(images, [], "ill", ["well"], measured=lambda: own))[0]


def named(row: CheckRow) -> tuple[bool, bool, bool]:
    """Tell whether a measurement is named over all pairs, within sources; and differs at all."""
    whole, _, within = row.meaning.partition("Within sources: ")
    cells = [auc for cell in row.blocks[0]["rows"] for auc in cell[4:] if auc is not None]
    differs = any(low > 0.5 or high < 0.5 for _, low, high in cells)
    return "shown to differ" not in whole, bool(within) and not within.startswith("none"), differs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--folder", default="measured")
    options = parser.parse_args()
    values, names = measured(options.manifest, options.images, options.folder)
    who = np.unique(names, return_inverse=True)[1]
    print(f"{len(who)} images of {who.max() + 1} patients, {options.runs} runs a row")
    print("images  ill   all pairs  within  either  bound  excludes 0.5")
    for size in SIZES:
        for ill in PREVALENCES:
            rngs = [
                np.random.default_rng([7, size, round(100 * ill), k]) for k in range(options.runs)
            ]
            rows = [dealt(values, who, size, ill, rng) for rng in rngs]
            judged = np.array([named(row) for row in rows if row.blocks])
            either = int(judged[:, :2].any(axis=1).sum())
            bound = stats.beta.ppf(0.95, either + 1, len(judged) - either)
            shares = [*judged[:, :2].mean(axis=0), either / len(judged), bound, judged[:, 2].mean()]
            print(f"{size:<8}{ill:<6}" + "  ".join(f"{share:.3f}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
