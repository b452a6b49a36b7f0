"""A comparison told on one page: what was compared, what to make of it, and every figure."""

import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from cxrtool.compare import plots, positive_class, reader_warnings, result_tables
from cxrtool.compare.comparison import Result, Shown
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.display import ALL, Plot, Shows, word
from cxrtool.core import outputs
from cxrtool.figures import html_page as pages
from cxrtool.figures import numbers
from cxrtool.figures.html_page import Page
from cxrtool.figures.tables import Cell, ReportTable
from cxrtool.stats import interval_methods

HEADLINES = ("auc", "sensitivity", "specificity", "balanced_accuracy")
# Of each kind of picture a page shows so many: more, and nobody scrolls to their end.
PICTURES = 12
HEADINGS = {
    "forest": "Intervals side by side",
    "roc": "ROC curves",
    "precision-recall": "Precision and recall",
    "calibration": "Are the probabilities true?",
    "histograms": "How the scores are spread",
    "confusion": "What is taken for what",
}
WAYS = {
    interval_methods.WILSON: "Wilson's for shares of images",
    interval_methods.WILSON_BY_PATIENT: "Wilson's for shares of images, with the effective number "
    "of images",
    "normal": "the normal approximation for shares of images",
    interval_methods.DELONG: "Wilson's for AUC, with the effective number that DeLong's variance "
    "gives",
    interval_methods.OBUCHOWSKI: "Wilson's for AUC, with the effective number that Obuchowski's "
    "variance by patient gives",
    interval_methods.EFFECTIVE_SIZE: "Wilson's with the effective number of images for F1, average "
    "precision, MCC and Brier score",
    interval_methods.LOG_NORMAL: "the log-normal one for odds ratios",
    interval_methods.LOG_NORMAL_BY_PATIENT: "the log-normal one for odds ratios, by patient",
    interval_methods.MOVER: "averages from the intervals of their parts (MOVER)",
    interval_methods.CALIBRATION_ERROR: "calibration errors less what chance adds to them",
    interval_methods.SANDWICH: "Student's for calibration slope and intercept, with the sandwich "
    "variance",
}
LIMITS = (
    "The intervals tell how far chance alone, in which patients there are, could have moved a "
    "figure. They do not tell how the model does in another hospital: for that, predictions of "
    "another hospital are needed (`--by source`, `--matrix train,test`).",
    "A good figure does not tell why it is good. `cxrtool cam` shows where a model looks, and "
    "`cxrtool tsne` whether it tells the sources apart.",
    "The figures are no better than the tables: wrong labels count as right ones, and an image or "
    "a patient the model was trained on flatters it.",
)


@dataclass(frozen=True)
class ReportDetails:
    """What a page tells besides the results."""

    files: Sequence[str]
    command: str
    patients: bool = True  # whether all tables name them
    guessed: bool = False  # the positive class, by the names or the order of the classes
    skipped: int = 0


def page(shows: Shows, about: ReportDetails, pictures: Sequence[tuple[Plot, str]]) -> Page:
    """Tell everything; each picture comes with its file."""
    result = Page(_title(shows), _lead(shows, about))
    _short(result, shows, about)
    _images(result, shows, about)
    if shows.matrix is not None:
        _matrix(result, shows.matrix, pictures)
    _tests(result, shows)
    _papers(result, shows)
    _pictures(result, pictures)
    # Last, as it is the longest; the matrix has all that was asked for.
    if shows.matrix is None:
        _figures(result, shows)
    _method(result, shows, about)
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
            pages.write(report, page(shows, about, [(p, f) for p, f in there if p in few]))


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
    task = f"finding {positive}" if positive else "telling classes apart"
    if shows.matrix is not None:
        return f"Trained here, tested there: {task}"
    return f"{models[0]}: {task}" if len(models) == 1 else f"{len(models)} models: {task}"


def _lead(shows: Shows, about: ReportDetails) -> str:
    classes = shows.results[0].classes if shows.results else []
    positive = shows.question.positive
    rest = f"; the positive class is {positive}" if positive else ""
    if positive and about.guessed:
        rest += f", {positive_class.reason(classes)} (`--positive` names another)"
    models, listed = _counted(_models(shows), "model"), ", ".join(classes)
    return f"Predictions of {models}. Classes: {listed}{rest}."


def _counted(names: Sequence[str], what: str) -> str:
    if len(names) > reader_warnings.SHOWN:
        return f"{len(names)} {what}s"
    return f"the {what}{'s' * (len(names) != 1)} {', '.join(names)}"


def _short(page: Page, shows: Shows, about: ReportDetails) -> None:
    section = page.section("In short")
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
        mean = " What is told of single classes is the mean of all of them here."
    columns = ["model", _group(shows), *map(word, metrics), "images"]
    section.table(
        ReportTable(columns, rows).without_empty(keep=1),
        f"The main figures, with {_level(shows)} intervals.{mean}",
    )
    if about.skipped:
        section.finding(
            "note", f"Rows that could not be judged, and count in no figure: {about.skipped}."
        )
    if not about.patients:
        section.finding(
            "note",
            "Not every table has a column `patient`; where there is none, each "
            "image counts as a patient, and intervals may be too narrow.",
        )
    for level, text in reader_warnings.findings(shows):
        section.finding(level, text)


def _group(shows: Shows) -> str:
    if shows.matrix is not None:
        return f"tested on ({shows.matrix.names[1]})"
    return ", ".join(shows.by) or "group"


def _level(shows: Shows) -> str:
    return numbers.level(shows.question.level)


