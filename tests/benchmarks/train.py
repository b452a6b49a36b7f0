"""Compare `cxrtool train` and `evaluate` with plain PyTorch, on images of 1024 x 1024.

    python tests/benchmarks/train.py [COUNT]

The plain script is what a tutorial shows: torchvision's ImageFolder, two workers, ResNet-18, one
epoch. Whole processes are timed, their start included; `empty` decodes the images into a new
cache, `full` finds them there. The forward pass is that of the same network over the same cached
pixels, with nothing around it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ingest import listed, make

SIZE, BATCH = 224, 32
PLAIN = """
import sys, torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

change = transforms.Compose([
    transforms.Grayscale(3),
    transforms.Resize((224, 224)),
    transforms.RandomHorizontalFlip(),
    transforms.RandomRotation(5),
    transforms.ToTensor(),
    transforms.Normalize([0.5] * 3, [0.25] * 3),
])
data = datasets.ImageFolder(sys.argv[1], change)
loader = DataLoader(data, 32, shuffle=True, num_workers=2)
network = models.resnet18(num_classes=2)
optimizer = torch.optim.Adam(network.parameters(), 1e-3)
loss = nn.CrossEntropyLoss()
network.train()
for images, labels in loader:
    optimizer.zero_grad()
    found = loss(network(images), labels)
    found.backward()
    optimizer.step()
torch.save(network.state_dict(), sys.argv[2])
"""
FORWARD = """
import sys, time, torch, numpy as np
from cxrtool.learn import inference
from cxrtool.files import run_folder
found = run_folder.read(sys.argv[1])
model = inference.Model(found, torch.device("cpu"))
pixels = np.load(sys.argv[2], mmap_mode="r")
start = time.perf_counter()
for at in range(0, len(pixels), 64):
    model.logits(torch.from_numpy(np.array(pixels[at:at + 64])))
print(time.perf_counter() - start)
"""


def timed(command: list[str], env: dict[str, str] | None = None) -> float:
    start = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **(env or {})}
    )
    return time.perf_counter() - start


def manifest(top: Path, paths: list[str]) -> Path:
    """Put the images into two class folders, and into a manifest."""
    rows = []
    for number, path in enumerate(paths):
        label = ("normal", "covid")[number % 2]
        place = top / "classes" / label / Path(path).name
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, place)
        rows.append({"path": str(place), "label": label, "patient": number, "split": "train"})
    return listed(top / "m.csv", rows)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        rows = manifest(top, make(top / "in", count))
        cxrtool = [sys.executable, "-m", "cxrtool"]
        cache = {"CXRTOOL_CACHE": str(top / "cache")}
        train = [
            *cxrtool,
            "train",
            str(rows),
            "-q",
            "--arch",
            "resnet18",
            "--epochs",
            "1",
            "--batch",
            str(BATCH),
            "--size",
            str(SIZE),
            "--augment",
            "rotate=5,hflip=0.5",
            "-f",
            "-d",
            str(top / "run"),
        ]
        plain = [sys.executable, "-c", PLAIN, str(top / "classes"), str(top / "plain.pth")]
        results = {"plain PyTorch": timed(plain), "cxrtool, empty cache": timed(train, cache)}
        results["cxrtool, full cache"] = timed(train, cache)
        print(f"{count} images of 1024 x 1024, ResNet-18 at {SIZE}, one epoch")
        for what, seconds in results.items():
            print(f"{what:24}{seconds:8.1f} s{seconds / results['plain PyTorch']:8.2f} x")
        evaluate = [*cxrtool, "evaluate", str(top / "run"), str(rows), "-q"]
        timed(evaluate, cache)
        whole = timed(evaluate, cache)
        start = timed([*cxrtool, "evaluate", str(top / "run"), str(next(top.glob("in/*"))), "-q"])
        array = max((top / "cache").iterdir(), key=lambda p: p.stat().st_size)
        alone = float(
            subprocess.run(
                [sys.executable, "-c", FORWARD, str(top / "run"), str(array)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        print(f"one image, whole process {start:8.1f} s")
        print(f"forward pass alone      {alone:8.1f} s")
        print(f"evaluate, less a start  {whole - start:8.1f} s{alone / (whole - start):8.2f} x")
        shutil.rmtree(top / "cache")


if __name__ == "__main__":
    main()
