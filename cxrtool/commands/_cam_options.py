"""The options of cam."""

from typing import Annotated

import typer

from cxrtool.cli import listing, options
from cxrtool.cli.file_roles import Role
from cxrtool.core import choices

PLUGINS = ("heatmaps", "heatmap")

RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="The run folder."), Role.READS]
Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MANIFEST|IMAGE...]",
        help="A manifest ('-' or nothing reads standard input), or images.",
    ),
    Role.READS,
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="NAME[:KEY=VALUE,...]",
        help="Heat map method, see --list.",
        **options.spec(*PLUGINS),
    ),
]
Class = Annotated[
    str,
    typer.Option(
        "--class",
        metavar="NAME|predicted|label",
        help="The class to explain: a class, the predicted class, or the true class (label).",
        autocompletion=lambda: ["predicted", "label"],
    ),
]
Hierarchy = Annotated[
    str | None,
    typer.Option(
        "--hierarchy",
        metavar="RUN2",
        help="Subdivide RUN's second class with RUN2, as evaluate does.",
    ),
    Role.READS,
]
Branch = Annotated[
    str | None,
    typer.Option(
        "--branch",
        metavar="NAME",
        help="The map of a part of the network: resnet, xception, conv3, conv4, entry or exit of "
        "cvr-net.",
    ),
]
Signs = Annotated[
    str,
    typer.Option(
        "--signs",
        metavar="positive|both",
        help="Show what speaks for the class, or also what speaks against it.",
        **options.choice(choices.SIGNS),
    ),
]
Outline = Annotated[
    float,
    typer.Option(
        "--outline",
        metavar="SHARE",
        min=0,
        max=1,
        help="Outline the pixels with at least this fraction of the maximum heat; 0 draws no "
        "outline.",
    ),
]
Colormap = Annotated[
    str,
    typer.Option(
        "--colormap",
        metavar="NAME",
        help=f"The colours of the heat: {', '.join(choices.EVEN_COLORMAPS)}, or jet. Those of jet "
        "mislead: they show edges where the heat has none, and colour-blind readers confuse them. "
        "It is there to compare with the figures of papers.",
        **options.choice(choices.COLORMAPS),
    ),
]
Mask = Annotated[
    str,
    typer.Option(
        "--mask",
        metavar="NAME",
        help="Lung masks: the column `mask`, computed if the cell is empty (auto), or none.",
        **options.choice(choices.LUNG_MASKS),
    ),
]
Lesion = Annotated[
    str,
    typer.Option(
        "--lesion",
        metavar="NAME",
        help="Masks of lesions: the column `lesion`, or none.",
        **options.choice(choices.LESION_MASKS),
    ),
]
Grid = Annotated[
    str | None,
    typer.Option(
        "--grid",
        metavar="FILE",
        help="Draw the first pictures on one sheet; the file ending gives the format.",
    ),
    Role.WRITES,
]
GridMost = Annotated[
    int,
    typer.Option(
        "--grid-most",
        metavar="N",
        min=1,
        max=600,
        help="Maximum number of pictures on the sheet.",
    ),
]
Beside = Annotated[
    list[str] | None,
    typer.Option(
        "--beside",
        metavar="MAPS.csv",
        help="On the sheet, put the pictures of an earlier table of cam beside these. May be "
        "repeated.",
    ),
    Role.READS,
]
Listing = Annotated[bool, listing.plugin_lister(PLUGINS)]
