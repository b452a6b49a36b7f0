"""Print how often the check `hidden-slices` finds a worse group where there is one, and where none.

    python tests/benchmarks/audit_hidden_slices.py [--runs N] [--features FILE]

Each set has patients with one to four images. An image has a disease (AUC about 0.85), three
properties of its patient, one of three hospitals, and perhaps a group that looks different; 64
features are rectified sums of these with noise, and the score is that of a logistic regression of
the features, fitted on 800 other images. In a *blind* group the disease does not show, so that AUC
is 0.5 there. `source learned`: one hospital has most of the ill, so that the score rises with it,
and tells less within it: AUC differs between groups of images without a hidden group.

Columns: share of sets in which the interval of the difference lies above 0 (`worse`) or below 0
(`better`), the mean difference, mean AUC in the cluster and outside of it, the same `worse` where
features are clustered as they are, with all that follows the score, and the number of sets in which
a cluster could be judged.

`--features FILE` (npz: features, logits, patients, of real images) adds sets in which labels are
drawn given the score: it means the same in all images, and no group is worse.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest import mock

import numpy as np
from sklearn.linear_model import LogisticRegression

from cxrtool.stats import worst_cluster
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Marks
from cxrtool.stats.worst_cluster import WorstCluster

FEATURES, TRAINING = 64, 800
SIZES = (200, 400)


@dataclass(frozen=True)
class Scenario:
    """What is hidden in the images."""

    name: str
    share: float = 0.0  # of patients, in the group
    blind: bool = False
    learned: float = 0.0  # how clearly hospitals follow the disease


SCENARIOS = (
    Scenario("no group"),
    Scenario("10 % look different", 0.1),
    Scenario("20 % look different", 0.2),
    Scenario("source learned", learned=0.6),
    Scenario("10 % blind", 0.1, True),
    Scenario("15 % blind", 0.15, True),
    Scenario("20 % blind", 0.2, True),
    Scenario("30 % blind", 0.3, True),
)


@dataclass(frozen=True)
class DrawnSet:
    """Images of patients, with their features."""

    features: Floats
    positive: Marks
    patients: Ints
    hidden: Marks
    logits: Floats


Layer = Callable[[Floats, np.random.Generator], Floats]


def layer(rng: np.random.Generator) -> Layer:
    """Draw the weights of a layer: of disease, three properties, three hospitals and the group."""
    weights, bias = rng.normal(size=(8, FEATURES)) / 2, rng.normal(size=FEATURES) / 2
    return lambda cause, own: np.maximum(
        0, cause @ weights + bias + 0.8 * own.normal(size=(len(cause), FEATURES))
    )


def drawn(rng: np.random.Generator, images: int, own: Scenario, through: Layer) -> DrawnSet:
    who = np.repeat(np.arange(images), rng.choice([1, 2, 4], images, p=[0.7, 0.2, 0.1]))[:images]
    patients = int(who.max()) + 1
    ill, hidden = rng.random(patients) < 0.5, rng.random(patients) < own.share
    hospital = rng.integers(0, 3, patients)
    hospital = np.where(rng.random(patients) < own.learned, 2 * ill, hospital)
    effect = 1.75 * ill * ~(hidden & own.blind)
    disease = effect[who] + 0.6 * rng.normal(size=patients)[who] + 0.8 * rng.normal(size=images)
    person = 0.7 * rng.normal(size=(patients, 3))[who] + 0.7 * rng.normal(size=(images, 3))
    cause = [disease, *person.T, *2 * np.eye(3)[hospital[who]].T, 3.0 * hidden[who]]
    features = through(np.column_stack(cause), rng)
    return DrawnSet(features, ill[who], who, hidden[who], np.zeros(images))


def scored(rng: np.random.Generator, images: int, own: Scenario) -> DrawnSet:
    """Draw a set, with the scores of a classifier that was fitted on other images."""
    through = layer(rng)
    known = drawn(rng, TRAINING, own, through)
    model = LogisticRegression(C=0.05, max_iter=500).fit(known.features, known.positive)
    new = drawn(rng, images, own, through)
    logits = model.decision_function(new.features)
    return DrawnSet(new.features, new.positive, new.patients, new.hidden, logits)


def relabelled(real: dict[str, Floats], rng: np.random.Generator, images: int) -> DrawnSet:
    """Draw patients of real features, and labels that depend on the score alone."""
    who = np.unique(real["patients"], return_inverse=True)[1]
    order = rng.permutation(int(who.max()) + 1)
    last = int(np.searchsorted(np.cumsum(np.bincount(who)[order]), images)) + 1
    rows = np.flatnonzero(np.isin(who, order[:last]))
    logits = real["logits"][rows]
    scaled = 2.2 * (logits - np.median(logits)) / logits.std()
    positive = rng.random(len(rows)) < 1 / (1 + np.exp(-scaled))
    patients = np.unique(who[rows], return_inverse=True)[1]
    return DrawnSet(real["features"][rows], positive, patients, np.zeros(len(rows), bool), logits)


def as_they_are(features: Floats, positive: Marks, logits: Floats) -> Floats:
    """Reduce features to components with all that follows the score."""
    values = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-9)
    left, sizes, _ = np.linalg.svd(values, full_matrices=False)
    parts: Floats = left[:, : worst_cluster.COMPONENTS] * sizes[: worst_cluster.COMPONENTS]
    return parts


def judged(one: DrawnSet, seed: int) -> WorstCluster | None:
    return worst_cluster.cross_fitted(one.features, one.positive, one.logits, one.patients, seed)


def report(name: str, images: int, sets: Iterator[DrawnSet]) -> None:
    everyone = list(sets)
    results = [judged(one, k) for k, one in enumerate(everyone)]
    known = [one for one in results if one is not None]
    with mock.patch.object(worst_cluster, "unexplained", as_they_are):
        plain = [judged(one, k) for k, one in enumerate(everyone)]
    bounds = np.array([one.bounds(0.95) for one in known])
    naive = np.mean([one.bounds(0.95)[0] > 0 for one in plain if one is not None])
    values = [[one.value, one.own.value, one.others.value] for one in known]
    means = [(bounds[:, 0] > 0).mean(), (bounds[:, 1] < 0).mean(), *np.mean(values, axis=0), naive]
    cells = "  ".join(f"{number:6.3f}" for number in means)
    print(f"{name:<22}{images:<8}{cells}  {len(known)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--features")
    options = parser.parse_args()
    runs = range(options.runs)
    print(f"{options.runs} sets a row; worse, better, difference, in, outside, as they are; judged")
    for images in SIZES:
        if options.features:
            with np.load(options.features) as file:
                real = {name: file[name] for name in ("features", "logits", "patients")}
            rngs = (np.random.default_rng([9, images, k]) for k in runs)
            report("real features", images, (relabelled(real, rng, images) for rng in rngs))
        for at, own in enumerate(SCENARIOS):
            rngs = (np.random.default_rng([8, images, at, k]) for k in runs)
            report(own.name, images, (scored(rng, images, own) for rng in rngs))


if __name__ == "__main__":
    main()
