"""Print what cxrtool makes of one GPU: the share of its speed that is used, and its memory.

    python tests/benchmarks/gpu.py [IMAGES]

Training and prediction are compared with the bare network: the same steps, of one batch that lies
on the device already, with nothing around them (goal: 0.9 of its speed). Then bfloat16 is compared
with float32, --compile, --batch auto, a batch that does not fit, two processes on the one card, and
heat maps. Commands run in processes of their own; the speed is that of their best epoch after the
first. AUC is that of the validation images, which are phantoms. What has not begun after seven
minutes is left out.

Without a GPU everything is small, and shows only that the script works: its figures say nothing.
"""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from heatmaps import ours, seconds

from cxrtool.explain.explanation import Sight
from cxrtool.files import run_folder
from cxrtool.learn import inference, prediction

ENOUGH = 420.0  # seconds after which nothing more is begun
CLASSES = 2
# Runs `cxrtool` in a process of its own, and writes down the memory that it took.
WATCHED = """
import json, os, resource, sys, torch
from cxrtool.cli import app
code = app.run(sys.argv[2:])
most = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = {"device": most / 2**20, "host": host / 2**10}
with open(f"{sys.argv[1]}.{os.environ.get('RANK', '0')}", "w") as file:
    json.dump(found, file)
sys.exit(code)
"""


@dataclass(frozen=True)
class Scale:
    """How large everything is."""

    archs: tuple[str, ...]
    images: int
    size: int
    batch: int
    epochs: int


ON_GPU = Scale(("resnet18", "densenet121"), 2048, 224, 64, 3)
ON_CPU = Scale(("conv8",), 60, 32, 10, 2)


@dataclass(frozen=True)
class Done:
    """What a command said and needed."""

    code: int
    error: str
    device: float = 0.0  # MiB
    host: float = 0.0

    @property
    def last(self) -> str:
        return (self.error.strip().splitlines() or ["no message"])[-1]


class Failed(Exception):
    """A command did not do what it should."""


