"""Train a classifier, or a network that draws lung masks (manifest -> run folder).

Learns from the rows whose `split` is train and looks at those of val after every epoch; with
--fold K, fold K is left for the test and the next one is val. RUN gets the best weights
(model.safetensors, run.json), the history (history.csv, curves.png), and the last state: the same
command again goes on where it stopped, and ends as if it never had.

Under torchrun several processes, on one machine or many, share every batch; what they learn is what
one would, but for rounding.

Patients, equal files and duplicates that are in more than one part of the split, those of the test
among them, are counted, in run.json too; --strict refuses them.

The best epoch, --schedule plateau and --patience follow what --monitor names, on the validation
part. The loss there is that of training: --loss with label smoothing and class weights.

With --task segment it learns the masks that the column `mask` names, for cxrtool segment --model
RUN. --augment hard then changes images as other hospitals would, and worse: negatives, equalised
ones, letters, wires, white lungs, noise.

Images are decoded and resized once, into a cache that later runs share, then augmented a batch at a
time on the device. The classes are in alphabetical order unless --classes says otherwise;
of two, evaluate --threshold applies to the probability of the second.

Example:

    cxrtool train split.csv --arch resnet18 --size 128 --epochs 20 -d runs/r18
    cxrtool train folds.csv --fold 3 --arch densenet121 --weights imagenet -d runs/fold-3
    cxrtool train masks.csv --task segment --arch unet:width=16 --augment hard -d runs/lungs
    torchrun --nproc-per-node=2 -m cxrtool train split.csv --arch resnet50 -d runs/r50
    cxrtool train split.csv --arch cnn-x --lr 3e-4 --augment rotate=5,hflip=0.5 -d runs/cnnx
"""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cxrtool.cli import effects, options
from cxrtool.cli.file_roles import Role
from cxrtool.core import choices, registry
from cxrtool.core.errors import CxrtoolError

if TYPE_CHECKING:
    Functions = Mapping[str, Callable[..., Any]]

PLUGINS = ("architectures", "build")
# The network of a task by default.
USUAL = {"classify": "resnet18", "segment": "unet"}
HARD = "hard"
MONITORS = list(dict.fromkeys(name for names in choices.MONITORS.values() for name in names))


def described(name: str) -> tuple[str, ...]:
    """Tell the input, the parameters (of two classes) and the provider of a network."""
    if not name:
        return "input", "parameters", "provider"
    import inspect

    import torch

    plugin = registry.module("architectures", name)
    # The U-Net has a number of classes of its own.
    own = inspect.signature(plugin.build).parameters["classes"].default
    try:
        with torch.device("meta"):
            network = plugin.build(2 if own is inspect.Parameter.empty else own)
    except (TypeError, CxrtoolError):
        # It stands for many, one of which has to be named.
        return "", "", plugin.PROVIDER
    number = sum(p.numel() for p in network.parameters())
    channels = getattr(network, "channels", 1)
    return f"{plugin.SIZE}x{plugin.SIZE}x{channels}", str(number), plugin.PROVIDER


def losses() -> "Functions":
    """Return the losses by name."""
    from cxrtool.learn.losses import LOSSES

    return LOSSES


def optimizers() -> "Functions":
    """Return the optimisers by name."""
    from cxrtool.learn.optimizers import OPTIMIZERS

    return OPTIMIZERS


def schedules() -> "Functions":
    """Return the schedules by name."""
    from cxrtool.learn.optimizers import SCHEDULES

    return SCHEDULES


def augmentations() -> list[str]:
    """List what --augment may begin with."""
    from cxrtool.learn.augmentation import KEYS

    return ["none", HARD, *KEYS]


def read_augment(option: str, text: str) -> None:
    """Check what is to happen to the images."""
    from cxrtool.learn import augmentation

    if "=" in text:
        augmentation.parse(text)
    else:
        registry.choose(
            option, text, ["none", HARD, *(f"{key}=VALUE" for key in augmentation.KEYS)]
        )


