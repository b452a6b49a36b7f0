"""The options of ingest."""

from typing import Annotated

import typer

from cxrtool.cli import listing, options
from cxrtool.cli.file_roles import Role
from cxrtool.files import hounsfield

PLUGINS = ("collections", "rows")

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH...", help="Folders, images, DICOM files or manifests."),
    Role.SEARCHES,
]
Preset = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME[:KEY=VALUE]",
        help="The published collection in PATH, see --list.",
        **options.spec(*PLUGINS),
    ),
]
Metadata = Annotated[
    str | None,
    typer.Option("--metadata", metavar="CSV", help="Metadata table of the images."),
    Role.READS,
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="OLD=NEW[,OLD=NEW...]",
        help="Columns of the metadata and their names in the manifest; `path` is the file.",
    ),
]
MapLabel = Annotated[
    list[str] | None,
    typer.Option(
        "--map-label",
        metavar="PATTERN=LABEL",
        help="Rename findings or labels that match, for example 'COVID-19*=covid'. The first "
        "match counts; an empty LABEL leaves the image out.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="NAME",
        help="Name of the data set or hospital (default: the preset's, or the folder's).",
    ),
]
View = Annotated[
    list[str] | None,
    typer.Option(
        "--view", metavar="VIEW[,VIEW...]", help="Keep only these views, for example PA,AP."
    ),
]
Cap = Annotated[
    list[str] | None,
    typer.Option(
        "--cap",
        metavar="label=N|CLASS=N",
        help="Read at most N images per label (or per value of another column), or of one "
        "class, chosen at random, whole patients first.",
    ),
]
Convert = Annotated[
    str | None,
    typer.Option(
        "--convert", metavar="DIR", help="Also write every image as a grey PNG to this folder."
    ),
    Role.FILLS,
]
Window = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="lung|mediastinum|bone|CENTER,WIDTH",
        help="Show these Hounsfield units of CT slices, in DICOM or 16-bit images, in what "
        "--convert writes.",
        **options.word_or(
            list(hounsfield.NAMED),
            "CENTER,WIDTH",
            lambda text: bool(hounsfield.window_of(text)),
            "it as -600,1500",
        ),
    ),
]
JoinMasks = Annotated[
    str | None,
    typer.Option(
        "--join-masks",
        metavar="DIR",
        help="Folder for masks that are made, of both lungs where a collection has one mask per "
        "lung, and of the boxes around lesions (default: the folder of --convert).",
    ),
    Role.KEEPS,
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="FILE",
        envvar="CXRTOOL_KEY",
        help="Secret for the pseudonyms of DICOM patients (default: a secret of this user, "
        "created in the cache folder when it is first needed).",
    ),
    Role.READS,
]
ExactAge = Annotated[
    bool,
    typer.Option("--exact-age", help="Keep ages over 89 years instead of writing 90+."),
]
Listing = Annotated[bool, listing.plugin_lister(PLUGINS)]
