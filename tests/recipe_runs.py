"""Run recipes: in full on tables of the papers' sizes, and at small scale on phantoms.

In full, manifests go through the real commands, images and networks through none: a stand-in takes
the place of cxrtool, and notes every call. Tables have what the collections have: several views,
more findings than are wanted, and damaged files.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import handy
import in_shell
import pytest

from cxrtool.compare import published_figures
from cxrtool.recipes import library

# What the collections held: label, finding, published part, how many, and of which view.
Lot = tuple[str, str, str, int, str]
COLLECTIONS: dict[str, list[Lot]] = {
    "corda": [
        ("covid", "RX+-COVID+", "", 297, "AP"),
        ("normal", "RX--COVID-", "", 100, "AP"),
        ("other", "RX+-COVID-", "", 50, "AP"),
    ],
    "kermany": [
        ("normal", "NORMAL", "train", 1341, ""),
        ("bacteria", "PNEUMONIA", "train", 2530, ""),
        ("virus", "PNEUMONIA", "train", 1345, ""),
        ("normal", "NORMAL", "val", 8, ""),
        ("bacteria", "PNEUMONIA", "val", 8, ""),
        ("normal", "NORMAL", "test", 234, ""),
        ("bacteria", "PNEUMONIA", "test", 242, ""),
        ("virus", "PNEUMONIA", "test", 148, ""),
    ],
    "rsna": [
        ("pneumonia", "Lung Opacity", "", 6012, "AP"),
        ("normal", "Normal", "", 8851, "PA"),
        ("other", "No Lung Opacity / Not Normal", "", 11821, "AP"),
    ],
    "cohen": [
        ("covid", "Pneumonia/Viral/COVID-19", "", 344, "PA"),
        ("covid", "Pneumonia/Viral/COVID-19", "", 234, "AP Supine"),
        ("covid", "Pneumonia/Viral/COVID-19", "", 203, "AP"),
        ("covid", "Pneumonia/Viral/COVID-19", "", 84, "L"),
        ("pneumonia", "Pneumonia/Bacterial/Streptococcus", "", 60, "PA"),
        ("pneumonia", "Pneumonia", "", 20, "AP"),
        ("tuberculosis", "Tuberculosis", "", 18, "PA"),
        ("normal", "No Finding", "", 22, "PA"),
    ],
    "covidx": [
        ("normal", "normal", "train", 7966, ""),
        ("pneumonia", "pneumonia", "train", 5438, ""),
        ("covid", "COVID-19", "train", 152, ""),
        ("normal", "normal", "test", 100, ""),
        ("pneumonia", "pneumonia", "test", 100, ""),
        ("covid", "COVID-19", "test", 31, ""),
    ],
    "nih": [
        ("normal", "No Finding", "", 4000, "PA"),
        ("normal", "No Finding", "", 2000, "AP"),
        ("pneumonia", "Pneumonia", "", 322, "PA"),
        ("pneumonia", "Edema|Pneumonia", "", 340, "AP"),
        ("other", "Consolidation|Effusion", "", 3500, "AP"),
        ("other", "Effusion", "", 3000, "AP"),
    ],
    "chexpert": [
        ("normal", "No Finding", "", 700, "AP"),
        ("normal", "No Finding", "", 300, "PA"),
        ("normal", "No Finding", "", 300, "L"),
        ("pneumonia", "Lung Opacity|Pneumonia", "", 300, "AP"),
        ("other", "Edema", "", 1000, "AP"),
    ],
    "armiro": [("covid", "covid19", "", 700, ""), ("covid", "covid19", "", 80, "PA")],
    "actualmed": [("covid", "COVID-19", "", 58, "AP"), ("normal", "No finding", "", 127, "PA")],
    "ccxri": [
        ("covid", "COVID", "", 2000, ""),
        ("normal", "Normal", "", 500, ""),
        ("other", "Lung_Opacity", "", 300, ""),
        ("virus", "Viral Pneumonia", "", 200, ""),
    ],
    "bimcv": [
        ("covid", "COVID 19|pneumonia", "", 1900, "AP"),
        ("covid", "normal", "", 600, "PA"),
        ("covid", "COVID 19", "", 400, "L"),
    ],
    "scov": [
        ("covid", "COVID", "", 1252, "Axial"),
        ("negative", "non-COVID", "", 1229, "Axial"),
    ],
    "mgc": [
        ("covid", "CT_COVID", "", 349, "Axial"),
        ("negative", "CT_NonCOVID", "", 397, "Axial"),
    ],
    "ccii": [
        ("covid", "NCP", "", 3000, "Axial"),
        ("pneumonia", "CP", "", 4000, "Axial"),
        ("normal", "Normal", "", 4000, "Axial"),
    ],
    "ictcf": [
        ("covid", "pCT", "", 4001, "Axial"),
        ("negative", "nCT", "", 9979, "Axial"),
    ],
    "andrewmvd": [("covid", "COVID-19", "", 78, "")],
    "prashant268": [
        ("covid", "COVID19", "train", 460, ""),
        ("pneumonia", "PNEUMONIA", "train", 3418, ""),
        ("normal", "NORMAL", "train", 1266, ""),
        ("covid", "COVID19", "test", 116, ""),
        ("pneumonia", "PNEUMONIA", "test", 855, ""),
        ("normal", "NORMAL", "test", 317, ""),
    ],
}

# Of these, the images of a class are those of another collection, which `source` names.
ORIGINS = {("covidx", "covid"): "cohen"}

# The stand-in. As in life, some images of each collection are damaged, so that reading it exits
# with 1.
STAND_IN = """\
import csv, json, os, re, subprocess, sys
verb, *given = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([verb, *given]) + "\\n")
def value(option):
    return given[given.index(option) + 1] if option in given else ""
