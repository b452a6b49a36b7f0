"""A comparison on one HTML page (results -> page): summary, warnings, tables, plots, methods."""

import contextlib
import os
import shlex
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cxrtool.compare import (
    pair_parts,
    plots,
    positive_class,
    reader_warnings,
    report_methods,
    report_papers,
    result_tables,
    source_traps,
)
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.display import ALL, Plot, Shows, word
from cxrtool.core import outputs
from cxrtool.figures import html_page as pages
from cxrtool.figures import numbers
from cxrtool.figures.html_page import Page
from cxrtool.figures.tables import Cell, ReportTable

HEADLINES = ("auc", "sensitivity", "specificity", "balanced_accuracy")
# A page shows at most so many plots of each kind: nobody scrolls through more.
PICTURES = 12
HEADINGS = {
    "forest": "Confidence intervals",
    "roc": "ROC curves",
    "precision-recall": "Precision-recall curves",
    "calibration": "Calibration",
    "histograms": "Distribution of the scores",
    "confusion": "Confusion matrices",
}


@dataclass(frozen=True)
class ReportDetails:
    """What a page says besides the results."""

    files: Sequence[str]
    command: str
    patients: bool = True  # whether all tables name them
    guessed: bool = False  # whether the positive class was chosen by names or order of classes
    skipped: int = 0


def page(
    shows: Shows,
    about: ReportDetails,
    pictures: Sequence[tuple[Plot, str]],
    cut: Collection[str] = (),
) -> Page:
    """Build the page; each plot comes with its file. Of the kinds `cut` there are more plots."""
    result = Page(_title(shows), _lead(shows, about))
    _summary(result, shows, about)
    _images(result, shows, about)
    if shows.matrix is not None:
        _matrix(result, shows.matrix, pictures)
    _tests(result, shows)
    _pairs(result, shows)
    report_papers.add(result, shows, _group(shows))
    _pictures(result, pictures, cut)
    # Last, as it is the longest; the matrix has all that was asked for.
    if shows.matrix is None:
        _all_metrics(result, shows)
    _methods(result, shows, about)
    return result


def write(shows: Shows, about: ReportDetails, plot: str | None, report: str | None) -> None:
    """Draw the plots into a folder, and write the page that shows them."""
    pictures = plots.pictures(shows)
    few = chosen(pictures)
    with contextlib.ExitStack() as stack:
        # A page alone needs its plots no longer than it takes to write it.
        folder = plot or stack.enter_context(tempfile.TemporaryDirectory(prefix="cxrtool-"))
        there = [(p, os.path.join(folder, p.file)) for p in (pictures if plot else few)]
        outputs.current().check(file for _, file in there)
        for picture, file in there:
            picture.draw(file)
        if report is not None:
            shown = [(p, f) for p, f in there if p in few]
            cut = {p.kind for p in pictures if p not in few}
            pages.write(report, page(shows, about, shown, cut))


def chosen(pictures: Sequence[Plot]) -> list[Plot]:
    """Choose the pictures that a page has room for: the first of each kind."""
    return [
        p
        for kind in ("matrix", *HEADINGS)
        for p in [q for q in pictures if q.kind == kind][:PICTURES]
    ]


def _models(shows: Shows) -> list[str]:
    return list(dict.fromkeys(result.model for result in shows.results))


def _title(shows: Shows) -> str:
    positive, models = shows.question.positive, _models(shows)
    task = f"detection of {positive}" if positive else "classification"
    if shows.matrix is not None:
        return f"Cross-dataset matrix: {task}"
    return f"{models[0]}: {task}" if len(models) == 1 else f"{len(models)} models: {task}"


def _lead(shows: Shows, about: ReportDetails) -> str:
    classes = shows.results[0].classes if shows.results else []
    positive = shows.question.positive
    models, listed = _counted(_models(shows), "model"), ", ".join(classes)
    lead = f"Predictions of {models}. Classes: {listed}."
    if not positive:
        return lead
    why = f" ({positive_class.reason(classes)}; `--positive` selects another)"
    return f"{lead} Positive class: {positive}{why if about.guessed else ''}."


def _counted(names: Sequence[str], what: str) -> str:
    if len(names) > reader_warnings.SHOWN:
        return f"{len(names)} {what}s"
    return f"the {what}{'s' * (len(names) != 1)} {', '.join(names)}"


