"""Compare models by all their figures, with intervals and tests (predictions -> tables).

PREDICTIONS are what `cxrtool evaluate` writes, or any CSV with path, label and a probability column
p_CLASS a class; `model` (else the file's name), `patient`, `pred` and more are used where they are
there. Every model is judged on every group of --by: accuracy, balanced_accuracy, sensitivity,
specificity, precision, npv, f1, auc, average_precision, dor, dor_haldane, mcc, brier, ece, error,
ece_debiased, calibration_slope, calibration_intercept. Of more than two classes, each is judged
against the rest, with macro and support-weighted averages; --positive CLASS asks for one alone.

Every interval keeps the images of one patient together. A figure between 0 and 1 has Wilson's
interval with its effective number of images: as many independent ones would have the same variance
(of AUC DeLong's, where patients have several images Obuchowski's). Odds ratios have the log-normal
interval, calibration slope and intercept Student's with the sandwich variance. At 0 and 1 the
interval is a one-sided bound. With fewer than 30 patients of a class a warning says that intervals
may miss the true value more often than stated. man/guides/statistics.md has the formulas and their
coverage by simulation. --interval bootstrap takes percentiles of resamples of the patients instead.

What is undefined is empty: AUC of one class, precision of a class that is never predicted, the
calibration slope where the classes are completely apart. Averages leave out a class with neither
images nor predictions, with a note; the precision of a class with images that is never predicted
counts as 0. A class is predicted when its p is over 0.5, of several classes the likeliest, unless
`pred` tells. brier of several classes is the sum over them. ece has 15 bins of equal width; chance
alone makes it larger than 0. ece_debiased has bins of equal mass and subtracts what chance adds
(Kumar et al. 2019). A calibration_slope of 1 and a calibration_intercept of 0 are right; a slope
under 1 means probabilities that are too near 0 and 1.

--pool fold adds mean, standard deviation (ddof 1) and range over the folds to the figures of all
their images together; runs named for their fold become one model. --pool model does so for repeats.

--test compares models pair by pair on the same images: DeLong's test of AUC, McNemar's exact test
of accuracy, or a permutation test of any metric (of --metrics, else auc and accuracy). All keep the
images of a patient together: DeLong's with Obuchowski's variance, McNemar's by the sums of each
patient, the permutation test by exchanging all predictions of a patient between the models, for auc
and average_precision their ranks. p_holm is adjusted for all tests of the table.

--matrix train,test shows the first of --metrics (else auc) for models trained on one data set
(rows; without a column `train` the model's name) and tested on another (columns; without `test`
the source). Rows of the parts train and val are not judged. Cells off the diagonal leave out images
that duplicate one the model may have been trained on: by path, raw, sha256 or dup_group, among the
rows of its data set that are not known to be for the test.

--plot DIR draws ROC and precision-recall curves with bands by patient, calibration, histograms of
the scores by class and source, confusion matrices, and the intervals of --metrics (else auc), as
SVG. --report FILE.html tells all of it on one page, with what its readers should be warned of.

Example:

    cxrtool evaluate runs/r18 split.csv --where split=test | cxrtool compare -
    cxrtool compare a.csv b.csv --positive covid --test delong --format json
    cxrtool compare folds-*.csv --pool fold --by source --metrics auc,sensitivity,specificity
    cxrtool compare p.csv --positive covid --published tartaglione:model=resnet18,train=CORDA
    cxrtool compare a.csv b.csv --by source --plot plots --report page.html > table.md
"""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import typer

from cxrtool.cli import effects, options
from cxrtool.commands import _compare_effects as idle
from cxrtool.commands import _compare_options
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxrtool.compare.comparison import Question, Result
    from cxrtool.compare.cross_matrix import Matrix
    from cxrtool.files.failures import Failures
    from cxrtool.files.predictions import Opened

# What curves are labelled with, whatever the table shows.
DRAWN = ("auc", "average_precision", "brier")


