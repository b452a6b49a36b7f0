"""Double the work of a command, and print what each doubling costs in time and memory.

    python tests/benchmarks/growth.py [--rows 10000,20000] [--images 500,1000]
        [--commands split,cam]

Each command is run with tables of so many rows, or folders of so many images, one size after the
other. The images are 50 small phantoms under new names, so that the files are read and compared as
any others. `CPU` is the processor time of the command and its workers, which other programs disturb
less than the time; `MiB` the most memory of one of its processes; `x` compares with the size
before. Where the work is in proportion to its size, a doubling costs 2.0 times the time less the
start, and streaming leaves memory as it is.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROWS, IMAGES, PHANTOMS = "10000,20000,40000,80000", "500,1000,2000,4000", 50
Words = list[str]
# A process between, so that what its children needed is of one command alone. Workers belong to a
# server of their own: on Linux (prctl 36) this process inherits it, and waits for it too.
WATCHED = """
import contextlib, ctypes, os, resource, subprocess, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(36, 1)
done = subprocess.run([sys.executable, "-m", "cxrtool", *sys.argv[1:]], capture_output=True)
with contextlib.suppress(ChildProcessError):
    while True:
        os.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(0 if done.returncode in (0, 1) else done.stderr.decode())
"""


def write(path: Path, columns: dict[str, np.ndarray]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))


def tables(top: Path, number: int) -> None:
    """Write a manifest and the predictions of a moderate model: two images a patient."""
    rng = np.random.default_rng(0)
    covid = rng.random(number) < 0.3
    p = 1 / (1 + np.exp(-rng.normal(1.5 * covid - 1, 1)))
    base = {
        "path": np.array([f"{n}.png" for n in range(number)]),
        "label": np.where(covid, "covid", "normal"),
        "patient": np.array([f"p{n // 2}" for n in range(number)]),
        "source": rng.choice(["a", "b", "c"], number),
    }
    write(top / "rows.csv", {**base, "split": np.full(number, "test")})
    write(top / "plain.csv", base)
    decided = {"pred": np.where(p > 0.5, "covid", "normal"), "model": np.full(number, "m")}
    scores = {"p_covid": p.round(6), "p_normal": (1 - p).round(6)}
    write(top / "predictions.csv", {**base, **decided, **scores})


def folder(top: Path, number: int) -> None:
    """Repeat the phantoms under new names."""
    here = top / "many"
    here.mkdir(exist_ok=True)
    phantoms = sorted((top / "few" / "images").iterdir())
    rows = []
    for n in range(number):
        place = here / f"{n}.png"
        if not place.exists():
            os.link(phantoms[n % len(phantoms)], place)
        rows.append(str(place))
    labels = np.where(np.arange(number) % 2, "covid", "normal")
    write(top / "images.csv", {"path": np.array(rows), "label": labels})


RUN = ["train", "parts.csv", "--arch", "conv8", "--size", "32", "--epochs", "1", "--device", "cpu"]
CASES: dict[str, tuple[Callable[[Path, int], None], Words]] = {
    "compare": (tables, ["compare", "predictions.csv", "-o", "out.csv"]),
    "split": (tables, ["split", "plain.csv", "--test", "0.2", "-o", "out.csv"]),
    "ingest": (folder, ["ingest", "many", "-o", "out.csv"]),
    "equalize": (folder, ["equalize", "images.csv", "-d", "equal", "-f", "-o", "out.csv"]),
    "evaluate": (folder, ["evaluate", "run", "images.csv", "--device", "cpu", "-o", "out.csv"]),
    "cam": (
        folder,
        ["cam", "run", "images.csv", "--device", "cpu", "-f", "-d", "maps", "-o", "out.csv"],
    ),
    "tsne": (folder, ["tsne", "run", "images.csv", "--device", "cpu", "-o", "out.csv"]),
    "audit": (
        tables,
        ["audit", "rows.csv", "--predictions", "predictions.csv", "-f", "-d", "found"],
    ),
}


def run(top: Path, words: Words) -> tuple[float, float, float]:
    """Run a command: seconds, those of its processors, and the most MiB of a process of it."""
    start = time.perf_counter()
    command = [sys.executable, "-c", WATCHED, *words]
    done = subprocess.run(command, cwd=top, stdout=subprocess.PIPE, text=True, check=True)
    cpu, most = map(float, done.stdout.split())
    return time.perf_counter() - start, cpu, most


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", default=ROWS)
    parser.add_argument("--images", default=IMAGES)
    parser.add_argument("--commands", default=",".join(CASES))
    given = parser.parse_args()
    print(f"{'command':10}{'work':>8}{'s':>8}{'CPU s':>8}{'x':>6}{'MiB':>7}{'x':>6}")
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        drawn = ["phantom", str(PHANTOMS), "--size", "128", "-d", "few", "-o", "few.csv"]
        run(top, drawn)
        run(top, ["split", "few.csv", "--val", "0.2", "--test", "0.2", "-o", "parts.csv"])
        run(top, [*RUN, "-d", "run"])
        for command in given.commands.split(","):
            make, words = CASES[command]
            before: tuple[float, float] | None = None
            for number in map(int, (given.rows if make is tables else given.images).split(",")):
                make(top, number)
                seconds, cpu, memory = run(top, words)
                grown = [f"{cpu / before[0]:.2f}", f"{memory / before[1]:.2f}"] if before else []
                times, size = grown or ("", "")
                print(
                    f"{command:10}{number:8}{seconds:8.1f}{cpu:8.1f}{times:>6}"
                    f"{memory:7.0f}{size:>6}",
                    flush=True,
                )
                before = cpu, memory


if __name__ == "__main__":
    main()
