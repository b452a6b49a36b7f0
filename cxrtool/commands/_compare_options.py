"""The options of compare."""

from typing import TYPE_CHECKING, Annotated

import typer

from cxrtool.cli import options
from cxrtool.cli.file_roles import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxrtool.compare.comparison import Shown


WAYS = ["auto", "bootstrap", "normal"]
TESTS = ["delong", "mcnemar", "permutation"]
PAPERS = "list"


def formats() -> list[str]:
    """List the formats."""
    from cxrtool.compare import result_tables

    return result_tables.formats()


def metric_names() -> "Sequence[str]":
    """List the metrics."""
    from cxrtool.stats.metrics import NAMES

    return NAMES


def papers() -> list[str]:
    """List the papers whose figures are in the package, and the word that lists them."""
    from cxrtool.published import library

    return [PAPERS, *library.names()]


def papers_of(option: str, text: str) -> "list[Shown]":
    """Take the figures of a paper by a SPEC."""
    from cxrtool.compare import published_figures
    from cxrtool.core import registry

    registry.choose(option, text.partition(":")[0], papers())
    return [] if text == PAPERS else published_figures.chosen(text)


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PREDICTIONS...]",
        help="Tables of predictions; '-' or nothing is standard input.",
    ),
    Role.READS,
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="COLUMN[,COLUMN...]", help="A group for each value of these."),
]
Pool = Annotated[
    str | None,
    typer.Option("--pool", metavar="COLUMN", help="Mean and spread over folds or repeats."),
]
Positive = Annotated[
    str | None,
    typer.Option(
        "--positive",
        metavar="CLASS",
        help="The class to be detected (default: of two, the one that is not "
        "normal, negative, healthy, no finding, control or other; else the second p_ column).",
    ),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metrics",
        metavar="NAME[,NAME...]",
        help="Show only these.",
        **options.choices(metric_names),
    ),
]
Ci = Annotated[
    float, typer.Option("--ci", metavar="P", min=0, max=1, help="Level of the intervals.")
]
Bootstrap = Annotated[
    int,
    typer.Option(
        "--bootstrap",
        metavar="N",
        min=0,
        max=1_000_000,
        help="Resamples of the patients, for differences between models, the gap of a matrix, "
        "bands of curves, permutations and --interval bootstrap; 0 draws none.",
    ),
]
Interval = Annotated[
    str,
    typer.Option(
        "--interval",
        metavar="auto|bootstrap|normal",
        help="How intervals are computed: by formula (auto), by bootstrap, or for shares of "
        "images by the normal approximation that papers print, which ignores patients.",
        **options.choice(WAYS),
    ),
]
Test = Annotated[
    list[str] | None,
    typer.Option(
        "--test",
        metavar="delong|mcnemar|permutation",
        help="Test every pair of models.",
        **options.choices(TESTS),
    ),
]
MatrixColumns = Annotated[
    str | None,
    typer.Option(
        "--matrix", metavar="ROWS,COLUMNS", help="The cross-dataset matrix, as train,test."
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="P",
        min=0,
        max=1,
        help="Predict the positive class over this probability, whatever `pred` says.",
    ),
]
Published = Annotated[
    str | None,
    typer.Option(
        "--published",
        metavar="NAME[:KEY=VALUE,...]",
        help="Show a paper's figures too; 'list' lists the papers.",
        **options.checked(papers, papers_of),
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="What the table is written as: csv, json, or a format of tabulate.",
        **options.choice(formats),
    ),
]
Plot = Annotated[
    str | None,
    typer.Option("--plot", metavar="DIR", help="Draw the plots into this folder, as SVG."),
    Role.KEEPS,
]
Report = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="FILE.html", help="Tell everything on one page, plots included."
    ),
    Role.WRITES,
]
