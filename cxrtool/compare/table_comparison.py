"""Tables of predictions, compared (tables -> what is shown): model by model, or as a matrix."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from cxrtool.compare import (
    comparison,
    comparison_notes,
    cross_matrix,
    model_tests,
    pair_parts,
    source_traps,
)
from cxrtool.compare.comparison import Question, Shown
from cxrtool.compare.display import Shows
from cxrtool.core.negative_names import is_negative
from cxrtool.files import predictions_reader
from cxrtool.files.failures import Failures
from cxrtool.files.predictions import FINDING, SAME
from cxrtool.files.predictions_table import PredictionsTable
from cxrtool.stats import metrics


def compared(
    tables: Sequence[PredictionsTable],
    question: Question,
    tests: list[str],
    skipped: Failures,
    papers: Sequence[Shown],
    drawn: Sequence[str] = (),
) -> Shows:
    """Judge every model on every group, and test the models against one another."""
    columns = [*question.by, *question.by_pairs, *([question.pool] if question.pool else [])]
    rest = _unpredicted(question)
    result = predictions_reader.read(
        tables, columns, skipped, ["source", FINDING], unpredicted=rest
    )
    comparison_notes.note_unpredicted(result, question)
    comparison_notes.note_unknown_patients(result)
    pair_parts.check(result, question.by_pairs)
    permuted = question.metrics or model_tests.PERMUTED
    needed = [m for name in tests for m in model_tests.NEEDED.get(name, permuted)]
    asked, shown = question, question.metrics or metrics.NAMES
    question = replace(question, metrics=tuple(dict.fromkeys([*shown, *needed, *drawn])))
    results = comparison.compare(result, question, skipped)
    pair_parts.add(results, question.level)
    if tests:
        model_tests.contest(results, tests, question, permuted, result)
        comparison_notes.note_tests(results, tests)
    comparison_notes.note_different_images(results)
    comparison_notes.note_intervals(results, question)
    source_traps.note_warnings(results)
    return Shows(results, asked, shown, papers)


def crossed(
    tables: Sequence[PredictionsTable],
    columns: str,
    question: Question,
    skipped: Failures,
    drawn: Sequence[str] = (),
) -> Shows:
    """Make the cross-dataset matrix."""
    there = set.intersection(*(set(table.columns) for table in tables))
    names = cross_matrix.columns_of(columns, there)
    optional = ["split", FINDING, *(["source"] if drawn else [])]
    same, rest = SAME, _unpredicted(question)
    result = predictions_reader.read(tables, names, skipped, optional, same, rest)
    comparison_notes.note_unpredicted(result, question)
    comparison_notes.note_unknown_patients(result)
    first = (question.metrics or ("auc",))[0]
    every = replace(question, metrics=tuple(dict.fromkeys([first, *drawn])))
    matrix = cross_matrix.cross(result, names, every, skipped)
    cells = [*matrix.cells.values()]
    comparison_notes.note_intervals(cells, question, cross_matrix.place_of, "cell")
    return Shows(cells, question, [matrix.metric], matrix=matrix)


def _unpredicted(question: Question) -> Callable[[str], bool] | None:
    """Accept labels without a p_ column where they say that the positive class is absent."""
    return None if question.positive is None else is_negative
