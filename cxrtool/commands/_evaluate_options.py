"""The options of evaluate."""

from typing import TYPE_CHECKING, Annotated

import typer

from cxrtool.cli import options
from cxrtool.cli.file_roles import Role

if TYPE_CHECKING:
    from cxrtool.learn.prediction import Floats

    Row = dict[str, str]
    Pair = tuple[Row, Floats]


Folder = Annotated[str, typer.Argument(metavar="RUN", help="The run folder."), Role.READS]
Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MANIFEST|IMAGE...]",
        help="A manifest ('-' or nothing reads standard input), or images.",
    ),
    Role.READS,
]
Epoch = Annotated[
    str,
    typer.Option(
        "--epoch",
        metavar="best|last",
        help="Weights of which epoch: the best by validation, or the last.",
        **options.choice(("best", "last")),
    ),
]
Threshold = Annotated[
    str,
    typer.Option(
        "--threshold",
        metavar="P|val|youden",
        help="Decision threshold for the second of two classes.",
        **options.word_or(
            ["val", "youden"],
            "a probability",
            lambda text: 0 <= float(text) <= 1,
            "it as 0.5",
        ),
    ),
]
Calibrate = Annotated[
    bool,
    typer.Option(
        "--calibrate", help="Calibrate with the temperature found on the validation images."
    ),
]
Tta = Annotated[
    int,
    typer.Option(
        "--tta",
        metavar="N",
        min=0,
        max=64,
        help="Average the prediction with those of N slightly augmented versions of the image.",
    ),
]
Ensemble = Annotated[
    list[str] | None,
    typer.Option("--ensemble", metavar="RUN", help="Average with another run. May be repeated."),
    Role.READS,
]
Hierarchy = Annotated[
    str | None,
    typer.Option(
        "--hierarchy",
        metavar="RUN2",
        help="Subdivide RUN's second class with RUN2.",
    ),
    Role.READS,
]
Test = Annotated[
    str | None,
    typer.Option(
        "--test-name",
        metavar="NAME",
        help="Name of this test set, for the column `test` (a column of compare --matrix).",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="LABEL",
        help="Of a run of findings: take each output as a score for this label.",
    ),
]
KeepColumns = Annotated[
    bool, typer.Option("--keep-columns", help="Keep the other columns of the manifest.")
]
