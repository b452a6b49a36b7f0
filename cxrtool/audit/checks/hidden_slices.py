"""Is there a group of images that no column names, and in which the model is worse?

The run's features are clustered, without what the score and the label explain of them. The cluster
with the lowest AUC is chosen on one half of the patients, and judged on the other half, both ways
round, so that the worst of many is not merely worst by chance. What the cluster has in common, of
the columns that are known, stands in a table, with the images nearest to its centre: look at them.

A difference of AUC may come from harder patients as well as from a fault of the model, so this
decides nothing. Small slices are missed: see the guide.
"""

import numpy as np
from scipy import special

from cxrtool.audit import network_checks
from cxrtool.audit.case import AGE_BAND, Case
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, NotAssessed
from cxrtool.figures import numbers
from cxrtool.stats import worst_cluster
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Marks
from cxrtool.stats.worst_cluster import FeatureCluster, WorstCluster

TITLE = "Groups that no column names, and their AUC"
KIND = "descriptive"
NEEDS = ("run",)
REFERENCE = (
    "S. Eyuboglu et al., Domino: Discovering systematic errors with cross-modal embeddings, ICLR, "
    "2022."
)
NAME = "hidden slices"
# The sample of the source probe, whose features are computed once for both.
MOST = 400
# With fewer patients of a class, halves of them have no cluster that can be judged.
FEWEST = 20
LEVEL = 0.95
RUN = "the run"
COLUMNS = ("source", "view", "sex", AGE_BAND)
# A value is named if its share in the cluster exceeds that elsewhere by so much.
NOTABLE = 0.1
# Images nearest to the centre of a cluster, to look at.
NEAREST = 5


def assess(case: Case) -> list[CheckRow]:
    """Return one row: by how much AUC is lower in the worst cluster."""
    network = network_checks.network(case)
    model = network.scores(case)
    network_checks.check_patients(case, network.sample(case, MOST), FEWEST)
    with network_checks.if_allowed():
        found = network.features(case, MOST)
    network_checks.check_patients(case, found.rows, FEWEST)
    if model is None:
        raise NotAssessed("the run has no predictions of these images", "Add held-out images.")
    order = np.argsort(model.rows, kind="stable")
    scores = model.scores[order[np.searchsorted(model.rows, found.rows, sorter=order)]]
    logits = special.logit(np.clip(scores, 1e-9, 1 - 1e-9))
    worst = worst_cluster.cross_fitted(
        found.features[RUN],
        case.images.positive[found.rows] == 1,
        logits,
        np.unique(case.images.patients[found.rows], return_inverse=True)[1],
        case.seed,
    )
    if worst is None:
        why = f"no cluster has {worst_cluster.FEWEST} patients of both classes in both halves"
        raise NotAssessed(why, "Add held-out images of both classes.")
    return [_row(case, found.rows, worst)]


def _row(case: Case, rows: Ints, worst: WorstCluster) -> CheckRow:
    low, high = worst.bounds(LEVEL)
    row = CheckRow(NAME, DESCRIPTIVE, value=worst.value, low=low, high=high)
    row.patients = len(np.unique(case.images.patients[rows]))
    lead = (
        f"AUC is {numbers.value(worst.own.value)} in {_chosen(worst)}, "
        f"{numbers.value(worst.others.value)} in the other images (difference "
        f"{numbers.interval(worst.value, low, high)})"
    )
    row.meaning = (
        f"{lead}. Look at its images: they may be harder, or lack what tells the classes apart "
        "elsewhere (a sign of the disease, or the source)."
        if low > 0
        else f"{lead}: no group of images is shown to be worse. Small groups are missed."
    )
    clusters = _distinct(worst)
    row.blocks = [
        _clusters_table(case, rows, worst, clusters),
        *_columns_tables(case, rows, clusters),
    ]
    return row


def _chosen(worst: WorstCluster) -> str:
    if worst.agree:
        return "the worst cluster of features"
    return "the two worst clusters of features (one for each half of the patients)"


def _agreement(worst: WorstCluster) -> str:
    if worst.agree:
        return "Both halves of the patients chose the same cluster."
    both = worst.chosen[0].members & worst.chosen[1].members
    either = worst.chosen[0].members | worst.chosen[1].members
    common = numbers.percent(float(both.sum() / either.sum()))
    return f"The halves chose different clusters, which have {common} of their images in common."


def _distinct(worst: WorstCluster) -> dict[str, FeatureCluster]:
    if worst.agree:
        return {"chosen by both halves": worst.chosen[0]}
    return {
        "chosen by the first half": worst.chosen[0],
        "chosen by the second half": worst.chosen[1],
    }


def _clusters_table(
    case: Case, rows: Ints, worst: WorstCluster, clusters: dict[str, FeatureCluster]
) -> dict[str, object]:
    positive = case.images.positive[rows] == 1
    cells = []
    for name, one in clusters.items():
        near = np.argsort(np.where(one.members, one.distances, np.inf), kind="stable")
        paths = [case.images.paths(row) for row in rows[near[:NEAREST]].tolist()]
        number = f"{one.members.sum()} of {len(rows)}"
        ill = numbers.percent(float(positive[one.members].mean()))
        cells.append([name, number, ill, "; ".join(paths)])
    return {
        "kind": "table",
        "columns": ["cluster", "images", case.positive, "nearest to its centre"],
        "rows": cells,
        "caption": f"The worst of {sum(worst_cluster.NUMBERS)} clusters (k-means with "
        f"{', '.join(map(str, worst_cluster.NUMBERS))} clusters) of {len(rows)} held-out images "
        f"(at most {MOST}, at random). The features are those before the last layer, without what "
        "the label and the score explain. Each half of the patients chooses a cluster, and the "
        f"other half judges it; in all, {int(worst.judged.sum())} images were judged in the "
        f"clusters. {_agreement(worst)}",
    }


def _columns_tables(
    case: Case, rows: Ints, clusters: dict[str, FeatureCluster]
) -> list[dict[str, object]]:
    """Show which values of the columns are more frequent in a cluster; none where none is."""
    cells = [
        [name, *cell]
        for name, one in clusters.items()
        for column in dict.fromkeys([*COLUMNS, *case.within])
        if case.images.has(column)
        for cell in _frequent(case, rows, column, one.members)
    ]
    if not cells:
        return []
    return [
        {
            "kind": "table",
            "columns": ["cluster", "column", "value", "in the cluster", "in other images"],
            "rows": cells,
            "caption": "What the images of the cluster have in common: values with a higher share "
            f"than in the other images, by {numbers.percent(NOTABLE)} or more of the images where "
            "the column is known.",
        }
    ]


def _frequent(case: Case, rows: Ints, column: str, members: Marks) -> list[list[object]]:
    coded, known = case.images.columns[column], case.images.known(column)[rows]
    codes = coded.codes[rows]
    inside, outside = members & known, ~members & known
    if not inside.any() or not outside.any():
        return []
    cells: list[list[object]] = []
    for code in np.unique(codes[inside]).tolist():
        own, others = (float((codes[part] == code).mean()) for part in (inside, outside))
        if own - others >= NOTABLE:
            shares = numbers.percent(own), numbers.percent(others)
            cells.append([column, coded.names[code], *shares])
    return cells
