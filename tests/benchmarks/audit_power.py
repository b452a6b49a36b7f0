"""Print how often the audit raises an alarm: on clean data, and where a cue is planted.

    python tests/benchmarks/audit_power.py [--runs N] [--clean-runs N] [--radiographs MANIFEST]
        [--phantoms] [--images N] [--cues marker,border] [--sizes 120,250] [--strengths 0.4,0.8]

Each set has new patients in training and test. Labels are dealt out at random, and the positive
images get an opacity in the lungs: the disease. A cue is planted in an image with the probability
(1 + s) / 2 if it is positive and (1 - s) / 2 if it is negative; s is the strength. A ridge
classifier on thumbnails, histograms and corner patches learns whatever predicts the label, and the
audit judges its predictions. Columns: n, images in the test set; shown, share of sets in which the
audit's overall verdict is `shown` or `not identifiable` (its default exit code 1).

On clean sets (s = 0) the upper end of a one-sided 95 % interval (Clopper and Pearson) stands beside
the share of false alarms.

Images are those of a manifest (path, patient), or phantoms, or one after the other: both tables are
then printed for each. Phantoms are of hospitals that look different and tell nothing of the label.
"""

import argparse
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from planted_cues import CUES, Bytes, phantoms, radiographs, states
from scipy import stats

from cxrtool.audit import runner, verdicts
from cxrtool.audit.case import Case, ImageRows, ModelScores
from cxrtool.files import image, image_facts
from cxrtool.files.image import Encoded
from cxrtool.files.text_columns import Coded
from cxrtool.images import bystanders

Floats = NDArray[np.float64]
# The images of a part, their labels, and which of them have the cue.
Part = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]

CHECKS = ("broken", "bystanders", "overlap", "within")
STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
SIZES = (60, 120, 250, 500)


def measured(data: bytes) -> tuple[Floats, Floats]:
    """Return the bystanders of an image, and what the classifier sees."""
    encoded = Encoded(data)
    grey = image.decode(encoded).grey
    values = bystanders.measure(grey, image_facts.facts(encoded))
    return values, seen(image.to8(grey))


