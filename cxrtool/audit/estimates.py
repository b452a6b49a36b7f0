"""Confirmatory rows made of an estimate: its p-value, and its interval at each of Holm's levels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxrtool.audit.verdicts import INCONCLUSIVE, CheckRow, levels
from cxrtool.figures import numbers
from cxrtool.stats import intervals, within
from cxrtool.stats.intervals import Bounds
from cxrtool.stats.within import Decomposition, Estimate

# A column that predicts the label as well as this leaves hardly any pair within its values.
NEARLY_SURE = 0.95
# An interval of an AUC that is as wide as this tells nothing.
TOO_WIDE = 0.5
# Fewer pairs of patients within groups, or fewer patients of a class in such pairs, make no test.
FEWEST_PAIRS, FEWEST_PAIRED = 20, 4
# What is advised wherever the column `source` is absent, or has one value.
NAME_SOURCES = (
    "If the images come from several hospitals or collections, name these first: a column "
    "'source', or one folder for each in cxrtool ingest. Without it nothing tells hospital from "
    "disease."
)
MORE = "Add patients of both classes in the same group (source, view, similar bystanders)."


def tested(
    name: str,
    estimate: Estimate,
    *,
    limit: float,
    number: int,
    sentences: Mapping[str, str],
    next: str,
) -> CheckRow:
    """Return the row of one of `number` tests; a verdict follows when all are known.

    An estimate without an interval makes a row without a test: the caller says why.
    """
    row = CheckRow(name, value=estimate.value, limit=limit, sentences=dict(sentences), next=next)
    ladder = [estimate.bounds(level) for level in levels(number)]
    if not np.isnan(ladder).any():
        row.ladder, row.p = ladder, within.p_beyond(estimate, limit)
    return row


def tested_difference(
    name: str,
    parts: Decomposition,
    *,
    margin: float,
    number: int,
    lead: str,
    sentences: Mapping[str, str],
    next: str,
) -> CheckRow:
    """Return the row of AUC minus AUC within groups, which may be an effect on either side.

    `lead` says both AUCs. A handful of pairs makes no test: in small sets where the groups nearly
    predict the label, the interval of the difference is beyond the margin by chance up to twice as
    often as it should be (`tests/benchmarks/audit_few_pairs.py`).
    """
    if is_from_few(parts):
        return _inconclusive(name, parts, margin, lead)
    row = tested(name, parts, limit=margin, number=number, sentences=sentences, next=next)
    row.floor = -margin
    row.most = largest_difference(parts)
    row.sentences[INCONCLUSIVE] = (
        f"{lead}. These images cannot tell whether the difference exceeds the margin. {{power}}"
    )
    if not row.is_tested:
        return row
    row.p = min(row.p, within.p_beyond(Mirrored(parts), margin))
    # Without an effect both AUCs err alike; with one, the AUC of fewer pairs errs alone.
    low, high = parts.within.bounds(0.95)
    row.error = (high - low) / 2 / intervals.quantile(0.95)
    return row


def largest_difference(parts: Decomposition) -> float:
    """Return how much groups can add to an AUC if within them it is at least 0.5.

    AUC - AUC_within = (1 - w) (AUC_between - AUC_within), where w is the share of pairs within
    groups, and AUC_between is at most 1.
    """
    return (1 - parts.share) * 0.5


def is_from_few(parts: Decomposition) -> bool:
    """Tell whether there are too few pairs of patients, or patients in pairs, for a test."""
    return parts.patient_pairs < FEWEST_PAIRS or parts.paired_patients < FEWEST_PAIRED


def _inconclusive(name: str, parts: Decomposition, margin: float, lead: str) -> CheckRow:
    """Return the row of a difference from too few pairs."""
    row = CheckRow(name, verdict=INCONCLUSIVE, value=parts.value, limit=margin, floor=-margin)
    pairs, patients = parts.patient_pairs, parts.paired_patients
    row.meaning = (
        f"{lead}. {numbers.counted_that(pairs, 'pair', 'is', 'are')} too few for a test, with "
        f"{numbers.counted(patients, 'patient')} in the smaller class: it takes {FEWEST_PAIRS} "
        f"pairs of a positive and a negative patient, and {FEWEST_PAIRED} patients of each class."
    )
    row.next = MORE
    return row


def of_both_classes(column: str) -> str:
    """Say what helps where hardly a pair is of the same value of a column."""
    return (
        f"Add images of both classes from the same {column}, or bring those that there are into "
        f"the test part (cxrtool split --stratify label,{column}), then run the audit again."
    )


@dataclass(frozen=True)
class Mirrored:
    """An estimate with the other sign."""

    estimate: Estimate

    @property
    def value(self) -> float:
        """The value."""
        return -self.estimate.value

    def bounds(self, level: float) -> Bounds:
        """Return the interval."""
        low, high = self.estimate.bounds(level)
        return -high, -low