def run(
    context: typer.Context,
    folder: options.Dir,
    manifest: options.Manifest = None,
    task: Annotated[
        str,
        typer.Option(
            "--task",
            metavar="classify|segment",
            help="Learn the label of an image, or its lung mask.",
            **options.choice(choices.TASKS),
        ),
    ] = "classify",
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch",
            metavar="NAME[:KEY=VALUE,...]",
            help="The network (see --list); resnet18, or unet for masks, unless you say.",
            **options.spec(*PLUGINS),
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            "--classes",
            metavar="LABEL[,LABEL...]",
            help="The classes and their order; rows of others are left out.",
        ),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(
            "--weights",
            metavar="none|imagenet|FILE|RUN",
            help="What the network begins with.",
            **options.word_or(
                ["none", "imagenet"],
                "an existing file, the folder of a run",
                os.path.exists,
                "none, imagenet or a path",
            ),
        ),
        Role.READS,
    ] = "none",
    first: Annotated[
        str,
        typer.Option(
            "--first-layer",
            metavar="red|sum",
            help="What becomes of colour weights where the network takes grey images.",
            **options.choice(choices.FIRST_LAYERS),
        ),
    ] = "red",
    freeze: Annotated[
        str,
        typer.Option(
            "--freeze",
            metavar="none|backbone|N",
            help="What does not learn: nothing, all but the last layer, or the first N layers.",
            **options.word_or(["none", "backbone"], "a number of layers", str.isdecimal, "it as 3"),
        ),
    ] = "none",
    loss: Annotated[
        str,
        typer.Option(
            "--loss",
            metavar="NAME[:KEY=VALUE,...]",
            help="ce, focal:gamma=2 or double-softmax (a paper's slip).",
            **options.function_spec(losses),
        ),
    ] = "ce",
    class_weights: Annotated[
        str,
        typer.Option(
            "--class-weights",
            metavar="NAME",
            help="Weigh classes in the loss: none, balanced (N / K N_j) or max (N_max / N_j).",
            **options.choice(choices.CLASS_WEIGHTS),
        ),
    ] = "none",
    label_smoothing: Annotated[
        float, typer.Option("--label-smoothing", metavar="S", min=0, max=1, help="y (1-S) + S/K.")
    ] = 0.0,
    optimizer: Annotated[
        str,
        typer.Option(
            "--optimizer",
            metavar="NAME[:KEY=VALUE,...]",
            help="sgd, adam, adamw, adamax.",
            **options.function_spec(optimizers),
        ),
    ] = "adam",
    schedule: Annotated[
        str,
        typer.Option(
            "--schedule",
            metavar="NAME[:KEY=VALUE,...]",
            help="none, plateau:factor=0.1,patience=10, cosine, onecycle or step.",
            **options.function_spec(schedules),
        ),
    ] = "none",
    lr: Annotated[
        str,
        typer.Option(
            "--lr",
            metavar="RATE|find",
            help="Learning rate; find chooses it by a range test.",
            **options.word_or(
                ["find"],
                "a learning rate below 1000",
                lambda text: 0 < float(text) < 1000,
                "it as 0.001",
            ),
        ),
    ] = "0.001",
    epochs: Annotated[
        int,
        typer.Option(
            "--epochs", metavar="N", min=1, max=options.MOST, help="How often each image is seen."
        ),
    ] = 30,
    batch: Annotated[
        str,
        typer.Option(
            "--batch",
            metavar="N|auto",
            help="Images of one step; auto finds the largest power of two (8 to 256) that fits.",
            **options.word_or(
                ["auto"],
                "a number of images",
                lambda text: text.isdecimal() and 0 < int(text) < 1_000_000,
                "it as 32",
            ),
        ),
    ] = "32",
    patience: Annotated[
        int,
        typer.Option(
            "--patience",
            metavar="N",
            min=0,
            max=options.MOST,
            help="End after N epochs without a better one; 0 never does.",
        ),
    ] = 0,
    monitor: Annotated[
        str,
        typer.Option(
            "--monitor",
            metavar="NAME",
            help="What of val makes an epoch the best: loss, auc, accuracy, balanced_accuracy; "
            "loss or dice of masks.",
            **options.choice(MONITORS),
        ),
    ] = "loss",
    size: Annotated[
        int,
        typer.Option(
            "--size", metavar="N", min=0, max=4096, help="Side of the images; 0 is the network's."
        ),
    ] = 0,
    channels: Annotated[
        str,
        typer.Option(
            "--channels",
            metavar="0|1|3",
            help="Channels; 0 is the network's own.",
            **options.choice(("0", "1", "3")),
        ),
    ] = "0",
    fit: Annotated[
        str,
        typer.Option(
            "--fit",
            metavar="NAME",
            help="How images become square: squash, crop (the central 7/8) or pad.",
            **options.choice(choices.FITS),
        ),
    ] = "squash",
    normalize: Annotated[
        str,
        typer.Option(
            "--normalize",
            metavar="NAME",
            help="How grey levels are scaled: unit (0..1), dataset (mean and spread of train), "
            "imagenet, none (0..255), xrv; auto is imagenet with its weights, else dataset.",
            **options.choice(choices.NORMALIZATIONS),
        ),
    ] = "auto",
    augment: Annotated[
        str,
        typer.Option(
            "--augment",
            metavar="KEY=VALUE[,...]",
            help="rotate, shift, shift-x, shift-y, shear, zoom, scale, hflip, vflip, brightness, "
            "contrast, fill; a value is a distance or LOW..HIGH. Of masks also: hard.",
            **options.checked(augmentations, read_augment),
        ),
    ] = "",
    clip: Annotated[
        float,
        typer.Option(
            "--clip", metavar="NORM", min=0, max=options.MOST, help="Bound the gradient's norm."
        ),
    ] = 0.0,
    fold: Annotated[
        str, typer.Option("--fold", metavar="K", help="Leave fold K for the test; the next is val.")
    ] = "",
    repeat: Annotated[
        int,
        typer.Option(
            "--repeat",
            metavar="N",
            min=1,
            max=options.MOST,
            help="N runs of seeds that follow, in RUN/seed-S.",
        ),
    ] = 1,
    amp: Annotated[
        str,
        typer.Option(
            "--amp",
            metavar="auto|none|bf16",
            help="Compute in bfloat16; auto does on CUDA only.",
            **options.choice(("auto", "none", "bf16")),
        ),
    ] = "auto",
    compile_it: Annotated[
        bool, typer.Option("--compile", help="Compile the network; pays on long runs only.")
    ] = False,
    device: options.Device = "auto",
    cache: options.Cache = None,
    _list: Annotated[bool, options.lister(PLUGINS, described)] = False,
    where: options.Where = None,
    root: options.Root = None,
    jobs: options.Jobs = 0,
    seed: options.Seed = 0,
    failures: options.Failures = None,
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
    from cxrtool.learn import distributed, inference, mask_trainer, trainer, training_settings

    where_to = distributed.begin(inference.device(device))
    effects.refuse(context, _train_effects.before_reading(task, weights))
    registry.choose("--monitor", monitor, choices.MONITORS[task])
    if augment == HARD and task == "classify":
        raise CxrtoolError(
            f"--augment {HARD} is for masks", "Give --task segment, or leave it out."
        )
    settings = training_settings.Settings(
        arch or USUAL[task],
        options.entries("--classes", classes),
        weights,
        first,
        freeze,
        loss,
        class_weights,
        label_smoothing,
        optimizer,
        schedule,
        lr,
        epochs,
        0 if batch == "auto" else int(batch),
        patience,
        monitor,
        size,
        int(channels),
        fit,
        normalize,
        augment,
        clip,
        amp == "bf16" or (amp == "auto" and where_to.type == "cuda"),
        fold,
        seed,
    )
    place = training_settings.Place(
        folder,
        where_to,
        cache or pixel_cache.default_folder(),
        options.crew(jobs),
        compile_it,
        root or "",
        force,
        progress,
    )
    runs = training_settings.repeated(settings, place, repeat)
    for _, there in runs:
        training_settings.reserve(there.folder)
    if distributed.processes() > 1 and manifest in (None, "-"):
        raise CxrtoolError("several processes cannot share standard input", "Name a file.")
    source = Manifest(input_or_stdin(manifest), options.conditions("--where", where), again=True)
    skipped = Failures(failures, folder=folder, strict=strict)

    def check(begun: trainer.Training) -> None:
        effects.refuse(context, _train_effects.before_learning(begun))

    kind = mask_trainer.MaskTraining if task == "segment" else trainer.Training
    for number, (one, there) in enumerate(runs):
        trainer.train(source, one, there, None if number else skipped, kind, check)
    distributed.end()
    raise typer.Exit(0 if distributed.rank() else skipped.close())
