"""What a reader of a comparison should be warned of, in plain words."""

from collections.abc import Iterator, Sequence

import numpy as np

from cxrtool.compare.comparison import FEW, Figure, Result
from cxrtool.compare.display import Shows, sources_of, word
from cxrtool.compare.result_tables import text_of
from cxrtool.figures.html_page import Level
from cxrtool.stats import calibration, metrics
from cxrtool.stats.metrics import Floats

Finding = tuple[Level, str]

FAR = 0.1  # Models whose AUC differs by this between groups depend on more than the disease.
SHOWN = 5  # So many places are named in one finding.


def findings(shows: Shows) -> list[Finding]:
    """List what speaks against the figures, and what does not."""
    if not shows.results:
        return [
            (
                "bad",
                "No image could be judged: a matrix leaves out those of the parts train and val.",
            )
        ]
    checks = (
        _one_class,
        _small,
        _few_patients,
        _alike,
        _always,
        _guessing,
        _confounded,
        _apart,
        _perfect,
        _gap,
        _without_intervals,
    )
    result = [finding for check in checks for finding in check(shows)]
    if not any(level == "bad" for level, _ in result):
        result.append(
            (
                "good",
                "None of the checks of this page found a problem. That is no proof: "
                "they see predictions, not images.",
            )
        )
    # What speaks against the figures comes first.
    return sorted(result, key=lambda finding: ("bad", "note", "good").index(finding[0]))


def _some(places: Sequence[str]) -> str:
    """Name the first of many places."""
    different = list(dict.fromkeys(places))
    rest = len(different) - SHOWN
    more = f", and {rest} more" if rest > 0 else ""
    return ", ".join(different[:SHOWN]) + more


def _place(result: Result) -> str:
    return f"`{result.group}`" if result.group else "all images"


def _who(result: Result) -> str:
    return f"`{result.model}`" + (f" in `{result.group}`" if result.group else "")


def _auc(result: Result) -> Figure:
    return result.figures.get(result.key("auc"), Figure(np.nan))


def _one_class(shows: Shows) -> Iterator[Finding]:
    poor = [r for r in shows.results if len(np.unique(r.judged.labels)) == 1]
    if poor:
        text = _some([f"{_place(r)} ({r.classes[int(r.judged.labels[0])]})" for r in poor])
        yield (
            "bad",
            f"There is one class alone: {text}. AUC, and whatever else needs two "
            "classes, is undefined there and left empty.",
        )


def _small(shows: Shows) -> Iterator[Finding]:
    poor = [r for r in shows.results if len(r.judged) < FEW]
    if poor:
        text = _some([f"{_place(r)} ({len(r.judged)})" for r in poor])
        yield "bad", f"Fewer than {FEW} images: {text}. One image more or less moves such figures."


def _few_patients(shows: Shows) -> Iterator[Finding]:
    poor = [r for r in shows.results if r.patients < FEW <= len(r.judged)]
    if poor:
        text = _some([f"{_place(r)} ({r.patients})" for r in poor])
        yield (
            "bad",
            f"Fewer than {FEW} patients: {text}. Images of one patient are much alike: "
            "they tell little more than one of them.",
        )
    rare = [
        f"{name} in {_place(r)} ({number})"
        for r in shows.results
        for name, number in [r.rarest]
        if number < FEW <= r.patients
    ]
    if rare:
        yield (
            "note",
            f"A class has fewer than {FEW} patients: {_some(rare)}. The intervals may "
            "miss the true value more often than stated.",
        )


def _alike(shows: Shows) -> Iterator[Finding]:
    whole, flat = [], []
    for result in shows.results:
        p, where = result.judged.probabilities, sources_of(result)
        if len(p) > 1 and _is_flat(p):
            whole.append(_who(result))
            continue
        names = sorted(set(where))
        # Of one source alone, that would be all images.
        parts = {name: p[where == name] for name in names} if names[1:] else {}
        flat += [
            f"`{name}` by {_who(result)}"
            for name, part in parts.items()
            if len(part) > 1 and _is_flat(part)
        ]
    if whole:
        yield (
            "bad",
            f"Every image has the same probabilities: {_some(whole)}. The model tells nothing.",
        )
    if flat:
        yield (
            "bad",
            f"All images of a source have the same probabilities: {_some(flat)}. Such a "
            "model knows the source, and nothing of the patient.",
        )


def _is_flat(probabilities: Floats) -> bool:
    return bool((np.ptp(probabilities, axis=0) < 1e-9).all())


def _always(shows: Shows) -> Iterator[Finding]:
    several = [r for r in shows.results if len(np.unique(r.judged.labels)) > 1]
    poor = [r for r in several if len(np.unique(r.judged.predicted)) == 1]
    if poor:
        text = _some([f"{_who(r)} ({r.classes[int(r.judged.predicted[0])]})" for r in poor])
        yield "bad", f"One class is predicted for every image: {text}."


