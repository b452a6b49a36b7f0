"""Confirmatory rows made of an estimate: its p-value, and its interval at each of Holm's levels."""

from collections.abc import Mapping

import numpy as np

from cxrtool.audit.verdicts import CheckRow, levels
from cxrtool.stats import within
from cxrtool.stats.within import Estimate

# A column that predicts the label as well as this leaves hardly any pair within its values.
NEARLY_SURE = 0.95
# An interval of an AUC that is as wide as this tells nothing.
TOO_WIDE = 0.5


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
