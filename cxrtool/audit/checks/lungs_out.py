"""Does the same training, on images without the lungs, reach the same AUC?

A network that does nearly as well without the lungs need not use them. This takes a second training
and a control (another patient's mask, a sham of the same area): the next step has the commands. On
its own it decides little: in one collection, with nothing confounded but the view, AUC was 0.853
with and 0.839 without the lungs, as heart, effusion and tubes are outside of them.
"""

from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import CheckRow, not_assessed

TITLE = "The same training without the lungs"
KIND = "confirmatory"
NEEDS = ("run",)
REFERENCE = (
    "G. Maguolo and L. Nanni, A critic evaluation of methods for COVID-19 automatic detection from "
    "X-ray images, Information Fusion 76, 2021."
)
COMMANDS = (
    "Run: cxrtool segment MANIFEST --keep background -d out > out.csv; cxrtool train out.csv with "
    "the options of the run; cxrtool evaluate; cxrtool compare both predictions."
)


def hypotheses(case: Case) -> list[str]:
    """Return nothing: no test is made here."""
    return []


def assess(case: Case) -> list[CheckRow]:
    """Say what a training without the lungs takes."""
    why = "it takes a second training, on images without the lungs"
    return [not_assessed("lungs out", why, COMMANDS)] if case.models else []
