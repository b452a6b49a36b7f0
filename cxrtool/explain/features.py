"""What a network makes of images at a place inside it: one row of numbers an image."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.core.progress import Count, counter
from cxrtool.files import pixel_cache
from cxrtool.files.failures import Failures
from cxrtool.learn import remote_batches
from cxrtool.learn.architectures._network import Network
from cxrtool.learn.inference import Model, batches, bounded, finite, precision, prepared
from cxrtool.learn.prediction import CHUNK, PredictionSettings, Row

Floats = NDArray[np.float32]

# What the last linear layer sees; the last feature maps, averaged. Other places are modules.
EMBEDDING, MAP = "embedding", "map"
# A network has hundreds of modules, most of them inside of others: a message lists the outer ones,
# but so many at least.
FEWEST_LISTED = 6
# Features are kept for all images at once.
MOST_BYTES = 1 << 29


class Tap:
    """A place of a model, where features are taken."""

    def __init__(self, model: Model, layer: str = EMBEDDING) -> None:
        if not isinstance(model.network, Network):
            raise ValueError("a network that draws masks has no embedding")
        self.model, self.network, self.layer = model, model.network, layer
        if layer not in (EMBEDDING, MAP):
            there = self._modules()
            if layer not in there:
                raise registry.unknown("--layer", layer, [EMBEDDING, MAP, *outer(there)])

    @torch.inference_mode()
    def features(self, images: Tensor) -> Floats:
        """Return the features (N, D) of a batch of grey levels."""
        model, network = self.model, self.network
        with precision(model.device, model.amp):
            ready = prepared(images.to(model.device), model.about.mean, model.about.std)
            if self.layer == EMBEDDING:
                result = network.embed(network.trunk(ready)).flatten(1)
            elif self.layer == MAP:
                result = pooled(network.cam_map(network.trunk(ready)))
            else:
                result = self._hooked(ready)
        return finite(result.float(), model.folder, "features").cpu().numpy()

    def _hooked(self, ready: Tensor) -> Tensor:
        result: list[Tensor] = []

        # Averaged at once: the next layer may well work in the same memory.
        def keep(_: nn.Module, __: object, output: Tensor) -> None:
            result[:] = [pooled(output)]

        handle = self.network.get_submodule(self.layer).register_forward_hook(keep)
        try:
            self.network(ready)
        finally:
            handle.remove()
        return result[0]

    @torch.inference_mode()
    def _modules(self) -> list[str]:
        """Name the modules that a forward pass calls, and that give features."""
        model, network = self.model, self.network
        called: set[str] = set()

        def hook(name: str) -> Callable[[nn.Module, object, object], None]:
            def keep(_: nn.Module, __: object, output: object) -> None:
                if isinstance(output, Tensor) and output.ndim > 1 and len(output) == 1:
                    called.add(name)

            return keep

        names = [name for name, _ in network.named_modules() if name]
        handles = [network.get_submodule(n).register_forward_hook(hook(n)) for n in names]
        try:
            blank = torch.zeros(1, 1, model.about.size, model.about.size, device=model.device)
            network(prepared(blank, model.about.mean, model.about.std))
        finally:
            for handle in handles:
                handle.remove()
        return [name for name in names if name in called]


def outer(modules: list[str]) -> list[str]:
    """Return the modules that are not deep inside of others."""
    depths = sorted(name.count(".") for name in modules)
    deepest = max(1, depths[min(FEWEST_LISTED, len(depths)) - 1])
    return [name for name in modules if name.count(".") <= deepest]


def pooled(maps: Tensor) -> Tensor:
    """Average maps (N, C, H, W) over their places and tokens (N, T, C) over each other."""
    if maps.ndim == 3:
        return maps.mean(dim=1)
    return maps.flatten(2).mean(dim=2) if maps.ndim > 3 else maps.clone()


def of_rows(
    rows: Sequence[Row],
    tap: Tap,
    settings: PredictionSettings,
    skipped: Failures,
    progress: str = "auto",
) -> tuple[list[Row], Floats]:
    """Return the rows whose images can be read, and the features of these images (N, D).

    A part is decoded at a time, in the parts in which predictions are made, so that both find the
    same decoded images in the cache.
    """
    kept: list[Row] = []
    result: list[Floats] = []
    with counter(len(rows), 0, "images", progress) as count:
        for chunk, features, skips in _parts(rows, tap, settings, progress, count):
            for skip in skips.values():
                skipped.add(skip)
            good = [number for number in range(len(chunk)) if number not in skips]
            kept += [chunk[number] for number in good]
            result.append(features[good])
            _check_size(result)
    if not kept:
        skipped.refuse()
    return kept, np.concatenate(result)


@dataclass(frozen=True)
class Taken:
    """What is asked of a network on a worker: its features at a place."""

    layer: str

    def __call__(self, model: Model, images: NDArray[np.uint8]) -> Floats:
        """Return the features of a batch of images."""
        return Tap(model, self.layer).features(torch.from_numpy(images))


def _parts(
    rows: Sequence[Row], tap: Tap, settings: PredictionSettings, progress: str, count: Count
) -> Iterator[tuple[list[Row], Floats, dict[int, Skip]]]:
    """Yield the rows in parts, with the features of the images, and the unread ones."""
    if settings.remote:
        place = remote_batches.RemotePlace(settings.remote)
        ask = Taken(tap.layer)
        work = remote_batches.Networks((tap.model.run,), ask, place, settings.root)
        for chunk, ((features, skips),) in remote_batches.answers(
            work, rows, CHUNK, settings.batch, settings.crew
        ):
            count(len(chunk))
            yield chunk, features, skips
        return
    for start in range(0, len(rows), CHUNK):
        chunk = list(rows[start : start + CHUNK])
        yield chunk, *_of(tap, settings, chunk, progress, count)


def _of(
    tap: Tap, settings: PredictionSettings, rows: Sequence[Row], progress: str, count: Count
) -> tuple[Floats, dict[int, Skip]]:
    about = tap.model.about
    frame = pixel_cache.Frame(about.size, about.image_channels, about.fit, settings.root)
    paths, digests = pixel_cache.named(rows)
    array, skips = pixel_cache.gathered(
        paths, frame, settings.cache, settings.crew, progress, digests
    )
    result = []
    for step in batches(len(array), bounded(settings.batch, about.size)):
        result.append(tap.features(torch.from_numpy(np.array(array[step]))))
        count(len(result[-1]))
    return np.concatenate(result), skips


def _check_size(result: Sequence[Floats]) -> None:
    if sum(f.nbytes for f in result) > MOST_BYTES:
        what = f"{result[0].shape[1]} features of so many images take over {MOST_BYTES >> 20} MiB"
        raise CxrtoolError(what, "Choose --layer map, or fewer rows with --where.")
