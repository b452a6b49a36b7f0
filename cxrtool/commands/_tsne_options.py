"""The options of tsne."""

from typing import Annotated

import typer

from cxrtool.cli import options
from cxrtool.cli.file_roles import Role

Folder = Annotated[str, typer.Argument(metavar="RUN", help="The run folder."), Role.READS]
Layer = Annotated[
    str,
    typer.Option(
        "--layer",
        metavar="NAME",
        help="Source of the features: embedding, map, or a module of the network.",
    ),
]
Perplexity = Annotated[
    float,
    typer.Option(
        "--perplexity",
        metavar="P",
        min=1,
        max=options.MOST,
        help="Perplexity of t-SNE, roughly the number of neighbours of an image.",
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="NAME",
        help="Algorithm of t-SNE: barnes-hut, fft (FIt-SNE, needs openTSNE), or auto, which uses "
        "fft above 10,000 images if openTSNE is installed.",
        **options.choice(("auto", "barnes-hut", "fft")),
    ),
]
Pca = Annotated[
    str,
    typer.Option(
        "--pca",
        metavar="all|N",
        help="Number of principal components that t-SNE uses.",
        **options.number_or("all", 1, options.MOST),
    ),
]
MaxIter = Annotated[
    int,
    typer.Option(
        "--max-iter",
        metavar="N",
        min=500,
        max=options.MOST,
        help="Number of iterations of t-SNE.",
    ),
]
Colour = Annotated[
    str | None,
    typer.Option(
        "--colour",
        "--color",
        metavar="COLUMN[,COLUMN...]",
        help="Columns that are coloured and probed (default: source and label, if present).",
    ),
]
Plot = Annotated[
    str | None,
    typer.Option(
        "--plot", metavar="FILE", help="Plot of the points; the file ending gives the format."
    ),
    Role.WRITES,
]
Stats = Annotated[
    str | None,
    typer.Option("--stats", metavar="FILE", help="File for the results of the probes, as JSON."),
    Role.WRITES,
]
Permutations = Annotated[
    int,
    typer.Option(
        "--permutations",
        metavar="N",
        min=1,
        max=options.MOST,
        help="Number of permutations; the smallest possible p is 1 / (N + 1).",
    ),
]
