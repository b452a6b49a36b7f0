"""The options of phantom."""

from typing import TYPE_CHECKING, Annotated

import typer

from cxrtool.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence


def known_labels() -> "Sequence[str]":
    """List the classes that can be drawn."""
    from cxrtool.phantoms import LABELS

    return LABELS


def layouts() -> "Sequence[str]":
    """List what --slices may be."""
    from cxrtool.phantoms.layouts import NAMES

    return NAMES


Count = Annotated[
    int, typer.Argument(metavar="COUNT", help="Number of images.", min=1, max=options.MOST)
]
Labels = Annotated[
    str,
    typer.Option(
        "--labels",
        metavar="LABEL[,LABEL...]",
        help="Classes, with equal numbers of images.",
        **options.choices(known_labels),
    ),
]
Sources = Annotated[
    int, typer.Option("--sources", metavar="N", help="Number of hospitals.", min=1, max=1000)
]
Confound = Annotated[
    float,
    typer.Option(
        "--confound",
        metavar="0..1",
        min=0,
        max=1,
        help="How strongly the hospital depends on the label: 0 not at all, 1 completely.",
    ),
]
Size = Annotated[
    int,
    typer.Option("--size", metavar="PX", help="Side of the images in pixels.", min=32, max=4096),
]
Slices = Annotated[
    str,
    typer.Option(
        "--slices",
        metavar="none|plain|scov|mgc|ccii|ictcf",
        help="Draw axial CT slices instead of radiographs, and name the files plainly, or as a "
        "collection of CT slices does.",
        **options.choice(layouts),
    ),
]
