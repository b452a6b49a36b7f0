"""Results of comparisons, made of labels and probabilities without any file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cxrtool.compare import comparison
from cxrtool.compare.comparison import Question, Result
from cxrtool.compare.display import Shows
from cxrtool.files.text_columns import Coded
from cxrtool.stats import cluster_bootstrap, metrics
from cxrtool.stats.weighted_metrics import Judged

QUESTION = Question(positive="ill", resamples=50)


def result(
    labels: Sequence[int],
    p: Sequence[float] | np.ndarray[Any, Any],
    *,
    model: str = "m",
    group: str = "",
    sources: Sequence[str] | None = None,
    patients: Sequence[int] | None = None,
    question: Question = QUESTION,
    classes: Sequence[str] = ("well", "ill"),
) -> Result:
    """Judge images; of two classes `p` is the probability of the second."""
    truth, chances = np.asarray(labels), np.asarray(p, float)
    if chances.ndim == 1:
        chances = np.column_stack([1 - chances, chances])
    at = None if question.positive is None else list(classes).index(question.positive)
    judged = Judged(classes, truth, chances.argmax(axis=1), chances, at, question.metrics)
    clusters = cluster_bootstrap.numbered(np.asarray(patients or range(len(truth))))
    coded = None
    if sources is not None:
        names, codes = np.unique(np.asarray(sources), return_inverse=True)
        coded = Coded([str(name) for name in names], codes)
    found = Result(
        model,
        group,
        list(classes),
        question.positive,
        {},
        len(truth),
        judged.confusion().tolist(),
        judged=judged,
        clusters=clusters,
        patient=clusters,
        images={"path": np.arange(1, len(truth) + 1), "raw": np.zeros(len(truth), np.int64)},
        rows=np.arange(len(truth)),
        sources=coded,
    )
    comparison.fill(found, question)
    return found


def skilled(number: int = 60, skill: float = 1.5, seed: int = 0, **options: Any) -> Result:
    """Judge images by a model that is right more often than not."""
    rng = np.random.default_rng(seed)
    labels = np.arange(number) % 2
    return result(
        labels, 1 / (1 + np.exp(-rng.normal(size=number) - skill * (labels - 0.5))), **options
    )


def shows(*results: Result, question: Question = QUESTION, **options: Any) -> Shows:
    """Show results; metrics that the question does not name were not asked for."""
    named = question.metrics != metrics.NAMES
    asked = replace(question, metrics=question.metrics if named else ())
    return Shows(results, asked, options.pop("metrics", question.metrics), **options)
