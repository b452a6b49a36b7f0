"""The options of split."""

import re
from typing import Annotated

import typer

from cxrtool.cli import options

Test = Annotated[
    str | None, typer.Option("--test", metavar="F", help="Fraction of the rows in test.")
]
Val = Annotated[str | None, typer.Option("--val", metavar="F", help="Fraction of the rows in val.")]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        metavar="K",
        min=2,
        max=options.MOST,
        help="Number of cross-validation folds.",
    ),
]
Unseen = Annotated[
    str | None,
    typer.Option(
        "--unseen", metavar="F", help="Fraction reserved as final test set, for example 1/11."
    ),
]
LeaveOut = Annotated[
    str | None,
    typer.Option("--leave-out", metavar="COLUMN", help="One fold per value of this column."),
]
TestWhere = Annotated[
    list[str] | None,
    typer.Option(
        "--test-where",
        metavar="COLUMN=V[,V...]",
        help="External test: exactly these rows are test.",
    ),
]
Group = Annotated[
    str,
    typer.Option(
        "--group",
        metavar="COLUMN",
        help="Column whose values must not be in two parts; none splits single rows.",
    ),
]
Stratify = Annotated[
    str | None,
    typer.Option(
        "--stratify",
        metavar="COLUMN[,COLUMN...]",
        help="Columns whose values are spread evenly (default: label), or none.",
        show_default=False,
    ),
]
Balance = Annotated[
    str | None,
    typer.Option(
        "--balance",
        metavar="under|over|borrow=SOURCE",
        help="Balance the classes: drop (under) or repeat (over) rows of train or of each "
        "fold, or add rows of SOURCE to every part.",
        **options.word_or(
            ["under", "over"],
            "borrow=SOURCE",
            lambda text: bool(re.fullmatch("borrow=.+", text)),
            "it as borrow=SOURCE",
        ),
    ),
]
Cap = Annotated[
    list[str] | None,
    typer.Option(
        "--cap",
        metavar="label=N|CLASS=N",
        help="At most N rows per label (or per value of another column), or of one class. An "
        "external test is not reduced.",
    ),
]
Paper = Annotated[
    str | None,
    typer.Option(
        "--paper",
        metavar="image",
        help="Split image by image as the papers did, and count the leaks.",
        **options.choice(("image",)),
    ),
]
Straddle = Annotated[
    str,
    typer.Option(
        "--straddle",
        metavar="refuse|drop",
        help="Patients on both sides of --test-where or --leave-out: refuse the split, or drop "
        "their rows outside the test set (with --leave-out: all their rows).",
        **options.choice(("refuse", "drop")),
    ),
]
Check = Annotated[
    bool, typer.Option("--check", help="Check an existing split instead of making one.")
]
