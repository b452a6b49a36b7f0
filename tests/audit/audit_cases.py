"""Cases for the tests of the audit: images with a disease score that may use the source, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxrtool.audit.case import IDENTITIES, Case, ImageRows, ModelScores
from cxrtool.files.predictions import Coded, digests

COLUMNS = ("source", "view", "split", "format")


def coded(values: Sequence[str]) -> Coded:
    names = sorted(set(values))
    return Coded(names, np.array([names.index(value) for value in values], np.int64))


def make_case(
    number: int = 400,
    *,
    association: float = 0.0,
    use: float = 0.0,
    sources: Sequence[str] = ("A", "B"),
    columns: Sequence[str] = COLUMNS,
    models: Sequence[str] = ("net",),
    seed: int = 1,
) -> Case:
    """Make images, two a patient, of which half are held out; `association` as in a collection."""
    rng = np.random.default_rng(seed)
    patients = np.arange(number) // 2
    positive = patients % 2
    chance = 0.5 + np.where(positive == 1, association, -association) / 2
    second = (rng.random(number // 2 + 1)[patients] < chance).astype(int) * (len(sources) - 1)
    values = {
        "source": [sources[k] for k in second],
        "view": [("PA", "AP")[k] for k in rng.integers(0, 2, number)],
        "split": [("train", "test")[k % 4 // 2] for k in range(number)],
        "format": ["png"] * number,
    }
    logit = 1.5 * positive + use * second + rng.normal(size=number) - 1
    paths = [f"{k}.png" for k in range(number)]
    images = ImageRows(
        paths.__getitem__,
        positive.astype(np.int64),
        patients.astype(np.int64),
        {name: np.zeros(number, np.int64) for name in IDENTITIES}
        | {"patient": digests([f"P{k}" for k in patients])},
        {name: coded(values[name]) for name in columns},
        np.ones(number, bool),
    )
    held_out = np.arange(number)
    scores = 1 / (1 + np.exp(-logit))
    predicted = (scores > 0.5).astype(np.int64)
    made = [ModelScores(name, held_out, scores, predicted) for name in models]
    return Case(images, made, "covid", ["normal"])
