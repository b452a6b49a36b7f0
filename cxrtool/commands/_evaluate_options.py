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
        help="A manifest ('-' or nothing is standard input), or images.",
    ),
    Role.READS,
]
Threshold = Annotated[
    str,
    typer.Option(
        "--threshold",
        metavar="P|val|youden",
        help="Predict the second of the run's two classes when its probability is over P.",
        **options.word_or(
            ["val", "youden"],
            "a probability",
            lambda text: 0 <= float(text) <= 1,
            "it as 0.5",
        ),
    ),
]
Calibrate = Annotated[
    bool, typer.Option("--calibrate", help="Scale by the temperature found on val.")
]
Tta = Annotated[
    int,
    typer.Option("--tta", metavar="N", min=0, max=64, help="Average with N mildly changed looks."),
]
Ensemble = Annotated[
    list[str] | None,
    typer.Option("--ensemble", metavar="RUN", help="Average with another run."),
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
Batch = Annotated[
    int,
    typer.Option("--batch", metavar="N", min=1, max=options.MOST, help="Images of one step."),
]
Test = Annotated[
    str | None,
    typer.Option(
        "--test",
        metavar="NAME",
        help="Call these images so, in a column `test`: a column of compare --matrix.",
    ),
]
KeepColumns = Annotated[
    bool, typer.Option("--keep-columns", help="Keep the manifest's other columns.")
]
