"""What the page of a comparison says of published results."""

from collections.abc import Sequence

from cxrtool.compare import result_tables
from cxrtool.compare.comparison import Shown
from cxrtool.compare.display import Shows, word
from cxrtool.figures.html_page import Page
from cxrtool.figures.tables import Cell, ReportTable


def add(page: Page, shows: Shows, group: str) -> None:
    """Add the figures of papers beside yours; `group` is the heading of the groups."""
    if not shows.papers:
        return
    section = page.section("Published results")
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
    columns = ["model", group, "class", *map(word, printed)]
    section.table(
        ReportTable(columns, rows).without_empty(keep=1),
        "Your results, and the results of the paper as printed.",
    )
    section.text(
        "Published results come from other images, with another selection and split. They are "
        "given for orientation; differences from your results are not tested."
    )
    for note, models in _notes(beside, printed).items():
        section.text(f"{', '.join(models)}: {note}.")


def _notes(beside: Sequence[Shown], metrics: Sequence[str]) -> dict[str, list[str]]:
    """Gather the notes on published results, and the models of each."""
    result: dict[str, list[str]] = {}
    for shown in beside:
        for (_, metric), figure in shown.figures.items():
            models = result.setdefault(figure.note, [])
            if metric in metrics and shown.model not in models:
                models.append(shown.model)
    return {note: models for note, models in result.items() if note and models}


def _has(papers: Sequence[Shown], metric: str) -> bool:
    return any(name == metric for paper in papers for _, name in paper.figures)
