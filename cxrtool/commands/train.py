"""Train a network for classes, findings or lung masks (manifest -> run folder).

The network learns from rows with `split` train and is evaluated on val after every epoch. With
--fold K, fold K is the test set and the next fold is val. RUN receives the best weights
(model.safetensors, run.json), the history (history.csv, curves.png) and the last state. The same
command again continues from the last state; the result is the same as without the interruption.

--lr find raises the rate from batch to batch and takes the one at which the loss falls fastest;
rates.csv and rates.png show the curve. With --epochs 0 that is all that is done: no run is written.

--epochs 0 --weights FILE makes a run of published weights as they are, for evaluate: no manifest is
read, --classes names the outputs, and --normalize says how grey levels were scaled in their
training. The outputs of chexnet are 14 independent findings.

The best epoch, --schedule plateau and --patience follow the validation metric that --monitor names.
The validation loss is the training loss: --loss with label smoothing and class weights.

Patients and pictures that occur in more than one part of the split are counted, and the counts are
written to run.json. --strict refuses such a split.

A warning is given, and written to run.json, if a class occurs in one source only, or if source,
file format or image size alone predict the label in train and val.

--task findings learns several findings at once (multi-label), independently, from the lists in the
column `finding` (`Edema|Pneumonia`, `No Finding`): a sigmoid unit and a binary cross-entropy for
each. It learns all findings of the training rows unless --classes names them. As in evaluate, a
list with a name that is not among them leaves open whether the image has the others, and adds
nothing to their loss; an uncertain finding (`Edema?`) is left open, too. With --classes A, the only
negatives of A are images without any other finding. A finding that no training image has, or all
have, is refused.

--task segment learns from the masks in the column `mask`, for cxrtool segment --model RUN. With
--augment hard, images are changed strongly: inverted, equalized, with letters, wires, white lungs
and noise.

Images are decoded and resized once, into a cache that later runs use, and augmented in batches on
the device. Classes are in alphabetical order unless --classes is given. With two classes, the
--threshold of evaluate applies to the probability of the second class.

With torchrun several processes, on one or more machines, share every batch. The result equals a
single-process run up to rounding.

Example:

    cxrtool train split.csv --arch resnet18 --size 128 --epochs 20 -d runs/r18
    cxrtool train folds.csv --fold 3 --arch densenet121 --weights imagenet -d runs/fold-3
    cxrtool train masks.csv --task segment --arch unet:width=16 --augment hard -d runs/lungs
    cxrtool train nih.csv --task findings --arch densenet121 --monitor auc -d runs/findings
    cxrtool train --arch chexnet --weights nih.pth --epochs 0 --normalize imagenet -d runs/nih
    cxrtool train split.csv --arch cxnet-base --lr find --epochs 0 -d range-test
    torchrun --nproc-per-node=2 -m cxrtool train split.csv --arch resnet50 -d runs/r50
    cxrtool train split.csv --arch cnn-x --lr 3e-4 --augment rotate=5,hflip=0.5 -d runs/cnnx
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _train_options, _train_plugins
from cxrtool.core import choices, registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from cxrtool.learn.trainer import Training
    from cxrtool.learn.training_settings import TrainingSettings

# The network of a task by default.
USUAL = {"classify": "resnet18", "segment": "unet", "findings": "resnet18"}
PLUGINS = _train_plugins.PLUGINS


def run(
    context: typer.Context,
    folder: options.Dir,
    manifest: options.Manifest = None,
    task: _train_options.Task = "classify",
    arch: _train_options.Arch = None,
    classes: _train_options.Classes = None,
    weights: _train_options.Weights = "none",
    first: _train_options.First = "red",
    freeze: _train_options.Freeze = "none",
    loss: _train_options.Loss = "ce",
    class_weights: _train_options.ClassWeights = "none",
    rebalance: _train_options.Rebalance = "none",
    label_smoothing: _train_options.LabelSmoothing = 0.0,
    optimizer: _train_options.Optimizer = "adam",
    schedule: _train_options.Schedule = "none",
    lr: _train_options.Lr = "0.001",
    epochs: _train_options.Epochs = 30,
    batch: _train_options.Batch = "32",
    patience: _train_options.Patience = "none",
    monitor: _train_options.Monitor = "loss",
    size: _train_options.Size = "auto",
    channels: _train_options.Channels = "auto",
    fit: _train_options.Fit = "squash",
    normalize: _train_options.Normalize = "auto",
    augment: _train_options.Augment = "",
    clip: _train_options.Clip = "none",
    fold: _train_options.Fold = "",
    repeat: _train_options.Repeat = 1,
    amp: _train_options.Amp = "auto",
    compile_it: _train_options.CompileIt = False,
    log: _train_options.Log = "",
    device: options.Device = "auto",
    cache: options.Cache = None,
    _list: _train_options.Listing = False,
    where: options.Where = None,
    root: options.Root = None,
    jobs: options.Jobs = "auto",
    seed: options.Seed = 0,
    failures: options.Failures = None,
    dry_run: options.DryRun = False,
    force: options.Force = False,
    strict: options.Strict = False,
    progress: options.Progress = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.commands import _train_effects
    from cxrtool.files import pixel_cache
    from cxrtool.files.failures import Failures
    from cxrtool.files.manifest import Manifest, input_or_stdin
    from cxrtool.learn import (
        distributed,
        inference,
        tracking,
        trainer,
        training_settings,
    )

    if not epochs and lr != "find":
        effects.refuse(context, _train_effects.of_weights_alone())
        make_of_weights(context.params)
        raise typer.Exit
    where_to = distributed.begin(inference.device(device))
    effects.refuse(context, _train_effects.before_reading(task, weights, epochs, freeze))
    check_task(task, monitor, augment, class_weights)
    settings = chosen(context.params, where_to)
    place = training_settings.TrainingEnvironment(
        folder=folder,
        device=where_to,
        cache=cache or pixel_cache.default_folder(),
        crew=option_values.crew(jobs),
        compile=compile_it,
        log=tracking.chosen(option_values.entries("--log", log or None)),
        root=root or "",
        force=force,
        progress=progress,
    )
    runs = training_settings.repeated(settings, place, repeat)
    for _, there in runs:
        training_settings.reserve(there.folder, "--dir")
    if distributed.processes() > 1 and manifest in (None, "-"):
        raise CxrtoolError("several processes cannot share standard input", "Name a file.")
    source = Manifest(
        input_or_stdin(manifest), option_values.conditions("--where", where), again=True
    )
    skipped = Failures(failures, folder=folder, strict=strict)

    def check(begun: trainer.Training) -> None:
        effects.refuse(context, _train_effects.before_learning(begun))

    kind = kind_of(task)
    if dry_run:
        for one, there in runs:
            note_plan(kind(source, one, there, skipped.add), check)
        raise typer.Exit
    for number, (one, there) in enumerate(runs):
        trainer.train(source, one, there, None if number else skipped, kind, check)
    distributed.end()
    raise typer.Exit(0 if distributed.rank() else skipped.close())


def kind_of(task: str) -> "type[Training]":
    """Return what trains a run of a task."""
    from cxrtool.learn import findings_trainer, mask_trainer, trainer

    return {
        "classify": trainer.Training,
        "segment": mask_trainer.MaskTraining,
        "findings": findings_trainer.FindingsTraining,
    }[task]


def check_task(task: str, monitor: str, augment: str, class_weights: str) -> None:
    """Refuse choices that are not for the task."""
    registry.choose("--monitor", monitor, choices.MONITORS[task])
    if augment == _train_plugins.HARD and task != "segment":
        what = f"--augment {_train_plugins.HARD} is for masks"
        raise CxrtoolError(what, "Give --task segment, or leave it out.")
    if class_weights == "max" and task == "findings":
        what = "--class-weights max cannot be used with --task findings"
        raise CxrtoolError(what, "Give balanced, or a number for each finding.")


def make_of_weights(given: "Mapping[str, Any]") -> None:
    """Make a run of weights alone: nothing is learned, and no manifest is read."""
    from cxrtool.learn import run_of_weights, training_settings

    if given["weights"] == "none":
        remedy = "Give --weights for a run of them as they are, or --lr find to find a rate only."
        raise CxrtoolError("--epochs 0 learns nothing", remedy)
    if given["manifest"] is not None:
        what = f"--epochs 0 reads no manifest, and {given['manifest']} was given"
        raise CxrtoolError(what, "Leave it out, or name a number of epochs.")
    training_settings.reserve(given["folder"], "--dir")
    settings = run_of_weights.WeightSettings(
        arch=given["arch"] or USUAL["classify"],
        weights=given["weights"],
        classes=option_values.entries("--classes", given["classes"]),
        first=given["first"],
        size=option_values.number(given["size"]),
        channels=option_values.number(given["channels"]),
        fit=given["fit"],
        normalize=given["normalize"],
    )
    run_of_weights.make(settings, given["folder"], force=given["force"], dry_run=given["dry_run"])


def note_plan(begun: "Training", check: "Callable[[Training], None]") -> None:
    """Say what would be trained."""
    check(begun)
    begun.resume()
    note(begun.plan())


def chosen(given: "Mapping[str, Any]", device: "torch.device") -> "TrainingSettings":
    """Read the settings of a run from the options of the command, which have the same names."""
    from dataclasses import fields

    from cxrtool.learn.training_settings import TrainingSettings

    amp = given["amp"]
    read = {
        "arch": given["arch"] or USUAL[given["task"]],
        "classes": option_values.entries("--classes", given["classes"]),
        "batch": 0 if given["batch"] == "auto" else int(given["batch"]),
        "patience": option_values.number(given["patience"]),
        "size": option_values.number(given["size"]),
        "channels": option_values.number(given["channels"]),
        "clip": option_values.number(given["clip"], float),
        "amp": amp == "bf16" or (amp == "auto" and device.type == "cuda"),
    }
    same = {f.name: given[f.name] for f in fields(TrainingSettings)}
    return TrainingSettings(**same | read)