def _images(page: Page, shows: Shows, about: ReportDetails) -> None:
    section = page.section("The images")
    names = ("standard input" if f == "-" else f"`{os.path.basename(f)}`" for f in about.files)
    section.text(f"Tables of predictions: {', '.join(names)}.")
    models: dict[tuple[str, ...], list[str]] = {}
    for result in shows.results:
        each_class = result.judged.confusion().sum(axis=1).tolist()
        counts = map(numbers.count, (len(result.judged), result.patients, *each_class))
        models.setdefault((result.group, *counts), []).append(result.model)
    rows = [[group or ALL, ", ".join(of), *counts] for (group, *counts), of in models.items()]
    classes = shows.results[0].classes if shows.results else []
    columns = [_group(shows), "judged by", "images", "patients", *classes]
    section.table(
        ReportTable(columns, rows), "Images and patients, and how many images of each class."
    )


def _matrix(page: Page, matrix: Matrix, pictures: Sequence[tuple[Plot, str]]) -> None:
    section = page.section("Trained here, tested there")
    section.table(
        result_tables.cross(matrix, f"trained on ({matrix.names[0]})"),
        f"{word(matrix.metric)} by what a model was tested on ({matrix.names[1]}).",
    )
    gap = result_tables.text_of(matrix.gap) or "undefined"
    section.text(f"The mean of the diagonal minus that of the other cells: {gap}.")
    for (row, column), number in matrix.left_out.items():
        if number:
            section.text(
                f"Trained on {row}, tested on {column}: {number} images are left out "
                f"that duplicate images of {row}."
            )
    for picture, file in pictures:
        if picture.kind == "matrix":
            section.picture(file, picture.alt, picture.caption)


def _figures(page: Page, shows: Shows) -> None:
    table = result_tables.figures(
        shows.results, shows.metrics, _group(shows), word=word, with_counts=False
    )
    page.section("All figures").table(
        table.starting_with(result_tables.METRIC).without_empty(keep=1),
        f"Every figure with its {_level(shows)} interval; what is undefined is empty.",
    )


def _tests(page: Page, shows: Shows) -> None:
    table = result_tables.tests(shows.results, _group(shows), word=word)
    if table.rows:
        page.section("Tests between the models").table(
            table.without_empty(keep=1),
            "Models compared pair by pair on the same images. p (Holm) is adjusted for all tests "
            "of this table: it is the one to read. All tests keep the images of a patient "
            "together.",
        )


def _papers(page: Page, shows: Shows) -> None:
    if not shows.papers:
        return
    section = page.section("Published figures")
    beside, printed = shows.beside, [m for m in shows.metrics if _has(shows.papers, m)]
    both: list[Shown] = [
        r
        for g in dict.fromkeys(r.group for r in shows.results)
        for r in [*shows.results, *beside]
        if r.group == g
    ]
    rows: list[list[Cell]] = []
    for shown in both:
        labels = dict.fromkeys(label for label, metric in shown.figures if metric in printed)
        for label in labels:
            figures = [shown.figures.get((label, metric)) for metric in printed]
            rows.append([shown.model, shown.group, label, *map(result_tables.cell, figures)])
    columns = ["model", _group(shows), "class", *map(word, printed)]
    section.table(
        ReportTable(columns, rows).without_empty(keep=1),
        "One's own figures, and those of the paper as printed.",
    )
    section.text(
        "A paper's figures are of other images, chosen and split in its own way: they "
        "place one's own, and no difference between them is tested."
    )
    for note, models in _notes(beside, printed).items():
        section.text(f"Of {', '.join(models)}: {note}.")


def _notes(beside: Sequence[Shown], metrics: Sequence[str]) -> dict[str, list[str]]:
    """Gather what is said of printed figures, and of whose."""
    result: dict[str, list[str]] = {}
    for shown in beside:
        for (_, metric), figure in shown.figures.items():
            models = result.setdefault(figure.note, [])
            if metric in metrics and shown.model not in models:
                models.append(shown.model)
    return {note: models for note, models in result.items() if note and models}


def _has(papers: Sequence[Shown], metric: str) -> bool:
    return any(name == metric for paper in papers for _, name in paper.figures)


def _pictures(page: Page, pictures: Sequence[tuple[Plot, str]]) -> None:
    for kind, heading in HEADINGS.items():
        own = [(picture, file) for picture, file in pictures if picture.kind == kind]
        if not own:
            continue
        section = page.section(heading)
        for picture, file in own:
            section.picture(file, picture.alt, picture.caption)
        if len(own) == PICTURES:
            section.text(f"No more than {PICTURES} are shown here; `--plots DIR` draws them all.")


def _method(page: Page, shows: Shows, about: ReportDetails) -> None:
    section = page.section("How the figures were made, and their limits")
    section.text(_intervals(shows))
    if shows.question.threshold is not None:
        section.text(f"The positive class is predicted over {shows.question.threshold:g}.")
    section.text(*LIMITS)
    section.text("The command that makes this page again:")
    section.code(about.command)


def _intervals(shows: Shows) -> str:
    question = shows.question
    ways = {figure.method for result in shows.results for figure in result.figures.values()}
    summary = [text for method, text in WAYS.items() if method in ways]
    if "bootstrap" in ways or _drawn(shows.results):
        summary.append(
            f"for the others and for differences, percentiles of {question.resamples} "
            "resamples of the patients with all of their images (seed "
            f"{question.seed})"
        )
    if not summary:
        return "No figure has an interval."
    return f"The {_level(shows)} intervals: {'; '.join(summary)}."


def _drawn(results: Sequence[Result]) -> bool:
    return any(result.replicates for result in results)
