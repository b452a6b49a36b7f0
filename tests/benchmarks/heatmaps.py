"""Compare the heat maps with a bare forward pass, and with pytorch-grad-cam where it is installed.

    python tests/benchmarks/heatmaps.py [BATCH [ARCH ...]]

Ours is all of it: the prediction, and the map of the predicted class, from grey levels. Theirs is
the map alone, of images that are ready, in batches of the same size. Each is timed in turn, best of
several. `of forward` is how fast ours is in shares of the forward pass, `theirs` how many times as
fast as the library. Where there is an accelerator it is used.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cxrtool.core import registry
from cxrtool.explain.explanation import Sight
from cxrtool.files.run_record import About
from cxrtool.learn import inference

METHODS = ["cam", "gradcam", "gradcam++", "layercam"]
THEIRS = {"gradcam": "GradCAM", "gradcam++": "GradCAMPlusPlus", "layercam": "LayerCAM"}
SIZE, CLASSES, REPEATS = 224, 2, 5
PARTS = {"resnet18": "layer4", "resnet50": "layer4", "densenet121": "features", "vgg16": "features"}


def seconds(device: torch.device, *works: Callable[[], Any]) -> list[float]:
    """Time some works in turn, so that a slow moment of the machine hits all alike."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(REPEATS):
        for times, work in zip(taken, works, strict=True):
            start = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
    return [min(times) for times in taken]


def ours(sight: Sight, name: str, grey: Tensor) -> Callable[[], Any]:
    plugin: Any = registry.module("heatmaps", name)

    def look() -> Any:
        images = grey.float()
        with torch.no_grad():
            classes = sight(images).argmax(1)
        return plugin.heatmap(sight, images, classes).cpu()

    return look


def theirs(network: nn.Module, part: nn.Module, name: str, ready: Tensor) -> Any:
    """Return their map of a batch, or None where the library is absent."""
    with contextlib.suppress(ImportError):
        import pytorch_grad_cam as library  # type: ignore[import-not-found]

        cam = getattr(library, THEIRS[name])(model=network, target_layers=[part])
        return lambda: cam(input_tensor=ready, targets=None)
    return None


def main() -> None:
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    device = inference.device("auto")
    print(f"{device}, {torch.get_num_threads()} threads, batches of {batch}, {SIZE} x {SIZE}")
    print(
        f"{'':12} {'method':10} {'forward ms':>10} {'ours ms':>8} {'of forward':>10} {'theirs':>7}"
    )
    for arch in sys.argv[2:] or PARTS:
        network: Any = inference.built(arch, CLASSES, 3, SIZE)
        network.to(device).to(memory_format=torch.channels_last).eval()
        about = About(arch, ["a", "b"], SIZE, 3, [127.5] * 3, [64.0] * 3)
        sight = Sight(network, about).eval()
        grey = torch.randint(0, 256, (batch, 1, SIZE, SIZE), dtype=torch.uint8, device=device)
        ready = inference.prepared(grey, about.mean, about.std)

        def forward(network: Any = network, ready: Tensor = ready) -> None:
            with torch.inference_mode():
                network(ready)

        for name in METHODS:
            if name == "cam" and network.cam_weights() is None:
                continue
            works = [forward, ours(sight, name, grey)]
            library = None
            if name in THEIRS and arch in PARTS:
                part = getattr(network.net, PARTS[arch])
                library = theirs(network, part, name, ready)
            bare, mine, *rest = seconds(device, *works, *([library] if library else []))
            print(f"{arch:12} {name:10} {1000 * bare:>10.0f} {1000 * mine:>8.0f}", end=" ")
            print(f"{bare / mine:>9.2f}x", f"{rest[0] / mine:>6.1f}x" if rest else "")


if __name__ == "__main__":
    main()
