"""How well features tell values of a column apart: a linear probe, and what chance would give.

The probe is linear discriminant analysis with equal priors and a shrunk covariance. Scikit-learn's
takes a factorisation for every fit, and a permutation test fits a thousand times. Here the
covariance of all images of a fold, which does not know the labels, is factorised once for all
permutations; what the classes change in it is as small as they are few (Woodbury).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cxrtool import projection, splitting

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

FOLDS = 5
# Principal components that the probe sees at most.
MOST_COMPONENTS = 128
# On features of real radiographs (90 to 450, of a ResNet-18) the probe is as good as Ledoit and
# Wolf's shrinkage or a logistic regression make it. Without any, classes that are told apart
# without a rest would have no covariance within.
SHRINKAGE = 0.1
NEIGHBOURS = 10
# A point whose nearest ones are so many of its own patient has no other neighbours.
MOST_OF_A_PATIENT = 200


@dataclass(frozen=True)
class Finding:
    """What a probe found, or the reason why there is nothing to find."""

    reason: str = ""
    images: int = 0
    patients: int = 0
    classes: dict[str, int] = field(default_factory=dict)  # images of each
    left_out: dict[str, int] = field(default_factory=dict)  # patients, where these are too few
    balanced_accuracy: float | None = None
    chance: float | None = None  # one over the classes
    permuted: float | None = None  # the mean over the permutations
    p: float | None = None


def probe(
    features: Floats,
    values: Sequence[str],
    patients: Ints,
    *,
    permutations: int = 200,
    seed: int = 0,
) -> Finding:
    """Find how well a linear probe tells the values of images apart, on patients it has not seen.

    Empty values, and those of fewer patients than there are folds, are left out. The balanced
    accuracy is that of all images, each predicted by a probe that was fitted without its patient's
    fold. In each permutation the patients exchange their values, the folds staying as they are:
    p = (1 + permutations at least as good) / (1 + permutations).

    Parameters
    ----------
    features
        (N, D), as the network gives them; they are standardised here.
    patients
        Group numbers (N,), from 0.

    References
    ----------
    M. Ojala and G. Garriga, Permutation tests for studying classifier performance, JMLR 11, 2010.
    """
    kept, codes, names, left_out = _probed(values, patients)
    whose, groups = np.unique(patients[kept], return_inverse=True)
    counts = dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))
    found = Finding("", len(kept), len(whose), counts, left_out)
    if len(names) < 2:
        return replace(found, reason=f"fewer than two values have {FOLDS} patients each")
    with projection.one_thread():
        scores = projection.components(standardised(features[kept]), MOST_COMPONENTS, seed)
        scores = scores.astype(np.float64)
        if not scores.shape[1]:
            return replace(found, reason="the features of all images are alike")
        labels = np.stack([codes, *permuted(codes, groups, permutations, seed)])
        accuracies = _accuracies(scores, labels, groups, len(names), seed)
    better = int((accuracies[1:] >= accuracies[0] - 1e-12).sum())
    return replace(
        found,
        balanced_accuracy=round(float(accuracies[0]), 6),
        chance=round(1 / len(names), 6),
        permuted=round(float(accuracies[1:].mean()), 6),
        p=round((1 + better) / (1 + permutations), 6),
    )


def within(
    features: Floats,
    values: Sequence[str],
    others: Sequence[str],
    patients: Ints,
    *,
    permutations: int = 200,
    seed: int = 0,
) -> dict[str, Finding]:
    """Probe for the values within every value of another column, which then tells nothing."""
    found = {}
    for place in sorted(set(others) - {""}):
        here = [number for number, other in enumerate(others) if other == place]
        found[place] = probe(
            features[here], [values[number] for number in here], patients[here],
            permutations=permutations, seed=seed,
        )  # fmt: skip
    return found


def groups_of(*columns: Sequence[str]) -> Ints:
    """Number the groups of images that share a cell of any column, which are not to be parted."""
    found = []
    for cells in columns:
        names, codes = coded(cells)
        # The empty text comes first, where there is one.
        found.append(codes - 1 if names[:1] == [""] else codes)
    return splitting.bind(found)


def _probed(values: Sequence[str], patients: Ints) -> tuple[Ints, Ints, list[str], dict[str, int]]:
    """Return the rows of a probe, their classes, the values of these, and what has few patients."""
    names, codes = coded(values)
    pairs = np.unique(np.stack([codes, patients]), axis=1)
    counts = dict(zip(names, np.bincount(pairs[0]).tolist(), strict=True))
    enough = [k for k, name in enumerate(names) if name and counts[name] >= FOLDS]
    kept = np.flatnonzero(np.isin(codes, enough))
    few = {name: count for name, count in counts.items() if name and count < FOLDS}
    return kept, np.searchsorted(enough, codes[kept]), [names[k] for k in enough], few


def coded(values: Sequence[str]) -> tuple[list[str], Ints]:
    """Number the values in alphabetical order; arrays of text are as wide as the longest."""
    names = sorted(set(values))
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[value] for value in values], np.int64)


def standardised(features: Floats) -> Floats:
    """Give every feature the mean 0 and the variance 1; leave out those that are all alike."""
    standard = features[:, projection.varies(features)].astype(np.float64)
    standard -= standard.mean(axis=0)
    standard /= standard.std(axis=0)
    return standard


def permuted(codes: Ints, groups: Ints, number: int, seed: int) -> list[Ints]:
    """Let the groups exchange their values, so many times.

    A group takes the values of another, in turn where it has more images than the other.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    # Each image's place within its group.
    place = np.empty_like(groups)
    place[order] = np.arange(len(groups)) - starts[groups[order]]
    found = []
    for _ in range(number):
        donors = rng.permutation(len(sizes))[groups]
        found.append(codes[order[starts[donors] + place % sizes[donors]]])
    return found


