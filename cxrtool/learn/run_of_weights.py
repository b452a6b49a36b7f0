"""A run made of weights alone, so that a published checkpoint is used like one's own (file -> run).

Nothing is learned and no image is read: what a training would find out must be said, or known to
the architecture, and every layer must be in the weights.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from cxrtool.core import registry
from cxrtool.core.choices import First
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note
from cxrtool.files import disk, run_folder
from cxrtool.files.run_record import About
from cxrtool.learn import inference, initial_weights, training_data, versions
from cxrtool.learn.architectures._network import Network


@dataclass(frozen=True)
class WeightSettings:
    """What the user chose."""

    arch: str
    weights: str
    classes: Sequence[str] = ()
    first: str = "red"
    size: int = 0
    channels: int = 0
    fit: str = "squash"
    normalize: str = "auto"


def make(
    settings: WeightSettings, folder: str, *, force: bool = False, dry_run: bool = False
) -> None:
    """Write the run, unless the folder has it already."""
    theirs = _findings_of_run(settings.weights)
    if theirs and settings.classes and list(settings.classes) != theirs:
        what = f"{settings.weights} has the findings {', '.join(theirs)}, and other names are given"
        raise CxrtoolError(what, "Leave the names out.", settings=["classes"])
    own = own_findings(settings.arch)
    if own and settings.classes and len(settings.classes) != len(own):
        what = f"'{settings.arch}' has {len(own)} outputs, and {len(settings.classes)} are named"
        raise CxrtoolError(what, "Leave the names out.", settings=["classes"])
    classes = list(settings.classes) or theirs or own
    training_data.check_size(classes)
    findings = bool(theirs or own)
    if len(classes) < 2 and not findings:
        what = f"no labels are read, and '{settings.arch}' has no classes of its own"
        raise CxrtoolError(what, "Name two or more.", settings=["classes"])
    if settings.normalize in ("auto", "dataset"):
        what = f"no images are read that '{settings.normalize}' could scale grey levels by"
        remedy = "Scale them as in the training of the weights: imagenet, unit, none or xrv."
        raise CxrtoolError(what, remedy, settings=["normalize"])
    build = inference.of_findings if findings else inference.built
    network = build(settings.arch, len(classes), settings.channels, settings.size)
    loaded = initial_weights.load_whole(
        network, settings.weights, settings.arch, cast(First, settings.first)
    )
    about = _about(settings, classes, network, loaded, findings)
    if dry_run:
        note(f"{folder}: would hold {settings.arch} with the weights of {loaded}")
    elif not _is_there(folder, about, network, force):
        disk.make_folder(folder)
        disk.claim(folder)
        run_folder.write(folder, about, network.state_dict())
        note(f"{folder}: {settings.arch} with the weights of {loaded}")


def _findings_of_run(weights: str) -> list[str]:
    """Return the findings of the run that the weights are of, if it has findings."""
    folder = initial_weights.run_of(weights)
    if folder is None:
        return []
    about = run_folder.read(folder).about
    return about.classes if about.task == "findings" else []


def own_findings(arch: str) -> list[str]:
    """Return the findings that an architecture has an output of its own for, if it has any."""
    plugin: Any = registry.module("architectures", arch.partition(":")[0])
    return list(getattr(plugin, "LABELS", ()))


def _about(
    settings: WeightSettings, classes: list[str], network: Network, loaded: str, findings: bool
) -> About:
    mean, std = inference.scale(settings.normalize, network)
    return About(
        arch=settings.arch,
        classes=classes,
        size=network.size,
        channels=network.channels,
        mean=mean,
        std=std,
        task="findings" if findings else "classify",
        fit=settings.fit,
        normalize=settings.normalize,
        loaded=loaded,
        options=asdict(settings) | {"classes": classes, "epochs": 0},
        versions=versions.used(),
    )


def _is_there(folder: str, about: About, network: Network, force: bool) -> bool:
    """Whether the folder holds this very run; another one is refused, and a training always is."""
    there = {*os.listdir(folder)} if os.path.isdir(folder) else set()
    if run_folder.LAST in there:
        # Its last state would stand beside weights that are not of it.
        what = f"{folder}: holds a training"
        raise CxrtoolError(what, "Name another folder.", settings=["folder"])
    if force or run_folder.ABOUT not in there:
        return False
    remedy = "Name another folder, or start from the beginning."
    other = CxrtoolError(f"{folder}: holds another run", remedy, settings=["folder", "force"])
    run = run_folder.read(folder)
    same = replace(run.about, versions=about.versions, weights="") == about
    tensors, own = run.tensors(), network.state_dict()
    if not same or tensors.keys() != own.keys():
        raise other
    if not all(bool((tensors[name] == own[name]).all()) for name in own):
        raise other
    note(f"{folder}: is complete")
    return True