def wanted(row):
    for option, condition in zip(given, given[1:]):
        if option == "--where":
            column, unlike, values = re.fullmatch("([^!=]+)(!?)=(.*)", condition).groups()
            if (row[column] in values.split(",")) == bool(unlike):
                return False
    return True
damaged = verb == "ingest" and "--preset" in given
if damaged:
    kept, skip = [], False
    for word in given[1:]:
        if not skip and word not in ("--preset", "--source"):
            kept.append(word)
        skip = word in ("--preset", "--source")
    table = os.path.join(os.environ["TABLES"], os.path.basename(given[0]) + ".csv")
    given = [table, *kept] if os.path.exists(table) else given
if verb in ("ingest", "split"):
    real = [os.environ["REAL"], verb, *given, "-q"]
    sys.exit(subprocess.run(real).returncode or damaged)
if verb in ("equalize", "segment"):
    rows = csv.DictReader(open(given[0]) if given[0].endswith(".csv") else sys.stdin)
    with open(value("-o"), "w") if value("-o") else sys.stdout as output:
        writer = csv.DictWriter(output, rows.fieldnames, lineterminator="\\n")
        writer.writeheader()
        for row in rows:
            if wanted(row):
                name = re.sub("[^a-z0-9.]+", "_", row["path"])
                row["path"] = os.path.join(value("-d"), name)
                writer.writerow(row)
if verb == "train":
    for number in range(int(value("--repeat") or 1)):
        seed = int(value("--seed") or 0) + number
        os.makedirs(os.path.join(value("-d"), f"seed-{seed}" * bool(value("--repeat"))))
    if value("--lr") == "find":
        with open(os.path.join(value("-d"), "rates.csv"), "w") as output:
            output.write("rate,loss,steepest\\n1e-05,0.7,\\n0.0001,0.5,yes\\n")
if verb == "evaluate":
    columns = ["path", "label", "patient", "source", "split", "fold"]
    with open(given[1]) as file, open(value("-o"), "w") as output:
        writer = csv.writer(output, lineterminator="\\n")
        target = value("--target")
        chances = [f"p_{target}", "finding"] if target else ["p_other", "p_covid"]
        writer.writerow([*columns, "model", "pred", *chances])
        for row in csv.DictReader(file):
            if wanted(row):
                if target and row["label"] != target:
                    row["label"] = "other"
                cells = [row.get(column, "") for column in columns]
                said = [0.5, "Infiltration"] if target else [1, 0]
                writer.writerow([*cells, os.path.basename(given[0]), row["label"], *said])
if verb == "compare":
    with open(value("-o"), "w") as output:
        output.write("a table\\n")
"""


def collection(folder: Path, name: str) -> None:
    """Write a manifest with the numbers of a collection, and no images."""
    rows, count, used = [], 0, Counter[str]()
    for label, finding, part, number, view in COLLECTIONS[name]:
        origin = ORIGINS.get((name, label), name)
        for _ in range(number):
            count += 1
            used[origin] += 1
            place = count if origin == name else used[origin]
            # As some people name files.
            path = f'{name}/chest, "{count:05d}".png'
            digest = hashlib.sha256(f"{origin}/{place:05d}.png".encode()).hexdigest()
            rows.append(
                {
                    "path": path,
                    "raw": path,
                    "label": label,
                    "patient": f"{origin}/{place // 2}",
                    "source": origin,
                    "view": view,
                    "sha256": digest,
                    "dhash": digest,
                    "finding": finding,
                    "folder": part,
                    "mask": "",
                }
            )
    handy.write_table(folder / f"{name}.csv", rows)


def montgomery(folder: Path) -> None:
    """Write the layout that the collection is published in: each lung has a mask of its own."""
    for number in range(138):
        name = f"MCUCXR_{number + 1:04d}_{int(number >= 80)}"
        tiny(folder / "MontgomerySet/CXR_png" / f"{name}.png")
        tiny(folder / "MontgomerySet/ManualMask/leftMask" / f"{name}.png")
        tiny(folder / "MontgomerySet/ManualMask/rightMask" / f"{name}.png")
        reading = folder / "MontgomerySet/ClinicalReadings" / f"{name}.txt"
        reading.parent.mkdir(exist_ok=True)
        reading.write_text("Patient's Sex: F\nPatient's Age: 027Y\nnormal\n")


def shenzhen(folder: Path) -> None:
    """Write the layout that the collection is published in: 566 of 662 images have a mask."""
    for number in range(662):
        name = f"CHNCXR_{number + 1:04d}_{int(number >= 326)}"
        tiny(folder / "ChinaSet_AllFiles/CXR_png" / f"{name}.png")
        if number % 7 != 6 and number > 1:
            tiny(folder / "ChinaSet_AllFiles/mask" / f"{name}_mask.png")


MASKED = {"montgomery": montgomery, "shenzhen": shenzhen}


def tiny(path: Path) -> None:
    """Write a picture that is like no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(handy.noise(int(hashlib.sha256(str(path.name).encode()).hexdigest(), 16), 16))


