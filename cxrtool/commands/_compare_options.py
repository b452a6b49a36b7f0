"""The options of compare."""

from typing import TYPE_CHECKING, Annotated

import typer

from cxrtool.cli import listing, options
from cxrtool.cli.file_roles import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxrtool.compare.comparison import Shown


INTERVALS = ["auto", "bootstrap", "normal"]
TESTS = ["delong", "mcnemar", "permutation"]


def formats() -> list[str]:
    """List the formats."""
    from cxrtool.figures import tables

    return tables.formats()


def metric_names() -> "Sequence[str]":
    """List the metrics."""
    from cxrtool.stats.metrics import NAMES

    return NAMES


def papers() -> list[str]:
    """List the papers whose results are in the package."""
    from cxrtool.published import library

    return library.names()


def listed_papers() -> listing.Listed:
    """Describe the papers for --list."""
    from cxrtool.compare import published_figures

    return published_figures.COLUMNS, published_figures.listing()


def papers_of(option: str, text: str) -> "list[Shown]":
    """Take the results of a paper by a SPEC."""
    from cxrtool.compare import published_figures
    from cxrtool.core import registry

    registry.choose(option, text.partition(":")[0], papers())
    return published_figures.chosen(text)


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PREDICTIONS...]",
        help="Tables of predictions; '-' or nothing reads standard input.",
    ),
    Role.READS,
]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="COLUMN[,COLUMN...]",
        help="Evaluate each value of these columns separately.",
    ),
]
ByPairs = Annotated[
    list[str] | None,
    typer.Option(
        "--by-pairs",
        metavar="COLUMN[,COLUMN...]",
        help="Divide AUC into pairs of images of the same value of a column and of different "
        "values; for example source. Each column is taken by itself.",
    ),
]
Pool = Annotated[
    str | None,
    typer.Option("--pool", metavar="COLUMN", help="Add mean and spread over folds or repeats."),
]
Positive = Annotated[
    str | None,
    typer.Option(
        "--positive",
        metavar="CLASS",
        help="The positive class (default with two classes: the one that is not normal, negative, "
        "healthy, no finding, control or other; otherwise the second p_ column).",
    ),
]
Averages = Annotated[
    bool,
    typer.Option(
        "--averages",
        help="With two classes: show each class against the rest, and macro and support-weighted "
        "averages, as with more classes. There is no positive class then.",
    ),
]
Confusion = Annotated[
    bool,
    typer.Option("--confusion", help="Also show the confusion matrices, a paper's too."),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metrics",
        metavar="NAME[,NAME...]",
        help="Metrics to show (default: all).",
        **options.choices(metric_names, all_by_default=True),
    ),
]
Ci = Annotated[
    float,
    typer.Option("--ci", metavar="P", min=0, max=1, help="Confidence level of the intervals."),
]
Bootstrap = Annotated[
    int,
    typer.Option(
        "--bootstrap",
        metavar="N",
        min=0,
        max=1_000_000,
        help="Number of resamples of the patients: for differences between models, the gap of a "
        "matrix, confidence bands, permutations and --interval bootstrap; 0 for none.",
    ),
]
Interval = Annotated[
    str,
    typer.Option(
        "--interval",
        metavar="auto|bootstrap|normal",
        help="Method of the intervals: formulas (auto), bootstrap, or for proportions the normal "
        "approximation as in many papers, which ignores patients.",
        **options.choice(INTERVALS),
    ),
]
Test = Annotated[
    list[str] | None,
    typer.Option(
        "--paired-test",
        metavar="delong|mcnemar|permutation",
        help="Test all pairs of models on the same images.",
        **options.choices(TESTS),
    ),
]
MatrixColumns = Annotated[
    str | None,
    typer.Option(
        "--matrix",
        metavar="ROWS,COLUMNS",
        help="Show a cross-dataset matrix; for example train,test.",
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="P",
        min=0,
        max=1,
        help="Decision threshold for the positive class; replaces the column `pred`.",
    ),
]
Published = Annotated[
    str | None,
    typer.Option(
        "--published",
        metavar="NAME[:KEY=VALUE,...]",
        help="Add the results of a paper, see --list.",
        **options.checked(papers, papers_of),
    ),
]
Best = Annotated[
    str | None,
    typer.Option(
        "--best",
        metavar="METRIC",
        help="Name the best model by this metric (of --metrics), and how much the choice flatters.",
        **options.choice(metric_names),
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="Format of the table: csv, json, or a format of tabulate.",
        **options.choice(formats),
    ),
]
Plot = Annotated[
    str | None,
    typer.Option("--plots", metavar="DIR", help="Folder for plots, as SVG."),
    Role.KEEPS,
]
Report = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="FILE.html", help="Write all results and plots to one HTML page."
    ),
    Role.WRITES,
]
Listing = Annotated[bool, listing.lister("papers with published results", listed_papers)]
