"""How an audit was made, as the last sections of its page say it."""

from cxrtool.audit import verdicts
from cxrtool.audit.case import Case
from cxrtool.audit.runner import ESTIMAND, Plan, module
from cxrtool.figures.html_page import Section
from cxrtool.figures.numbers import counted

VERDICTS = (
    ("Shown", "the interval lies beyond the margin, or a fault was counted."),
    ("Excluded", "the interval lies inside the margin, or no fault was found."),
    ("Inconclusive", "neither; the images are too few."),
    ("Not identifiable", "the classes do not overlap; more images of the same kind do not help."),
    ("Not assessed", "an input is missing; the next step supplies it."),
)


def write(section: Section, case: Case, plan: Plan) -> None:
    """Say what was asked, how it was tested, and what the words mean."""
    section.text(ESTIMAND, lead="Estimand")
    section.text(
        f"Margin {case.margin:g}. Confirmatory tests: {len(plan.family)}, adjusted together "
        f"by Holm's procedure at {verdicts.ALPHA:g} (two-sided). They were written to audit.json "
        "before outcomes were read. Intervals keep the images of a patient together. Changed from "
        f"the defaults: {', '.join(plan.changed) or 'nothing'}. Seed {case.seed}.",
        lead="Tests",
    )
    if joining := _joining(case):
        section.text(*joining, lead="Joining")
    section.text(" ".join(f"{name}: {when}" for name, when in VERDICTS), lead="Verdicts")
    section.text(
        "A verdict is about these images. It is no proof that a model uses the disease: a cause "
        "that is in no column and in no image measurement stays unseen.",
        lead="Limits",
    )


def _joining(case: Case) -> list[str]:
    """Say what was found when predictions were put to the rows of the manifest."""
    counts = {
        f"Not in the manifest: {counted(case.unmatched, 'image')} of the predictions. "
        "Only what the predictions say is known of them.": case.unmatched,
        f"With another label than in the manifest: {counted(case.relabelled, 'prediction')}; that "
        "of the prediction is used.": case.relabelled,
        f"Not judged, as learned from: {counted(case.learned, 'prediction')} of training or "
        "validation images.": case.learned,
    }
    return [sentence for sentence, count in counts.items() if count]


def write_references(section: Section, plan: Plan) -> None:
    """List the papers of the checks."""
    references = dict.fromkeys(module(check).REFERENCE for check in plan.checks)
    # In one paragraph: the page prints on two sheets.
    section.text(" ".join(f"({k}) {text}" for k, text in enumerate(filter(None, references), 1)))