def _guessing(shows: Shows) -> Iterator[Finding]:
    known = [(r, _auc(r)) for r in shows.results if not np.isnan(_auc(r).low + _auc(r).high)]
    text = [f"{_who(r)} {text_of(f)}" for r, f in known if f.low <= 0.5 <= f.high]
    if text:
        yield "bad", f"The interval of an AUC holds 0.5, which is guessing: {_some(text)}."
    text = [f"{_who(r)} {text_of(f)}" for r, f in known if f.high < 0.5]
    if text:
        yield (
            "bad",
            f"An AUC is worse than guessing: {_some(text)}. Are the classes swapped, or "
            "did the model learn what is the other way round here?",
        )
    if known and all(f.low > 0.5 for _, f in known):
        yield "good", "The interval of every AUC that has one lies above 0.5."


def _confounded(shows: Shows) -> Iterator[Finding]:
    """Look for labels that follow from the source: whoever knows that needs no lung."""
    poor = []
    for model in dict.fromkeys(r.model for r in shows.results):
        own = [r for r in shows.results if r.model == model]
        labels = np.concatenate([r.judged.labels for r in own])
        where = np.concatenate([sources_of(r) for r in own])
        parts = [np.unique(labels[where == name]) for name in sorted(set(where))]
        if len(np.unique(labels)) > 1 and all(len(part) == 1 for part in parts):
            poor.append(f"`{model}`")
    if poor:
        yield (
            "bad",
            f"Every source has images of one class alone (of {_some(poor)}): a model "
            "that tells the sources apart, and no disease, has the same figures.",
        )


def _apart(shows: Shows) -> Iterator[Finding]:
    """Compare the groups of --by: the best and the worst that are large enough to be judged."""
    if shows.matrix is not None or not shows.by:
        return
    steady = []
    for model in dict.fromkeys(r.model for r in shows.results):
        own = [r for r in shows.results if r.model == model and len(r.judged) >= FEW]
        own = sorted((r for r in own if not np.isnan(_auc(r).value)), key=lambda r: _auc(r).value)
        if len(own) < 2:
            continue
        (worst, low), (best, high) = ((r, _auc(r)) for r in (own[0], own[-1]))
        if high.value - low.value <= FAR:
            steady.append(f"`{model}`")
            continue
        sure = low.high < high.low
        said = (
            f"The AUC of `{model}` falls from {text_of(high)} in `{best.group}` to "
            f"{text_of(low)} in `{worst.group}`."
        )
        yield ("bad", f"{said} The intervals do not meet.") if sure else ("note", said)
    if steady:
        yield (
            "good",
            f"The AUC differs by no more than {FAR:g} between the groups that can be "
            f"judged: {_some(steady)}.",
        )


def _perfect(shows: Shows) -> Iterator[Finding]:
    perfect = [_who(r) for r in shows.results if _auc(r).value > 0.9995 and len(r.judged) >= FEW]
    if perfect:
        yield (
            "note",
            f"An AUC of 1 is rare for a disease and common for a leak: {_some(perfect)}."
            " Look for duplicates and patients on both sides of the split, and for marks that "
            "only one class has.",
        )


def _gap(shows: Shows) -> Iterator[Finding]:
    if shows.matrix is None or np.isnan(shows.matrix.gap.value):
        return
    gap, name = shows.matrix.gap, word(shows.matrix.metric)
    said = f"{name} at home minus {name} away is {text_of(gap)}"
    lower = shows.matrix.metric in ("error", "brier", *calibration.ERRORS)
    if np.isnan(gap.low):
        yield "note", f"{said}; without an interval that tells little."
    elif gap.low <= 0 <= gap.high:
        yield "note", f"{said}: the interval holds 0, so that no fall away from home is shown."
    elif shows.matrix.metric in metrics.RECALIBRATED:
        yield "note", f"{said}: the probabilities are calibrated differently away from home."
    elif (gap.high < 0) if lower else (gap.low > 0):
        yield (
            "bad",
            f"{said}: the models are worse away from home. They learned the data set "
            "they come from, at least in part.",
        )
    else:
        yield "note", f"{said}: the models are better away from home."


def _without_intervals(shows: Shows) -> Iterator[Finding]:
    if not shows.question.resamples and (shows.matrix is not None or _has_tests(shows)):
        yield (
            "note",
            "No resamples were drawn (`--bootstrap 0`): differences between models have "
            "no interval.",
        )


def _has_tests(shows: Shows) -> bool:
    return any(result.tests for result in shows.results)