def _summary(page: Page, shows: Shows, about: ReportDetails) -> None:
    section = page.section("Summary")
    metrics = [m for m in HEADLINES if m in shows.metrics]
    metrics = list(shows.question.metrics[:4]) or metrics
    rows: list[list[Cell]] = [
        [
            r.model,
            r.group,
            *(result_tables.cell(r.figures.get(r.key(m))) for m in metrics),
            len(r.judged),
        ]
        for r in shows.results
    ]
    mean = ""
    if shows.question.positive is None and shows.results:
        mean = " Metrics of single classes are shown as the mean over all classes."
    columns = ["model", _group(shows), *map(word, metrics), "images"]
    section.table(
        ReportTable(columns, rows).without_empty(keep=1),
        f"Main metrics with {_level(shows)} confidence intervals.{mean}",
    )
    if about.skipped:
        section.finding(
            "note",
            f"Rows that could not be evaluated, and are in no result: {about.skipped}.",
        )
    if not about.patients:
        section.finding(
            "note",
            "At least one table has no column `patient`. There, each image is taken as another "
            "patient, and confidence intervals may be too narrow.",
        )
    for level, text in reader_warnings.findings(shows):
        section.finding(level, text)
    if source_traps.warnings(shows.results):
        section.text("This command judges whether the result is the disease or the data set:")
        # Standard input was read once.
        files = ["predictions.csv" if file == "-" else file for file in about.files]
        section.code(f"cxrtool audit {shlex.join(files)} -d audit")


def _group(shows: Shows) -> str:
    if shows.matrix is not None:
        return f"tested on ({shows.matrix.names[1]})"
    return ", ".join(shows.by) or "group"


def _level(shows: Shows) -> str:
    return numbers.level(shows.question.level)


def _images(page: Page, shows: Shows, about: ReportDetails) -> None:
    section = page.section("Images")
    names = ("standard input" if f == "-" else f"`{os.path.basename(f)}`" for f in about.files)
    section.text(f"Tables of predictions: {', '.join(names)}.")
    models: dict[tuple[str, ...], list[str]] = {}
    for result in shows.results:
        each_class = result.judged.confusion().sum(axis=1).tolist()
        counts = map(numbers.count, (len(result.judged), result.patients, *each_class))
        models.setdefault((result.group, *counts), []).append(result.model)
    rows = [[group or ALL, ", ".join(of), *counts] for (group, *counts), of in models.items()]
    classes = shows.results[0].classes if shows.results else []
    columns = [_group(shows), "models", "images", "patients", *classes]
    section.table(
        ReportTable(columns, rows), "Number of images and patients, and of images of each class."
    )


def _matrix(page: Page, matrix: Matrix, pictures: Sequence[tuple[Plot, str]]) -> None:
    section = page.section("Cross-dataset matrix")
    section.table(
        result_tables.cross(matrix, f"trained on ({matrix.names[0]})"),
        f"{word(matrix.metric)} by training set (rows) and test set (columns: {matrix.names[1]}).",
    )
    gap = result_tables.text_of(matrix.gap) or "undefined"
    section.text(f"Mean of the diagonal minus mean of the other cells: {gap}.")
    for (row, column), number in matrix.left_out.items():
        if number:
            section.text(
                f"Trained on {row}, tested on {column}: {number} images were left out "
                f"because they duplicate images of {row}."
            )
    for picture, file in pictures:
        if picture.kind == "matrix":
            section.picture(file, picture.alt, picture.caption)


def _all_metrics(page: Page, shows: Shows) -> None:
    table = result_tables.figures(
        shows.results, shows.metrics, _group(shows), word=word, with_counts=False
    )
    page.section("All metrics").table(
        table.starting_with(result_tables.METRIC).without_empty(keep=1),
        f"All metrics with {_level(shows)} confidence intervals. Undefined values are empty.",
    )


def _tests(page: Page, shows: Shows) -> None:
    table = result_tables.tests(shows.results, _group(shows), word=word)
    if table.rows:
        page.section("Paired tests between models").table(
            table.without_empty(keep=1),
            "Pairs of models, tested on the same images. p (Holm) is adjusted for all tests of "
            "this table: use this one. All tests keep the images of a patient together.",
        )


def _pairs(page: Page, shows: Shows) -> None:
    table = pair_parts.table(shows.results, _group(shows))
    if table.rows:
        page.section("AUC within and between groups").table(
            table.without_empty(keep=1),
            "AUC over pairs of a positive and a negative image of the same value of a column "
            "(within), and of different values (between), with confidence intervals by patient. "
            "Within, the column tells nothing of the label.",
        )


def _pictures(page: Page, pictures: Sequence[tuple[Plot, str]], cut: Collection[str]) -> None:
    for kind, heading in HEADINGS.items():
        own = [(picture, file) for picture, file in pictures if picture.kind == kind]
        if not own:
            continue
        section = page.section(heading)
        for picture, file in own:
            section.picture(file, picture.alt, picture.caption)
        if kind in cut:
            section.text(f"The first {len(own)} are shown here; `--plots DIR` writes all of them.")


def _methods(page: Page, shows: Shows, about: ReportDetails) -> None:
    section = page.section("Methods and limitations")
    section.text(*report_methods.sentences(shows))
    section.text("Command that writes this page:")
    section.code(about.command)
