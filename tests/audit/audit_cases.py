"""Cases for the tests of the audit: images with a disease score that may use the source, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxrtool.audit.audited_run import Predicted
from cxrtool.audit.case import IDENTITIES, Case, ImageRows, ModelScores
from cxrtool.audit.changed_images import KINDS
from cxrtool.audit.network_features import IMAGENET, RANDOM, RUN, ProbeFeatures
from cxrtool.audit.network_heat import PairedHeat
from cxrtool.files.text_columns import Coded, digests

# What the versions of an image add to its logit, for a run that is made up.
Shifts = dict[str, float]
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


class MadeUpRun:
    """Stands for a run: the logit is the score of the first model, shifted by what is named.

    `cue` is what positive images lose in the named versions: what they owe to the part that is
    taken away. `source` is how clearly the features show the source, `follows` how closely the
    heat follows the lungs of each image.
    """

    def __init__(
        self,
        shifts: Shifts | None = None,
        cue: Shifts | None = None,
        *,
        source: float = 0.0,
        follows: float = 0.0,
    ) -> None:
        self.shifts, self.cue = shifts or {}, cue or {}
        self.source, self.follows = source, follows

    def state(self, case: Case) -> bytes:
        return repr((self.shifts, self.cue)).encode()

    def scores(self, case: Case) -> ModelScores | None:
        return case.models[0] if case.models else None

    def sample(self, case: Case, most: int) -> np.ndarray:  # type: ignore[type-arg]
        return case.models[0].rows[:most] if case.models else np.zeros(0, np.int64)

    def predicted(self, case: Case, kind: str, most: int) -> Predicted:
        rows = self.sample(case, most)
        scores = case.models[0].scores[:most] if case.models else np.zeros(0)
        scores = np.clip(scores, 1e-6, 1 - 1e-6)
        plain = np.log(scores / (1 - scores))
        rng = np.random.default_rng(0)
        names = list(KINDS[kind].names)
        positive = case.images.positive[rows] == 1
        logits = [
            plain
            + self.shifts.get(name, 0.0)
            - self.cue.get(name, 0.0) * positive
            + 0.01 * rng.normal(size=len(rows))
            for name in names
        ]
        return Predicted(rows, names, np.array(logits).T.reshape(len(rows), len(names)))

    def features(self, case: Case, most: int, *, with_untrained: bool = False) -> ProbeFeatures:
        rows = self.sample(case, most)
        noise = np.random.default_rng(1).normal(size=(len(rows), 8)).astype(np.float32)
        own = noise.copy()
        if self.source:
            own[:, 0] += self.source * case.images.columns["source"].codes[rows]
        return ProbeFeatures(rows, {RUN: own, RANDOM: noise}, {IMAGENET: "they are elsewhere"})

    def heat(self, case: Case, most: int) -> PairedHeat:
        rows = self.sample(case, most)
        rng = np.random.default_rng(2)
        at, places = rng.uniform(10, 30, (len(rows), 1)), np.arange(40)
        lungs = (np.abs(places - at) < 6).astype(float)
        spot = self.follows * at + (1 - self.follows) * 20 + rng.normal(size=(len(rows), 1))
        heat = np.exp(-((places - spot) ** 2) / 20)
        return PairedHeat(rows, heat, np.ones_like(heat), lungs, np.full(len(rows), np.nan))
