"""Load weights into a network: none, imagenet, a file, or a run (network -> network and a record).

The names in a file are those of whoever wrote it. Prefixes such as `module.` are dropped, and the
old names of DenseNet's layers are brought up to date. A layer of the head that has another shape is
left as it is, as the record says.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from cxrtool.core.choices import First
from cxrtool.core.errors import CxrtoolError, shortened
from cxrtool.files import run_folder
from cxrtool.learn import head_rows, imagenet_weights, weights_reader
from cxrtool.learn.weights_reader import Tensors

# What wrappers and other people's classes put before a name.
PREFIX = re.compile(r"(module|model|network|net|encoder|backbone|(densenet|resnet|vgg)\d+)\.")
# Before 2018, DenseNet's layers were called `denselayer1.norm.1`.
OLD_LAYER = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")
# CheXNet's classifier is a row of a linear layer and a sigmoid.
ROW = re.compile(r"\.0\.(weight|bias)$")
COUNTER = "num_batches_tracked"
# What stands behind the folder of a run whose last epoch is meant, and not its best.
LAST_EPOCH = ":last"
FIRST_LAYER = "first convolution"
WORDS = ("none", "imagenet")
SHOWN, MOST_WORDS = 3, 1000


@dataclass
class Match:
    """Which tensors of a source fit a network, under the network's names."""

    fitting: Tensors = field(default_factory=dict)
    misfits: set[str] = field(default_factory=set)
    first: bool = False
    outputs: str = ""  # which findings have outputs of the source, in words


