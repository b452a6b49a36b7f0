"""What is said of a comparison while it is made: whose images it counts, and what limits it."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool.compare import shared_images
from cxrtool.compare.comparison import FEW, Question, Result, left_out
from cxrtool.core.progress import note
from cxrtool.files.predictions import Predictions

# With fewer patients of a class DeLong's test finds differences that are none more often than it
# states (tests/benchmarks/few_positives.py).
FEWEST = 20


def note_unpredicted(predictions: Predictions, question: Question) -> None:
    """Say which labels, not among the classes that were predicted, count as not positive."""
    for label in predictions.unpredicted:
        number = int((predictions.label == predictions.classes.index(label)).sum())
        images = f"{number} image{'s'[: number != 1]} labelled '{label}', without a p_ column"
        note(f"{images}: counted as not '{question.positive}'")


def note_unknown_patients(predictions: Predictions) -> None:
    """Say that images without a patient count each for itself, where others have one."""
    unknown = int((predictions.patient == predictions.same["path"]).sum())
    if 0 < unknown < len(predictions):
        each = "1 prediction has" if unknown == 1 else f"{unknown} predictions have"
        note(f"{each} no patient: there each image counts as a patient of its own")


def note_different_images(results: Sequence[Result]) -> None:
    """Say where models are judged on different images, which no table shows."""
    differing = [*shared_images.of(results)]
    for one in differing[:1]:
        more = f" (and {_more(len(differing) - 1)})" if differing[1:] else ""
        note(f"warning: {one}{more}. {shared_images.MEANING}")


def note_tests(results: Sequence[Result], tests: Sequence[str]) -> None:
    """Say where a test relies on a normal distribution, and too few patients make none."""
    few = [(number, name, _model_and_group(r)) for r in results for name, number in [r.rarest]]
    number, name, where = min(few)
    if "delong" in tests and number < FEWEST:
        who = "1 patient" if number == 1 else f"{number} patients"
        note(
            f"warning: {who} of '{name}' in {where}: with fewer than {FEWEST} of a class the p of "
            "DeLong's test may be too small; the permutation test does not depend on their number"
        )


def _model_and_group(result: Result) -> str:
    return ", ".join(filter(None, [result.model, result.group]))


def note_intervals(
    results: Sequence[Result],
    question: Question,
    place: Callable[[Result], str] = _model_and_group,
    unit: str = "group",
) -> None:
    """Say what limits the results, and how the intervals treat patients.

    `place` names the model and the group of a result, and `unit` what such a result is.
    """
    if any(r.several for r in results):
        images, patients = _most_of_a_model(results)
        but = ", but for the normal ones" if question.interval == "normal" else ""
        note(f"{images} images of {patients} patients: the intervals are by patient{but}")
    poor = [result for result in results if len(np.unique(result.judged.labels)) == 1]
    for result in poor[:1]:
        where = place(result)
        label = result.classes[int(result.judged.labels[0])]
        others = _more(len(poor) - 1, unit, "is", "are")
        more = f" (and {others} of one class)" if poor[1:] else ""
        only = f"every image of {where} is '{label}'{more}"
        note(f"warning: {only}: what needs two classes, as AUC, is left empty")
    _warn_of_few(results, place, unit)
    averaged = [r for r in results if r.positive is None and left_out(r)]
    for result in averaged[:1]:
        where = " ".join(filter(None, [f"of {result.model}", result.group and f"({result.group})"]))
        more = f" (and of {_more(len(averaged) - 1, unit)})" if averaged[1:] else ""
        note(f"the macro averages {where} are {left_out(result)}{more}")


def _most_of_a_model(results: Sequence[Result]) -> tuple[int, int]:
    """Count the images and the patients of the model that judges most of them.

    Groups may share images: of several findings, each has all of them.
    """
    kept: dict[str, list[Result]] = {}
    for result in results:
        kept.setdefault(result.model, []).append(result)
    images = [_different(one.images["path"] for one in some) for some in kept.values()]
    patients = [_different(one.patient for one in some) for some in kept.values()]
    return max(images), max(patients)


def _different(digests: Iterable[NDArray[np.int64]]) -> int:
    return len(np.unique(np.concatenate([*digests])))


def _more(number: int, unit: str = "group", one: str = "", several: str = "") -> str:
    """Say `1 more group is` or `2 more groups are`."""
    said = f"1 more {unit} {one}" if number == 1 else f"{number} more {unit}s {several}"
    return said.strip()


def _warn_of_few(results: Sequence[Result], place: Callable[[Result], str], unit: str) -> None:
    """Warn of intervals that rest on few patients of a class, the fewest first."""
    few = sorted(
        (number, r.model, r.group, name, place(r))
        for r in results
        for name, number in [r.rarest]
        if number < FEW
    )
    for number, _, _, name, where in few[:1]:
        more = f" (and {_more(len(few) - 1, unit, 'has', 'have')} fewer than {FEW})"
        more = more if few[1:] else ""
        who = "1 patient" if number == 1 else f"{number} patients"
        note(
            f"warning: {who} of '{name}' in {where}{more}: with fewer than {FEW} of a "
            "class, intervals may miss the true value more often than stated"
        )
