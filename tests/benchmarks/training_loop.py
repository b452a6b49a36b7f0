"""Compare `cxrtool train` with a bare loop: the same network, the images as tensors in memory.

    python tests/benchmarks/training_loop.py [COUNT] [--rounds N]

The bare loop is the limit: it has nothing to read and nothing to say. Both learn ResNet-18 at 224
from the same images, without augmentation, and look at the validation part after each epoch. `loop`
is in the layout of memory that `train` uses (channels last), `contiguous` in PyTorch's own. Seconds
are those of an epoch: a process of three epochs less one of one epoch, halved, so that no start
counts; processes alternate, and the median of all rounds is printed. `cpu` counts the processor's
seconds, of all threads, and is the figure to read on a busy machine. `MiB` is the most memory of
the process of three epochs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ingest import listed, make
from numpy.typing import NDArray

SIZE, BATCH = 224, 32
BARE = """
import sys, torch, numpy as np
from torch import nn
from cxrtool.learn import inference
from cxrtool.files import run_folder
run, cache, epochs, layout, train = sys.argv[1], sys.argv[2], *sys.argv[3:]
where = inference.device("cpu")
about = run_folder.read(run).about
pixels = torch.from_numpy(np.load(cache))
network = inference.built("resnet18", 2, about.channels, about.size)
memory = torch.channels_last if layout == "loop" else torch.contiguous_format
network = network.to(memory_format=memory)
ready = inference.prepared(pixels, about.mean, about.std).contiguous(memory_format=memory)
labels = torch.arange(len(pixels)) % 2
optimizer = torch.optim.Adam(network.parameters(), 1e-3)
loss, learned = nn.CrossEntropyLoss(), int(train)
for epoch in range(int(epochs)):
    network.train()
    order = torch.randperm(learned)
    for at in range(0, learned - 1, 32):
        some = order[at:at + 32]
        optimizer.zero_grad()
        loss(network(ready[some]), labels[some]).backward()
        optimizer.step()
    network.eval()
    with torch.inference_mode():
        for at in range(learned, len(ready), 64):
            network(ready[at:at + 64]).softmax(1)
"""


def timed(command: list[str], env: dict[str, str]) -> NDArray[np.float64]:
    """Run a process: its seconds, those of the processor, and the most MiB it had."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **env})
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)[:200]}: {status}")
    wall = time.perf_counter() - start
    return np.array([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024])


def manifest(top: Path, paths: list[str], learned: int) -> Path:
    parts = ["train"] * learned + ["val"] * (len(paths) - learned)
    rows = [
        {"path": path, "label": ("normal", "covid")[k % 2], "patient": k, "split": part}
        for k, (path, part) in enumerate(zip(paths, parts, strict=True))
    ]
    return listed(top / "m.csv", rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=300)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    learned = given.count * 3 // 4
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        rows = manifest(top, make(top / "in", given.count), learned)
        env = {"CXRTOOL_CACHE": str(top / "cache")}

        def train(epochs: int) -> list[str]:
            options = (
                f"-q --arch resnet18 --weights none --batch {BATCH} --size {SIZE} --device cpu"
            )
            words = [*options.split(), "--augment", "none", "--epochs", str(epochs), "-f"]
            return [sys.executable, "-m", "cxrtool", "train", str(rows), *words, "-d", f"{top}/run"]

        timed(train(1), env)  # fills the cache
        cache = max((top / "cache").iterdir(), key=lambda path: path.stat().st_size)

        def bare(layout: str, epochs: int) -> list[str]:
            words = [f"{top}/run", str(cache), str(epochs), layout, str(learned)]
            return [sys.executable, "-c", BARE, *words]

        epochs: dict[str, list[NDArray[np.float64]]] = {}
        most: dict[str, float] = {}
        for _ in range(given.rounds):
            for what in ("loop", "contiguous", "train"):
                one, three = (
                    timed(train(n) if what == "train" else bare(what, n), env) for n in (1, 3)
                )
                epochs.setdefault(what, []).append((three - one)[:2] / 2)
                most[what] = max(most.get(what, 0), three[2])
    medians = {what: np.median(own, axis=0) for what, own in epochs.items()}
    print(f"{learned} images to learn from, {given.count - learned} to look at, {SIZE} pixels")
    heads = ("s an epoch", "loop / it", "cpu", "loop / it", "MiB", "it / loop")
    print(f"{'':12}" + "".join(f"{head:>12}" for head in heads))
    for what, (wall, cpu) in medians.items():
        limits = medians["loop"] / (wall, cpu)
        print(
            f"{what:12}{wall:12.2f}{limits[0]:12.2f}{cpu:12.2f}{limits[1]:12.2f}"
            f"{most[what]:12.0f}{most[what] / most['loop']:12.2f}"
        )


if __name__ == "__main__":
    main()