class RecipeRun:
    """What a recipe did in a folder."""

    def __init__(self, top: Path, printed: str = "") -> None:
        self.out, self.printed = top / "out", printed
        self.calls: list[list[str]] = []
        if (top / "calls").exists():
            self.calls = [json.loads(line) for line in (top / "calls").read_text().splitlines()]

    def counts(self, name: str, *columns: str) -> dict[str, int]:
        """Count the rows of a manifest by the columns, else by part and label."""
        with (self.out / f"{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return dict(Counter(" ".join(r[c] for c in columns or ("split", "label")) for r in rows))

    def raws(self, name: str, *parts: str) -> set[str]:
        with (self.out / f"{name}.csv").open(newline="") as file:
            return {r["raw"] for r in csv.DictReader(file) if r["split"] in parts}

    def options(self, verb: str) -> list[dict[str, str]]:
        """The options of every call of a command."""
        found = []
        for call in self.calls:
            if call[0] == verb:
                pairs = zip(call, [*call[1:], ""], strict=True)
                found.append({o: v for o, v in pairs if o.startswith("-") and len(o) > 1})
        return found

    def runs(self) -> dict[str, dict[str, Any]]:
        found = sorted(self.out.rglob("run.json"))
        return {str(p.parent.relative_to(self.out)): json.loads(p.read_text()) for p in found}

    def has_options(self, run: str, **options: Any) -> None:
        """Check what the run.json of a run says that it was trained by."""
        there = self.runs()[run]["options"]
        assert {name: there[name] for name in options} == options

    def ends_with_tables(self) -> None:
        """Check that every table is printed, and that it has figures of the paper."""
        compared = self.options("compare")
        assert self.printed.count("a table\n") == len(compared)
        for call in compared:
            if "--published" in call:
                assert published_figures.chosen(call["--published"])

    def shows_figures_of(self, paper: str, is_published: bool = True) -> None:
        """Check that the tables of a small run have the paper's column, and say what it is of."""
        tables = [path.read_text() for path in (self.out / "tables").glob("*.md")]
        assert tables or not is_published
        for table in tables:
            assert (f"{paper}: " in table or f"{paper} (" in table) == is_published
            assert table in self.printed
        assert self.printed.count("(of phantoms: not comparable with the paper):\n") == len(tables)

    def weights(self, run: str) -> int:
        """Count the weights of a run; what batch norms keep in mind are none."""
        with (self.out / run / "model.safetensors").open("rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        learned = [
            entry["shape"]
            for name, entry in header.items()
            if name != "__metadata__" and not name.endswith(("_mean", "_var", "_tracked"))
        ]
        total = 0
        for shape in learned:
            size = 1
            for side in shape:
                size *= side
            total += size
        return total


def run(name: str, top: Path, command: str, **variables: str) -> RecipeRun:
    """Run a recipe as `cxrtool recipe NAME | sh` does, in a folder of its own."""
    shim = top / "bin" / "cxrtool"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
    shim.chmod(0o755)
    done = subprocess.run(
        ["sh"],
        input=library.chosen(name).script,
        cwd=top,
        env={
            **handy.surroundings(top),
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
            "OUT": "out",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr
    return RecipeRun(top, done.stdout)


def in_full(name: str, top: Path, **variables: str) -> RecipeRun:
    """Run a recipe in full, on the numbers of images that the collections had."""
    (top / "tables").mkdir()
    (top / "data").mkdir()
    for needed in library.chosen(name).needs.split():
        if needed in MASKED:
            MASKED[needed](top / "data" / needed)
        else:
            collection(top / "tables", needed)
            (top / "data" / needed).mkdir()
    (top / "stand_in.py").write_text(STAND_IN)
    return run(
        name,
        top,
        str(top / "stand_in.py"),
        DATA="data",
        CALLS=str(top / "calls"),
        TABLES=str(top / "tables"),
        REAL=str(in_shell.program(torch=False).folder / "cxrtool"),
        **variables,
    )


def in_small(name: str, top: Path) -> RecipeRun:
    """Run a recipe on phantoms, with real images and networks."""
    return run(name, top, "-m cxrtool", SCALE="small")


def names(paper: str, fast: str) -> list[Any]:
    """List the recipes of a paper; all but one are slow."""
    return [
        pytest.param(recipe.name, id=recipe.id, marks=[] if recipe.id == fast else pytest.mark.slow)
        for recipe in library.every(paper)
    ]