class Bench:
    """The images, and the commands that use them."""

    def __init__(self, top: Path, scale: Scale, device: torch.device) -> None:
        self.top, self.scale, self.device = top, scale, device
        self.on_card = device.type == "cuda"
        (top / "watched.py").write_text(WATCHED)

    def run(self, *words: object, processes: int = 1) -> Done:
        """Run a command, by so many processes."""
        launch: list[str] = []
        if processes > 1:
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                port = found.getsockname()[1]
            launch = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
            launch += [f"--master-port={port}"]
        for old in self.top.glob("needs.*"):
            old.unlink()
        command = [sys.executable, *launch, "watched.py", "needs", *map(str, words)]
        env = {**os.environ, "CXRTOOL_CACHE": str(self.top / "cache")}
        done = subprocess.run(
            command, cwd=self.top, env=env, capture_output=True, text=True, check=False
        )
        needs = [json.loads(p.read_text()) for p in self.top.glob("needs.*")]
        device, host = (sum(n[what] for n in needs) for what in ("device", "host"))
        return Done(done.returncode, done.stderr, device, host)

    def must(self, *words: object, processes: int = 1) -> Done:
        """Run a command that has to succeed."""
        done = self.run(*words, processes=processes)
        if done.code:
            raise Failed(f"{words[0]}: {done.last}")
        return done

    def make_images(self) -> None:
        """Draw phantoms, and divide them."""
        scale = self.scale
        drawn = ["--size", max(64, scale.size), "--labels", "normal,covid", "-d", "in"]
        self.must("phantom", scale.images, *drawn, "-o", "all.csv")
        self.must("split", "all.csv", "--test", 0.2, "--val", 0.2, "-o", "split.csv")

    def train(
        self, arch: str, name: str, *words: object, processes: int = 1
    ) -> tuple[dict[str, float], Done]:
        """Train a run: the figures of its epochs, and what it needed."""
        scale = self.scale
        given = ["--arch", arch, "--size", scale.size, "--epochs", scale.epochs, "-d", name]
        given += ["--device", self.device.type, *words]
        given += [] if "--batch" in words else ["--batch", scale.batch]
        done = self.must("train", "split.csv", *given, processes=processes)
        with (self.top / name / "history.csv").open() as file:
            history = list(csv.DictReader(file))
        speed = max(float(row["images_per_second"]) for row in history[-(scale.epochs - 1) :])
        figures = {"loss": history[0]["loss"], "auc": history[-1]["val_auc"]}
        return {"speed": speed, **{k: float(v) for k, v in figures.items()}}, done

    def timed(self, work: Callable[[], Any], images: int) -> float:
        """Return images a second, after a call to warm up."""
        work()
        return images / min(seconds(self.device, work))

    def bare(self, arch: str, amp: bool) -> tuple[float, float, float]:
        """Return the images a second of bare training and of a bare forward pass, and MiB."""
        scale, device = self.scale, self.device
        if self.on_card:
            torch.cuda.reset_peak_memory_stats()
        network: Any = inference.built(arch, CLASSES, 0, scale.size)
        network.to(device).to(memory_format=torch.channels_last).train()
        grey = torch.randint(0, 256, (scale.batch, 1, scale.size, scale.size), device=device)
        ready = inference.prepared(grey, [127.5] * network.channels, [64.0] * network.channels)
        labels = torch.randint(0, CLASSES, (scale.batch,), device=device)
        optimizer = torch.optim.Adam(network.parameters(), 1e-3)
        steps = max(1, scale.images // scale.batch // 2)

        def learn() -> None:
            for _ in range(steps):
                with inference.precision(device, amp):
                    logits = network(ready).float()
                if logits.shape[1] == 1:
                    logits = torch.cat([torch.zeros_like(logits), logits], 1)
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(logits, labels).backward()
                optimizer.step()

        @torch.inference_mode()
        def look() -> None:
            for _ in range(steps):
                network(ready)

        training = self.timed(learn, steps * scale.batch)
        most = torch.cuda.max_memory_allocated() / 2**20 if self.on_card else 0.0
        network.eval()
        return training, self.timed(look, steps * scale.batch), most


Rows = Iterator[tuple[str, str]]


def needed(done: Done) -> str:
    return f"{done.device:.0f} MiB on the card, {done.host:.0f} MiB beside it"


def networks(bench: Bench) -> Rows:
    """Training, prediction and heat maps of each network against the bare one."""
    for arch in bench.scale.archs:
        training, looking, most = bench.bare(arch, amp=bench.on_card)
        amp = "bf16" if bench.on_card else "none"
        made, done = bench.train(arch, arch, "--amp", amp)
        share = made["speed"] / training
        speeds = f"{made['speed']:.0f} images/s, {share:.2f} of the bare network's {training:.0f}"
        yield f"train {arch} ({amp})", f"{speeds}; AUC {made['auc']:.3f}"
        yield f"memory of train {arch}", f"{needed(done)}; bare: {most:.0f} MiB on the card"
        yield from predictions(bench, arch, looking)


def predictions(bench: Bench, arch: str, bare: float) -> Rows:
    """Predictions from decoded images to probabilities, and heat maps, in this process."""
    scale = bench.scale
    model = inference.Model(run_folder.read(str(bench.top / arch)), bench.device)
    top = str(bench.top)
    settings = prediction.PredictionSettings(scale.batch, cache=f"{top}/cache", root=top)
    predictor = prediction.Predictor([model], None, settings)
    with (bench.top / "split.csv").open() as file:
        rows = list(csv.DictReader(file))

    def predict() -> None:
        for _ in prediction.predicted(rows, predictor, lambda skip: None):
            pass

    speed = bench.timed(predict, len(rows))
    text = f"{speed:.0f} images/s, {speed / bare:.2f} of the bare network's {bare:.0f}"
    yield f"evaluate {arch} (float32)", text
    shape = (scale.batch, 1, scale.size, scale.size)
    grey = torch.randint(0, 256, shape, dtype=torch.uint8, device=bench.device)
    sight = Sight(model.network, model.about).eval()  # type: ignore[arg-type]
    speed = bench.timed(ours(sight, "gradcam", grey), scale.batch)
    yield f"cam {arch} (Grad-CAM)", f"{speed:.0f} images/s, {speed / bare:.2f} of the bare forward"


def precisions(bench: Bench) -> Rows:
    """bfloat16 against float32, of the first network, and two processes against one."""
    arch = bench.scale.archs[0]
    plain, done = bench.train(arch, "float32", "--amp", "none")
    half, less = bench.train(arch, "bf16", "--amp", "bf16")
    times = half["speed"] / plain["speed"]
    yield f"{arch}, float32", f"{plain['speed']:.0f} images/s, AUC {plain['auc']:.3f}"
    yield f"{arch}, bf16", f"{times:.2f} x as fast, AUC {half['auc']:.3f}"
    yield "memory, float32 and bf16", f"{needed(done)}; {needed(less)}"
    two, both = bench.train(arch, "two", "--amp", "none", processes=2)
    times = two["speed"] / plain["speed"]
    losses = f"loss of the first epoch {two['loss']:.4f}, of one process {plain['loss']:.4f}"
    yield "two processes, one device", f"{times:.2f} x as fast as one; {losses}; {needed(both)}"


def compiled(bench: Bench) -> Rows:
    """--compile against the same without."""
    arch = bench.scale.archs[0]
    if not bench.on_card:
        yield "--compile", "left out: on a CPU it takes longer than all the rest"
        return
    plain, _ = bench.train(arch, "plain")
    made, _ = bench.train(arch, "compiled", "--compile")
    yield f"{arch} --compile", f"{made['speed'] / plain['speed']:.2f} x as fast"


def batches(bench: Bench) -> Rows:
    """The batch that is found, and one that does not fit."""
    arch = bench.scale.archs[-1]
    made, done = bench.train(arch, "auto", "--batch", "auto")
    batch = json.loads((bench.top / "auto" / "run.json").read_text())["options"]["batch"]
    yield f"{arch} --batch auto", f"{batch} images, {made['speed']:.0f} images/s; {needed(done)}"
    if not bench.on_card:
        yield "a batch that does not fit", "left out: needs a GPU"
        return
    # 1200 images of DenseNet-121 at 224 need 200 GiB or more.
    given = ["--arch", arch, "--size", bench.scale.size, "--epochs", 1, "--amp", "none"]
    broken = bench.run("train", "split.csv", *given, "--batch", bench.scale.images, "-d", "large")
    yield "a batch that does not fit", f"exit code {broken.code}: {broken.last}"


def main() -> None:
    start = time.monotonic()
    device = inference.device("auto")
    scale = ON_GPU if device.type == "cuda" else ON_CPU
    if device.type == "cuda":
        print(torch.cuda.get_device_name(), f"torch {torch.__version__}", sep=", ")
    else:
        device = torch.device("cpu")
        print("no GPU: a reduced form on the CPU, whose figures say nothing")
    if len(sys.argv) > 1:
        scale = Scale(scale.archs, int(sys.argv[1]), scale.size, scale.batch, scale.epochs)
    print(f"{scale.images} phantoms of {scale.size} x {scale.size}, batches of {scale.batch}")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), scale, device)
        bench.make_images()
        for part in (networks, precisions, batches, compiled):
            try:
                if time.monotonic() - start > ENOUGH:
                    print(f"{part.__name__}: left out, as seven minutes are over")
                    continue
                for what, text in part(bench):
                    print(f"{what:28} {text}", flush=True)
            except Failed as e:
                failed = True
                print(f"{part.__name__}: failed: {e}")
    print(f"{time.monotonic() - start:.0f} s in all")
    sys.exit(failed)


if __name__ == "__main__":
    main()
