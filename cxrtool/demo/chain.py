"""The demonstration: which commands it runs, and why."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from cxrtool.core import progress
from cxrtool.core.errors import ExitCode
from cxrtool.files import disk

# The three networks: what each of them sees, and how it is called in the figures.
RUNS = {
    "raw": "the images as they are",
    "lungs": "equalised, and only the lungs",
    "background": "all but the lungs",
}
TRAIN = "--arch resnet18 --size 96 --epochs 6 --batch 16 --lr 3e-4 --augment rotate=5,shift=0.05"


@dataclass(frozen=True)
class Step:
    """Some commands that belong together, and what they are for."""

    title: str
    why: str
    commands: list[str] = field(default_factory=list)


def steps() -> list[Step]:
    """Return the whole demonstration; every path is relative to its folder."""
    return [
        Step(
            "Two hospitals, one for each class",
            "The training set is built like many of 2020: all covid images come from one hospital, "
            "all normal images from another. New patients come from three hospitals, each with "
            "both classes.",
            _images(),
        ),
        Step(
            "Split by patient",
            "No patient is in two parts. The split is then checked: a leak would be a finding.",
            [
                "split inside.csv --test 0.3 --val 0.2 -o raw.csv",
                "split --check raw.csv -o leaks.csv",
            ],
        ),
        Step(
            "Preprocessing removes what differs between hospitals",
            "Histogram equalisation makes the exposure even, and only the lungs are kept: no "
            "marker, border or shoulder. The control is the opposite: the lungs are blacked out, "
            "so no disease is visible.",
            _preprocessing(),
        ),
        Step(
            "Three small networks",
            "The same network and the same patients; only the preprocessing differs.",
            [f"train {name}.csv {TRAIN} -d runs/{name}" for name in RUNS],
        ),
        Step(
            "Held-out and new patients",
            "First the held-out patients of the same two hospitals, as a paper would report them. "
            "Then the new patients.",
            [*_predictions(), *_comparisons()],
        ),
        Step(
            "The audit",
            "Is it the disease or the data set? On the patients of the first two hospitals no "
            "statistic can tell, as each class has a hospital of its own. On the new patients the "
            "audit compares patients of the same hospital.",
            _audits(),
        ),
        Step(
            "What the networks learned",
            "t-SNE and a probe of the features show what a network distinguishes: hospitals or the "
            "disease. Covering each image part by part shows where it looks, on a tenth of the "
            "new images.",
            _explanations(),
        ),
    ]


def _images() -> list[str]:
    labels = "--labels normal,covid"
    return [
        f"phantom 320 {labels} --sources 2 --confound 1 --size 192 -d inside -o inside.csv",
        f"phantom 240 {labels} --sources 3 --confound 0 --seed 1 --size 192 "
        "-d outside -o raw-outside.csv",
    ]


def _preprocessing() -> list[str]:
    return [
        f"{verb} -d {name}{part} -o {name}{part}.csv"
        for part in ("", "-outside")
        for verb, name in (
            (f"equalize raw{part}.csv --method hist", "equalized"),
            (f"segment equalized{part}.csv --keep lungs --blur 2", "lungs"),
            (f"segment raw{part}.csv --keep background", "background"),
        )
    ]


def _predictions() -> list[str]:
    return [
        command
        for name in RUNS
        for command in (
            f"evaluate runs/{name} {name}.csv --where split=test -o {name}-in.csv",
            f"evaluate runs/{name} {name}-outside.csv --keep-columns -o {name}-out.csv",
        )
    ]


def _comparisons() -> list[str]:
    inside, outside = (" ".join(f"{name}-{end}.csv" for name in RUNS) for end in ("in", "out"))
    return [
        f"compare {inside} --positive covid --format json -o inside.json",
        f"compare {outside} --positive covid --format json -o outside.json",
        f"compare {outside} --positive covid --format json -o by-hospital.json --by source",
        f"compare {outside} --positive covid "
        "--paired-test permutation --report figures.html -o figures.md",
    ]


def _audits() -> list[str]:
    """Return the audits of all networks, on the held-out and on the new patients."""
    tables = {end: " ".join(f"{name}-{end}.csv" for name in RUNS) for end in ("in", "out")}
    return [
        f"audit {files} --positive covid -d audit-{end}side --fail-on none"
        for end, files in tables.items()
    ]


def _explanations() -> list[str]:
    return [
        command
        for name in ("raw", "lungs")
        for command in (
            f"tsne runs/{name} {name}-outside.csv --plot {name}-tsne.svg "
            f"--stats {name}-tsne.json -o {name}-tsne.csv",
            f"split {name}-outside.csv --folds 10 -q -o {name}-tenths.csv",
            f"cam runs/{name} {name}-tenths.csv --where fold=1 --method occlusion "
            f"-d maps/{name} --grid {name}-maps.png --grid-most 8 -o {name}-maps.csv",
        )
    ]


def script(folder: str) -> Iterator[str]:
    """Yield the demonstration as a shell script."""
    yield "set -e"
    yield f"mkdir -p {shlex.quote(folder)}"
    yield f"cd {shlex.quote(folder)}"
    yield "export CXRTOOL_CACHE=cache"
    for step in steps():
        yield ""
        yield f"# {step.title}"
        for command in step.commands:
            yield f"cxrtool {command}"


def run(folder: str, given: list[str]) -> int:
    """Run it all in its folder, with some options for every command: the exit code.

    Every command is a process of its own, as it would be in a shell.
    """
    disk.make_folder(folder)
    disk.claim(folder)
    environment = {**os.environ, "CXRTOOL_CACHE": "cache"}
    whole = steps()
    for k, step in enumerate(whole, 1):
        progress.note(f"== Step {k} of {len(whole)}, {step.title}: {step.why}")
        for command in step.commands:
            progress.note(f"$ cxrtool {command}")
            words = [sys.executable, "-m", "cxrtool", *command.split(), *given]
            if code := subprocess.run(words, cwd=folder, env=environment).returncode:
                return code if code > 0 else 128 - code
    return ExitCode.DONE
