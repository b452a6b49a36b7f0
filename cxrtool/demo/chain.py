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
            "A training set as the papers of 2020 had it: all covid images come from one hospital, "
            "all normal ones from another. Then new patients, as the world has them: three "
            "hospitals, each of which sees both.",
            [
                "phantom 320 --labels normal,covid --sources 2 --confound 1 --size 192 "
                "-d inside -o inside.csv",
                "phantom 240 --labels normal,covid --sources 3 --confound 0 --seed 1 --size 192 "
                "-d outside -o raw-outside.csv",
            ],
        ),
        Step(
            "No patient on both sides",
            "The split is by patient, and judged: a leak would be a finding.",
            [
                "split inside.csv --test 0.3 --val 0.2 -o raw.csv",
                "split --check raw.csv -o leaks.csv",
            ],
        ),
        Step(
            "What tells hospitals apart is taken out",
            "Histogram equalisation evens out the exposure, and only the lungs stay: no marker, no "
            "border, no shoulder. And the control: the same images with the lungs blacked out, in "
            "which there is no disease to be seen.",
            [
                f"{verb} -d {name}{part} -o {name}{part}.csv"
                for part in ("", "-outside")
                for verb, name in (
                    (f"equalize raw{part}.csv --method hist", "equalized"),
                    (f"segment equalized{part}.csv --keep lungs --blur 2", "lungs"),
                    (f"segment raw{part}.csv --keep background", "background"),
                )
            ],
        ),
        Step(
            "Three small networks",
            "The same network and the same patients; only what it is shown differs.",
            [f"train {name}.csv {TRAIN} -d runs/{name}" for name in RUNS],
        ),
        Step(
            "Inside and outside",
            "First the patients who were held out, of the same two hospitals: what a paper would "
            "report. Then the new patients.",
            [
                *(
                    command
                    for name in RUNS
                    for command in (
                        f"evaluate runs/{name} {name}.csv --where split=test -o {name}-in.csv",
                        f"evaluate runs/{name} {name}-outside.csv --keep-columns -o {name}-out.csv",
                    )
                ),
                *(
                    f"compare {' '.join(f'{name}-{end}.csv' for name in RUNS)} --positive covid "
                    f"--format json -o {to}.json{by}"
                    for end, to, by in (
                        ("in", "inside", ""),
                        ("out", "outside", ""),
                        ("out", "by-hospital", " --by source"),
                    )
                ),
                "compare raw-out.csv lungs-out.csv background-out.csv --positive covid "
                "--paired-test permutation --report figures.html -o figures.md",
            ],
        ),
        Step(
            "What did they learn?",
            "t-SNE and a probe of the features tell what a network tells apart: hospitals, or the "
            "disease? Covering the image part by part tells where it looks; a tenth of the new "
            "images is enough for that.",
            [
                command
                for name in ("raw", "lungs")
                for command in (
                    f"tsne runs/{name} {name}-outside.csv --plot {name}-tsne.svg "
                    f"--stats {name}-tsne.json -o {name}-tsne.csv",
                    f"split {name}-outside.csv --folds 10 -q -o {name}-tenths.csv",
                    f"cam runs/{name} {name}-tenths.csv --where fold=1 --method occlusion "
                    f"-d maps/{name} --grid {name}-maps.png --grid-most 8 -o {name}-maps.csv",
                )
            ],
        ),
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
    for step in steps():
        progress.note(f"== {step.title}: {step.why}")
        for command in step.commands:
            progress.note(f"$ cxrtool {command}")
            words = [sys.executable, "-m", "cxrtool", *command.split(), *given]
            if code := subprocess.run(words, cwd=folder, env=environment).returncode:
                return code if code > 0 else 128 - code
    return ExitCode.DONE
