"""The options of equalize."""

import os
from typing import Annotated

import typer

from cxrtool.cli import listing, options
from cxrtool.cli.file_roles import Role
from cxrtool.core import choices, registry

PLUGINS = ("equalizers", "equalize")


def moves() -> list[str]:
    """List what --move may begin with."""
    from cxrtool.preprocess.moves import KEYS

    return KEYS


def read_move(option: str, text: str) -> None:
    """Check by how much images are moved."""
    from cxrtool.preprocess.moves import parse

    # Only where the option is left out does the empty text mean that nothing moves.
    registry.choose(option, text.partition("=")[0], moves())
    parse(text)


Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="NAME[:KEY=VALUE,...]",
        help="Enhancement method, see --list.",
        **options.spec(*PLUGINS),
    ),
]
Size = Annotated[
    str,
    typer.Option(
        "--size",
        metavar="none|N",
        help="Resize to N x N pixels.",
        **options.number_or("none", 1, 8192),
    ),
]
Interpolation = Annotated[
    str,
    typer.Option(
        "--interpolation",
        metavar="NAME",
        help="Interpolation of --size: area, cubic (COVID-CXNet), linear or nearest (CVR-Net).",
        **options.choice(choices.INTERPOLATIONS),
    ),
]
Move = Annotated[
    str,
    typer.Option(
        "--move",
        metavar="KEY=VALUE[,...]",
        help="Move every image by a fixed amount, for copies: rotate and shear in degrees "
        "(counter-clockwise), scale as a factor. Masks are dropped.",
        **options.checked(moves, read_move),
    ),
]
Conceal = Annotated[
    str | None,
    typer.Option(
        "--conceal",
        metavar="auto|BOXES.csv",
        help="Cover burnt-in text: where it is detected (auto), or the boxes of a table with "
        "the "
        "columns path,x,y,width,height.",
        **options.word_or(
            ["auto"], "an existing table of boxes", os.path.exists, "auto or its path"
        ),
    ),
    Role.READS,
]
Listing = Annotated[bool, listing.plugin_lister(PLUGINS)]
