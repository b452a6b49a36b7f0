"""The options of segment."""

from typing import Annotated

import typer

from cxrtool.cli import listing, options
from cxrtool.cli.file_roles import Role
from cxrtool.core import choices, registry
from cxrtool.core.errors import CxrtoolError

PLUGINS = ("segmenters", "segment")

WIDEST = 100  # Wider is no edge any more, and takes seconds.


def read_blur(option: str, text: str) -> tuple[str, float]:
    """Read `3` or `box:3`."""
    kind, colon, pixels = text.rpartition(":")
    kind = kind if colon else choices.BLURS[0]
    registry.choose(option, kind, choices.BLURS)
    try:
        width = float(pixels)
    except ValueError:
        width = -1.0
    if not 0 <= width <= WIDEST or (kind == "box" and width % 1):
        what = f"{option} '{text}' is no width in pixels from 0 to {WIDEST}"
        raise CxrtoolError(what, "Write it as 3, gaussian:3 or box:3.")
    return kind, width


Model = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME[:KEY=VALUE,...]|RUN",
        help="Segmentation method, see --list, or the folder of a run.",
        **options.spec(*PLUGINS, or_folder=True),
    ),
    Role.READS,
]
Keep = Annotated[
    str,
    typer.Option(
        "--keep",
        metavar="NAME",
        help="What the images keep: lungs, background, box or mask.",
        **options.choice(choices.KEEP),
    ),
]
Blur = Annotated[
    str,
    typer.Option(
        "--blur",
        metavar="[gaussian:|box:]PX",
        help="Blur the edge of the mask: with a Gaussian of sigma PX, or a box of radius PX.",
        **options.checked(choices.BLURS, read_blur),
    ),
]
Dilate = Annotated[
    int,
    typer.Option(
        "--dilate", metavar="PX", min=0, max=1000, help="Widen the mask by this many pixels."
    ),
]
Margin = Annotated[
    float,
    typer.Option(
        "--margin",
        metavar="FRACTION",
        min=0,
        max=10,
        help="Widen the box by this fraction of its sides.",
    ),
]
Listing = Annotated[bool, listing.plugin_lister(PLUGINS)]
