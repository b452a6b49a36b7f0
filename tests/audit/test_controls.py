"""The controls of the audit find nothing where nothing is, whatever the patients look like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from audit_cases import make_case

from cxrtool.audit.case import Case
from cxrtool.audit.checks import controls


def uneven(patients: int = 120, ill: int = 4) -> Case:
    """Make a case in which ill patients have several images, and the others one."""
    counts = np.where(np.arange(patients) % 2 == 1, ill, 1)
    who = np.repeat(np.arange(patients), counts)
    case = make_case(len(who))
    positive = who % 2
    images = replace(case.images, patients=who, positive=positive)
    scores = np.clip(0.3 + 0.4 * positive + np.random.default_rng(2).normal(0, 0.2, len(who)), 0, 1)
    model = replace(case.models[0], scores=scores)
    return replace(case, images=images, models=[model])


def test_permuted_labels_tell_nothing_where_the_ill_have_more_images() -> None:
    permuted, halved = controls.assess(uneven())
    assert permuted.low <= 0.05 and "caution" not in permuted.meaning
    assert halved.low <= 0.05
    # 9 of 100: [0.048, 0.162]; 10 of 100: [0.055, 0.174].
    assert "up to 9 by chance" in permuted.meaning


def test_labels_are_exchanged_between_patients_as_a_whole() -> None:
    case = uneven()
    positive, patients = case.images.positive == 1, case.images.patients
    labels = controls._exchanged(positive, patients, np.random.default_rng(0))
    # All images of a patient have the label of one other patient.
    firsts = np.array([set(labels[patients == k].tolist()) for k in range(120)])
    assert all(len(own) == 1 for own in firsts)
    assert sum(next(iter(own)) for own in firsts) == 60
    assert (labels != positive).any()
