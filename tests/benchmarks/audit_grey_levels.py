"""Print whether grey levels beside the lungs would do as bystanders of the audit.

    python tests/benchmarks/audit_grey_levels.py MANIFEST [--images N] [--runs N]

They would if they told a gamma curve, and did not tell a disease. Measured are quantiles of the
frame of an image (2.5, 6 and 12 % of a side, and each edge), and quantiles outside of the widened
lungs (those that `cxrtool segment` finds). Each set is judged as the row `bystanders` is: it
accuses where the lower bound of AUC is above 0.7.

Planted: labels dealt out at random, an opacity drawn into the lungs of the positive images, and a
gamma curve of strength s (see audit_power.py). Real: the labels of the manifest (`label`, two
values), all images or those of one view; nothing is planted.
"""

import argparse
import csv
from collections.abc import Callable

import audit_power as power
import numpy as np
import planted_cues
from audit_power import Floats
from numpy.typing import NDArray

from cxrtool.audit.checks import bystanders
from cxrtool.audit.verdicts import ALPHA
from cxrtool.core import registry
from cxrtool.files import image
from cxrtool.files.image import Encoded
from cxrtool.images import outside_lungs
from cxrtool.images.masks import Mask
from cxrtool.stats import cross_fit
from cxrtool.stats.within import Auc

Bytes = planted_cues.Bytes
FRAMES, QUANTILES = (0.025, 0.06, 0.12), (1, 5, 10, 25, 50, 75, 90, 95, 99)
EDGE, SIDES = 8, (10, 50, 90)
TESTS = 3  # of the row and its two neighbours: Holm's first step


def of_frame(pixels: Bytes, mask: Mask) -> Floats:
    """Return quantiles of the grey levels of strips along the edges."""
    values: list[float] = []
    for share in FRAMES:
        width = round(share * min(pixels.shape))
        inside = np.zeros(pixels.shape, bool)
        inside[width:-width, width:-width] = True
        strip = pixels[~inside].astype(float)
        values += [*np.percentile(strip, QUANTILES), strip.mean(), strip.std()]
        values += [(strip <= 2).mean(), (strip >= 253).mean()]
    for edge in (pixels[:EDGE], pixels[-EDGE:], pixels[:, :EDGE], pixels[:, -EDGE:]):
        values += [*np.percentile(edge, SIDES)]
    return np.array(values)


def of_outside(pixels: Bytes, mask: Mask) -> Floats:
    """Return mean, deviation and quantiles outside of the widened lungs."""
    known = outside_lungs.outside_lungs(pixels, mask)[1 : 3 + len(outside_lungs.QUANTILES)]
    return np.nan_to_num(known)


MEASURES: dict[str, Callable[[Bytes, Mask], Floats]] = {"frame": of_frame, "outside": of_outside}
Tables = dict[tuple[int, str], Floats]


def measured(pictures: list[Bytes]) -> dict[str, Tables]:
    """Measure every image, healthy or ill, with a gamma curve and without."""
    segment = registry.module("segmenters", "lungs").segment
    found: dict[str, dict[tuple[int, str], list[Floats]]] = {name: {} for name in MEASURES}
    for number, pixels in enumerate(pictures):
        mask = segment(pixels)
        for ill, cue, data in planted_cues.states(pixels, number, ["gamma"]):
            grey = image.to8(image.decode(Encoded(data)).grey)
            for name, measure in MEASURES.items():
                found[name].setdefault((ill, cue), []).append(measure(grey, mask))
    return {
        name: {key: np.array(rows) for key, rows in tables.items()}
        for name, tables in found.items()
    }


def fitted(values: Floats, label: NDArray[np.bool_], patients: NDArray[np.int64]) -> Auc | None:
    who = np.unique(patients, return_inverse=True)[1]
    learner = cross_fit.shrunken_centroids(values, label, who)
    return cross_fit.cross_fit(learner, label, who, weights=cross_fit.by_patient(label, who)).auc


def show(title: str, found: list[Auc | None]) -> None:
    """Print in how many sets the row would accuse."""
    known = [auc for auc in found if auc is not None]
    count = sum(auc.bounds(1 - ALPHA / TESTS)[0] > bystanders.LIMIT for auc in known)
    mean = np.mean([auc.value for auc in known])
    bound = power.upper(count, len(known))
    print(f"{title:<44} {count:>4} of {len(known)}, at most {bound:.3f}; mean AUC {mean:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--patients", type=int, default=250)
    given = parser.parse_args()
    pictures, names = planted_cues.radiographs(given.manifest, given.images)
    with open(given.manifest, newline="") as file:
        rows = list(csv.DictReader(file))[: given.images]
    patients = np.unique(names, return_inverse=True)[1]
    label = np.unique([row["label"] for row in rows], return_inverse=True)[1] == 0
    view = np.array([row["view"] for row in rows])
    for name, tables in measured(pictures).items():
        for strength in (0.0, 0.8, 1.0):
            rngs = [np.random.default_rng([7, k]) for k in range(given.runs)]
            parts = [power.dealt(patients, strength, 250, 0.5, rng)[1] for rng in rngs]
            found = [
                fitted(power.taken(tables, *part, "gamma"), part[1], patients[part[0]])
                for part in parts
            ]
            show(f"{name}, planted disease, gamma s = {strength}", found)
        for what in ("all", *np.unique(view)):
            there = np.flatnonzero((view == what) | (what == "all"))
            found = []
            for k in range(given.runs):
                some = np.random.default_rng([8, k]).permutation(np.unique(patients[there]))
                own = there[np.isin(patients[there], some[: given.patients])]
                found.append(fitted(tables[0, ""][own], label[own], patients[own]))
            show(f"{name}, real labels, {what}, {given.patients} patients", found)


if __name__ == "__main__":
    main()
