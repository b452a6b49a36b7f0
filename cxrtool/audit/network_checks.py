"""What checks of a run have in common: that there is one, that it can be asked, enough patients."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import NotAssessed
from cxrtool.core.errors import BrokenRun, CxrtoolError, FailedInput
from cxrtool.stats.metrics import Ints

if TYPE_CHECKING:
    from cxrtool.audit.audited_run import AuditedRun

# Fewer patients of a class tell little.
FEWEST = 10


def network(case: Case) -> "AuditedRun":
    """Return the run that a check asks again."""
    if case.network is None:
        why = "it asks the network again, and no run is given"
        raise NotAssessed(why, "cxrtool audit MANIFEST --run RUN.")
    return case.network


@contextmanager
def if_allowed() -> Iterator[None]:
    """Ask what not every network allows; what is no fault of it ends the audit all the same."""
    try:
        yield
    except (BrokenRun, FailedInput):
        raise
    except CxrtoolError as error:
        why = f"this network does not allow it: {str(error).rstrip('.')}"
        raise NotAssessed(why, "See 'cxrtool cam --help'.") from error


def check_patients(case: Case, rows: Ints, fewest: int = FEWEST) -> None:
    """Refuse rows with too few patients of a class."""
    positive, patients = case.images.positive[rows], case.images.patients[rows]
    if min(len(np.unique(patients[positive == k])) for k in (0, 1)) < fewest:
        why = f"fewer than {fewest} patients of a class were predicted by the run"
        raise NotAssessed(why, "Add held-out images of both classes.")
