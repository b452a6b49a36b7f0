"""Tests between the models of a table, pair by pair on the same images."""

from collections.abc import Callable, Sequence, Set
from dataclasses import replace

import numpy as np

from cxrtool.compare import comparison
from cxrtool.compare.comparison import Figure, Question, Result, Test
from cxrtool.core.errors import CxrtoolError
from cxrtool.files.predictions import Predictions
from cxrtool.stats import cluster_bootstrap, interval_methods, paired_tests, weighted_metrics
from cxrtool.stats.metrics import Floats
from cxrtool.stats.weighted_metrics import Figures, Ints, Judged, Key

NAMES = ("delong", "mcnemar", "permutation")
# What is permuted when nothing was asked for: more tests would only weaken each other.
PERMUTED = ("accuracy", "auc")
NEEDED = {"delong": ("auc",), "mcnemar": ("accuracy",)}


def contest(
    results: Sequence[Result],
    names: Sequence[str],
    question: Question,
    permuted: Sequence[str],
    predictions: Predictions,
) -> None:
    """Test every pair of models, and add the tests to both of their results."""
    pairs = list(comparison.pairs(results))
    if not pairs:
        raise CxrtoolError(
            "--paired-test: there is no pair of models", "Name predictions of two models."
        )
    if not question.resamples and "permutation" in names:
        raise CxrtoolError("--paired-test permutation needs resamples", "Drop --bootstrap 0.")
    needed = {metric for name in names for metric in NEEDED.get(name, permuted)}
    result: list[tuple[Result, Result, Test]] = []
    for first, second in pairs:
        order = aligned(first, second, predictions)
        other = _replicates(first, second, order, question, needed)
        for name in names:
            for test in _tests(name, first, second, order, other, question, permuted):
                result.append((first, second, test))
    adjusted = paired_tests.holm(np.array([test.p for *_, test in result]))
    for (first, second, test), p in zip(result, adjusted.tolist(), strict=True):
        test = replace(test, adjusted=p)
        first.tests.append(test)
        second.tests.append(_mirrored(test, first.model))


def _mirrored(test: Test, against: str) -> Test:
    """Look at a test from the other side."""
    there = test.difference
    turned = replace(there, value=-there.value, low=-there.high, high=-there.low)
    return replace(test, against=against, difference=turned)


def aligned(first: Result, second: Result, predictions: Predictions) -> Ints:
    """Order the second model's images as the first's; both must have judged the same.

    Images are the same by path or, where they were prepared in different ways, by raw file.
    """
    for name in ("path", "raw"):
        ours, theirs = first.images[name], second.images[name]
        mine, other = (np.argsort(keys, kind="stable") for keys in (ours, theirs))
        if len(ours) == len(theirs) and ours.all() and (ours[mine] == theirs[other]).all():
            order = np.empty(len(ours), np.int64)
            order[mine] = other
            _check_labels(first, second, order, predictions)
            return order
    raise _differing(first, second, predictions)


def _check_labels(first: Result, second: Result, order: Ints, predictions: Predictions) -> None:
    differ = np.flatnonzero(first.judged.labels != second.judged.labels[order])
    if len(differ):
        path = predictions.paths[int(first.rows[differ[0]])]
        what = f"{first.model} and {second.model} have other labels for {len(differ)} images"
        raise CxrtoolError(f"{what} ({path})", "Correct the labels of one, or drop --paired-test.")


def _differing(first: Result, second: Result, predictions: Predictions) -> CxrtoolError:
    """Say which images only one of the two has judged."""
    parts = []
    for one, other in ((first, second), (second, first)):
        alone = np.flatnonzero(~np.isin(one.images["path"], other.images["path"]))
        if len(alone):
            path = predictions.paths[int(one.rows[alone].min())]
            parts.append(f"{len(alone)} only in {one.model} ({path})")
    where = f" of {first.group}" if first.group else ""
    what = f"--paired-test: {first.model} and {second.model} judge different images{where}"
    remedy = "Choose the same with --where."
    if not np.isin(first.images["path"], second.images["path"]).any():
        remedy = "If they are made from the same files, evaluate --keep-columns keeps `raw`."
    return CxrtoolError(f"{what}: {', '.join(parts)}", remedy)


def _turned(result: Result, order: Ints) -> Judged:
    judged = result.judged
    return Judged(
        judged.classes,
        judged.labels[order],
        judged.predicted[order],
        judged.probabilities[order],
        judged.positive,
        judged.wanted,
        result.clusters[order],
    )


