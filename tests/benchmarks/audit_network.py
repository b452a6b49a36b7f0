"""Print what the checks that ask a network again find: on clean phantoms, and with a planted mark.

    python tests/benchmarks/audit_network.py [--runs N] [--images N] [--epochs N]

Each run draws phantoms, trains a small network, and audits it on held-out patients. Settings:

- clean: one hospital, two sources dealt out at random, which differ in nothing.
- looks: two hospitals with signatures of their own, independent of the label.
- mark: one hospital; source B has a bright square in the upper left corner of all its images, and
  80 % of the positive and 20 % of the negative patients are of source B.

Columns: the largest shift of the logit by a mark, which mark and corner, in standard deviations
within a label; the shift by covered corners in positive images less that in others; balanced
accuracy of the source from the run's features and from random weights; AUC unchanged, with corners
covered and without the lungs; and the overall verdict, which none of these checks decides.
"""

import argparse
import csv
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxrtool.cli import app

SIZE, ARCH = 64, "conv8"
CHECKS = "ablation,markers,source-probe"
SETTINGS = ("clean", "looks", "mark")
COLUMNS = (
    "setting",
    "run",
    "shift in SD",
    "mark",
    "covered: positive - others",
    "source: run",
    "source: random",
    "AUC",
    "corners covered",
    "lungs out",
    "overall",
)


def cxrtool(*given: object) -> None:
    code = app.run([str(part) for part in given])
    assert code == 0, given


def drawn(setting: str, images: int, seed: int, top: Path) -> Path:
    """Draw the phantoms of a setting, and return their manifest."""
    hospitals = 2 if setting == "looks" else 1
    call = ("phantom", images, "--size", SIZE, "--labels", "normal,covid", "--seed", seed, "-q")
    cxrtool(*call, "--sources", hospitals, "-d", top / "in", "-o", top / "all.csv", "-j", 1)
    with (top / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    if setting != "looks":
        dealt(rows, setting, np.random.default_rng(seed))
    with (top / "all.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return top / "all.csv"


def dealt(rows: list[dict[str, str]], setting: str, rng: np.random.Generator) -> None:
    """Deal the patients out to sources A and B, and mark the images of B."""
    sources: dict[str, str] = {}
    for row in rows:
        chance = 0.5 if setting == "clean" else 0.8 if row["label"] == "covid" else 0.2
        source = sources.setdefault(row["patient"], "AB"[int(rng.random() < chance)])
        row["source"] = source
        for column in ("raw", "sha256", "dhash", "dup_group"):
            row.pop(column, None)
        if setting == "mark" and source == "B":
            pixels = np.array(Image.open(row["path"]))
            pixels[2:7, 2:7] = 250
            Image.fromarray(pixels).save(row["path"])


def found(setting: str, number: int, images: int, epochs: int, top: Path) -> list[str]:
    """Train and audit one network, and return the cells of its row."""
    table = drawn(setting, images, number, top)
    split, run, out = top / "split.csv", top / "run", top / "audit"
    quiet = ("-q", "--seed", number)
    cxrtool("split", table, "--test", 0.45, "--val", 0.1, "-o", split, *quiet)
    learning = ("--size", SIZE, "--epochs", epochs, "--batch", 16, "--lr", 0.01)
    cxrtool("train", split, "--arch", ARCH, *learning, "-d", run, "-j", 1, *quiet)
    call = ("audit", split, "--run", run, "--checks", CHECKS, "-d", out, "-j", 1)
    cxrtool(*call, "--fail-on", "shown,not-identifiable", *quiet)
    tables = {}
    for check in CHECKS.split(","):
        (row,) = json.loads((out / "checks" / f"{check}.json").read_text())["rows"]
        # A check that lacks patients has no table.
        tables[check] = row["blocks"][0]["rows"] if row["blocks"] else []
    overall = json.loads((out / "audit.json").read_text())["overall"]
    return [setting, str(number), *cells(tables), overall]


def cells(tables: dict[str, list[list[Any]]]) -> list[str]:
    """Return the figures of the table."""
    *marks, covered = tables["markers"]
    best = max(marks, key=lambda row: abs(row[1][0]))
    probes: dict[str, list[float]] = {}
    for label, _, weights, value, _ in tables["source-probe"]:
        if label:
            probes.setdefault(weights, []).append(value[0])
    aucs = {row[0]: row[1][0] for row in tables["ablation"]}
    values = [
        covered[2][0] - covered[3][0],
        np.mean(probes.get("the run", [np.nan])),
        np.mean(probes.get("random weights", [np.nan])),
        aucs["unchanged"],
        aucs["corners covered"],
        aucs["lungs out"],
    ]
    return [f"{best[4]:.2f}", best[0], *(f"{v:.2f}" for v in values)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=6)
    options.add_argument("--images", type=int, default=300)
    options.add_argument("--epochs", type=int, default=10)
    given = options.parse_args()
    print(",".join(COLUMNS), flush=True)
    for number in range(given.runs):
        for setting in SETTINGS:
            with tempfile.TemporaryDirectory() as folder:
                os.environ["CXRTOOL_CACHE"] = f"{folder}/cache"
                row = found(setting, number, given.images, given.epochs, Path(folder))
            print(",".join(row), flush=True)


if __name__ == "__main__":
    main()
