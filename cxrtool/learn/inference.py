"""From grey levels to probabilities: devices, scaling of grey levels, and the network of a run."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cxrtool.core import memory, registry
from cxrtool.core.errors import CxrtoolError, is_memory, shortened
from cxrtool.files.run_folder import ABOUT, Run
from cxrtool.files.run_record import REMEDY, About, damaged
from cxrtool.learn.architectures._network import Net, Network
from cxrtool.learn.losses import log_probabilities

# How grey levels of 0 to 255 are scaled, by name: the mean and the spread of each channel.
FIXED = {"unit": (0.0, 255.0), "none": (0.0, 1.0), "xrv": (127.5, 127.5 / 1024)}
# The types of weights; what counts batches is a whole number.
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
# Architectures that come with weights of their own.
FETCHED = ("xrv",)
# What is looked at at a time, at most: 64 images of 512 x 512, or one of 4096 x 4096.
PIXELS = 64 * 512**2
DIVERGED = "They are of a training that diverged: train it again."


def device(name: str) -> torch.device:
    """Find where tensors are to live; `auto` takes an accelerator where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    try:
        where = torch.device(name)
        torch.empty(0, device=where)
    except (RuntimeError, AssertionError) as e:
        there = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        what = f"the device {name} is not available"
        remedy = f"Choose one of: {', '.join(there)}."
        raise CxrtoolError(what, remedy, settings=["device"]) from e
    if where.type == "cpu":
        # The maps of a batch take up to a hundred megabytes each; to have them cleared anew is a
        # fifth of the time of a step of ResNet-18.
        memory.tune(mmap_max=0, trim_threshold=2**31 - 1, top_pad=64 << 20)
        # MKL loads a part of itself at its first use, and ends the process, with a code of its own,
        # if the working folder has been removed by then.
        torch.mm(torch.ones(2, 2), torch.ones(2, 2))
    return where


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def built(arch: str, classes: int, channels: int = 0, size: int = 0) -> Network:
    """Build the network of a SPEC for so many classes; channels and size are its own if 0."""
    network = _built(arch, classes, channels, size)
    if not isinstance(network, Network):
        raise CxrtoolError(
            f"'{arch}' is a segmentation network, not a classifier", "Choose another network."
        )
    if network.outputs not in (classes, 1 if classes == 2 else classes):
        what = f"'{arch}' has {network.outputs} outputs of its own, not {classes} classes"
        raise CxrtoolError(what, "Choose another network; its weights may go into densenet121.")
    return network


def of_findings(arch: str, findings: int, channels: int = 0, size: int = 0) -> Network:
    """Build a network with an output for each finding: two classes may share one, findings not."""
    network = built(arch, findings, channels, size)
    if network.outputs != findings:
        what = f"'{arch}' has {network.outputs} output for {findings} findings"
        raise CxrtoolError(what, "Choose another network.")
    return network


def _built(arch: str, classes: int, channels: int, size: int) -> Any:
    _, plugin, given = registry.load("architectures", arch, "build")
    asked = {"channels": channels, "size": size}
    return plugin.build(classes, **{k: v for k, v in asked.items() if v}, **given)


def drawing(arch: str, channels: int = 0, size: int = 0) -> Net:
    """Build a network that draws masks."""
    network = _built(arch, 1, channels, size)
    if isinstance(network, Network):
        raise CxrtoolError(f"'{arch}' is a classifier, not a segmentation network", "Choose unet.")
    net: Net = network
    return net


def network_of(about: About) -> Net:
    """Build the network of a run."""
    if about.task == "segment":
        return drawing(about.arch, about.channels, about.size)
    build = of_findings if about.task == "findings" else built
    return build(about.arch, len(about.classes), about.channels, about.size)


# What a network says of a size, or of an option, that it cannot have.
MISFITS = (RuntimeError, ValueError, TypeError, IndexError, ArithmeticError, AssertionError)


def _network_of(run: Run) -> Net:
    """Build the network of a run that may be anybody's: what it cannot be is the fault of run.json.

    The errors are of many kinds, as every library checks its own way.
    """
    try:
        return network_of(run.about)
    except (CxrtoolError, *MISFITS) as e:
        if is_memory(e):
            raise
        why = f"its network '{shortened(run.about.arch)}' cannot be built: {shortened(str(e))}"
        raise damaged(os.path.join(run.folder, ABOUT), why) from e