def _replicates(
    first: Result, second: Result, order: Ints, question: Question, needed: Set[str]
) -> Figures:
    """Return the second model's figures of the resamples that the first's were made of."""
    if not question.resamples:
        return {}
    number, seed = question.resamples, question.seed
    if not needed <= {metric for _, metric in first.replicates}:
        first.replicates |= cluster_bootstrap.replicates(
            first.judged, first.clusters, number, seed, wanted=needed
        )
    same = (order == np.arange(len(order))).all() and (first.clusters == second.clusters).all()
    if same and needed <= {metric for _, metric in second.replicates}:
        return second.replicates
    return cluster_bootstrap.replicates(
        _turned(second, order), first.clusters, number, seed, wanted=needed
    )


def _tests(
    name: str,
    first: Result,
    second: Result,
    order: Ints,
    other: Figures,
    question: Question,
    permuted: Sequence[str],
) -> list[Test]:
    """Make the tests of one kind between two models."""
    judged, against = first.judged, _turned(second, order)
    if name == "permutation":
        return _permutation(first, second, against, other, question, permuted)
    if name == "mcnemar":
        key = first.key("accuracy")
        right = [_right(one) for one in (judged, against)]
        p = paired_tests.mcnemar(right[0], right[1], first.clusters)
        return [_test(name, first, second, key, other, p, question)]
    tests = []
    # Of two classes, both have the same AUC: a second test would only weaken the first.
    for k in judged.views[-1:] if len(judged.classes) == 2 else judged.views:
        marks = judged.labels == k
        ours, theirs = judged.probabilities[:, k], against.probabilities[:, k]
        result = paired_tests.delong(marks, ours, theirs, first.clusters, question.level)
        method = interval_methods.OBUCHOWSKI if first.several else interval_methods.DELONG
        figure = Figure(result.value, result.low, result.high, method)
        tests.append(Test(name, second.model, judged.classes[k], "auc", figure, result.p))
    return tests


def _right(judged: Judged) -> paired_tests.Marks:
    """Mark the images that are classified rightly, of one class against the rest if so asked."""
    if judged.positive is None:
        right: paired_tests.Marks = judged.labels == judged.predicted
        return right
    at = judged.positive
    both: paired_tests.Marks = (judged.labels == at) == (judged.predicted == at)
    return both


def _permutation(
    first: Result,
    second: Result,
    against: Judged,
    other: Figures,
    question: Question,
    permuted: Sequence[str],
) -> list[Test]:
    judged = first.judged
    by_rank = [metric for metric in permuted if metric in weighted_metrics.RANKED]
    by_value = [metric for metric in permuted if metric not in weighted_metrics.RANKED]
    chance: Figures = {}
    for metrics, scale in ((by_rank, paired_tests.ranked), (by_value, np.asarray)):
        if metrics:
            both = _joined(judged, against, scale, metrics, first.clusters)
            number, seed = question.resamples, question.seed
            chance |= paired_tests.permutation(both, first.clusters, number, seed)
    keys = [first.key(metric) for metric in permuted]
    return [
        _test(
            "permutation",
            first,
            second,
            key,
            other,
            paired_tests.share_as_large(chance[key]),
            question,
        )
        for key in keys
    ]


def _joined(
    first: Judged,
    second: Judged,
    scale: Callable[[Floats], Floats],
    metrics: Sequence[str],
    clusters: Ints,
) -> Judged:
    """Put the images of two models after one another."""
    labels, predicted = (
        np.concatenate([getattr(one, name) for one in (first, second)])
        for name in ("labels", "predicted")
    )
    p = np.concatenate([scale(one.probabilities) for one in (first, second)])
    patients = np.tile(clusters, 2)
    return Judged(first.classes, labels, predicted, p, first.positive, metrics, patients)


def _test(
    name: str,
    first: Result,
    second: Result,
    key: Key,
    other: Figures,
    p: float,
    question: Question,
) -> Test:
    ours, theirs = (np.array(r.figures[key].value) for r in (first, second))
    value = float(paired_tests.difference(ours, theirs))
    low = high = np.nan
    if other:
        low, high = paired_tests.bootstrap(first.replicates[key], other[key], question.level)
    figure = Figure(value, low, high, "" if np.isnan(low) else "bootstrap")
    return Test(name, second.model, *key, figure, p)
