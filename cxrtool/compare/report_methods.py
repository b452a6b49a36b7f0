"""How the results of a report were computed, and their limitations (comparison -> sentences)."""

from collections.abc import Iterator

from cxrtool.compare.display import Shows
from cxrtool.figures import numbers
from cxrtool.stats import interval_methods

INTERVALS = {
    interval_methods.WILSON: "Wilson intervals for proportions of images",
    interval_methods.WILSON_BY_PATIENT: "Wilson intervals for proportions of images, with the "
    "effective number of images",
    "normal": "the normal approximation for proportions of images",
    interval_methods.DELONG: "Wilson intervals for AUC, with the effective number of images from "
    "DeLong's variance",
    interval_methods.OBUCHOWSKI: "Wilson intervals for AUC, with the effective number of images "
    "from Obuchowski's variance, which takes into account several images per patient",
    interval_methods.EFFECTIVE_SIZE: "Wilson intervals with the effective number of images for "
    "F1, average precision, MCC and Brier score",
    interval_methods.LOG_NORMAL: "log-normal intervals for odds ratios",
    interval_methods.LOG_NORMAL_BY_PATIENT: "log-normal intervals for odds ratios, with a variance "
    "by patient",
    interval_methods.MOVER: "intervals of averages from the intervals of their parts (MOVER)",
    interval_methods.CALIBRATION_ERROR: "intervals of calibration errors, corrected for the error "
    "that chance alone adds",
    interval_methods.SANDWICH: "Student intervals for calibration slope and intercept, with the "
    "sandwich variance",
}
LIMITATIONS = (
    "The confidence intervals show how much the results could differ by chance with this number "
    "of patients. They do not show how a model performs in another hospital. For that, "
    "predictions from another hospital are needed (`--by source`, `--matrix train,test`).",
    "Good results do not show why they are good. `cxrtool cam` shows where a model looks. "
    "`cxrtool tsne` tests whether the source can be predicted from its features.",
    "The results depend on the tables. A wrong label is taken as the truth. Images or patients "
    "that were used in training make the results too optimistic.",
)


def sentences(shows: Shows) -> Iterator[str]:
    """Yield the paragraphs on methods and limitations."""
    yield _intervals(shows)
    if shows.question.threshold is not None:
        yield (
            "Decision threshold: the positive class is predicted if its probability is above "
            f"{shows.question.threshold:g}."
        )
    yield from LIMITATIONS


def _intervals(shows: Shows) -> str:
    question = shows.question
    used = {figure.method for result in shows.results for figure in result.figures.values()}
    methods = [text for method, text in INTERVALS.items() if method in used]
    if "bootstrap" in used or any(result.replicates for result in shows.results):
        methods.append(
            f"percentiles of {question.resamples} bootstrap resamples of the patients (seed "
            f"{question.seed}) for all other metrics and for differences"
        )
    if not methods:
        return "No result has a confidence interval."
    return f"{numbers.level(question.level)} confidence intervals: {'; '.join(methods)}."
