"""The options of train."""

import os
from typing import Annotated

import typer

from cxrtool.cli import listing, options
from cxrtool.cli.file_roles import Role
from cxrtool.commands import _train_plugins
from cxrtool.core import choices, class_numbers, registry

MONITORS = list(dict.fromkeys(name for names in choices.MONITORS.values() for name in names))


Task = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="classify|segment|findings",
        help="Learn the label of an image, its lung mask, or several findings at once "
        "(multi-label) from its column finding.",
        **options.choice(choices.TASKS),
    ),
]
Arch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        metavar="NAME[:KEY=VALUE,...]",
        help="The network, see --list (default: resnet18; for masks unet).",
        **options.spec(*_train_plugins.PLUGINS),
    ),
]
Classes = Annotated[
    str | None,
    typer.Option(
        "--classes",
        metavar="LABEL[,LABEL...]",
        help="Classes in their order; rows of other classes are left out. Of findings: those that "
        "are learned (default: all in the training rows); the negatives of a finding are then only "
        "images that have no finding beyond these.",
    ),
]
Weights = Annotated[
    str,
    typer.Option(
        "--weights",
        metavar="none|imagenet|FILE|RUN[:last]",
        help="Initial weights; of a RUN those of the best epoch, or of the last (RUN:last).",
        **options.word_or(
            ["none", "imagenet"],
            "an existing file, the folder of a run",
            lambda text: os.path.exists(text.removesuffix(":last")),
            "none, imagenet or a path",
        ),
    ),
    Role.READS,
]
First = Annotated[
    str,
    typer.Option(
        "--first-layer",
        metavar="red|sum",
        help="First layer of a network for grey images: use the red weights, or the sum of the "
        "colours.",
        **options.choice(choices.FIRST_LAYERS),
    ),
]
Freeze = Annotated[
    str,
    typer.Option(
        "--freeze",
        metavar="none|trunk|backbone|N",
        help="Layers that are not trained: none, all before the head (trunk), all but the last "
        "(backbone), or the first N.",
        **options.word_or(
            ["none", "trunk", "backbone"], "a number of layers", str.isdecimal, "it as 3"
        ),
    ),
]
Loss = Annotated[
    str,
    typer.Option(
        "--loss",
        metavar="NAME[:KEY=VALUE,...]",
        help="Loss: ce, focal:gamma=2, or double-softmax (an error in a published code).",
        **options.function_spec(_train_plugins.losses),
    ),
]
ClassWeights = Annotated[
    str,
    typer.Option(
        "--class-weights",
        metavar="none|balanced|max|CLASS=W[,CLASS=W...]",
        help="Class weights in the loss: none, balanced (N / K N_j), max (N_max / N_j), or a "
        "number for each of some classes, the others having 1. Of findings: the weight of images "
        "that show one (balanced: N_absent / N_present).",
        **options.word_or(
            choices.CLASS_WEIGHTS,
            "a number for each of some classes",
            lambda text: bool(class_numbers.read(text)),
            "it as covid=25",
        ),
    ),
]
Rebalance = Annotated[
    str,
    typer.Option(
        "--rebalance",
        metavar="none|CLASS=N[,CLASS=N...]",
        help="Put N images of CLASS into every batch, drawn again for each batch. They "
        "replace as many images of the other classes in that batch.",
        **options.word_or(
            ["none"],
            "a number of images for each of some classes",
            lambda text: bool(class_numbers.read(text, int)),
            "it as covid=1",
        ),
    ),
]
LabelSmoothing = Annotated[
    float,
    typer.Option(
        "--label-smoothing", metavar="S", min=0, max=1, help="Label smoothing: y (1-S) + S/K."
    ),
]
Optimizer = Annotated[
    str,
    typer.Option(
        "--optimizer",
        metavar="NAME[:KEY=VALUE,...]",
        help="Optimiser: sgd, adam, adamw or adamax.",
        **options.function_spec(_train_plugins.optimizers),
    ),
]
Schedule = Annotated[
    str,
    typer.Option(
        "--schedule",
        metavar="NAME[:KEY=VALUE,...]",
        help="Schedule of the learning rate: none, plateau:factor=0.1,patience=10, cosine, "
        "onecycle or step.",
        **options.function_spec(_train_plugins.schedules),
    ),
]
Lr = Annotated[
    str,
    typer.Option(
        "--lr",
        metavar="RATE|find",
        help="Learning rate; find chooses it with a range test (rates.csv, rates.png).",
        **options.word_or(
            ["find"],
            "a learning rate below 1000",
            lambda text: 0 < float(text) < 1000,
            "it as 0.001",
        ),
    ),
]
Epochs = Annotated[
    int,
    typer.Option(
        "--epochs",
        metavar="N",
        min=0,
        max=options.MOST,
        help="Number of epochs; 0 with --lr find makes the range test only, 0 with --weights a run "
        "of these weights as they are.",
    ),
]
Batch = Annotated[
    str,
    typer.Option(
        "--batch",
        metavar="N|auto",
        help="Batch size; auto finds the largest power of two from 8 to 256 that fits into memory.",
        **options.word_or(
            ["auto"],
            "a number of images",
            lambda text: text.isdecimal() and 0 < int(text) < 1_000_000,
            "it as 32",
        ),
    ),
]
Patience = Annotated[
    str,
    typer.Option(
        "--patience",
        metavar="none|N",
        help="Stop after N epochs without improvement.",
        **options.number_or("none", 1, options.MOST),
    ),
]
Monitor = Annotated[
    str,
    typer.Option(
        "--monitor",
        metavar="NAME",
        help="Validation metric that selects the best epoch: loss, auc, accuracy or "
        "balanced_accuracy; for masks loss or dice, for findings loss or auc (the mean).",
        **options.choice(MONITORS),
    ),
]
Size = Annotated[
    str,
    typer.Option(
        "--size",
        metavar="auto|N",
        help="Side of the images in pixels; auto means the size of the network.",
        **options.number_or("auto", 1, 4096),
    ),
]
Channels = Annotated[
    str,
    typer.Option(
        "--channels",
        metavar="auto|1|3",
        help="Number of input channels; auto means that of the network.",
        **options.choice(("auto", "1", "3")),
    ),
]
Fit = Annotated[
    str,
    typer.Option(
        "--fit",
        metavar="NAME",
        help="How images are made square: squash, crop (the central 7/8) or pad.",
        **options.choice(choices.FITS),
    ),
]
Normalize = Annotated[
    str,
    typer.Option(
        "--normalize",
        metavar="NAME",
        help="How grey levels are scaled: unit (0..1), dataset (mean and spread of train), "
        "imagenet, none (0..255), xrv; auto is imagenet with its weights and with those of a run "
        "that was scaled so, else dataset.",
        **options.choice(choices.NORMALIZATIONS),
    ),
]
Augment = Annotated[
    str,
    typer.Option(
        "--augment",
        metavar="KEY=VALUE[,...]",
        help="rotate, shift, shift-x, shift-y, shear, zoom, scale, hflip, vflip, brightness, "
        "contrast, fill; a value is a distance or LOW..HIGH, rotate=10@0.45 happens to 45 % of the "
        "images. Of masks also: hard.",
        **options.checked(_train_plugins.augmentations, _train_plugins.read_augment),
    ),
]
Clip = Annotated[
    str,
    typer.Option(
        "--clip",
        metavar="none|NORM",
        help="Upper limit of the gradient norm.",
        **options.number_or("none", 1e-9, options.MOST, float),
    ),
]
Fold = Annotated[
    str,
    typer.Option("--fold", metavar="K", help="Use fold K as test set and the next fold as val."),
]
Repeat = Annotated[
    int,
    typer.Option(
        "--repeat",
        metavar="N",
        min=1,
        max=options.MOST,
        help="Train N runs with consecutive seeds, in RUN/seed-S.",
    ),
]
Amp = Annotated[
    str,
    typer.Option(
        "--amp",
        metavar="auto|none|bf16",
        help="Compute in bfloat16; auto uses it on CUDA only.",
        **options.choice(("auto", "none", "bf16")),
    ),
]
CompileIt = Annotated[
    bool,
    typer.Option("--compile", help="Compile the network, which is worthwhile for long runs only."),
]
Log = Annotated[
    str,
    typer.Option(
        "--log",
        metavar="NAME[,NAME]",
        help="Also show the history in tensorboard or mlflow, from files in RUN (mlflow: or on the "
        "server of MLFLOW_TRACKING_URI).",
        **options.choices(lambda: registry.names("trackers")),
    ),
]
Listing = Annotated[bool, listing.plugin_lister(_train_plugins.PLUGINS, _train_plugins.described)]
