"""Measure `cxrtool split` on a million rows: time against a bare csv.reader, memory, evenness.

    python tests/benchmarks/split.py [ROWS]

The times are those of whole processes, start of Python included, the least of three runs; the
bare pass runs in a process of its own too. The class gap is the largest difference between the
share of a class in a part and its share in all, in percentage points.
"""

import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

BARE = "import csv, sys\nfor row in csv.reader(open(sys.argv[1], newline='')): pass"
SPLIT = ["-m", "cxrtool", "split", "-q"]
DESIGN = ["--group", "patient", "--stratify", "label", "--test", "0.2", "--val", "0.1"]
HEADER = (
    "path,raw,label,patient,source,view,age,sex,width,height,sha256,dhash,dhash_square,fingerprint,"
    "dup_group,mask\n"
)


def make(file: Path, rows: int) -> None:
    """Write a manifest of patients with one to eight images, three labels, three sources."""
    random.seed(0)
    patient = row = 0
    with file.open("w") as out:
        out.write(HEADER)
        while row < rows:
            patient += 1
            source = random.choice(("alpha", "beta", "gamma"))
            label = random.choice(("covid", "normal", "pneumonia"))
            for image in range(min(random.randint(1, 8), rows - row)):
                row += 1
                name = f"{source}/p{patient:07d}/image_{image}"
                out.write(
                    f"images/{name}.png,raw/{name}.dcm,{label},{source}/{patient},{source},PA,"
                    f"{random.randint(1, 99)},F,1024,1024,{random.getrandbits(256):064x},"
                    f"{random.getrandbits(256):064x},,,,\n"
                )


def measured(*arguments: str, stdin: Path | None = None, runs: int = 3) -> tuple[float, float]:
    """Run Python with some arguments: the least seconds, and the most MiB resident."""
    seconds, memory = [], []
    for _ in range(runs):
        # A child of `cat` reads a pipe, as it would behind another command.
        feed = None
        if stdin is not None:
            feed = subprocess.Popen(["cat", stdin], stdout=subprocess.PIPE)
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], stdin=feed.stdout if feed else None
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        memory.append(usage.ru_maxrss / 1024)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{arguments} ended with {process.returncode}")
        if feed and feed.stdout:
            feed.stdout.close()
            feed.wait()
    return min(seconds), max(memory)


def gap(file: Path) -> float:
    """Find the largest difference of a class's share, in percentage points."""
    with file.open(newline="") as rows:
        counts = Counter((row["split"], row["label"]) for row in csv.DictReader(rows))
    parts, classes, total = {p for p, _ in counts}, {c for _, c in counts}, counts.total()
    size = {p: sum(counts[p, c] for c in classes) for p in parts}
    share = {c: sum(counts[p, c] for p in parts) / total for c in classes}
    return max(100 * abs(counts[p, c] / size[p] - share[c]) for p in parts for c in classes)


def main(rows: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        big, small, out = (Path(folder, name) for name in ("big.csv", "small.csv", "out.csv"))
        make(big, rows)
        make(small, 1000)
        print(f"{rows} rows, {big.stat().st_size / rows:.0f} bytes a row")
        bare, _ = measured("-c", BARE, str(big))
        print(f"bare csv.reader     {bare:6.2f} s")
        split, memory = measured(*SPLIT, str(big), *DESIGN, "-o", str(out))
        print(f"split               {split:6.2f} s, {split / bare:.2f} x bare, {memory:.0f} MiB")
        print(f"class gap           {gap(out):6.3f} percentage points")
        check, memory = measured(*SPLIT, "--check", str(out), "-o", f"{out}.findings")
        print(f"split --check       {check:6.2f} s, {check / bare:.2f} x bare, {memory:.0f} MiB")
        piped, memory = measured(*SPLIT, *DESIGN, "-o", str(out), stdin=big)
        print(f"split, piped in     {piped:6.2f} s, {piped / bare:.2f} x bare, {memory:.0f} MiB")
        little, _ = measured(*SPLIT, str(small), *DESIGN, "-o", str(out))
        print(f"split of 1000 rows  {little:6.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
