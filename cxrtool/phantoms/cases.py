"""Plan who is ill, who goes to which hospital, and how each image is taken."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrtool.phantoms.chance import generator

LABELS = ("normal", "pneumonia", "covid")
VIEWS = {"PA": 0.55, "AP": 0.3, "AP Supine": 0.15}  # how often each view is taken
AGES = (18, 90)  # years, both ends included


@dataclass(frozen=True)
class PhantomCase:
    """Everything that a phantom is made from: a row of the manifest."""

    index: int
    patient: str
    label: str
    source: str
    view: str
    age: str
    sex: str
    seed: int


def plan(
    count: int,
    *,
    labels: Sequence[str] = LABELS,
    sources: int = 3,
    confound: float = 0.0,
    per_patient: int | range = range(1, 4),
    seed: int = 0,
) -> list[PhantomCase]:
    """Plan `count` images of patients with balanced labels.

    With probability `confound` a patient comes from the hospital of the class (class k from
    hospital k modulo `sources`), else from any of them, all alike.
    """
    images = range(per_patient, per_patient + 1) if isinstance(per_patient, int) else per_patient
    _check(count, labels, sources, confound, images)
    # A generator a column: another confound then changes the sources and nothing else.
    who, where, how, when = (generator(seed, "plan", column) for column in range(4))
    cases: list[PhantomCase] = []
    for number, (label, taken) in enumerate(_patients(count, len(labels), images, who), start=1):
        patient, source = f"p{number:05d}", _hospital(label, sources, confound, where)
        age, sex = str(when.integers(AGES[0], AGES[1] + 1)), str(when.choice(["M", "F"]))
        for _ in range(taken):
            view = str(how.choice(list(VIEWS), p=list(VIEWS.values())))
            cases.append(
                PhantomCase(len(cases), patient, labels[label], source, view, age, sex, seed)
            )
    return cases


def _check(count: int, labels: Sequence[str], sources: int, confound: float, images: range) -> None:
    if unknown := sorted(set(labels) - set(LABELS)):
        raise ValueError(f"labels {', '.join(unknown)} are not among {', '.join(LABELS)}")
    if count < 0 or min(sources, len(labels), len(images), min(images, default=0)) < 1:
        raise ValueError("count must be 0 or more; labels, sources, images a patient 1 or more")
    if not 0 <= confound <= 1:
        raise ValueError(f"confound {confound} is not between 0 and 1")


def _patients(
    count: int, labels: int, images: range, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return (label, images) a patient, in random order, so that ids tell nothing of labels."""
    totals = [0] * labels
    patients = []
    while (left := count - sum(totals)) > 0:
        label = totals.index(min(totals))
        taken = min(left, images[int(rng.integers(len(images)))])
        totals[label] += taken
        patients.append((label, taken))
    return [patients[i] for i in rng.permutation(len(patients))]


def _hospital(label: int, sources: int, confound: float, rng: np.random.Generator) -> str:
    # Both are drawn whatever comes of it, so that the next patient's draws stay the same.
    own, anywhere = rng.random() < confound, int(rng.integers(sources))
    return f"hospital-{(label % sources if own else anywhere) + 1}"
