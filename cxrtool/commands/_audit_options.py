"""The options of audit."""

from typing import TYPE_CHECKING, Annotated

import typer

from cxrtool.cli import options
from cxrtool.cli.file_roles import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

# The words of --fail-on, and the verdicts that they mean.
FAILING = {
    "shown": "shown",
    "not-identifiable": "not identifiable",
    "inconclusive": "inconclusive",
    "not-assessed": "not assessed",
    "none": "",
}


def names() -> "Sequence[str]":
    """List the checks."""
    from cxrtool.core import registry

    return registry.names("checks")


def checklists() -> "Sequence[str]":
    """List the checklists."""
    from cxrtool.audit import checklist

    return checklist.names()


Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MANIFEST|PREDICTIONS...]",
        help="A manifest, tables of predictions, or both; '-' reads a manifest from standard "
        "input, and --predictions - predictions.",
    ),
    Role.READS,
]
Predictions = Annotated[
    list[str] | None,
    typer.Option(
        "--predictions",
        metavar="FILE",
        help="A table of predictions (path, label, p_CLASS; patient and source if known). "
        "May be repeated.",
    ),
    Role.READS,
]
RunFolder = Annotated[
    str | None,
    typer.Option(
        "--run",
        metavar="RUN",
        help="A run that predicts the held-out images of the manifest; the predictions are "
        "kept in DIR/predictions.csv.",
    ),
    Role.READS,
]
Retrain = Annotated[
    bool,
    typer.Option(
        "--retrain",
        help="Train the run's recipe again on images without the lungs, in DIR/lungs-out, and "
        "once more as a control (see --retrain-also). Each takes as long as the run did.",
    ),
]
RetrainAlso = Annotated[
    list[str] | None,
    typer.Option(
        "--retrain-also",
        metavar="CONTROL[,CONTROL...]",
        help="Controls of --retrain: other-mask (the lungs of another patient are blacked out), "
        "sham (a rectangle of the same area), outline (white lungs on black), dilation (the lungs "
        "widened by 3, 6 and 12 %: three trainings), all, or none (default: other-mask).",
        **options.choices(["other-mask", "sham", "outline", "dilation", "all", "none"]),
    ),
]
Checks = Annotated[
    list[str] | None,
    typer.Option(
        "--checks",
        metavar="NAME[,NAME...]",
        help="Checks to run (default: all).",
        **options.choices(names, all_by_default=True),
    ),
]
Within = Annotated[
    list[str] | None,
    typer.Option(
        "--within",
        metavar="COLUMN[,COLUMN...]",
        help="Further columns for AUC within groups, besides source and view.",
    ),
]
Positive = Annotated[
    str | None,
    typer.Option(
        "--positive",
        metavar="CLASS",
        help="The positive class; all others together are negative (default with two classes: "
        "as in compare).",
    ),
]
Margin = Annotated[
    float,
    typer.Option(
        "--margin",
        metavar="D",
        min=0.001,
        max=0.5,
        help="Smallest difference in AUC that matters.",
    ),
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="VERDICT[,VERDICT...]",
        help="Verdicts that make the exit code 1: shown, not-identifiable, inconclusive, "
        "not-assessed, or none (default: shown,not-identifiable).",
        **options.choices(list(FAILING)),
    ),
]
Checklist = Annotated[
    list[str] | None,
    typer.Option(
        "--checklist",
        metavar="NAME[,NAME...]",
        help="Also write DIR/checklist-NAME.csv: the items of a published checklist, with "
        "what the audit knows of them.",
        **options.choices(checklists),
    ),
]