def scale(normalize: str, network: Net) -> tuple[list[float], list[float]]:
    """Return the mean and the spread of a normalization that does not depend on the data."""
    if normalize == "imagenet":
        mean, std = [255 * m for m in network.mean], [255 * s for s in network.std]
        if network.channels == 1:
            # A grey picture has the same level in all three.
            return [sum(mean) / 3], [sum(std) / 3]
        return mean, std
    middle, spread = FIXED[normalize]
    return [middle] * network.channels, [spread] * network.channels


def prepared(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Scale a batch (N, 1 or 3, H, W) of grey levels to what the network takes, channels last."""
    images = images.float()
    if images.shape[1] < len(mean):
        images = images.expand(-1, len(mean), -1, -1)
    middle = torch.tensor(mean, device=images.device).view(1, -1, 1, 1)
    spread = torch.tensor(std, device=images.device).view(1, -1, 1, 1)
    return ((images - middle) / spread).contiguous(memory_format=torch.channels_last)


class _Unfilled(TorchFunctionMode):
    """Let tensors without memory be, where a network fills its fresh weights.

    To fill them PyTorch would import its compiler, which takes two seconds.
    """

    FILLING = ("normal_", "uniform_", "trunc_normal_", "bernoulli_")

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a function, unless it fills a tensor."""
        if getattr(function, "__name__", "").endswith(self.FILLING):
            return args[0] if args else kwargs["tensor"]
        return function(*args, **(kwargs or {}))


class Model:
    """A run that gives probabilities, of images or of their pixels."""

    def __init__(self, run: Run, where: torch.device, amp: bool = False) -> None:
        self.run, self.about = run, run.about
        self.name, self.folder, self.device, self.amp = run.name, run.folder, where, amp
        about = self.about
        tensors = _finite_weights(run)
        if about.arch.partition(":")[0] in FETCHED:
            # A run may come from anybody, and must not make this program fetch and run things.
            what = f"{run.folder}: its network ({about.arch}) would be fetched by another library"
            raise CxrtoolError(what, "Such runs can be trained, but not read yet.")
        # A run says how large its network is: no memory is taken for what its file is not.
        with torch.device("meta"), _Unfilled():
            probe = _network_of(run)
        _load(probe, run, tensors, assign=True)
        self.network = network_of(about)
        _load(self.network, run, tensors)
        self.network.to(where).to(memory_format=torch.channels_last).eval()

    @torch.inference_mode()
    def log_probabilities(self, images: Tensor) -> Tensor:
        """Return log p (N, classes) of a batch of grey levels, before any calibration."""
        return log_probabilities(self.logits(images))

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """Return the logits of a batch of grey levels."""
        with precision(self.device, self.amp):
            ready = prepared(images.to(self.device), self.about.mean, self.about.std)
            logits: Tensor = self.network(ready)
        return finite(logits.float(), self.folder, "outputs")


def finite(values: Tensor, folder: str, what: str) -> Tensor:
    """Return what a run makes of images, if all of it are finite numbers.

    Weights that are finite may still be so large that sums of them are not; no figure and no
    picture can be made of that.
    """
    if not bool(values.isfinite().all()):
        raise CxrtoolError(f"{folder}: its {what} are not all finite numbers", DIVERGED)
    return values


def _finite_weights(run: Run) -> dict[str, Tensor]:
    tensors = run.tensors()
    for name, tensor in tensors.items():
        # For exotic types PyTorch cannot check whether they are finite.
        if tensor.dtype not in (*FLOATS, torch.int64) or not tensor.isfinite().all():
            what = f"{run.folder}: its weights are not all finite numbers ({name})"
            raise CxrtoolError(what, DIVERGED)
    return tensors


def _load(network: Net, run: Run, tensors: dict[str, Tensor], assign: bool = False) -> None:
    try:
        network.load_state_dict(tensors, assign=assign)
    except RuntimeError as e:
        lines = str(e).splitlines()
        why = (lines[1] if len(lines) > 1 else lines[0]).strip().rstrip(".")
        what = f"{run.folder}: its weights are not those of {run.about.arch} ({why})"
        raise CxrtoolError(what, REMEDY) from e


@contextlib.contextmanager
def precision(where: torch.device, amp: bool) -> Iterator[Any]:
    """Compute in bfloat16 where that was asked for."""
    with torch.autocast(where.type, torch.bfloat16, enabled=amp) as context:
        yield context


def bounded(batch: int, size: int) -> int:
    """Take fewer images at a time where they are large: a run may say any size."""
    return max(1, min(batch, PIXELS // size**2))


def batches(number: int, size: int) -> Iterator[slice]:
    """Divide a number of images into batches."""
    return (slice(start, min(start + size, number)) for start in range(0, number, size))
