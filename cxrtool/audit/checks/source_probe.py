"""Can the source be read from the network's features? And from those of a network without training?

A linear probe predicts the source of new patients, among images of one label. Beside the run stands
the same network with random weights, drawn by the seed of the run, and with ImageNet weights if
they are on this machine: both know nothing of these images. A network with random weights tells
sources apart, too, wherever their images look different; so that a source can be decoded does not
show that it is used, and this decides nothing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cxrtool.audit import estimates, network_checks
from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, NotAssessed
from cxrtool.figures import numbers
from cxrtool.stats import linear_probe
from cxrtool.stats.discriminant import FOLDS
from cxrtool.stats.linear_probe import Finding
from cxrtool.stats.metrics import Ints

if TYPE_CHECKING:
    from cxrtool.audit.network_features import ProbeFeatures

TITLE = "The source in the network's features"
KIND = "descriptive"
NEEDS = ("run",)
REFERENCE = (
    "A. Ravichander, Y. Belinkov and E. Hovy, Probing the probing paradigm: does probing accuracy "
    "entail task relevance?, EACL, 2021."
)
NAME = "source probe"
MOST = 400
# For the intervals; no p is wanted.
PERMUTATIONS = 199
RUN, RANDOM = "the run", "random weights"


def assess(case: Case) -> list[CheckRow]:
    """Return one row: how well features predict the source among images of one label."""
    network = network_checks.network(case)
    if not case.images.has("source"):
        raise NotAssessed("source: absent", estimates.NAME_SOURCES)
    if not _is_possible(case, network.sample(case, MOST)):
        why = f"no label has predicted images of {FOLDS} patients in each of two sources"
        raise NotAssessed(why, "Add images of a label from two sources.")
    with network_checks.if_allowed():
        return [_row(case, network.features(case, MOST, with_untrained=True))]


def _is_possible(case: Case, rows: Ints) -> bool:
    """Tell whether a label has two sources with enough patients."""
    sources, labels = _cells(case, rows, "source"), _labels(case, rows)
    patients: dict[tuple[str, str], set[int]] = {}
    for k, row in enumerate(rows.tolist()):
        who = int(case.images.patients[row])
        patients.setdefault((labels[k], sources[k]), set()).add(who)
    enough = [label for (label, source), who in patients.items() if source and len(who) >= FOLDS]
    return len(enough) > len(set(enough))


def _cells(case: Case, rows: Ints, column: str) -> list[str]:
    coded = case.images.columns[column]
    return [coded.names[code] for code in coded.codes[rows].tolist()]


def _labels(case: Case, rows: Ints) -> list[str]:
    """Return the labels as the manifest has them, else whether an image is positive."""
    if case.images.has("label"):
        return _cells(case, rows, "label")
    others = " or ".join(case.negatives)
    return [case.positive if k else others for k in case.images.positive[rows].tolist()]


def _row(case: Case, found: "ProbeFeatures") -> CheckRow:
    rows = found.rows
    patients = np.unique(case.images.patients[rows], return_inverse=True)[1]
    sources, labels = _cells(case, rows, "source"), _labels(case, rows)
    findings = {
        name: linear_probe.within(
            features, sources, labels, patients, permutations=PERMUTATIONS, seed=case.seed
        )
        for name, features in found.features.items()
    }
    own = ProbeSummary(findings[RUN])
    row = CheckRow(NAME, DESCRIPTIVE, value=own.value, low=own.low, high=own.high)
    row.patients, row.sources = int(patients.max(initial=-1)) + 1, len(set(sources) - {""})
    row.meaning = (
        "Among images of one label, the run's features predict the source of new patients "
        f"with balanced accuracy {own} (chance {numbers.value(own.chance)}){_beside(findings)}. "
        "Random weights tell sources apart, too: what can be decoded need not be used."
    )
    row.blocks = [_table(findings, found.absent, len(rows))]
    return row


def _beside(findings: Mapping[str, Mapping[str, Finding]]) -> str:
    others = [name for name in findings if name != RUN]
    return "".join(f", from {name} with {ProbeSummary(findings[name])}" for name in others)


class ProbeSummary:
    """The balanced accuracy within labels, averaged over their images."""

    def __init__(self, findings: Mapping[str, Finding]) -> None:
        known = [one for one in findings.values() if one.balanced_accuracy is not None]
        weights = np.array([one.images for one in known], float)
        weights /= max(weights.sum(), 1.0)
        values = np.array([one.balanced_accuracy for one in known], float)
        self.value = float(weights @ values) if known else np.nan
        self.chance = float(weights @ [one.chance for one in known]) if known else np.nan
        # The images of different labels are of different patients, by and large.
        below = values - np.array([one.low for one in known], float)
        above = np.array([one.high for one in known], float) - values
        self.low = self.value - float(np.sqrt(((weights * below) ** 2).sum()))
        self.high = self.value + float(np.sqrt(((weights * above) ** 2).sum()))

    def __str__(self) -> str:
        """Write the value with its interval."""
        return numbers.interval(self.value, self.low, self.high)


def _table(
    findings: Mapping[str, Mapping[str, Finding]], absent: Mapping[str, str], number: int
) -> dict[str, object]:
    cells: list[list[object]] = []
    for label, one in findings[RUN].items():
        if one.balanced_accuracy is None:
            continue
        for name, of in findings.items():
            found = of[label]
            auc = (found.balanced_accuracy, found.low, found.high)
            cells.append([label, ", ".join(found.classes), name, auc, found.chance])
    cells += [["", "", name, f"not available: {why}", None] for name, why in absent.items()]
    return {
        "kind": "table",
        "columns": ["label", "sources", "weights", "balanced accuracy", "chance"],
        "rows": cells,
        "caption": f"A linear probe of the features before the last layer, of {number} held-out "
        f"images (at most {MOST}, at random; 95 % intervals); every patient is predicted by a "
        f"probe that was fitted without it. Sources of fewer than {FOLDS} patients of a label are "
        "left out.",
    }