def load(
    network: nn.Module,
    spec: str,
    arch: str,
    first: First = "red",
    findings: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> str:
    """Load the weights that `spec` names, and describe in one line what was loaded.

    Parameters
    ----------
    network : the network to be changed.
    spec : `none`, `imagenet`, a file (.safetensors, .pth, .pt), the folder of a run, or RUN:last.
    arch : what the network is called, for messages.
    first : what becomes of the first convolution's three channels where the network has one.
    findings : of the outputs; each takes the output that a run has for it.
    classes : of the outputs; said where they take outputs of other names.
    """
    if spec == "none":
        # Some networks come with weights, and nothing is to be added to them.
        return str(getattr(network, "loaded", "") or "none")
    label, match = _taken(network, spec, arch, first, findings)
    match.outputs = match.outputs or _by_place(network, match, spec, findings or classes)
    return _record(network, match, label, first)


def _by_place(network: nn.Module, match: Match, spec: str, names: Sequence[str]) -> str:
    """Say in words which outputs are taken for which, where their names differ or are unknown."""
    folder = run_of(spec)
    theirs = () if folder is None else run_folder.read(folder).about.classes
    return shortened(head_rows.by_place(network, match.fitting, theirs, names), MOST_WORDS)


def load_whole(network: nn.Module, spec: str, arch: str, first: First = "red") -> str:
    """Load weights that leave no layer of the network as it was, and describe them."""
    label, match = _taken(network, spec, arch, first)
    keys = (key for key in network.state_dict() if not key.endswith(COUNTER))
    if missing := _layers(key for key in keys if key not in match.fitting):
        shown = ", ".join(missing[:SHOWN]) + ", ..." * (len(missing) > SHOWN)
        what = f"{label} lacks layers of '{arch}', or has them of another shape: {shown}"
        raise CxrtoolError(what, "Name the architecture and the classes of these weights.")
    return _record(network, match, label, first)


def _taken(
    network: nn.Module, spec: str, arch: str, first: First, findings: Sequence[str] = ()
) -> tuple[str, Match]:
    """Put into a network what fits it of the weights that `spec` names."""
    outputs = ""
    if spec == "imagenet":
        label, tensors = imagenet_weights.fetched(network, arch)
    elif of_last_epoch(spec):
        label, tensors = spec, run_folder.last_weights(spec.removesuffix(LAST_EPOCH))
    else:
        label, tensors = spec, weights_reader.read(Path(spec))
    if findings and (folder := run_of(spec)) is not None:
        theirs = run_folder.read(folder).about.classes
        tensors, outputs = head_rows.by_name(network, tensors, theirs, findings)
    match = _matched(network, tensors, first)
    match.outputs = shortened(outputs, MOST_WORDS)
    _check_enough(network, match, label, arch)
    _check_finite(match.fitting, label)
    network.load_state_dict(match.fitting, strict=False)
    return label, match


def scaled_as_imagenet(spec: str) -> bool:
    """Whether weights want the grey levels of ImageNet's, or are of a run that was scaled so."""
    if spec == "imagenet":
        return True
    folder = run_of(spec)
    if folder is None:
        return False
    return run_folder.read(folder).about.normalize == "imagenet"


def seen_images(spec: str) -> list[int]:
    """List the digests of the images that the run of the weights has seen, if it is known."""
    folder = run_of(spec)
    if folder is None:
        return []
    return [digest for part in (run_folder.read(folder).images() or {}).values() for digest in part]


def run_of(spec: str) -> str | None:
    """Return the folder of the run that weights are of, if they are of one."""
    folder = spec.removesuffix(LAST_EPOCH)
    # A folder may be called as the words are.
    there = spec not in WORDS and os.path.isfile(os.path.join(folder, run_folder.ABOUT))
    return folder if there else None


def of_last_epoch(spec: str) -> bool:
    """Tell RUN:last, the weights of the last epoch of a run."""
    return spec.endswith(LAST_EPOCH) and os.path.isdir(spec.removesuffix(LAST_EPOCH))


def _trunk(network: nn.Module) -> list[str]:
    """List the tensors that are no part of the head."""
    heads = tuple(getattr(network, "heads", ()))
    keys = (key for key in network.state_dict() if not key.endswith(COUNTER))
    return [key for key in keys if not key.startswith(heads)]


def _record(network: nn.Module, match: Match, label: str, first: First) -> str:
    trunk = _trunk(network)
    count = sum(key in match.fitting for key in trunk)
    parts = [f"{label}: {count} of {len(trunk)} tensors of the trunk"]
    if match.first:
        parts.append(f"{FIRST_LAYER}: {first}")
    if match.outputs:
        parts.append(match.outputs)
    fresh = [k for k in network.state_dict() if k not in match.fitting and k not in trunk]
    if layers := _layers(key for key in fresh if not key.endswith(COUNTER)):
        parts.append(f"fresh: {', '.join(layers)}")
    return "; ".join(parts)


def converts_first(record: str) -> bool:
    """Whether the first convolution was changed from colour to grey, by the record of weights."""
    return f"; {FIRST_LAYER}: " in record


def _layers(keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(key.rpartition(".")[0] for key in keys))


def _matched(network: nn.Module, source: Tensors, first: First) -> Match:
    """Find the tensors that fit; a layer fits as a whole or not at all."""
    targets = network.state_dict()
    names = _names(network, targets)
    match = Match()
    for key, tensor in source.items():
        name = names.get(_renamed(key, names))
        if name is None:
            continue
        fitted = _fitted(tensor, targets[name].shape, first)
        if fitted is not None:
            match.first |= fitted is not tensor
            match.fitting[name] = fitted
        elif not name.endswith(COUNTER):
            match.misfits.add(name)
    layers = set(_layers(match.misfits))
    kept = {k: v for k, v in match.fitting.items() if k.rpartition(".")[0] not in layers}
    match.fitting = kept
    return match


def _names(network: nn.Module, targets: Mapping[str, Tensor]) -> dict[str, str]:
    """Map every name that a tensor of the network may have to the one that it has."""
    names = {key: key for key in targets}
    prefixes = list(getattr(network, "sources", {}))
    # Two networks in one have layers of the same names.
    if len(prefixes) == 1:
        names |= {key.removeprefix(prefixes[0]): key for key in targets}
    return names


def _renamed(key: str, names: Mapping[str, str]) -> str:
    """Bring a name of a file to one that the network knows, if that can be done."""
    key = OLD_LAYER.sub(r"\1\2.", key)
    while key not in names and (prefix := PREFIX.match(key)):
        key = key[prefix.end() :]
    row = ROW.sub(r".\1", key)
    return row if key not in names and row in names else key


def _fitted(tensor: Tensor, shape: torch.Size, first: First) -> Tensor | None:
    """Return the tensor where it fits, the first convolution for one channel where it has three."""
    if tensor.shape == shape:
        return tensor
    if len(shape) == 4 and shape[1] == 1 and tensor.shape == (shape[0], 3, *shape[2:]):
        return tensor[:, :1] if first == "red" else tensor.sum(1, keepdim=True)
    return None


def _check_enough(network: nn.Module, match: Match, label: str, arch: str) -> None:
    trunk = _trunk(network)
    missing = [key for key in trunk if key not in match.fitting]
    if 2 * len(missing) <= len(trunk):
        return
    what = (
        f"{label} has {len(trunk) - len(missing)} of the {len(trunk)} tensors of '{arch}'"
        f"; missing or of another shape: {', '.join(missing[:SHOWN])}"
    )
    raise CxrtoolError(what, "Name the architecture that the weights are of.")


def _check_finite(tensors: Tensors, label: str) -> None:
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            what = f"{label}: {key} holds values that are not finite"
            raise CxrtoolError(what, "These weights are of a training that diverged.")
