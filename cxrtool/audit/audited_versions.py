"""What checks of a run have in common: what they lack, and AUCs of the same changed images."""

import numpy as np

from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, not_assessed
from cxrtool.core.errors import BrokenRun, CxrtoolError
from cxrtool.stats.metrics import Ints

# Fewer patients of a class tell little.
FEWEST = 10


def needs_run(name: str) -> CheckRow:
    """Return the row of a check without a run."""
    remedy = "cxrtool audit MANIFEST --run RUN."
    return not_assessed(name, "it asks the network again, and no run is given", remedy, DESCRIPTIVE)


def refused(name: str, error: CxrtoolError) -> CheckRow:
    """Return the row of a check that this network does not allow; a broken run is no such row."""
    if isinstance(error, BrokenRun):
        raise error
    why = f"this network does not allow it: {str(error).rstrip('.')}"
    return not_assessed(name, why, "See 'cxrtool cam --help'.", DESCRIPTIVE)


def too_few(case: Case, name: str, rows: Ints) -> CheckRow | None:
    """Return the row of a check that has too few patients of a class; None if there are enough."""
    positive, patients = case.images.positive[rows], case.images.patients[rows]
    if min(len(np.unique(patients[positive == k])) for k in (0, 1)) >= FEWEST:
        return None
    why = f"fewer than {FEWEST} patients of a class were predicted by the run"
    return not_assessed(name, why, "Add held-out images of both classes.", DESCRIPTIVE)
