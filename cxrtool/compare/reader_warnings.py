"""What a reader of a comparison should know before trusting it (comparison -> findings)."""

from collections.abc import Iterator, Sequence

import numpy as np

from cxrtool.compare import shared_images, source_traps
from cxrtool.compare.comparison import FEW, Figure, Result
from cxrtool.compare.display import Shows, sources_of, word
from cxrtool.compare.result_tables import text_of
from cxrtool.figures.html_page import Level
from cxrtool.stats import calibration, metrics
from cxrtool.stats.metrics import Floats

Finding = tuple[Level, str]

FAR = 0.1  # Models whose AUC differs by this between groups depend on more than the disease.
SHOWN = 5  # At most so many places are named in one finding.
EMPTY: Finding = (
    "bad",
    "No image could be evaluated. A matrix leaves out the images of the parts train and val.",
)
CLEAR: Finding = (
    "good",
    "No check on this page found a problem. This is not a proof: the checks see predictions, not "
    "images.",
)


def findings(shows: Shows) -> list[Finding]:
    """List what speaks against the results, and what does not; problems come first."""
    if not shows.results:
        return [EMPTY]
    checks = (
        _one_class,
        _different_images,
        _few_images,
        _few_patients,
        _constant_probabilities,
        _constant_prediction,
        _chance,
        _label_by_source,
        _differing_groups,
        _perfect,
        _gap,
        _without_resamples,
    )
    result = [finding for check in checks for finding in check(shows)]
    if not any(level == "bad" for level, _ in result):
        result.append(CLEAR)
    return sorted(result, key=lambda finding: ("bad", "note", "good").index(finding[0]))


def _some(places: Sequence[str]) -> str:
    """Name the first of many places."""
    different = list(dict.fromkeys(places))
    rest = len(different) - SHOWN
    more = f", and {rest} more" if rest > 0 else ""
    return ", ".join(different[:SHOWN]) + more


def _place(result: Result) -> str:
    return f"`{result.group}`" if result.group else "all images"


def _model_in_place(result: Result) -> str:
    return f"`{result.model}`" + (f" in `{result.group}`" if result.group else "")


def _auc(result: Result) -> Figure:
    return result.figures.get(result.key("auc"), Figure(np.nan))


def _models(shows: Shows) -> list[tuple[str, list[Result]]]:
    names = dict.fromkeys(result.model for result in shows.results)
    return [(name, [r for r in shows.results if r.model == name]) for name in names]


def _one_class(shows: Shows) -> Iterator[Finding]:
    poor = [r for r in shows.results if len(np.unique(r.judged.labels)) == 1]
    if poor:
        places = [f"{_place(r)} ({r.classes[int(r.judged.labels[0])]})" for r in poor]
        yield (
            "bad",
            f"Only one class is present: {_some(places)}. AUC and other metrics that need two "
            "classes are undefined there and left empty.",
        )


def _different_images(shows: Shows) -> Iterator[Finding]:
    """Say where models are judged on different images; the cells of a matrix always are."""
    differing = [] if shows.matrix is not None else [*shared_images.of(shows.results)]
    for one in differing[:SHOWN]:
        said = str(one)
        yield "bad", f"{said[0].upper()}{said[1:]}. {shared_images.MEANING}."
    if len(differing) > SHOWN:
        yield "bad", f"So have the models in {len(differing) - SHOWN} more groups."


def _few_images(shows: Shows) -> Iterator[Finding]:
    poor = [f"{_place(r)} ({len(r.judged)})" for r in shows.results if len(r.judged) < FEW]
    if poor:
        yield (
            "bad",
            f"Fewer than {FEW} images: {_some(poor)}. A single image changes such results "
            "considerably.",
        )


def _few_patients(shows: Shows) -> Iterator[Finding]:
    poor = [
        f"{_place(r)} ({r.patients})" for r in shows.results if r.patients < FEW <= len(r.judged)
    ]
    if poor:
        yield (
            "bad",
            f"Fewer than {FEW} patients: {_some(poor)}. Images of one patient are similar: more "
            "of them add little information.",
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
            f"Fewer than {FEW} patients of a class: {_some(rare)}. The confidence intervals may "
            "miss the true value more often than stated.",
        )


def _constant_probabilities(shows: Shows) -> Iterator[Finding]:
    whole, part = [], []
    for result in shows.results:
        p, sources = result.judged.probabilities, sources_of(result)
        if len(p) > 1 and _is_constant(p):
            whole.append(_model_in_place(result))
            continue
        names = sorted(set(sources))
        # With one source alone, these would be all images.
        for name in names if names[1:] else ():
            inside = p[sources == name]
            if len(inside) > 1 and _is_constant(inside):
                part.append(f"`{name}` by {_model_in_place(result)}")
    if whole:
        yield (
            "bad",
            f"All images have the same probabilities: {_some(whole)}. The model does not "
            "distinguish between images.",
        )
    if part:
        yield (
            "bad",
            f"All images of a source have the same probabilities: {_some(part)}. Such a model "
            "recognises the source, and nothing about the patient.",
        )


def _is_constant(probabilities: Floats) -> bool:
    return bool((np.ptp(probabilities, axis=0) < 1e-9).all())


