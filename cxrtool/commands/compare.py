"""Compare models: metrics with confidence intervals, and tests (predictions -> tables).

PREDICTIONS are the output of cxrtool evaluate, or any CSV with path, label and one probability
column p_CLASS per class. `model` (default: the file's name), `patient`, `pred` and other columns
are used if present. Every model is evaluated on every group of --by: accuracy, balanced_accuracy,
sensitivity, specificity, precision, npv, f1, auc, average_precision, dor, dor_haldane, mcc, brier,
ece, error, ece_debiased, calibration_slope, calibration_intercept. With more than two classes, each
class is compared with the rest, and macro and support-weighted averages are added; --positive CLASS
selects one class. --averages does the same for two classes.

Confidence intervals take into account that images of one patient are correlated. Metrics between 0
and 1 have Wilson intervals with an effective sample size, derived from DeLong's variance for AUC
(Obuchowski's if patients have several images). Odds ratios have log-normal intervals. Calibration
slope and intercept have Student intervals with a sandwich variance. At 0 and 1 the interval is
one-sided. With fewer than 30 patients in a class, a warning says that intervals may be too narrow.
man/guides/statistics.md has the formulas and their simulated coverage. --interval bootstrap uses
percentiles of resampled patients instead.

A class is predicted if its probability is above 0.5, or highest of several, unless the column
`pred` is present. A label that has no p_ column is an error, but with a positive class the labels
normal, negative, healthy, no finding, control and other count as not positive.

Undefined values are empty: AUC with one class, precision of a class that is never predicted, the
calibration slope of perfectly separated classes. Averages leave out a class without images and
predictions, with a note; the precision of a class that has images but is never predicted counts as
0. brier of several classes is the sum over the classes. ece has 15 bins of equal width, and is
above 0 by chance alone. ece_debiased has bins of equal size and subtracts this effect (Kumar et al.
2019). A perfectly calibrated model has a calibration_slope of 1 and a calibration_intercept of 0; a
slope below 1 means that probabilities are too close to 0 and 1.

--pool fold adds mean, standard deviation (ddof 1) and range over the folds to the metrics of all
images together; runs named after their fold become one model. --pool model does this for repeats.

--paired-test compares all pairs of models on the same images: DeLong's test of AUC, McNemar's exact
test of accuracy, or a permutation test of any metric (of --metrics, default auc and accuracy). All
tests keep the images of a patient together: DeLong's by Obuchowski's variance, McNemar's by
sums per patient, the permutation test by exchanging all predictions of a patient between the
models (for auc and average_precision their ranks). p_holm is adjusted for all tests of the table.

--by-pairs source divides AUC by the pairs of a positive and a negative image. auc_within is over
pairs of the same source: there the source tells nothing. auc_between is over pairs of different
sources, and pairs_within is the share w of pairs of the same source, so that auc_all is
w auc_within + (1 - w) auc_between. If auc_minus_within is far above 0, the source contributes to
the AUC. Images without a value are left out. Intervals are by patient, from formulas.

--matrix train,test shows one metric (the first of --metrics, default auc) for models trained on one
data set (rows; default: the model's name) and tested on another (columns; default: the source).
Rows of train and val are left out. Cells off the diagonal leave out images that duplicate a
training image (by path, raw, sha256 or dup_group).

--published adds the figures of a paper, with what they are an average of: one class, macro or
weighted (--averages shows these of two classes). Notes say where a paper contradicts itself. Up to
six of its models are columns beside yours; of more, every model is a row, beside your model of the
same name. --format csv adds the columns averaging, std, table and note.

--best METRIC adds a line that names the best model of each group. This model was chosen on the
images that it is evaluated on, so its value is too good; the line also has the mean of the models.

A warning says which share of the pairs of images of different classes is across sources, if the
source alone predicts the label: then AUC cannot tell disease from data set (see cxrtool audit).

--plots DIR draws ROC, precision-recall and calibration curves, histograms of the scores, confusion
matrices and intervals, as SVG. --report FILE.html writes everything to one page, with warnings.

Example:

    cxrtool evaluate runs/r18 split.csv --where split=test | cxrtool compare -
    cxrtool compare a.csv b.csv --positive covid --paired-test delong --format json
    cxrtool compare folds-*.csv --pool fold --by source --metrics auc,sensitivity,specificity
    cxrtool compare p.csv --positive covid --published tartaglione:model=resnet18,train=CORDA
    cxrtool compare p.csv --metrics auc --by-pairs source,view
    cxrtool compare *.csv --metrics sensitivity,npv --published majeed:scenario=2
    cxrtool compare a.csv b.csv --by source --plots plots --report page.html > table.md
"""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _compare_effects as idle
from cxrtool.commands import _compare_options
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from cxrtool.compare.comparison import Question

# What curves are labelled with, whatever the table shows.
DRAWN = ("auc", "average_precision", "brier")