def seen(pixels: Bytes) -> Floats:
    """Return a thumbnail, a histogram, corner patches and band energies."""
    small = cv2.resize(pixels, (20, 20), interpolation=cv2.INTER_AREA).ravel() / 255
    levels = np.bincount(pixels.ravel() // 16, minlength=16) / pixels.size
    side = pixels.shape[0] // 8
    patches = [pixels[:side, :side], pixels[:side, -side:], pixels[-side:, :side]]
    corners = [value for patch in patches for value in (patch.mean() / 255, patch.std() / 255)]
    blurred = [cv2.GaussianBlur(pixels, (0, 0), s).astype(float) for s in (0.7, 1.5, 3)]
    bands = [
        np.log(np.var(a - b) + 0.01) for a, b in zip([pixels, *blurred], blurred, strict=False)
    ]
    return np.array([*small, *levels, *corners, *bands])


@dataclass(frozen=True)
class Bank:
    """The measurements of every image, healthy or ill, with each cue or none."""

    patients: NDArray[np.int64]
    bystanders: dict[tuple[int, str], Floats]
    seen: dict[tuple[int, str], Floats]


def bank_of(pictures: list[Bytes], patients: list[str], cues: list[str]) -> Bank:
    """Measure every image in every state."""
    numbers = np.unique(patients, return_inverse=True)[1]
    tables: dict[tuple[int, str], tuple[list[Floats], list[Floats]]] = {}
    for k, pixels in enumerate(pictures):
        for ill, cue, data in states(pixels, k, cues):
            own = tables.setdefault((ill, cue), ([], []))
            for values, column in zip(measured(data), own, strict=True):
                column.append(values)
    return Bank(
        numbers,
        {key: np.array(own[0]) for key, own in tables.items()},
        {key: np.array(own[1]) for key, own in tables.items()},
    )


def drawn(
    bank: Bank, cue: str, strength: float, number: int, prevalence: float, rng: np.random.Generator
) -> Case:
    """Draw a set, train on half of the patients, and return the case of the other half."""
    parts = dealt(bank.patients, strength, number, prevalence, rng)
    return judged(bank, cue, parts, parts[1][2] if cue == "source" else None)


def dealt(
    patients: NDArray[np.int64],
    strength: float,
    number: int,
    prevalence: float,
    rng: np.random.Generator,
    train: float = 0.5,
) -> list[Part]:
    """Draw the images of training and test, with their labels, and which have the cue."""
    order = rng.permutation(int(patients.max()) + 1)
    first = int(train * len(order))
    parts = []
    for whose in (order[:first], order[first:]):
        rows = rng.permutation(np.flatnonzero(np.isin(patients, whose)))[:number]
        label = (rng.random(len(order)) < prevalence)[patients[rows]]
        planted = rng.random(len(rows)) < np.where(label, 1 + strength, 1 - strength) / 2
        parts.append((rows, label, planted))
    return parts


def judged(bank: Bank, cue: str, parts: list[Part], source: NDArray[np.bool_] | None) -> Case:
    """Train on the first part, and return the case of the other."""
    (rows, label, planted), test = parts
    weights = ridge(taken(bank.seen, rows, label, planted, cue), label)
    rows, label, planted = test
    scores = 1 / (1 + np.exp(-score(taken(bank.seen, rows, label, planted, cue), weights)))
    values = taken(bank.bystanders, rows, label, planted, cue)
    return case_of(bank.patients[rows], label, scores, values, source)


def taken(
    table: dict[tuple[int, str], Floats],
    rows: NDArray[np.int64],
    label: NDArray[np.bool_],
    planted: NDArray[np.bool_],
    cue: str,
) -> Floats:
    """Take the measurements of images in their states."""
    return np.array(
        [table[int(i), cue if p else ""][r] for r, i, p in zip(rows, label, planted, strict=True)]
    )


def ridge(values: Floats, label: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, float]:
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    design, target = (values - mean) / spread, label - label.mean()
    gram = design @ design.T + 20.0 * len(design) * np.eye(len(design))
    return mean, spread, design.T @ np.linalg.solve(gram, target), 0.0


def score(values: Floats, fit: tuple[Floats, Floats, Floats, float]) -> Floats:
    mean, spread, weights, _ = fit
    result: Floats = 20 * ((values - mean) / spread) @ weights
    return result


def case_of(
    patients: NDArray[np.int64],
    label: NDArray[np.bool_],
    scores: Floats,
    values: Floats,
    source: NDArray[np.bool_] | None,
) -> Case:
    number = len(label)
    codes = np.zeros(number, np.int64) if source is None else source.astype(np.int64)
    images = ImageRows(
        lambda row: f"{row}.jpg",
        label.astype(np.int64),
        np.unique(patients, return_inverse=True)[1],
        {"patient": patients + 1, "sha256": np.zeros(number, np.int64)},
        {"source": Coded(["A", "B"], codes)},
        np.ones(number, bool),
    )
    model = ModelScores("model", np.arange(number), scores, np.full(number, -1))
    # The other measurements of a case are of masks, which these images have not.
    return Case(images, [model], "ill", ["well"], measured=lambda: values)


def alarm(case: Case) -> tuple[bool, set[str]]:
    """Audit a case: whether the exit code would be 1, and the rows that are `shown`."""
    case, _ = runner.plan(case, CHECKS, [])
    rows = [row for check in CHECKS for row in runner.assess(check, case)]
    verdicts.adjust(rows, max(1, len(case.family)))
    bad = {r.name for r in rows if r.kind == "confirmatory" and r.verdict in FAILING}
    return bool(bad), bad


FAILING = (verdicts.SHOWN, verdicts.NOT_IDENTIFIABLE)


def upper(count: int, total: int) -> float:
    """Return the end of the one-sided 95 % interval of a share (Clopper and Pearson)."""
    return 1.0 if count == total else float(stats.beta.ppf(0.95, count + 1, total - count))


def clean_table(bank: Bank, runs: int, sizes: list[int]) -> None:
    print("\nClean sets: false alarms of the whole audit, and of its parts")
    print(f"{'n':>5} {'ill':>5} {'sets':>5} {'alarms':>7} {'share':>7} {'at most':>8}  rows")
    total = wrong = 0
    for number in sizes:
        for prevalence in (0.5, 0.2):
            rngs = [np.random.default_rng([1, k]) for k in range(runs)]
            found = [alarm(drawn(bank, "source", 0.0, number, prevalence, r)) for r in rngs]
            count = sum(one for one, _ in found)
            rows = sorted({name for _, names in found for name in names})
            total, wrong = total + runs, wrong + count
            print(
                f"{number:>5} {prevalence:>5} {runs:>5} {count:>7} {count / runs:>7.3f} "
                f"{upper(count, runs):>8.3f}  {', '.join(rows)}",
                flush=True,
            )
    print(f"all: {wrong} of {total}, at most {upper(wrong, total):.4f}", flush=True)


def power_table(
    bank: Bank, runs: int, cues: list[str], sizes: list[int], strengths: list[float]
) -> None:
    print("\nPlanted cues: share of sets with an alarm")
    print(f"{'cue':<11} {'n':>5} " + " ".join(f"s={s:<5}" for s in strengths))
    for cue in cues:
        for number in sizes:
            shares = [
                np.mean(
                    [
                        alarm(drawn(bank, cue, s, number, 0.5, np.random.default_rng([2, k])))[0]
                        for k in range(runs)
                    ]
                )
                for s in strengths
            ]
            print(f"{cue:<11} {number:>5} " + " ".join(f"{s:<7.2f}" for s in shares), flush=True)


def tables(what: str, read: tuple[list[Bytes], list[str]], given: argparse.Namespace) -> None:
    """Print both tables of some images."""
    cues = given.cues.split(",")
    sizes = [int(size) for size in given.sizes.split(",")]
    bank = bank_of(*read, sorted({*cues, "source"}))
    print(f"\n{len(read[0])} {what} of {int(bank.patients.max()) + 1} patients", flush=True)
    clean_table(bank, given.clean_runs, sizes)
    power_table(bank, given.runs, cues, sizes, [float(s) for s in given.strengths.split(",")])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--clean-runs", type=int, default=400)
    parser.add_argument("--radiographs", default="")
    parser.add_argument("--phantoms", action="store_true")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--cues", default=",".join(CUES))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--strengths", default=",".join(map(str, STRENGTHS)))
    given = parser.parse_args()
    if not given.radiographs and not given.phantoms:
        parser.error("give --radiographs MANIFEST, --phantoms, or both")
    if given.radiographs:
        tables("radiographs", radiographs(given.radiographs, given.images), given)
    if given.phantoms:
        tables("phantoms", phantoms(given.images), given)


if __name__ == "__main__":
    main()