def _constant_prediction(shows: Shows) -> Iterator[Finding]:
    several = [r for r in shows.results if len(np.unique(r.judged.labels)) > 1]
    poor = [r for r in several if len(np.unique(r.judged.predicted)) == 1]
    if poor:
        named = [f"{_model_in_place(r)} ({r.classes[int(r.judged.predicted[0])]})" for r in poor]
        yield "bad", f"The same class is predicted for every image: {_some(named)}."


def _chance(shows: Shows) -> Iterator[Finding]:
    known = [(r, _auc(r)) for r in shows.results if not np.isnan(_auc(r).low + _auc(r).high)]
    same = [f"{_model_in_place(r)} {text_of(f)}" for r, f in known if f.low <= 0.5 <= f.high]
    if same:
        yield "bad", f"The confidence interval of an AUC includes 0.5 (chance): {_some(same)}."
    worse = [f"{_model_in_place(r)} {text_of(f)}" for r, f in known if f.high < 0.5]
    if worse:
        yield (
            "bad",
            f"An AUC is below chance: {_some(worse)}. Check whether the classes are swapped. "
            "Otherwise the model uses a feature that is related to the label in the opposite "
            "direction in these images.",
        )
    if known and all(f.low > 0.5 for _, f in known):
        yield "good", "The confidence interval of every AUC that has one is above 0.5 (chance)."


def _label_by_source(shows: Shows) -> Iterator[Finding]:
    """Look for labels that follow from the source: a model can know them without the lungs."""
    warnings = source_traps.warnings(shows.results)
    for warning, models in warnings.items():
        yield "bad", f"{_some([f'`{model}`' for model in models])}: {warning}."
    warned = {model for models in warnings.values() for model in models}
    poor = []
    for model, own in _models(shows):
        if model in warned:
            continue
        labels = np.concatenate([r.judged.labels for r in own])
        sources = np.concatenate([sources_of(r) for r in own])
        parts = [np.unique(labels[sources == name]) for name in sorted(set(sources))]
        if len(np.unique(labels)) > 1 and all(len(part) == 1 for part in parts):
            poor.append(f"`{model}`")
    if poor:
        yield (
            "bad",
            f"Every source has images of only one class (predictions of {_some(poor)}). A model "
            "that recognises the source, and no disease, reaches the same results.",
        )


def _differing_groups(shows: Shows) -> Iterator[Finding]:
    """Compare the groups of --by: the best and the worst that are large enough to be judged."""
    if shows.matrix is not None or not shows.by:
        return
    similar = []
    for model, results in _models(shows):
        own = [r for r in results if len(r.judged) >= FEW and not np.isnan(_auc(r).value)]
        own.sort(key=lambda r: _auc(r).value)
        if len(own) < 2:
            continue
        (worst, low), (best, high) = ((r, _auc(r)) for r in (own[0], own[-1]))
        if high.value - low.value <= FAR:
            similar.append(f"`{model}`")
            continue
        drop = (
            f"The AUC of `{model}` is {text_of(high)} in `{best.group}` and only {text_of(low)} "
            f"in `{worst.group}`."
        )
        apart = low.high < high.low
        yield (
            ("bad", f"{drop} The confidence intervals do not overlap.")
            if apart
            else (
                "note",
                drop,
            )
        )
    if similar:
        yield (
            "good",
            f"The AUC differs by at most {FAR:g} between the groups of {FEW} images or more: "
            f"{_some(similar)}.",
        )


def _perfect(shows: Shows) -> Iterator[Finding]:
    perfect = [
        _model_in_place(r) for r in shows.results if _auc(r).value > 0.9995 and len(r.judged) >= FEW
    ]
    if perfect:
        yield (
            "note",
            f"An AUC of 1 is rare for a disease and common with a leak: {_some(perfect)}. Look "
            "for duplicates, for patients in both training and test set, and for marks that only "
            "one class has.",
        )


def _gap(shows: Shows) -> Iterator[Finding]:
    """Interpret the difference between the diagonal of a matrix and its other cells."""
    if shows.matrix is None or np.isnan(shows.matrix.gap.value):
        return
    gap, metric = shows.matrix.gap, shows.matrix.metric
    name = word(metric)
    result = f"{name} on the own data set minus {name} on other data sets: {text_of(gap)}."
    lower_is_better = metric in ("error", "brier", *calibration.ERRORS)
    if np.isnan(gap.low):
        yield "note", f"{result} Without a confidence interval, this may be chance."
    elif gap.low <= 0 <= gap.high:
        yield "note", f"{result} The interval includes 0: no loss on other data sets is shown."
    elif metric in metrics.RECALIBRATED:
        yield "note", f"{result} On other data sets the probabilities are calibrated differently."
    elif (gap.high < 0) if lower_is_better else (gap.low > 0):
        yield (
            "bad",
            f"{result} The models are worse on other data sets. They learned, at least in part, "
            "the data set they were trained on.",
        )
    else:
        yield "note", f"{result} The models are better on other data sets."


def _without_resamples(shows: Shows) -> Iterator[Finding]:
    has_tests = any(result.tests for result in shows.results)
    if not shows.question.resamples and (shows.matrix is not None or has_tests):
        yield (
            "note",
            "No resamples were drawn (`--bootstrap 0`): differences between models have no "
            "confidence interval.",
        )