def run(
    context: typer.Context,
    files: _compare_options.Files = None,
    by: _compare_options.By = None,
    by_pairs: _compare_options.ByPairs = None,
    pool: _compare_options.Pool = None,
    positive: _compare_options.Positive = None,
    averages: _compare_options.Averages = False,
    confusion: _compare_options.Confusion = False,
    metrics: _compare_options.Metrics = None,
    ci: _compare_options.Ci = 0.95,
    bootstrap: _compare_options.Bootstrap = 2000,
    interval: _compare_options.Interval = "auto",
    test: _compare_options.Test = None,
    matrix: _compare_options.MatrixColumns = None,
    threshold: _compare_options.Threshold = None,
    published: _compare_options.Published = None,
    best: _compare_options.Best = None,
    format: _compare_options.Format = "github",
    plot: _compare_options.Plot = None,
    report: _compare_options.Report = None,
    where: options.Where = None,
    seed: options.Seed = 0,
    output: options.Output = "-",
    failures: options.Failures = None,
    strict: options.Strict = False,
    progress: options.Progress = "auto",
    _list: _compare_options.Listing = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.compare import (
        best_model,
        positive_class,
        report_page,
        result_tables,
        table_comparison,
    )
    from cxrtool.files import disk as places
    from cxrtool.files import predictions_reader, unread_columns
    from cxrtool.files.failures import Failures

    places.check_output(output)
    tests = listed("--paired-test", test)
    papers = _compare_options.papers_of("--published", published) if published else []
    asked = listed("--metrics", metrics)
    is_drawn = bool(plot or report)
    reasons = idle.of(
        matrix, asked, tests, bootstrap, interval, is_drawn, averages, format, confusion
    )
    effects.refuse(context, {**reasons, **idle.of_best(matrix, format)})
    question = ask(by, by_pairs, pool, positive, metrics, ci, bootstrap, interval, threshold, seed)
    if matrix and (tests or by or by_pairs or pool or published):
        remedy = "Drop --paired-test, --by, --by-pairs, --pool and --published."
        raise CxrtoolError("--matrix stands alone", remedy)
    if best is not None and asked and best not in asked:
        raise CxrtoolError(f"--best {best}: it is not in --metrics", "Add it to --metrics.")
    skipped = Failures(failures, output=output, strict=strict)
    given = inputs(files or [])
    check(plot, report)
    tables = predictions_reader.opened(given, option_values.conditions("--where", where))
    unread_columns.warn(tables, ("patient", "source"))
    if averages:
        effects.refuse(context, idle.averages_of(tables[0].classes))
    chosen = None if averages else positive_of(tables[0].classes, question)
    question = replace(question, positive=chosen, progress=progress)
    drawn = DRAWN if plot is not None or report is not None else ()
    if matrix:
        shows = table_comparison.crossed(tables, matrix, question, skipped, drawn)
    else:
        shows = table_comparison.compared(tables, question, tests, skipped, papers, drawn)
    text = result_tables.of_comparison(shows, format, with_confusion=confusion)
    text += "".join(f"\n{line}\n" for line in best_model.sentences(shows.results, best))
    # Before the table: what reads that from a pipe may close it.
    if drawn:
        patients = all("patient" in table.columns for table in tables)
        call = idle.command_line(context)
        about = report_page.ReportDetails(given, call, patients, positive is None, skipped.failed)
        report_page.write(shows, about, plot, report)
    if positive is None and chosen is not None:
        why = positive_class.reason(tables[0].classes)
        note(f"the positive class is '{chosen}', {why} (--positive selects another)")
    with places.open_output(output) as stream:
        stream.write(text.encode())
    idle.note_format(context, output, format)
    raise typer.Exit(skipped.close())


def ask(
    by: list[str] | None,
    by_pairs: list[str] | None,
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
    pair_columns = listed("--by-pairs", by_pairs)
    if twice := next((column for column in pair_columns if column in columns), ""):
        what = f"--by-pairs {twice}: it is in --by as well"
        raise CxrtoolError(what, "Within a group all pairs are the same: drop one of them.")
    return Question(
        by=tuple(columns),
        by_pairs=tuple(pair_columns),
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
    return list(dict.fromkeys(option_values.entries(option, *texts or ())))


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
        raise CxrtoolError(f"--plots '{plot}' is no folder", "Name one.")
    if plot is not None:
        places.make_folder(plot)


def positive_of(classes: list[str], question: "Question") -> str | None:
    """Name the positive class, without which a threshold is of nothing."""
    from cxrtool.compare.positive_class import positive_class

    positive = positive_class(classes, question.positive)
    if positive is None and question.threshold is not None:
        what = f"--threshold: there are {len(classes)} classes"
        raise CxrtoolError(what, "Name the one that it is for with --positive.")
    return positive