def run(
    context: typer.Context,
    files: _compare_options.Files = None,
    by: _compare_options.By = None,
    pool: _compare_options.Pool = None,
    positive: _compare_options.Positive = None,
    metrics: _compare_options.Metrics = None,
    ci: _compare_options.Ci = 0.95,
    bootstrap: _compare_options.Bootstrap = 2000,
    interval: _compare_options.Interval = "auto",
    test: _compare_options.Test = None,
    matrix: _compare_options.MatrixColumns = None,
    threshold: _compare_options.Threshold = None,
    published: _compare_options.Published = None,
    format: _compare_options.Format = "github",
    plot: _compare_options.Plot = None,
    report: _compare_options.Report = None,
    where: options.Where = None,
    seed: options.Seed = 0,
    output: options.Output = "-",
    failures: options.Failures = None,
    strict: options.Strict = False,
    progress: options.Progress = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.compare import display, positive_class, report_page, result_tables
    from cxrtool.files import disk as places
    from cxrtool.files import predictions
    from cxrtool.files.failures import Failures
    from cxrtool.stats.metrics import NAMES

    places.check_output(output)
    if published == _compare_options.PAPERS:
        effects.refuse(context, idle.with_list(effects.typed(context)))
        list_papers(output)
    tests = listed("--test", test)
    shown_papers = _compare_options.papers_of("--published", published or _compare_options.PAPERS)
    effects.refuse(
        context,
        idle.of(
            matrix, listed("--metrics", metrics), tests, bootstrap, interval, bool(plot or report)
        ),
    )
    question = ask(by, pool, positive, metrics, ci, bootstrap, interval, threshold, seed)
    if matrix and (tests or by or pool or published):
        raise CxrtoolError("--matrix stands alone", "Drop --test, --by, --pool and --published.")
    skipped = Failures(failures, output=output, strict=strict)
    given = inputs(files or [])
    check(plot, report)
    tables = predictions.opened(given, options.conditions("--where", where))
    chosen = positive_of(tables[0].classes, question)
    question = replace(question, positive=chosen, progress=progress)
    drawn = DRAWN if plot is not None or report is not None else ()
    shown = question.metrics or NAMES
    if matrix:
        found = crossed(tables, matrix, question, skipped, drawn)
        text = result_tables.written_matrix(found, format)
        shows = display.Shows([*found.cells.values()], question, [found.metric], matrix=found)
    else:
        results = compared(tables, question, tests, skipped, drawn)
        group = ", ".join(question.by)
        text = result_tables.written(results, shown, format, group, shown_papers)
        shows = display.Shows(results, question, shown, shown_papers)
    # Before the table: what reads that from a pipe may close it.
    if drawn:
        patients = all("patient" in table.columns for table in tables)
        call = idle.command_line(context)
        about = report_page.About(given, call, patients, positive is None, skipped.failed)
        report_page.write(shows, about, plot, report)
    if positive is None and chosen is not None:
        why = positive_class.reason(tables[0].classes)
        note(f"the positive class is '{chosen}', {why} (--positive names another)")
    with places.open_output(output) as stream:
        stream.write(text.encode())
    raise typer.Exit(skipped.close())


def ask(
    by: list[str] | None,
    pool: str | None,
    positive: str | None,
    metrics: list[str] | None,
    ci: float,
    bootstrap: int,
    interval: str,
    threshold: float | None,
    seed: int,
) -> "Question":
    """Check the options, and put them into a question."""
    from cxrtool.compare.comparison import Question

    if ci in (0, 1):
        raise CxrtoolError(f"--ci {ci:g} is not between 0 and 1", "Write it as 0.95.")
    if interval == "bootstrap" and not bootstrap:
        raise CxrtoolError("--interval bootstrap needs resamples", "Drop --bootstrap 0.")
    columns = listed("--by", by)
    if pool in columns:
        raise CxrtoolError(f"--pool {pool}: it is in --by as well", "Drop one of them.")
    return Question(
        by=tuple(columns),
        pool=pool or "",
        positive=positive,
        metrics=tuple(listed("--metrics", metrics)),
        level=ci,
        resamples=bootstrap,
        interval=interval,
        threshold=threshold,
        seed=seed,
    )


def listed(option: str, texts: list[str] | None) -> list[str]:
    """Read lists that may be repeated; nothing counts twice."""
    return list(dict.fromkeys(options.entries(option, *texts or ())))


def inputs(files: list[str]) -> list[str]:
    """Take the PREDICTIONS arguments, or standard input when something is piped into it."""
    if files:
        return files
    if sys.stdin is None or sys.stdin.isatty():
        remedy = "Name some, or pipe them in: cxrtool evaluate RUN ... | cxrtool compare"
        raise CxrtoolError("no predictions", remedy)
    return ["-"]


def check(plot: str | None, report: str | None) -> None:
    """Refuse what could not be written at the end."""
    from cxrtool.files import disk as places

    if report == "-":
        raise CxrtoolError("--report -: standard output is for the table", "Name a file.")
    if report is not None:
        places.check_output(report)
    if plot in ("", "-"):
        raise CxrtoolError(f"--plot '{plot}' is no folder", "Name one.")
    if plot is not None:
        places.make_folder(plot)


def compared(
    tables: "Sequence[Opened]",
    question: "Question",
    tests: list[str],
    skipped: "Failures",
    drawn: "Sequence[str]" = (),
) -> "list[Result]":
    """Judge every model on every group, and test the models against one another."""
    from cxrtool.compare import comparison, model_tests
    from cxrtool.files import predictions
    from cxrtool.stats import metrics

    columns = [*question.by, question.pool] if question.pool else question.by
    found = predictions.read(tables, columns, skipped, ["source"] if drawn else [])
    permuted = question.metrics or model_tests.PERMUTED
    needed = [m for name in tests for m in model_tests.NEEDED.get(name, permuted)]
    shown = question.metrics or metrics.NAMES
    question = replace(question, metrics=tuple(dict.fromkeys([*shown, *needed, *drawn])))
    results = comparison.compare(found, question, skipped)
    if tests:
        model_tests.contest(results, tests, question, permuted, found)
    comparison.tell(results, question)
    return results


def crossed(
    tables: "Sequence[Opened]",
    columns: str,
    question: "Question",
    skipped: "Failures",
    drawn: "Sequence[str]" = (),
) -> "Matrix":
    """Make the cross-dataset matrix."""
    from cxrtool.compare import cross_matrix
    from cxrtool.files import predictions

    there = set.intersection(*(set(table.columns) for table in tables))
    names = cross_matrix.columns_of(columns, there)
    optional = ["split", "source"] if drawn else ["split"]
    found = predictions.read(tables, names, skipped, optional, predictions.SAME)
    first = (question.metrics or ("auc",))[0]
    question = replace(question, metrics=tuple(dict.fromkeys([first, *drawn])))
    return cross_matrix.cross(found, names, question, skipped)


def positive_of(classes: list[str], question: "Question") -> str | None:
    """Name the positive class, without which a threshold is of nothing."""
    from cxrtool.compare.positive_class import positive_class

    positive = positive_class(classes, question.positive)
    if positive is None and question.threshold is not None:
        what = f"--threshold: there are {len(classes)} classes"
        raise CxrtoolError(what, "Name the one that it is for with --positive.")
    return positive


def list_papers(output: str) -> NoReturn:
    """Write the papers and end."""
    from cxrtool.compare import published_figures
    from cxrtool.files import table

    table.write(output, published_figures.COLUMNS, published_figures.listing())
    raise typer.Exit
