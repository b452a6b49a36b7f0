"""Confirmatory rows made of an estimate: its p-value, and its interval at each of Holm's levels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxrtool.audit.verdicts import INCONCLUSIVE, MOST, CheckRow, levels
from cxrtool.figures import numbers
from cxrtool.stats import intervals, within
from cxrtool.stats.intervals import Bounds
from cxrtool.stats.within import Decomposition, Estimate

# A column that predicts the label as well as this leaves hardly any pair within its values.
NEARLY_SURE = 0.95
# An interval of an AUC that is as wide as this tells nothing.
TOO_WIDE = 0.5
# Fewer pairs of patients within groups show no effect.
FEWEST_PAIRS = 20


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

    `lead` says both AUCs. From a handful of pairs no effect is shown: in small sets where the
    groups nearly predict the label, the interval of the difference is beyond the margin by chance
    up to twice as often as it should be (`tests/benchmarks/audit_few_pairs.py`).
    """
    row = tested(name, parts, limit=margin, number=number, sentences=sentences, next=next)
    row.floor = -margin
    row.sentences[INCONCLUSIVE] = (
        f"{lead}. These images cannot tell whether the difference exceeds the margin. {{power}}"
    )
    if not row.is_tested:
        return row
    row.p = min(row.p, within.p_beyond(Mirrored(parts), margin))
    # Without an effect both AUCs err alike; with one, the AUC of fewer pairs errs alone.
    low, high = parts.within.bounds(0.95)
    row.error = (high - low) / 2 / intervals.quantile(0.95)
    if parts.patient_pairs < FEWEST_PAIRS:
        row.beyond, row.error = INCONCLUSIVE, MOST
        row.sentences[INCONCLUSIVE] = (
            f"{lead}. {numbers.counted(parts.patient_pairs, 'pair')} of a positive and a negative "
            f"patient are too few for a verdict: it takes {FEWEST_PAIRS}."
        )
    return row


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