def _accuracies(scores: Floats, labels: Ints, groups: Ints, classes: int, seed: int) -> Floats:
    """Return the balanced accuracy of every row of labels (P, N), each fold predicted by others."""
    from sklearn.model_selection import StratifiedGroupKFold

    predicted = np.empty_like(labels)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for learned, asked in folds.split(scores, labels[0], groups):
        found = predictions(scores[learned], labels[:, learned], scores[asked], classes)
        predicted[:, asked] = found
    return balanced_accuracies(labels, predicted, classes)


def balanced_accuracies(labels: Ints, predicted: Ints, classes: int) -> Floats:
    """Return the mean of the sensitivities of the classes that occur, of every row."""
    there = np.stack([(labels == k).sum(axis=1) for k in range(classes)])
    right = np.stack([((labels == k) & (predicted == k)).sum(axis=1) for k in range(classes)])
    rates = right / np.maximum(there, 1)
    accuracies: Floats = rates.sum(axis=0) / (there > 0).sum(axis=0)
    return accuracies


def predictions(learned: Floats, labels: Ints, asked: Floats, classes: int) -> Ints:
    """Predict classes by discriminant analyses that differ in their labels (P, N) alone.

    With S the covariance of all images, M (classes, D) the means of the classes less the common
    one, and pi their shares, the covariance within the classes is S - M' diag(pi) M. Shrunk by a
    towards m I, m being the mean variance of S, it is

        W = (1 - a) (S - M' diag(pi) M) + a m I = S_a - (1 - a) M' diag(pi) M.

    Where S_a is white, W^-1 M' = M' Q with Q = (I - (1 - a) diag(pi) M M')^-1, and the class of
    x is the largest of  x M' Q - diag(M M' Q) / 2.

    References
    ----------
    J. Friedman, Regularized discriminant analysis, Journal of the American Statistical Association
    84, 1989.
    """
    middle = learned.mean(axis=0)
    away = learned - middle
    covariance = (1 - SHRINKAGE) * (away.T @ away) / len(away)
    covariance += SHRINKAGE * np.eye(away.shape[1]) * away.var()
    sizes, axes = np.linalg.eigh(covariance)
    white = axes / np.sqrt(np.maximum(sizes, np.finfo(np.float64).tiny))
    learned, asked = away @ white, (asked - middle) @ white
    found = np.empty((len(labels), len(asked)), np.int64)
    for number, row in enumerate(labels):
        counts = np.bincount(row, minlength=classes)
        chosen = (row[:, None] == np.arange(classes)) / np.maximum(counts, 1)
        means = chosen.T @ learned
        products = means @ means.T
        shares = (1 - SHRINKAGE) * counts / len(row)
        solved = np.linalg.inv(np.eye(classes) - shares[:, None] * products)
        rule = means.T @ solved
        heights = asked @ rule - np.diag(products @ solved) / 2
        # A class that nobody has cannot be chosen.
        found[number] = np.where(counts > 0, heights, -np.inf).argmax(axis=1)
    return found


def purity(points: Floats, values: Sequence[str], patients: Ints) -> float | None:
    """Return how many of a point's nearest ones have its value, as a mean over the values.

    Neighbours are those of other patients. By chance it is one over the values; points without a
    value neither count nor are neighbours; None where there is nobody to compare with.
    """
    from scipy.spatial import KDTree

    kept = np.array([bool(value) for value in values])
    names, codes = coded([value for value in values if value])
    if len(names) < 2:
        return None
    points, patients = points[kept], patients[kept]
    largest = min(int(np.bincount(patients).max()), MOST_OF_A_PATIENT)
    reach = min(len(points), largest + NEIGHBOURS)
    near = KDTree(points).query(points, reach)[1].reshape(len(points), -1)
    others = patients[near] != patients[:, None]
    others &= np.cumsum(others, axis=1) <= NEIGHBOURS
    counted = others.sum(axis=1)
    same = (others & (codes[near] == codes[:, None])).sum(axis=1)
    seen = counted > 0
    rates = [
        np.mean((same / np.maximum(counted, 1))[seen & (codes == k)])
        for k in range(len(names))
        if (seen & (codes == k)).any()
    ]
    return round(float(np.mean(rates)), 6) if len(rates) > 1 else None
